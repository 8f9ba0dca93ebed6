"""The same training with several seeds: what its runs agree on, and how far they lie apart; pure.

One run says what came out once. How much of it is luck of the order and the samples only shows
between runs, so the spread is reported beside every mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from statistics import fmean, stdev

from attrs import asdict, evolve, frozen

from grpo_framework.calls import Account, Spending
from grpo_framework.config import BudgetLimits
from grpo_framework.errors import BudgetExhausted
from grpo_framework.experience import Experience, near_duplicate, normalise
from grpo_framework.records import Owner, Usage
from grpo_framework.reports import OwnerReport, RunReport


@frozen
class Replicate:
    """One run of several that differ in their seed.

    Attributes:
        number: Counted from 1.
        seed: Of the run.
        run: Its directory.
        experience_dir: Where its experiences are kept.
        report: Its report.
        experiences: What its libraries hold at the end, by owner.
        inherited: Texts that it began with, and so did not learn.
    """

    number: int
    seed: int
    run: str
    experience_dir: str
    report: RunReport
    experiences: Mapping[Owner, tuple[Experience, ...]]
    inherited: frozenset[str] = frozenset()


@frozen
class OwnerFigures:
    """One owner's figures in one replicate.

    Attributes:
        owner: Who.
        figures: Name → value; None where the run has none.
    """

    owner: Owner
    figures: dict[str, float | None]


@frozen
class ReplicateSummary:
    """One replicate in the result: where it is, how it ended, what it cost, what it reached."""

    replicate: int
    seed: int
    run: str
    experience_dir: str
    outcome: str
    usage: Usage
    cost: float
    owners: tuple[OwnerFigures, ...]


@frozen
class Spread:
    """A figure over replicates.

    Attributes:
        replicates: How many have it.
        mean: Of them; None without any.
        sd: Their standard deviation, with n − 1; None below two.
        min: The smallest.
        max: The largest.
    """

    replicates: int
    mean: float | None
    sd: float | None
    min: float | None
    max: float | None

    @classmethod
    def of(cls, values: Iterable[float | None]) -> Spread:
        """Of the values that are there."""
        known = [value for value in values if value is not None]
        if not known:
            return cls(0, None, None, None, None)
        sd = stdev(known) if len(known) > 1 else None
        return cls(len(known), fmean(known), sd, min(known), max(known))


@frozen
class OwnerSpread:
    """One owner's figures over all replicates, by name."""

    owner: Owner
    figures: dict[str, Spread]


@frozen
class Held:
    """An experience in a replicate's library."""

    replicate: int
    owner: Owner
    id: str
    content: str


@frozen
class Recurring:
    """What several replicates learned in (nearly) the same words.

    Attributes:
        content: The text as it was met first.
        replicates: Which hold it.
        experiences: Where.
    """

    content: str
    replicates: tuple[int, ...]
    experiences: tuple[Held, ...]


@frozen
class Replicates:
    """All replicates together; schema ``replicates``."""

    replicates: tuple[ReplicateSummary, ...]
    spread: tuple[OwnerSpread, ...]
    recurring: tuple[Recurring, ...]
    experiences: int
    usage: Usage
    cost: float
    simulation: bool


def _last(run: Replicate, owner: Owner) -> OwnerReport | None:
    rows = run.report.epochs[-1].owners if run.report.epochs else ()
    return next((row for row in rows if row.owner == owner), None)


def _mean_reward(run: Replicate, owner: Owner) -> float | None:
    row = _last(run, owner)
    return None if row is None else row.mean_reward


def _validation(run: Replicate, owner: Owner) -> float | None:
    scored = [each for each in run.report.validation if each.epoch == run.report.best_epoch]
    return scored[-1].owners.get(owner) if scored else None


def _experiences(run: Replicate, owner: Owner) -> float | None:
    return float(len(run.experiences.get(owner, ())))


def _cost(run: Replicate, owner: Owner) -> float | None:
    rows = (row for epoch in run.report.epochs for row in epoch.owners)
    return float(sum(row.cost for row in rows if row.owner == owner))


FIGURES: Mapping[str, Callable[[Replicate, Owner], float | None]] = {
    "mean_reward": _mean_reward,
    "validation": _validation,
    "experiences": _experiences,
    "cost": _cost,
}
"""Name → what is compared of each owner: mean reward of the last epoch, score on validation
problems of the version that is the result, size of the library at the end, US dollars. Another
figure of a run is one more row here, and a key in the schema."""


