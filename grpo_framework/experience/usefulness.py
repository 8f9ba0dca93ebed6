"""What leaves a library unasked: what is measured to do harm, the least useful of a full one."""

from __future__ import annotations

from collections.abc import Collection

from grpo_framework.experience.credit import Credit
from grpo_framework.experience.relevance import lower_rate
from grpo_framework.experience.values import Delete, Experience, Library

HARMFUL = "harmful"
"""The rule that removes an experience whose measured effect is surely below 0."""

ROOM = "room"
"""The rule that removes the least useful experience to make room for an accepted one."""


def find_harmful(library: Library) -> tuple[Delete, ...]:
    """The removals of what is measured to do harm."""
    return tuple(
        Delete(item.id, f"measured to do harm: {describe(item.credit)}", HARMFUL, item.content)
        for item in library.experiences
        if item.credit.status == "harmful"
    )


def least_useful(library: Library, spared: Collection[str]) -> Delete | None:
    """The removal of what is missed least; None where nothing may go.

    What is proven to help never goes. First goes the lowest effect, where what has too little
    evidence counts as of none; of equals the lowest lower end of the success rate, 0 where it was
    never used; then the oldest.

    Args:
        library: A full one.
        spared: Ids that stay: what the batch changes or asks to keep.
    """
    free = [
        item
        for item in library.experiences
        if item.id not in spared and item.credit.status != "proven"
    ]
    if not free:
        return None
    item = min(free, key=_rank)
    reason = f"the library is full, and this is the least useful: {_why(item)}"
    return Delete(item.id, reason, ROOM, item.content)


def _rank(experience: Experience) -> tuple[float, float]:
    """`min` takes the first of equals, and a library is in the order of creation."""
    return _effect(experience.credit) or 0.0, lower_rate(experience)


def _effect(credit: Credit) -> float | None:
    return credit.effect if credit.measured else None


def _why(experience: Experience) -> str:
    if _effect(experience.credit) is not None:
        return describe(experience.credit)
    if not experience.usage_count:
        return "never used"
    right, uses = experience.success_count, experience.usage_count
    return f"no effect measured, {right} of {uses} rollouts with it were right"


def describe(credit: Credit) -> str:
    """An effect with its interval and exposures, in one line."""
    if credit.effect is None:
        return "no effect measured"
    low, high = credit.interval
    return (
        f"effect {credit.effect:+.2f} on the reward (95 %: {low:+.2f} to {high:+.2f}), "
        f"shown {credit.shown} times, withheld {credit.withheld}"
    )
