"""The sums that a report is made of: they do not grow with the number of problems."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from attrs import define, field
from cattrs import Converter

from grpo_framework.events import VersionScored
from grpo_framework.experience import Credited
from grpo_framework.records import Measured, Owner, Past, Usage
from grpo_framework.reports.values import (
    EpochReport,
    FailureCount,
    Gated,
    Groups,
    OwnerReport,
    Refused,
    Removed,
    RoleReport,
    RunReport,
    VersionReport,
)
from grpo_framework.reports.versions import overall


@define
class OwnerSums:
    """Sums of one owner in one epoch; fractions are exact, so the order of events is no matter."""

    rollouts: int = 0
    saved: int = 0
    reward: Fraction = Fraction(0)
    fused: int = 0
    fused_reward: Fraction = Fraction(0)
    lifted: int = 0
    lift: Fraction = Fraction(0)
    outcomes: Counter[str] = field(factory=Counter)
    applied: Counter[str] = field(factory=Counter)
    refused: dict[str, Refused] = field(factory=dict)
    before: int = 0
    after: int = 0
    usage: Usage = field(factory=Usage)
    cost: Fraction = Fraction(0)
    failures: int = 0
    measured: Measured = field(factory=Measured)
    gated: Counter[str] = field(factory=Counter)
    experiences: tuple[Credited, ...] = ()
    removed: tuple[Removed, ...] = ()


@define
class RoleSums:
    """Sums of one role's calls in one epoch."""

    usage: Usage = field(factory=Usage)
    cost: Fraction = Fraction(0)


@define
class EpochSums:
    """Sums of one epoch."""

    epoch: int
    owners: dict[Owner, OwnerSums]
    roles: dict[str, RoleSums] = field(factory=dict)
    seconds: float = 0.0
    failures: dict[str, FailureCount] = field(factory=dict)
    resting: int = 0
    finished: bool = False
    edited: bool = False


@define
class State:
    """All that a fold knows; written into a run's checkpoints."""

    head: RunReport = field(factory=RunReport)
    epochs: list[EpochSums] = field(factory=list)
    past: dict[Owner, Past] = field(factory=dict)
    versions: list[VersionScored] = field(factory=list)


def version_report(version: VersionScored) -> VersionReport:
    """How a version did, as the report says it."""
    return VersionReport(
        epoch=version.epoch,
        score=overall(version.scores),
        owners={score.owner: score.mean for score in version.scores},
        versions=dict(version.versions),
    )


def epoch_report(sums: EpochSums) -> EpochReport:
    """One epoch, as the report says it."""
    failures = tuple(sums.failures[key] for key in sorted(sums.failures))
    owners = tuple(_owner_report(owner, each) for owner, each in sums.owners.items())
    roles = tuple(
        RoleReport(role, sums.roles[role].usage, float(sums.roles[role].cost))
        for role in sorted(sums.roles)
    )
    return EpochReport(sums.epoch, sums.seconds, owners, roles, failures, sums.resting)


def _owner_report(owner: Owner, sums: OwnerSums) -> OwnerReport:
    return OwnerReport(
        owner=owner,
        rollouts=sums.rollouts,
        mean_reward=_mean(sums.reward, sums.rollouts),
        fused_reward=_mean(sums.fused_reward, sums.fused),
        critic_lift=_mean(sums.lift, sums.lifted),
        groups=Groups(**{str(key): value for key, value in sums.outcomes.items()}),
        operations_applied=dict(sorted(sums.applied.items())),
        operations_refused=tuple(sums.refused[key] for key in sorted(sums.refused)),
        library_before=sums.before,
        library_after=sums.after,
        usage=sums.usage,
        cost=float(sums.cost),
        failures=sums.failures,
        outcomes=sums.measured.outcomes,
        mean_right_chars=sums.measured.mean_right_chars,
        mean_other_chars=sums.measured.mean_other_chars,
        mean_injected_tokens=sums.measured.mean_injected,
        rollouts_saved=sums.saved,
        gated=Gated(**{str(key): value for key, value in sums.gated.items()}),
        experiences=sums.experiences,
        removed=sums.removed,
    )


def _mean(total: Fraction, count: int) -> float | None:
    return float(total / count) if count else None


def _make_converter() -> Converter:
    converter = Converter()
    converter.register_unstructure_hook(Fraction, str)
    converter.register_structure_hook(Fraction, lambda text, _: Fraction(text))
    return converter


CONVERTER = _make_converter()