def summarise(runs: Sequence[Replicate], *, threshold: float) -> Replicates:
    """Compare finished replicates.

    Args:
        runs: At least one, in their order.
        threshold: Similarity, 0 to 100, from which two texts count as one.
    """
    rows = tuple(map(_summary, runs))
    owners = dict.fromkeys(figures.owner for row in rows for figures in row.owners)
    usage = Usage()
    for row in rows:
        usage = usage + row.usage
    return Replicates(
        replicates=rows,
        spread=tuple(OwnerSpread(owner, _spread(rows, owner)) for owner in owners),
        recurring=find_recurring(runs, threshold=threshold),
        experiences=sum(len(held) for run in runs for held in run.experiences.values()),
        usage=usage,
        cost=sum(row.cost for row in rows),
        simulation=any(run.report.simulation for run in runs),
    )


def _summary(run: Replicate) -> ReplicateSummary:
    known = [row.owner for epoch in run.report.epochs for row in epoch.owners]
    owners = dict.fromkeys((*known, *run.experiences))
    return ReplicateSummary(
        replicate=run.number,
        seed=run.seed,
        run=run.run,
        experience_dir=run.experience_dir,
        outcome=run.report.outcome,
        usage=run.report.usage,
        cost=run.report.cost,
        owners=tuple(
            OwnerFigures(owner, {name: figure(run, owner) for name, figure in FIGURES.items()})
            for owner in owners
        ),
    )


def _spread(rows: Sequence[ReplicateSummary], owner: Owner) -> dict[str, Spread]:
    mine = [each.figures for row in rows for each in row.owners if each.owner == owner]
    return {name: Spread.of(figures[name] for figures in mine) for name in FIGURES}


def find_recurring(runs: Sequence[Replicate], *, threshold: float) -> tuple[Recurring, ...]:
    """What several replicates learned in (nearly) the same words, whoever learned it.

    Args:
        runs: The replicates.
        threshold: As in `summarise`.

    Returns:
        Those of the most replicates first.
    """
    groups: dict[str, list[Held]] = {}
    heads: dict[str, str] = {}
    for run in runs:
        for owner, experiences in run.experiences.items():
            for each in experiences:
                if each.content in run.inherited:
                    continue
                held = Held(run.number, owner, each.id, each.content)
                text = normalise(each.content)
                same = near_duplicate(text, heads, threshold=threshold)
                key = same or f"{run.number}/{owner}/{each.id}"
                heads.setdefault(key, text)
                groups.setdefault(key, []).append(held)
    found = []
    for members in groups.values():
        numbers = tuple(dict.fromkeys(each.replicate for each in members))
        found.append(Recurring(members[0].content, numbers, tuple(members)))
    several = [each for each in found if len(each.replicates) > 1]
    return tuple(sorted(several, key=lambda each: (-len(each.replicates), each.replicates)))


def remaining(limits: BudgetLimits, others: Iterable[Account]) -> BudgetLimits:
    """What one replicate may use up of a budget over all of them.

    Args:
        limits: Of all together.
        others: What the other replicates have used up.

    Raises:
        BudgetExhausted: Nothing is left.
    """
    spent, elapsed = Spending(), 0.0
    for account in others:
        spent, elapsed = spent + account.spent, elapsed + account.elapsed
    used: dict[str, Decimal | int | float] = {
        "max_cost": spent.cost,
        "max_tokens": spent.tokens,
        "max_calls": spent.calls,
        "max_time": elapsed,
    }
    left = {}
    for name, limit in asdict(limits).items():
        if limit is not None:
            left[name] = type(limit)(Decimal(str(limit)) - Decimal(str(used[name])))
            if left[name] <= 0:
                raise exhausted(limits, name)
    return evolve(limits, **left)


def exhausted(limits: BudgetLimits, limit: str) -> BudgetExhausted:
    """The error of a budget over all replicates that is used up."""
    message = f"the budget of all replicates is exhausted: {limit} = {getattr(limits, limit)}"
    hint = f"the same command with a larger --{limit.replace('_', '-')} goes on"
    return BudgetExhausted(message, limit=limit, hint=hint)
