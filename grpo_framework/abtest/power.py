"""The smallest true effect that a sample of this size and spread finds with 80 % power at 5 %."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean, stdev

from grpo_framework.abtest.betting import FRACTIONS, NEEDED
from grpo_framework.abtest.significance import ALPHA, Tested
from grpo_framework.evaluation.intervals import TINY

POWER = 0.8
_SIMULATED = 200
_HALVINGS = 12


def detectable_effect(
    differences: Sequence[float], test: Callable[[Sequence[float]], Tested], *, sequential: bool
) -> float | None:
    """The minimum detectable effect.

    For the fixed sample (t(0.975) + t(0.8)) · sd / √n, with n − 1 degrees of freedom; for the
    sequential test the shift that 80 % of 200 resamples of the observed differences detect. But
    where few problems differ their spread says too little: no test finds anything before some
    number of problems changes (6 by sign flips). So it is at least the share of problems that
    would have to change for as many to do so with 80 %, times how far those moved that did (wholly,
    where none did).

    Args:
        differences: One a problem.
        test: The test in use, asked how many problems must change before it finds anything.
        sequential: Whether `test` is the anytime-valid one.

    Returns:
        Above 0, at most 1; None where no effect could have been found, as with few problems.
    """
    count = len(differences)
    needed = _fewest(count, test)
    if needed is None:
        return None
    from scipy import stats  # noqa: PLC0415 - heavy, and only an evaluation needs it

    moves = [abs(value) for value in differences if abs(value) > TINY]
    share = float(stats.beta.ppf(POWER, needed, count - needed + 1))
    least = share * (fmean(moves) if moves else 1.0)
    spread = stdev(differences)
    if spread < TINY:
        return least
    if sequential:
        shift = _simulate(differences)
        return None if shift is None else max(shift, least)
    free = count - 1
    reach = float(stats.t.ppf(1 - ALPHA / 2, free) + stats.t.ppf(POWER, free))
    return min(1.0, max(reach * spread / math.sqrt(count), least))


def _fewest(count: int, test: Callable[[Sequence[float]], Tested]) -> int | None:
    """How many problems must change from wrong to right, the others staying, to be found."""
    tried = range(2, min(count, 64) + 1)
    found = (some for some in tried if test([1.0] * some + [0.0] * (count - some)).p_value < ALPHA)
    return next(found, None)


def _simulate(differences: Sequence[float]) -> float | None:
    import numpy  # noqa: ICN001, PLC0415 - heavy, and only an evaluation needs it

    draw = numpy.random.default_rng(0)
    centred = numpy.asarray(differences) - fmean(differences)
    drawn = draw.choice(centred, (_SIMULATED, len(centred)))

    def found(effect: float) -> float:
        shifted = numpy.clip(drawn + effect, -1, 1)
        wealth = numpy.full(shifted.shape, -numpy.inf)
        for share in FRACTIONS:
            wealth = numpy.logaddexp(wealth, numpy.log1p(share * shifted).cumsum(axis=1))
        return float((wealth.max(axis=1) - math.log(len(FRACTIONS)) > NEEDED).mean())

    low, high = 0.0, 1.0
    if found(high) < POWER:
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) >= POWER else (middle, high)
    return high
