"""What several generators learned in (nearly) the same words belongs to all: it is promoted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from grpo_framework.experience.limits import Limits
from grpo_framework.experience.similarity import NOTHING_ALIKE, Alike, find_twin, normalise
from grpo_framework.experience.values import Add, Delete, Experience, Library
from grpo_framework.records import Owner

PROMOTED = "promoted"
"""The rule by which a proposal leaves its owner: it stands in the shared library instead."""


@frozen
class Promotion:
    """One text that moves to the shared library.

    Attributes:
        add: The proposal to the shared library.
        deletes: Owner → the proposals to the libraries that held it.
    """

    add: Add
    deletes: tuple[tuple[Owner, Delete], ...]


def find_promotions(
    libraries: Sequence[Library], *, limits: Limits, alike: Alike = NOTHING_ALIKE
) -> tuple[Promotion, ...]:
    """Find the experiences that two or more owners hold in (nearly) the same words; pure.

    Args:
        libraries: Of the generators, in order; the first one's wording is the one promoted.
        limits: Says how near is the same.
        alike: Which texts mean the same.
    """
    taken: set[str] = set()
    found: list[Promotion] = []
    texts = [
        {experience.id: normalise(experience.content) for experience in library.experiences}
        for library in libraries
    ]
    for position, library in enumerate(libraries):
        for experience in library.experiences:
            if experience.id in taken:
                continue
            twins = [(library.owner, experience.id)]
            for other in range(position + 1, len(libraries)):
                candidates = {id_: text for id_, text in texts[other].items() if id_ not in taken}
                text = texts[position][experience.id]
                near = limits.near_duplicate
                twin = find_twin(text, candidates, threshold=near, alike=alike)
                if twin is not None:
                    twins.append((libraries[other].owner, twin))
            if len(twins) > 1:
                taken.update(id_ for _, id_ in twins)
                found.append(_promotion(experience, twins))
    return tuple(found)


def _promotion(experience: Experience, twins: list[tuple[Owner, str]]) -> Promotion:
    owners = " and ".join(owner for owner, _ in twins)
    add = Add(
        content=experience.content,
        category=experience.category,
        source_problem=experience.source_problem,
        reason=f"learned alike by {owners}",
    )
    deletes = tuple((owner, Delete(id_, "promoted to shared")) for owner, id_ in twins)
    return Promotion(add, deletes)


def find_held_twice(
    library: Library, shared: Mapping[str, str], limits: Limits, alike: Alike
) -> list[Delete]:
    """Deletes for what the shared library says too, as a crash between two commits leaves it; pure.

    Args:
        library: Of a generator.
        shared: Id → content of the shared experiences.
        limits: Says how near is the same.
        alike: Which texts mean the same.
    """
    texts = {id_: normalise(content) for id_, content in shared.items()}
    found: list[Delete] = []
    for experience in library.experiences:
        content = normalise(experience.content)
        twin = find_twin(content, texts, threshold=limits.near_duplicate, alike=alike)
        if twin is not None:
            found.append(Delete(experience.id, f"{twin} of the shared library says the same"))
    return found
