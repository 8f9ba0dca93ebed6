"""What surrounds a library's content: use counts, and the view that goes into a prompt."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from grpo_framework.experience.values import Library


@frozen
class Count:
    """Judged rollouts whose prompt held an experience: how many, and how many succeeded."""

    usage: int = 0
    success: int = 0


def count(library: Library, counts: Mapping[str, Count]) -> Library:
    """The same version with usage and success counts added, for ids it still holds; pure."""
    return evolve(
        library,
        experiences=tuple(
            evolve(
                experience,
                usage_count=experience.usage_count + counts[experience.id].usage,
                success_count=experience.success_count + counts[experience.id].success,
            )
            if experience.id in counts
            else experience
            for experience in library.experiences
        ),
    )


def join(own: Library, shared: Library) -> Library:
    """What goes into an owner's prompts: its own experiences, then the shared ones."""
    return evolve(own, experiences=own.experiences + shared.experiences)
