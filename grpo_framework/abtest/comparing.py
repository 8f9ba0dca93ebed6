"""From pairs to the verdict: pure; the order of pairs does not matter, swapping arms negates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from attrs import evolve, frozen

from grpo_framework.abtest.betting import BETTING, bet, confidence_sequence
from grpo_framework.abtest.power import detectable_effect
from grpo_framework.abtest.significance import ALPHA, MCNEMAR, Tested, holm, mcnemar, sign_flip
from grpo_framework.abtest.values import (
    Changes,
    Difference,
    Finding,
    OwnerComparison,
    Pair,
    Statistics,
)
from grpo_framework.evaluation import estimate
from grpo_framework.evaluation.intervals import TINY, mean_interval
from grpo_framework.experience import CRITIC
from grpo_framework.records import SUCCESS_REWARD, Owner


@frozen
class Contrasted:
    """One problem: mean reward of both arms, and whether it is a single pair of 0/1 rewards."""

    a: float
    b: float
    binary: bool = False

    @property
    def difference(self) -> float:
        """B − A."""
        return self.b - self.a


def headline(pairs: Sequence[Pair], measured: Sequence[Owner] = ()) -> list[Pair]:
    """The pairs that make the difference: of the owners measured, or of all generators."""
    return [
        pair for pair in pairs if (pair.owner in measured if measured else pair.owner != CRITIC)
    ]


@frozen
class _Sample:
    """Complete pairs, and those of which one side failed."""

    pairs: Sequence[Pair]
    halves: Sequence[Pair]
    sequential: bool

    def of(self, owner: Owner) -> _Sample:
        """One owner's part."""
        pairs, halves = ([p for p in rows if p.owner == owner] for rows in self._both)
        return evolve(self, pairs=pairs, halves=halves)

    def headline(self, measured: Sequence[Owner]) -> _Sample:
        """The part that makes the difference."""
        pairs, halves = (headline(rows, measured) for rows in self._both)
        return evolve(self, pairs=pairs, halves=halves)

    @property
    def _both(self) -> tuple[Sequence[Pair], Sequence[Pair]]:
        return self.pairs, self.halves

    def contrasts(self) -> tuple[Difference, Difference | None]:
        """The difference, and that where a side that failed alone earned nothing, if one did."""
        found = contrast(by_problem(self.pairs), sequential=self.sequential)
        if not self.halves:
            return found, None
        everything = by_problem([*self.pairs, *self.halves])
        return found, contrast(everything, sequential=self.sequential)

    def owners(self) -> set[Owner]:
        """Whoever has a pair."""
        return {pair.owner for pair in (*self.pairs, *self.halves)}


def compare_pairs(
    pairs: Sequence[Pair],
    halves: Sequence[Pair] = (),
    *,
    sequential: bool = False,
    measured: Sequence[Owner] = (),
) -> Statistics:
    """All statistics of an A/B test.

    Args:
        pairs: Complete ones, of generators and critic, in any order.
        halves: Those with one failed side alone, and 0 for it.
        sequential: Whether the sample was stopped by the anytime-valid test; p-values and intervals
            then are that test's, which hold however often one looked.
        measured: Whose rewards make the overall difference; empty for all generators.
    """
    everything = _Sample(pairs, halves, sequential)
    sample = everything.headline(measured)
    problems = by_problem(sample.pairs)
    difference, strict = sample.contrasts()
    owners = sample.owners()
    # One owner alone is the whole already; its bootstrap need not be done twice.
    known = {owner: (difference, strict) for owner in owners if len(owners) == 1}
    return Statistics(
        a=estimate([problem.a for problem in problems]),
        b=estimate([problem.b for problem in problems]),
        difference=difference,
        strict=strict,
        verdict=conclude(difference, strict),
        problems=count_changes(problems),
        minimum_detectable_effect=_detectable(problems, difference, sequential=sequential),
        per_owner=_per_owner(everything, known),
    )


def by_problem(pairs: Sequence[Pair]) -> list[Contrasted]:
    """The problems' values: the mean over owners of the mean over an owner's pairs."""
    found: dict[str, dict[Owner, list[Pair]]] = {}
    for pair in pairs:
        found.setdefault(pair.problem, {}).setdefault(pair.owner, []).append(pair)
    return [
        Contrasted(
            a=fmean(fmean(pair.a for pair in rows) for rows in owners.values()),
            b=fmean(fmean(pair.b for pair in rows) for rows in owners.values()),
            binary=_is_binary([pair for rows in owners.values() for pair in rows]),
        )
        for owners in found.values()
    ]


