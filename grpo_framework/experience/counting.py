"""What surrounds a library's content: counts, credit, and the view that goes into a prompt."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from attrs import evolve, frozen

from grpo_framework.experience.credit import Credit
from grpo_framework.experience.values import Experience, Library


@frozen
class Count:
    """Judged rollouts whose prompt held an experience: how many, and how many succeeded."""

    usage: int = 0
    success: int = 0


_NO_EVIDENCE: Mapping[str, Credit] = MappingProxyType({})


def count(
    library: Library, counts: Mapping[str, Count], evidence: Mapping[str, Credit] = _NO_EVIDENCE
) -> Library:
    """The same version with counts and evidence of a batch added, for ids it holds; pure."""

    def one(experience: Experience) -> Experience:
        if experience.id in counts:
            new = counts[experience.id]
            experience = evolve(
                experience,
                usage_count=experience.usage_count + new.usage,
                success_count=experience.success_count + new.success,
            )
        if experience.id in evidence:
            experience = evolve(experience, credit=experience.credit + evidence[experience.id])
        return experience

    return evolve(library, experiences=tuple(map(one, library.experiences)))


def join(own: Library, shared: Library) -> Library:
    """What goes into an owner's prompts: its own experiences, then the shared ones."""
    return evolve(own, experiences=own.experiences + shared.experiences)
