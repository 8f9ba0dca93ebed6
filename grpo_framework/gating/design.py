"""Which edits a pair of rollouts tries, and in which of its two prompts each stands.

Source: the fair coin for every edit makes the pairs a factorial experiment (Fisher, "The Design of
Experiments", 1935, chapter VI): each pair is evidence about all the edits that it holds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from statistics import fmean

from attrs import field, frozen

from grpo_framework.experience import Edit
from grpo_framework.records import Problem

TOGETHER = 8
"""Most edits that are measured in the same pairs: a prompt holds half of them."""

LOOK = 8
"""Pairs for a look at an edit beside others, and for one at it alone."""

GLANCES = 2
"""Edits that share a wave for a first glance at each alone."""

MORE = 0.05
"""Gain that an edit has to show alone, beyond what it gains beside others, to go on alone."""

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


def promise(differences: Sequence[float]) -> float:
    """The gain so far in units of what chance alone would do; of the unmeasured, a small one."""
    if not differences:
        return NEW
    return math.fsum(differences) / math.sqrt(1 + math.fsum(value * value for value in differences))


def order_edits(edits: Sequence[Edit]) -> list[int]:
    """The edits' numbers, the most promising first: gains so far, then new ones, then the rest."""
    return sorted(
        range(len(edits)), key=lambda number: (-promise(edits[number].differences), number)
    )


@frozen
class Look:
    """What the pairs of this batch say of an edit.

    Attributes:
        beside: Its differences in pairs that tried others too.
        alone: Its differences in pairs that tried nothing else.
    """

    beside: list[float] = field(factory=list)
    alone: list[float] = field(factory=list)

    @property
    def tells_nothing(self) -> bool:
        """Whether its pairs beside others brought the same reward each time, and none was alone.

        Instructions that contradict each other may leave a student as helpless as none does.
        """
        return not self.alone and len(self.beside) >= LOOK and not any(self.beside)

    @property
    def shines(self) -> bool:
        """Whether it gains more where it is tried alone."""
        return fmean(self.alone) >= fmean(self.beside) + MORE


def pick_soloists(
    looks: Mapping[int, Look],
    gains: Mapping[int, float],
    unseen: Iterable[int],
    *,
    rested: bool,
) -> tuple[int, ...]:
    """The edits that are to be tried alone, in turn; none where all are tried together.

    Edits against the same failure stand in for each other: in a prompt that holds another one that
    helps, or one that harms, each seems to help little. So the leader is looked at alone for as
    many pairs as beside the others; where it gains more so, it goes on alone until it is decided.
    Where none leads, there is a glance at each that has shown nothing at all beside the others.
    Which edits are tried follows from earlier pairs only: the coins stay fair bets.

    Args:
        looks: Number of an edit → its pairs of this batch.
        gains: Number of an edit for which pairs are made → what it has gained.
        unseen: Those of them that may show something alone.
        rested: Whether the last pairs tried all of them.
    """
    leader = max(sorted(gains), key=gains.__getitem__)
    if gains[leader] <= 0:
        return tuple(unseen)[:GLANCES]
    look = looks[leader]
    if len(look.beside) < LOOK:
        return ()
    if len(look.alone) < LOOK:
        return (leader,) if rested or look.alone else ()
    return (leader,) if look.shines else ()


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
    fit: Callable[[Sequence[int]], Sequence[int]] = tuple,
) -> dict[int, int]:
    """The edits of a pair, those tried least so far first, each with a fair coin.

    Args:
        open_edits: Numbers of the undecided edits.
        seen: How often each was tried in this batch.
        seed: Of the pair.
        aside: Those that only fill the places which the others leave.
        fit: Picks those that the prompts have room for, before any coin is thrown.
    """
    draw = random.Random(seed)  # noqa: S311 - must follow from the seed
    shuffled = sorted(open_edits)
    draw.shuffle(shuffled)
    chosen = sorted(shuffled, key=lambda edit: (edit in aside, seen.get(edit, 0)))[:TOGETHER]
    return {edit: draw.choice((1, -1)) for edit in sorted(fit(chosen))}
