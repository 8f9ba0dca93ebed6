"""How the simulated advisor turns contrasts and proposals into operations: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

from grpo_framework.experience import (
    Add,
    Experience,
    Keep,
    Library,
    Merge,
    Modify,
    Operation,
    normalise,
)
from grpo_framework.records import Contrast
from grpo_scripted.dice import draw
from grpo_scripted.tactics import HARMFUL_TACTICS, USELESS_TACTICS, Tactic, find_tactics

EMPHASIS = "Do this every time."
_MODIFY_RATE = 0.2


@frozen
class Noise:
    """What a bad advisor adds to each batch: benchmarks of gates need it.

    Attributes:
        useless: Useless additions a batch.
        harmful: Harmful additions a batch.
    """

    useless: int = 0
    harmful: int = 0


def winning_tactics(good: Iterable[str], bad: Iterable[str]) -> tuple[Tactic, ...]:
    """The tactics that good attempts name and bad ones do not, in the order of the table."""
    avoided = {tactic.phrase for text in bad for tactic in find_tactics(text)}
    return tuple(tactic for tactic in find_tactics("\n".join(good)) if tactic.phrase not in avoided)


def teaching(library: Library, tactic: Tactic) -> tuple[Experience, ...]:
    """The experiences of a library that teach a tactic."""
    return tuple(held for held in library.experiences if find_tactics(held.content, (tactic,)))


def advise_on(contrast: Contrast, library: Library) -> tuple[Operation, ...]:
    """Propose operations from one contrast: add what won, keep or sharpen what is known already."""
    tactics = winning_tactics(
        (sample.attempt.text for sample in contrast.good),
        (sample.attempt.text for sample in contrast.bad),
    )
    return tuple(_propose(tactic, contrast, library) for tactic in tactics)


def _propose(tactic: Tactic, contrast: Contrast, library: Library) -> Operation:
    known = teaching(library, tactic)
    if not known:
        return Add(
            tactic.sentence,
            category=tactic.name,
            source_problem=contrast.question.text,
            reason="the good attempts used it and the bad ones did not",
        )
    held = known[0]
    rare = draw("modify", contrast.question.text, library.version) < _MODIFY_RATE
    if rare and held.content == tactic.sentence:
        return Modify(held.id, f"{held.content} {EMPHASIS}", reason="it was right and overlooked")
    return Keep(held.id, reason="a good attempt used it")


def consolidate(
    proposals: Sequence[Operation], library: Library, *, noise: Noise, seed: int
) -> tuple[Operation, ...]:
    """Drop repeated proposals, merge experiences that teach the same, and add the noise asked for.

    Args:
        proposals: Of the batch, in order.
        library: The owner's own library.
        noise: What a bad advisor adds.
        seed: Chooses the noise.
    """
    kept: dict[str, Operation] = {}
    for operation in proposals:
        kept.setdefault(_key(operation), operation)
    merges = _merge_doubles(library)
    merged = {id_ for merge in merges for id_ in merge.ids}
    others = [
        operation
        for operation in kept.values()
        if not (isinstance(operation, (Keep, Modify)) and operation.id in merged)
    ]
    return (*merges, *others, *_make_noise(noise, library, seed))


def _key(operation: Operation) -> str:
    if isinstance(operation, Add):
        return f"add {normalise(operation.content)}"
    if isinstance(operation, (Keep, Modify)):
        return f"about {operation.id}"
    return repr(operation)


def _merge_doubles(library: Library) -> tuple[Merge, ...]:
    merges = []
    free = {experience.id for experience in library.experiences}
    for experience in library.experiences:
        for tactic in find_tactics(experience.content):
            doubles = [held for held in teaching(library, tactic) if held.id in free]
            if len(doubles) > 1:
                ids = tuple(held.id for held in doubles)
                text = f"{tactic.sentence} {EMPHASIS}"
                merges.append(Merge(ids, text, category=tactic.name, reason="they say the same"))
                free -= set(ids)
    return tuple(merges)


def _make_noise(noise: Noise, library: Library, seed: int) -> tuple[Add, ...]:
    return (
        *_sample(USELESS_TACTICS, noise.useless, library, seed),
        *_sample(HARMFUL_TACTICS, noise.harmful, library, seed),
    )


def _sample(table: Sequence[Tactic], count: int, library: Library, seed: int) -> tuple[Add, ...]:
    """`count` tactics of a table in an order drawn by seed, those that the library lacks first."""
    shuffled = sorted(table, key=lambda tactic: draw("noise", seed, tactic.phrase))
    fresh = sorted(shuffled, key=lambda tactic: bool(teaching(library, tactic)))
    return tuple(Add(tactic.sentence, category=tactic.name) for tactic in fresh[:count])
