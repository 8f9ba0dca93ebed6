"""Tests of one paired comparison, on differences of problems; scipy does the statistics.

Two arms answered the same problems. If the arms do not differ, every problem's difference could as
well have come out with the other sign: that is all the tests here assume.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from attrs import frozen

from grpo_framework.evaluation.intervals import TINY, canonical
from grpo_framework.records import Owner

ALPHA = 0.05
RESAMPLES = 9_999
"""Sign patterns that are drawn where there are more: with the observed one, 10,000 in all."""

MCNEMAR = "McNemar's exact test"
SIGN_FLIP_EXACT = "sign-flip permutation over problems, exact"
SIGN_FLIP_DRAWN = "sign-flip permutation over problems, Monte Carlo"


@frozen
class Tested:
    """A two-sided p-value and the name of the test it comes from."""

    p_value: float
    test: str


def sign_flip(differences: Sequence[float]) -> Tested:
    """The chance of a mean at least so far from 0, were every problem's sign a fair coin's.

    All sign patterns are tried where they are at most 10,000, that is for up to 13 problems with a
    difference; else 9,999 are drawn with a fixed seed, and the observed one is counted with them
    (Phipson and Smyth, "Permutation P-values Should Never Be Zero", 2010).

    Args:
        differences: One a problem, B − A; problems without a difference decide nothing.

    Source: Fisher, "The Design of Experiments", section 21 (1935).
    """
    changed = canonical([value for value in differences if abs(value) > TINY])
    exact = 2 ** len(changed) <= RESAMPLES
    name = SIGN_FLIP_EXACT if exact else SIGN_FLIP_DRAWN
    if len(changed) < 2:  # a single one is as far from 0 with either sign
        return Tested(1.0, name)
    return Tested(_exact(tuple(changed)) if exact else _drawn(changed), name)


def _total(signed: Any, axis: int) -> Any:
    # Sums of thirds that differ in their last digit are ties.
    return signed.sum(axis=axis).round(9)


@lru_cache(maxsize=256)
def _exact(changed: tuple[float, ...]) -> float:
    from scipy import stats  # noqa: PLC0415 - heavy, and only an evaluation needs it

    found = stats.permutation_test(
        (changed,), _total, permutation_type="samples", vectorized=True, n_resamples=RESAMPLES
    )
    return min(float(found.pvalue), 1.0)


def _drawn(changed: Sequence[float]) -> float:
    import numpy  # noqa: ICN001, PLC0415 - heavy, and only an evaluation needs it
    from scipy import stats  # noqa: PLC0415 - the same

    draw = numpy.random.default_rng(0)
    values = numpy.asarray(changed)

    def flip(size: tuple[int, ...]) -> Any:
        return numpy.where(draw.integers(0, 2, size, dtype=numpy.int8), values, -values)

    found = stats.monte_carlo_test(
        values, flip, _total, vectorized=True, n_resamples=RESAMPLES, batch=1_000
    )
    return min(float(found.pvalue), 1.0)


def mcnemar(fixed: int, broken: int) -> Tested:
    """The exact binomial test of the problems whose 0/1 reward changed.

    Args:
        fixed: Problems that only B solved.
        broken: Problems that only A solved.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions",
    Psychometrika 12 (1947), in its exact form.
    """
    if fixed + broken == 0:
        return Tested(1.0, MCNEMAR)
    from scipy import stats  # noqa: PLC0415 - heavy, and only an evaluation needs it

    return Tested(float(stats.binomtest(fixed, fixed + broken, 0.5).pvalue), MCNEMAR)


def holm(p_values: Mapping[Owner, float]) -> dict[Owner, float]:
    """P-values adjusted so that any false finding among all of them has a chance of at most 5 %.

    Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scand. J. Statist. 6
    (1979).
    """
    adjusted: dict[Owner, float] = {}
    floor = 0.0
    ordered = sorted(p_values.items(), key=lambda item: item[1])
    for place, (owner, p_value) in enumerate(ordered):
        floor = max(floor, min(1.0, (len(ordered) - place) * p_value))
        adjusted[owner] = floor
    return {owner: adjusted[owner] for owner in p_values}
