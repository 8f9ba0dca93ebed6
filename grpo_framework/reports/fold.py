"""A report's arithmetic: a fold over the events of a run.

Only sums are kept, so memory does not grow with the number of problems; the same fold over a run
directory's ``events.jsonl`` gives the same report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any

from attrs import evolve

from grpo_framework.adaptive import adapts
from grpo_framework.events import (
    BatchFinished,
    BatchStarted,
    CallFinished,
    EditsGated,
    EpochFinished,
    EpochStarted,
    Event,
    GroupFinished,
    LibraryCommitted,
    RunFinished,
    RunStarted,
    UnitFailed,
    VersionRestored,
    VersionScored,
)
from grpo_framework.experience import CRITIC, SHARED, Operation
from grpo_framework.records import (
    Failure,
    Owner,
    Past,
    Stage,
    Unit,
)
from grpo_framework.reports.past import remember, removed_unasked
from grpo_framework.reports.sums import (
    CONVERTER,
    EpochSums,
    OwnerSums,
    RoleSums,
    State,
    epoch_report,
    version_report,
)
from grpo_framework.reports.values import (
    FailureCount,
    Refused,
    RunReport,
)
from grpo_framework.reports.versions import choose_version, count_without_gain

ROLES: Mapping[Stage, str] = {
    "attempt": "generator",
    "verdict": "comparator",
    "fusion": "critic",
    "fusion_verdict": "comparator",
    "advice": "advisor",
    "batch_advice": "advisor",
    "consolidation": "advisor",
    "likeness": "embedder",
    "commit": "advisor",
}
"""Whose model calls a stage makes."""

EXAMPLES = 5
"""How many reasons are kept of refusals of one kind; the events hold all."""


class ReportFold:
    """Takes a run's events one by one and gives its report at any time."""

    def __init__(self) -> None:
        self._state = State()
        # Beside the head, which would be made anew for each call.
        self._usage = self._state.head.usage

    @property
    def state(self) -> Any:
        """All that the fold knows, as plain JSON values."""
        self._change(usage=self._usage)
        return CONVERTER.unstructure(self._state)

    @property
    def past(self) -> Mapping[Owner, Past]:
        """What the owners' committed batches came to; a later event does not change the value."""
        return dict(self._state.past)

    @property
    def latest_version(self) -> VersionScored | None:
        """The version that was scored last; None before the first."""
        return self._state.versions[-1] if self._state.versions else None

    @property
    def best_version(self) -> VersionScored | None:
        """The version that is the run's result; None where none was scored."""
        return choose_version(self._state.versions)

    @property
    def epochs_without_gain(self) -> int:
        """How many finished epochs at the end brought nothing."""
        finished = [sums.edited for sums in self._state.epochs if sums.finished]
        return count_without_gain(self._state.versions, finished)

    def restore(self, state: Any) -> None:
        """Go on from a `state`."""
        self._state = CONVERTER.structure(state, State)
        self._usage = self._state.head.usage

    def add(self, event: Event) -> None:
        """Take one event; within an epoch the order does not matter."""
        match event:
            case CallFinished():  # the first, as by far the commonest
                self._call(event)
            case RunStarted() if not event.resumed:
                self._state.head = RunReport(
                    run_id=event.run_id,
                    fingerprint=event.fingerprint,
                    simulation=event.simulation,
                    problems=event.problems,
                    rollouts_per_generator=event.rollouts_per_generator,
                    adaptive_groups=adapts(event.adaptive_groups, event.rollouts_per_generator),
                )
                self._usage = self._state.head.usage
            case EpochStarted() if not event.done:
                sums = {owner: OwnerSums(before=size, after=size) for owner, size in event.sizes}
                self._state.epochs.append(EpochSums(event.epoch, sums))
            case BatchStarted():
                self._rest(event)
            case GroupFinished():
                self._group(event)
            case LibraryCommitted():
                self._commit(event)
            case EditsGated():
                gated = self._of(event.epoch, event.owner).gated
                gated.update(ruling.finding for ruling in event.rulings)
                self._change(units=self._state.head.units + event.units)
            case VersionScored():
                self._state.versions.append(event)
                self._change(units=self._state.head.units + event.units)
            case VersionRestored():
                for owner, size in event.sizes:
                    self._of(self._state.epochs[-1].epoch, owner).after = size
                for owner, experiences in event.experiences:
                    self._of(self._state.epochs[-1].epoch, owner).experiences = experiences
            case EpochFinished():
                self._epoch(event.epoch).finished = True
            case UnitFailed():
                self._failure(event.failure)
            case BatchFinished():
                self._epoch(event.epoch).seconds += event.seconds
                self._change(seconds=self._state.head.seconds + event.seconds)
            case RunFinished():
                self._change(outcome=event.outcome)
            case _:
                pass

    def report(self) -> RunReport:
        """The report so far."""
        sums = self._state.epochs
        cost = sum((role.cost for each in sums for role in each.roles.values()), Fraction(0))
        epochs = tuple(epoch_report(each) for each in sums)
        best = self.best_version
        return evolve(
            self._state.head,
            usage=self._usage,
            epochs=epochs,
            cost=float(cost),
            validation=tuple(map(version_report, self._state.versions)),
            best_epoch=None if best is None else best.epoch,
        )

    def _change(self, **changes: Any) -> None:
        self._state.head = evolve(self._state.head, **changes)

    def _epoch(self, epoch: int) -> EpochSums:
        return next(sums for sums in reversed(self._state.epochs) if sums.epoch == epoch)

    def _of(self, epoch: int, owner: Owner) -> OwnerSums:
        return self._epoch(epoch).owners[owner]

    def _rest(self, event: BatchStarted) -> None:
        sums, count = self._epoch(event.epoch), len(event.resting)
        sums.resting += count
        for owner, each in sums.owners.items():
            if owner not in (CRITIC, SHARED):
                each.saved += count * self._state.head.rollouts_per_generator

    def _group(self, event: GroupFinished) -> None:
        sums = self._of(event.epoch, event.owner)
        rewards = [Fraction(reward) for reward in event.rewards]
        sums.outcomes[event.outcome] += 1
        sums.rollouts += len(rewards)
        sums.saved += event.spared
        sums.reward += sum(rewards, Fraction(0))
        units = 0 if event.owner == CRITIC else len(rewards)
        if event.fused is not None:
            units += 1
            sums.fused += 1
            sums.fused_reward += Fraction(event.fused)
            if rewards:
                lift = Fraction(event.fused) - sum(rewards, Fraction(0)) / len(rewards)
                for bearing in (sums, self._of(event.epoch, CRITIC)):
                    bearing.lifted += 1
                    bearing.lift += lift
        self._change(units=self._state.head.units + units)

    def _commit(self, event: LibraryCommitted) -> None:
        sums = self._of(event.epoch, event.plan.owner)
        sums.after = event.size_after
        if event.plan.changes:
            self._epoch(event.epoch).edited = True
        sums.measured = sums.measured + event.measured
        sums.experiences = event.experiences
        sums.removed += removed_unasked(event.plan)
        past = self._state.past
        past[event.plan.owner] = remember(past.get(event.plan.owner, Past()), event)
        sums.applied.update(_kind(item) for item in event.plan.accepted)
        for refusal in event.plan.refused:
            op = _kind(refusal.operation)
            known = sums.refused.get(f"{op} {refusal.rule}", Refused(op, refusal.rule, 0, ()))
            reasons = known.reasons
            if len(reasons) < EXAMPLES and refusal.reason not in reasons:
                reasons = (*reasons, refusal.reason)
            sums.refused[f"{op} {refusal.rule}"] = evolve(
                known, count=known.count + 1, reasons=reasons
            )

    def _call(self, event: CallFinished) -> None:
        cost = _fraction(event.cost)
        self._usage = self._usage + event.usage
        owner = self._of(event.unit.epoch, bearer(event.unit))
        roles = self._epoch(event.unit.epoch).roles
        for sums in (owner, roles.setdefault(role_of(event.unit), RoleSums())):
            sums.usage = sums.usage + event.usage
            sums.cost += cost

    def _failure(self, failure: Failure) -> None:
        unit, owner = failure.unit, bearer(failure.unit)
        self._of(unit.epoch, owner).failures += 1
        failures = self._epoch(unit.epoch).failures
        key = f"{unit.stage} {owner} {failure.kind}"
        new = FailureCount(unit.stage, owner, failure.kind, 0, failure.message)
        known = failures.get(key, new)
        # Of several messages the first in the alphabet stays, whichever came first.
        message = min(known.message, failure.message)
        failures[key] = evolve(known, count=known.count + 1, message=message)
        head = self._state.head
        self._change(units=head.units + 1, failures=head.failures + 1)


def role_of(unit: Unit) -> str:
    """The role that a unit's calls are put down to: whose they are, or what they are for."""
    return ROLES[unit.stage] if unit.purpose == "learn" else unit.purpose


@lru_cache(maxsize=1000)
def _fraction(text: str) -> Fraction:
    """A price, of which many calls have the same."""
    return Fraction(text)


def _kind(operation: Operation) -> str:
    return type(operation).__name__.lower()


def bearer(unit: Unit) -> Owner:
    """Whose account a unit's calls and failures go to: a fusion is the critic's work."""
    return CRITIC if unit.stage in ("fusion", "fusion_verdict") else unit.owner


def fold(events: Iterable[Event]) -> RunReport:
    """The report of a run from its events."""
    folding = ReportFold()
    for event in events:
        folding.add(event)
    return folding.report()
