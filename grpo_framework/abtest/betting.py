"""The anytime-valid test of `--sequential`: betting on bounded differences, one problem at a time.

A gambler starts with 1 and bets at fair odds that the mean difference is above 0 (another, that it
is below). Were the truth 0, the wealth would reach 40 with a chance of at most 1/40 in all time
(Ville's inequality), so both together are wrong in at most 5 %, however often one looks. Each
gambler splits the stake evenly over a grid of bet sizes; so the wealth depends on the problems seen
and not on their order, and the confidence sequence is an interval.

Source: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B
86 (2024), the hedged capital process over a grid of bets (hgKelly), on (difference + 1) / 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from grpo_framework.abtest.significance import ALPHA, Tested
from grpo_framework.wealth import log_mean

BETTING = "betting e-process over problems, anytime-valid (Waudby-Smith and Ramdas 2024)"
BETS = 24
FRACTIONS = tuple(number / (BETS + 1) for number in range(1, BETS + 1))
"""Shares of the largest bet that can never lose all."""

NEEDED = math.log(2 / ALPHA)
"""Log wealth at which a direction is decided: each of the two has half of the 5 %."""


class BettingTest:
    """The two gamblers: takes differences in [-1, 1] as they come, can be asked at any time."""

    def __init__(self) -> None:
        self.seen = 0
        self._up = [0.0] * BETS
        self._down = [0.0] * BETS

    def add(self, difference: float) -> None:
        """Take one problem's difference, B − A."""
        self.seen += 1
        for place, share in enumerate(FRACTIONS):
            self._up[place] += math.log1p(share * difference)
            self._down[place] += math.log1p(-share * difference)

    @property
    def p_value(self) -> float:
        """Valid at any time: at most 5 % ever falls below 0.05 where the means are the same."""
        wealth = max(log_mean(self._up), log_mean(self._down))
        return min(1.0, 2 * math.exp(-wealth)) if wealth > 0 else 1.0

    @property
    def decided(self) -> bool:
        """Whether a direction has been found."""
        return self.p_value < ALPHA


def bet(differences: Sequence[float]) -> Tested:
    """The anytime-valid p-value after these differences, in whichever order they came."""
    test = BettingTest()
    for difference in differences:
        test.add(difference)
    return Tested(test.p_value, BETTING)


def confidence_sequence(differences: Sequence[float]) -> tuple[float, float]:
    """The means that no gambler has refuted: holds the truth at all times with 95 %.

    It excludes 0 exactly where `bet` gives a p-value below 0.05.

    Args:
        differences: One a problem, in [-1, 1].
    """
    if not differences:
        return -1.0, 1.0
    return _lower_end(differences), -_lower_end([-value for value in differences])


def _lower_end(differences: Sequence[float]) -> float:
    """The greatest mean that those who bet on a higher one have refuted."""
    import numpy  # noqa: ICN001, PLC0415 - heavy, and only an evaluation needs it
    from scipy.optimize import brentq  # noqa: PLC0415 - the same

    shares = (numpy.asarray(differences) + 1) / 2
    bets = numpy.asarray(FRACTIONS)[:, None]
    mean = float(shares.mean())

    def excess(candidate: float) -> float:
        logs = numpy.log1p(bets * (shares[None, :] / candidate - 1)).sum(axis=1)
        return log_mean(logs) - NEEDED

    # Falls in the candidate; at the sample's mean nobody has won (Jensen's inequality).
    smallest = 1e-9
    if mean <= smallest or excess(smallest) <= 0:
        return -1.0
    return float(2 * brentq(excess, smallest, mean, xtol=1e-12) - 1)
