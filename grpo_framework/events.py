"""What happens in a run: one frozen class per event, in the order in which a run emits them.

Events are facts, never requests: an observer sees all of them and cannot change the run. The
report is a fold over them (`grpo_framework.reports`), and a run directory keeps them as
``events.jsonl``, so that a report can be computed again.
"""

from __future__ import annotations

from typing import TypeAlias

from attrs import field, frozen

from grpo_framework.experience import Credited, Plan, Ruling
from grpo_framework.records import (
    SUCCESS_REWARD,
    Contrast,
    Failure,
    FinalAnswer,
    Measured,
    Owner,
    OwnerScore,
    Rollout,
    Unit,
    Usage,
    rewards_differ,
)


@frozen
class RunStarted:
    """A training run begins.

    Attributes:
        run_id: Its name.
        fingerprint: SHA-256 of the resolved configuration, empty for an engine made by hand.
        owners: All owners, generators first.
        problems: Number of training problems.
        epochs: Number of epochs to come.
        rollouts_per_generator: k.
        simulation: Whether a component of the run only plays a model.
        resumed: Whether an earlier session of the same run came before.
        adaptive_groups: Whether groups are to begin small and grow while they are uniform.
        validation: Problems that edits and versions are measured on; 0 where nothing is measured.
    """

    run_id: str
    fingerprint: str
    owners: tuple[Owner, ...]
    problems: int
    epochs: int
    rollouts_per_generator: int
    simulation: bool = False
    resumed: bool = False
    adaptive_groups: bool = False
    validation: int = 0


@frozen
class EpochStarted:
    """An epoch begins, or goes on in a resumed run.

    Attributes:
        epoch: Counted from 1.
        problems: Problems in it.
        batches: Batches in it.
        sizes: The libraries' sizes by owner.
        done: Problems of it that an earlier session finished.
    """

    epoch: int
    problems: int
    batches: int
    sizes: tuple[tuple[Owner, int], ...] = ()
    done: int = 0


@frozen
class BatchStarted:
    """A batch begins.

    Attributes:
        epoch: Counted from 1.
        batch: Counted from 1.
        problems: Those that are visited, by id.
        versions: The library versions that all its rollouts see.
        resting: Those that were scheduled and are left out this time (adaptive groups).
    """

    epoch: int
    batch: int
    problems: tuple[str, ...]
    versions: tuple[tuple[Owner, int], ...] = ()
    resting: tuple[str, ...] = ()


@frozen
class CallFinished:
    """A model call was answered, for `unit`, on the `tries`-th try, at `cost` US dollars."""

    unit: Unit
    model: str
    usage: Usage
    finish: str
    tries: int = 1
    cost: str = "0"


@frozen
class CallRetried:
    """A model call failed and is tried again after `wait` seconds."""

    unit: Unit
    model: str
    kind: str
    message: str
    wait: float


@frozen
class CallsPaused:
    """An endpoint wants no request for `seconds`, being ``rate_limited`` or ``overloaded``."""

    model: str
    kind: str
    seconds: float


@frozen
class RolloutFinished:
    """An attempt was made and judged."""

    rollout: Rollout


@frozen
class AnswerFused:
    """The critic fused one generator's attempts and the answer was judged."""

    final: FinalAnswer


@frozen
class UnitFailed:
    """A unit of work failed; it has no reward."""

    failure: Failure


@frozen
class GroupFinished:
    """All rollouts of one problem at one owner are judged or failed.

    Attributes:
        epoch: Counted from 1.
        batch: Counted from 1.
        problem: The problem's id.
        owner: A generator, or the critic for the N fusions of the problem.
        rewards: Of what was judged, by index.
        failures: How many units of it failed.
        fused: Reward of the critic's fusion of a generator's group; None where there is none.
        spared: Rollouts of a full group that were not made.
    """

    epoch: int
    batch: int
    problem: str
    owner: Owner
    rewards: tuple[float, ...]
    failures: int = 0
    fused: float | None = None
    spared: int = 0

    @property
    def outcome(self) -> str:
        """``mixed``, ``all_right``, ``all_wrong``, or ``failed`` where nothing was judged."""
        if not self.rewards:
            return "failed"
        if rewards_differ(self.rewards):
            return "mixed"
        return "all_right" if max(self.rewards) >= SUCCESS_REWARD else "all_wrong"


@frozen
class ContrastFound:
    """A group differs in rewards and goes to the advisor."""

    epoch: int
    batch: int
    contrast: Contrast


@frozen
class EditsGated:
    """An owner's edits of a batch were measured on validation problems.

    Attributes:
        epoch: Counted from 1.
        batch: Counted from 1.
        owner: Whose library they change.
        rulings: One for each edit.
        units: Rollouts and fusions that were judged for it.
    """

    epoch: int
    batch: int
    owner: Owner
    rulings: tuple[Ruling, ...]
    units: int = 0


@frozen
class VersionScored:
    """The libraries as an epoch left them were tried on all validation problems.

    Attributes:
        epoch: Counted from 1; 0 is before the first.
        scores: One for each owner; of the critic, over its fusions.
        versions: Of the libraries that were tried.
        rewards: Of each validation problem, the mean over the generators; None where one failed.
        units: Rollouts and fusions that were judged for it.
    """

    epoch: int
    scores: tuple[OwnerScore, ...]
    versions: tuple[tuple[Owner, int], ...]
    rewards: tuple[float | None, ...] = ()
    units: int = 0


@frozen
class VersionRestored:
    """The run ends with the libraries as `epoch` left them, which did best on validation.

    Attributes:
        epoch: Counted from 1; 0 is before the first.
        versions: Of the libraries now, by owner.
        sizes: Experiences in them, by owner.
        experiences: These with what is known of their effects, by owner.
    """

    epoch: int
    versions: tuple[tuple[Owner, int], ...]
    sizes: tuple[tuple[Owner, int], ...]
    experiences: tuple[tuple[Owner, tuple[Credited, ...]], ...] = ()


@frozen
class LibraryCommitted:
    """A batch's edits of one owner's library were judged and, if any, committed.

    Attributes:
        epoch: Counted from 1.
        batch: Counted from 1.
        plan: What was accepted and refused.
        size_before: Experiences before.
        size_after: Experiences after.
        version: The version that is now the newest.
        measured: What the owner's judged attempts of the batch came to.
        experiences: The library's experiences after it, with what is known of their effects.
    """

    epoch: int
    batch: int
    plan: Plan
    size_before: int
    size_after: int
    version: int
    measured: Measured = field(factory=Measured)
    experiences: tuple[Credited, ...] = ()


@frozen
class BatchFinished:
    """A batch is done, after `seconds`."""

    epoch: int
    batch: int
    seconds: float


@frozen
class EpochFinished:
    """An epoch is done."""

    epoch: int


@frozen
class RunFinished:
    """The run is done; `outcome` is ``finished``, ``failed`` or ``interrupted``."""

    outcome: str
    seconds: float


Event: TypeAlias = (
    RunStarted
    | EpochStarted
    | BatchStarted
    | CallFinished
    | CallRetried
    | CallsPaused
    | RolloutFinished
    | AnswerFused
    | UnitFailed
    | GroupFinished
    | ContrastFound
    | EditsGated
    | VersionScored
    | VersionRestored
    | LibraryCommitted
    | BatchFinished
    | EpochFinished
    | RunFinished
)
