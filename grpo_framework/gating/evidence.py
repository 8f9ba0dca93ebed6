"""Whether an edit is better, worse, harmless or not worth it: bets on paired differences.

A gambler starts with 1 and bets at fair odds that the edit helps; were it without effect, the
wealth would reach 20 with a chance of at most 1/20 in all time (Ville's inequality), so 5 % of
useless edits at most are ever taken, however often one looks and in however many batches. A second
gambler bets that it harms, a third that it costs less than `MARGIN`, a fourth that it gains less
than `SMALL`.

Source: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B
86 (2024); the bets are those of `grpo_framework.abtest.betting`, of other sizes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from attrs import frozen

from grpo_framework.wealth import log_wealth

NEEDED = math.log(20)
"""Log wealth at which a direction is decided: one-sided, at 5 %."""

BETS = (0.1, 0.2, 0.3, 0.45, 0.65, 0.9)
"""Sizes of the bets: dense where gains of 0.05 to 0.3 win most; 1 would be the whole stake."""

MARGIN = 0.1
"""How much reward an edit that shortens may cost at the most, to count as not worse."""

SMALL = 0.05
"""A gain below which an edit is not worth its place in the prompt."""

SMALL_NEEDED = math.log(10)
"""Log wealth at which a gain is found to be small: one that is not is given up in 10 % at most."""

PATIENCE = 16
"""Pairs after which an edit that shows no gain keeps no batch open for itself."""

HARMFUL = 0.15
"""A loss of reward from which an edit is measured on, to be rejected and not only laid aside."""

PROMISING = 0.0
"""Log wealth above which an undecided edit goes on being tried, however often it was."""


@frozen
class Weight:
    """What the pairs say of an edit.

    Attributes:
        better: The reward rises with it.
        worse: The reward falls with it.
        harmless: It costs less than `MARGIN`.
        small: It gains less than `SMALL`, if anything.
        promising: Not decided, and it may get there.
    """

    better: bool
    worse: bool
    harmless: bool
    small: bool
    promising: bool


def weigh(differences: Sequence[float]) -> Weight:
    """Judge an edit by its pairs, in whichever order they came.

    Args:
        differences: Reward with the edit − reward without it, each in [-1, 1].
    """
    wealth = log_wealth(differences, BETS)
    short = log_wealth([(SMALL - value) / (1 + SMALL) for value in differences], BETS)
    raised = [(value + MARGIN) / (1 + MARGIN) for value in differences]
    return Weight(
        better=wealth >= NEEDED,
        worse=log_wealth([-value for value in differences], BETS) >= NEEDED,
        harmless=log_wealth(raised, BETS) >= NEEDED,
        small=short >= SMALL_NEEDED,
        promising=PROMISING < wealth < NEEDED,
    )


def is_hopeless(differences: Sequence[float], *, shortens: bool) -> bool:
    """Whether no more pairs should be bought for it in this batch; no verdict, only thrift.

    Args:
        differences: All so far.
        shortens: Whether harmless is good enough.
    """
    if len(differences) < PATIENCE:
        return False
    # What seems harmful is worth the pairs that show it: then it is never tried again.
    return -HARMFUL < fmean(differences) <= (-MARGIN if shortens else 0.0)


def describe(differences: Sequence[float]) -> str:
    """What was measured, in a few words."""
    if not differences:
        return "not measured"
    pairs = "1 pair" if len(differences) == 1 else f"{len(differences)} pairs"
    return f"reward {fmean(differences):+.2f} in {pairs}"
