"""Per-owner and per-epoch reports and their arithmetic: a fold over the events of a run.

Only sums are kept, so memory does not grow with the number of problems; the same fold over a run
directory's ``events.jsonl`` gives the same report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from attrs import define, evolve, field, frozen

from grpo_framework.events import (
    CallFinished,
    EpochFinished,
    EpochStarted,
    Event,
    GroupFinished,
    LibraryCommitted,
    RunFinished,
    RunStarted,
    UnitFailed,
)
from grpo_framework.experience import CRITIC, SHARED
from grpo_framework.records import Failure, Owner, Unit, Usage

EXAMPLES = 5
"""How many reasons are kept of refusals of one kind; the events hold all."""


@frozen
class Groups:
    """How many groups of an owner were what; only mixed ones teach by contrast."""

    mixed: int = 0
    all_right: int = 0
    all_wrong: int = 0
    failed: int = 0


@frozen
class Refused:
    """Operations refused by one rule.

    Attributes:
        op: Kind of the operation (``add``).
        rule: The rule's name.
        count: How many.
        reasons: Some of the reasons given.
    """

    op: str
    rule: str
    count: int
    reasons: tuple[str, ...]


@frozen
class FailureCount:
    """Failed units of one stage and kind, with the first one's message."""

    stage: str
    owner: Owner
    kind: str
    count: int
    message: str


@frozen
class OwnerReport:
    """One owner in one epoch.

    Attributes:
        owner: Who.
        rollouts: Judged rollouts; of the critic: judged fusions.
        mean_reward: Their mean reward, None without any.
        fused_reward: Mean reward of the critic's fusions of this owner's rollouts.
        critic_lift: Mean over groups of (reward of the fusion − mean reward of its rollouts).
        groups: By outcome; of the critic: the N fusions of a problem are its group.
        operations_applied: Kind → how many.
        operations_refused: With rule and reasons.
        library_before: Experiences at the epoch's start.
        library_after: Experiences at its end.
        usage: Model calls made for this owner's learning and answering, with their tokens.
        failures: Failed units.
    """

    owner: Owner
    rollouts: int = 0
    mean_reward: float | None = None
    fused_reward: float | None = None
    critic_lift: float | None = None
    groups: Groups = field(factory=Groups)
    operations_applied: dict[str, int] = field(factory=dict)
    operations_refused: tuple[Refused, ...] = ()
    library_before: int = 0
    library_after: int = 0
    usage: Usage = field(factory=Usage)
    failures: int = 0


@frozen
class EpochReport:
    """One epoch: every owner, what failed, and the wall time in seconds."""

    epoch: int
    seconds: float
    owners: tuple[OwnerReport, ...]
    failures: tuple[FailureCount, ...] = ()


@frozen
class RunReport:
    """A whole run, as written to ``report.json`` (schema ``report``).

    Attributes:
        run_id: Its name.
        outcome: ``running``, ``finished``, ``failed`` or ``interrupted``.
        fingerprint: Of the configuration.
        simulation: Whether a component only played a model: such rewards prove nothing.
        problems: Training problems.
        rollouts_per_generator: k.
        seconds: Wall time.
        units: Units of work tried: attempts, verdicts, fusions, advice.
        failures: Units that failed.
        usage: All model calls together.
        epochs: One report each.
    """

    run_id: str = ""
    outcome: str = "running"
    fingerprint: str = ""
    simulation: bool = False
    problems: int = 0
    rollouts_per_generator: int = 0
    seconds: float = 0.0
    units: int = 0
    failures: int = 0
    usage: Usage = field(factory=Usage)
    epochs: tuple[EpochReport, ...] = ()


@define
class _OwnerSums:
    rollouts: int = 0
    reward: float = 0.0
    fused: int = 0
    fused_reward: float = 0.0
    lift: float = 0.0
    lifted: int = 0
    outcomes: Counter[str] = field(factory=Counter)
    applied: Counter[str] = field(factory=Counter)
    refused: Counter[tuple[str, str]] = field(factory=Counter)
    reasons: dict[tuple[str, str], list[str]] = field(factory=dict)
    before: int = 0
    after: int = 0
    usage: Usage = field(factory=Usage)
    failures: int = 0


@define
class _EpochSums:
    epoch: int
    owners: dict[Owner, _OwnerSums]
    seconds: float = 0.0
    failures: Counter[tuple[str, Owner, str]] = field(factory=Counter)
    messages: dict[tuple[str, Owner, str], str] = field(factory=dict)


