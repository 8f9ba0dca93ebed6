"""Which edits a pair of rollouts tries, and in which of its two prompts each stands.

Source: the fair coin for every edit makes the pairs a factorial experiment (Fisher, "The Design of
Experiments", 1935, chapter VI): each pair is evidence about all the edits that it holds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Mapping, Sequence

from attrs import frozen

from grpo_framework.experience import Edit
from grpo_framework.records import Problem

TOGETHER = 8
"""Most edits that are measured at a time, all in the same pairs: a prompt holds half of them."""

WAITING = 24
"""Most undecided edits of an owner that are kept for later batches."""


@frozen
class Pair:
    """Two rollouts of one problem with the same seed.

    Attributes:
        number: Counted from 0 within the batch; the seed derives from it.
        problem: What both answer.
        generator: Whose prompt it is.
        signs: Number of an edit → 1 where the first prompt holds it, −1 where the second does.
    """

    number: int
    problem: Problem
    generator: int
    signs: dict[int, int]

    def held(self, side: int) -> list[int]:
        """The edits in the first prompt (1) or in the second (−1)."""
        return [edit for edit, sign in self.signs.items() if sign == side]


NEW = 0.25
"""The promise of an edit that was not measured yet: behind those that have shown a gain."""


def order_edits(edits: Sequence[Edit]) -> list[int]:
    """The edits' numbers, the most promising first: gains so far, then new ones, then the rest.

    The promise of an edit is its gain in units of what chance alone would do.
    """

    def promise(number: int) -> float:
        found = edits[number].differences
        if not found:
            return NEW
        return math.fsum(found) / math.sqrt(1 + math.fsum(value * value for value in found))

    return sorted(range(len(edits)), key=lambda number: (-promise(number), number))


def draw_problem(problems: Sequence[Problem], number: int, seed: str) -> Problem:
    """The problem of a pair: all in turn, every round in an order of its own."""
    round_, place = divmod(number, len(problems))
    order = list(range(len(problems)))
    random.Random(f"{seed}/round {round_}").shuffle(order)  # noqa: S311 - an order, no secret
    return problems[order[place]]


def draw_signs(
    open_edits: Collection[int],
    seen: Mapping[int, int],
    seed: str,
    *,
    aside: Collection[int] = (),
) -> dict[int, int]:
    """The edits of a pair, those tried least so far first, each with a fair coin.

    Args:
        open_edits: Numbers of the undecided edits.
        seen: How often each was tried in this batch.
        seed: Of the pair.
        aside: Those that only fill the places which the others leave.
    """
    draw = random.Random(seed)  # noqa: S311 - must follow from the seed
    shuffled = sorted(open_edits)
    draw.shuffle(shuffled)
    chosen = sorted(shuffled, key=lambda edit: (edit in aside, seen.get(edit, 0)))[:TOGETHER]
    return {edit: draw.choice((1, -1)) for edit in sorted(chosen)}