def _is_binary(rows: Sequence[Pair]) -> bool:
    return len(rows) == 1 and rows[0].a in (0, 1) and rows[0].b in (0, 1)


def contrast(problems: Sequence[Contrasted], *, sequential: bool) -> Difference:
    """The mean difference with its interval and p-value; the sampling unit is the problem."""
    test = _test_of(problems, sequential=sequential)
    values = [problem.difference for problem in problems]
    found = test(values)
    if not values:
        return Difference(None, None, found.p_value, found.test)
    if sequential:
        interval = confidence_sequence(values)
    else:
        interval = mean_interval(values, lowest=-1.0, highest=1.0)
    return Difference(fmean(values), interval, found.p_value, found.test)


def _test_of(
    problems: Sequence[Contrasted], *, sequential: bool
) -> Callable[[Sequence[float]], Tested]:
    if sequential:
        return bet
    if problems and all(problem.binary for problem in problems):
        return _mcnemar
    return sign_flip


def _mcnemar(differences: Sequence[float]) -> Tested:
    return mcnemar(sum(value > TINY for value in differences), sum(v < -TINY for v in differences))


def conclude(
    difference: Difference, strict: Difference | None = None, *, p_value: float | None = None
) -> Finding:
    """The verdict: a direction only where p-values and intervals agree on it.

    Args:
        difference: With the interval.
        strict: What must say the same; None where nothing failed.
        p_value: `worst_p` of both, adjusted; None where there is nothing to adjust for.
    """
    found = {_direction(each) for each in (difference, strict) if each is not None}
    p_value = worst_p(difference, strict) if p_value is None else p_value
    return found.pop() if len(found) == 1 and p_value < ALPHA else "undecided"


def worst_p(difference: Difference, strict: Difference | None) -> float:
    """The p-value of two statements that must both hold: the larger of theirs."""
    return max(each.p_value for each in (difference, strict) if each is not None)


def _direction(difference: Difference) -> Finding:
    if difference.ci95 is None:
        return "undecided"
    low, high = difference.ci95
    if low > 0:
        return "better"
    return "worse" if high < 0 else "undecided"


def count_changes(problems: Sequence[Contrasted]) -> Changes:
    """How many problems were fixed and broken, and how many stayed what they were."""
    # A mean of 0.5 from thirds may miss it by its last digit.
    least = SUCCESS_REWARD - TINY
    fixed = sum(problem.a < least <= problem.b for problem in problems)
    broken = sum(problem.b < least <= problem.a for problem in problems)
    return Changes(fixed, broken, len(problems) - fixed - broken)


def _detectable(
    problems: Sequence[Contrasted], difference: Difference, *, sequential: bool
) -> float | None:
    tests: dict[str, Callable[[Sequence[float]], Tested]] = {BETTING: bet, MCNEMAR: _mcnemar}
    test = tests.get(difference.test, sign_flip)
    values = sorted(problem.difference for problem in problems)
    return detectable_effect(values, test, sequential=sequential)


def _per_owner(
    sample: _Sample, known: Mapping[Owner, tuple[Difference, Difference | None]]
) -> tuple[OwnerComparison, ...]:
    parts = {owner: sample.of(owner) for owner in sorted(sample.owners(), key=_order)}
    found = {owner: known.get(owner) or own.contrasts() for owner, own in parts.items()}
    adjusted = holm({owner: worst_p(*both) for owner, both in found.items()})
    return tuple(
        _compare_owner(own, owner, found[owner], adjusted[owner]) for owner, own in parts.items()
    )


def _order(owner: Owner) -> tuple[bool, int, Owner]:
    return owner == CRITIC, len(owner), owner


def _compare_owner(
    own: _Sample,
    owner: Owner,
    found: tuple[Difference, Difference | None],
    p_adjusted: float,
) -> OwnerComparison:
    problems = by_problem(own.pairs)
    difference, strict = found
    return OwnerComparison(
        owner=owner,
        pairs=len(own.pairs),
        a=fmean(problem.a for problem in problems) if problems else None,
        b=fmean(problem.b for problem in problems) if problems else None,
        difference=difference,
        p_adjusted=p_adjusted,
        verdict=conclude(difference, strict, p_value=p_adjusted),
        problems=count_changes(problems),
    )