class ReportFold:
    """Takes a run's events one by one and gives its report at any time."""

    def __init__(self) -> None:
        self._head = RunReport()
        self._epochs: list[_EpochSums] = []
        self._owners: tuple[Owner, ...] = ()

    def add(self, event: Event) -> None:
        """Take one event, in the order of the run."""
        match event:
            case RunStarted():
                self._owners = (*event.owners, SHARED)
                self._head = RunReport(
                    run_id=event.run_id,
                    fingerprint=event.fingerprint,
                    simulation=event.simulation,
                    problems=event.problems,
                    rollouts_per_generator=event.rollouts_per_generator,
                )
            case EpochStarted():
                sums = {owner: _OwnerSums() for owner in self._owners}
                for owner, size in event.sizes:
                    sums[owner].before = sums[owner].after = size
                self._epochs.append(_EpochSums(event.epoch, sums))
            case GroupFinished():
                self._group(event)
            case LibraryCommitted():
                self._commit(event)
            case CallFinished():
                self._head = evolve(self._head, usage=self._head.usage + event.usage)
                sums_of = self._of(bearer(event.unit))
                sums_of.usage = sums_of.usage + event.usage
            case UnitFailed():
                self._failure(event.failure)
            case EpochFinished():
                self._epochs[-1].seconds = event.seconds
            case RunFinished():
                self._head = evolve(self._head, outcome=event.outcome, seconds=event.seconds)
            case _:
                pass

    def report(self) -> RunReport:
        """The report so far."""
        return evolve(self._head, epochs=tuple(_epoch_report(sums) for sums in self._epochs))

    def _of(self, owner: Owner) -> _OwnerSums:
        return self._epochs[-1].owners[owner]

    def _group(self, event: GroupFinished) -> None:
        sums = self._of(event.owner)
        sums.outcomes[event.outcome] += 1
        sums.rollouts += len(event.rewards)
        sums.reward += sum(event.rewards)
        judged = len(event.rewards)
        if event.fused is not None:
            sums.fused += 1
            sums.fused_reward += event.fused
            if judged:
                sums.lifted += 1
                sums.lift += event.fused - sum(event.rewards) / judged
                critic = self._of(CRITIC)
                critic.lifted += 1
                critic.lift += event.fused - sum(event.rewards) / judged
        tried = 0 if event.owner == CRITIC else judged
        fused = 0 if event.fused is None else 1
        self._head = evolve(self._head, units=self._head.units + tried + fused)

    def _commit(self, event: LibraryCommitted) -> None:
        sums = self._of(event.plan.owner)
        sums.after = event.size_after
        sums.applied.update(type(item).__name__.lower() for item in event.plan.accepted)
        for refusal in event.plan.refused:
            key = (type(refusal.operation).__name__.lower(), refusal.rule)
            sums.refused[key] += 1
            reasons = sums.reasons.setdefault(key, [])
            if len(reasons) < EXAMPLES and refusal.reason not in reasons:
                reasons.append(refusal.reason)

    def _failure(self, failure: Failure) -> None:
        epoch, owner = self._epochs[-1], bearer(failure.unit)
        self._of(owner).failures += 1
        key = (failure.unit.stage, owner, failure.kind)
        epoch.failures[key] += 1
        epoch.messages.setdefault(key, failure.message)
        head = self._head
        self._head = evolve(head, units=head.units + 1, failures=head.failures + 1)


def bearer(unit: Unit) -> Owner:
    """Whose account a unit's calls and failures go to: a fusion is the critic's work."""
    return CRITIC if unit.stage in ("fusion", "fusion_verdict") else unit.owner


def fold(events: Iterable[Event]) -> RunReport:
    """The report of a run from its events."""
    folding = ReportFold()
    for event in events:
        folding.add(event)
    return folding.report()


def _epoch_report(sums: _EpochSums) -> EpochReport:
    failures = tuple(
        FailureCount(*key, count=count, message=sums.messages[key])
        for key, count in sorted(sums.failures.items())
    )
    owners = tuple(_owner_report(owner, each) for owner, each in sums.owners.items())
    return EpochReport(sums.epoch, sums.seconds, owners, failures)


def _owner_report(owner: Owner, sums: _OwnerSums) -> OwnerReport:
    return OwnerReport(
        owner=owner,
        rollouts=sums.rollouts,
        mean_reward=_mean(sums.reward, sums.rollouts),
        fused_reward=_mean(sums.fused_reward, sums.fused),
        critic_lift=_mean(sums.lift, sums.lifted),
        groups=Groups(**{str(key): value for key, value in sums.outcomes.items()}),
        operations_applied=dict(sorted(sums.applied.items())),
        operations_refused=tuple(
            Refused(*key, count=count, reasons=tuple(sums.reasons[key]))
            for key, count in sorted(sums.refused.items())
        ),
        library_before=sums.before,
        library_after=sums.after,
        usage=sums.usage,
        failures=sums.failures,
    )


def _mean(total: float, count: int) -> float | None:
    return total / count if count else None
