"""What an evaluation says, and its arithmetic: from the scores of single problems to the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import fmean

from attrs import field, frozen

from grpo_framework.evaluation.estimators import Estimate, estimate, majority_at_k, pass_at_k
from grpo_framework.experience import SHARED, Library
from grpo_framework.records import Owner, Usage
from grpo_framework.reports import FailureCount

ALL = "all"
"""The row of an evaluation that is taken over all generators."""


@frozen
class Scores:
    """One problem at one generator, in numbers: all estimates can be recomputed from these.

    Attributes:
        problem: The problem's id.
        owner: The generator.
        rewards: Of the judged rollouts, by index.
        votes: Number of the answer each of these gave (0 is the first that came up); None for none.
        fused: Reward of the critic's fusion, None where there was none.
        failures: Failed units of the group.
    """

    problem: str
    owner: Owner
    rewards: tuple[float, ...]
    votes: tuple[int | None, ...]
    fused: float | None = None
    failures: int = 0


@frozen
class AtK:
    """pass@k and majority@k for one k."""

    k: int
    pass_at_k: Estimate
    majority_at_k: Estimate


@frozen
class Measured:
    """What one generator scores, or all together (owner ``all``).

    Attributes:
        owner: Who.
        experiences: Experiences in its library, and in the shared one.
        library_version: Version of its library.
        rollouts: Judged rollouts.
        mean_at_k: Mean reward of its rollouts.
        at_k: pass@k and majority@k for several k.
        fused: Reward of the critic's fusions; None where the critic was left out.
        critic_lift: Reward of the fusion − mean reward of the rollouts it was made of.
        failures: Failed units; they are in no mean.
    """

    owner: Owner
    experiences: int
    library_version: int
    rollouts: int
    mean_at_k: Estimate
    at_k: tuple[AtK, ...]
    fused: Estimate | None = None
    critic_lift: Estimate | None = None
    failures: int = 0


@frozen
class Held:
    """A library as it was used: its version, its size, and the digest of its content."""

    version: int
    experiences: int
    digest: str


@frozen
class Evaluation:
    """The result of an evaluation (schema ``evaluation``).

    Attributes:
        problems: How many were asked.
        rollouts_per_generator: Rollouts asked of each generator for each problem.
        seed: Of the run.
        fingerprint: Of the configuration; empty for an engine made by hand.
        simulation: Whether a component only played a model: such rewards prove nothing.
        libraries: Owner → the library whose experiences were in the prompts.
        overall: Over all generators.
        owners: Each generator.
        units: Units of work tried.
        failures: What failed, counted; in no mean, never a reward of 0.
        usage: All model calls together.
        usage_by_owner: By who caused the calls; a fusion is the critic's.
        seconds: Wall time of the rollouts, without the statistics.
        scores: Problem by problem.
        stopped: The limit that ended it before all problems were asked; empty if none did.
    """

    problems: int
    rollouts_per_generator: int
    seed: int
    fingerprint: str
    simulation: bool
    libraries: dict[Owner, Held]
    overall: Measured
    owners: tuple[Measured, ...]
    units: int
    failures: tuple[FailureCount, ...]
    usage: Usage
    usage_by_owner: dict[Owner, Usage]
    seconds: float
    scores: tuple[Scores, ...] = field(repr=False)
    stopped: str = ""

    @property
    def failed_units(self) -> int:
        """How many units failed."""
        return sum(failure.count for failure in self.failures)


def by_problem(scores: Sequence[Scores], owner: Owner | None) -> list[list[Scores]]:
    """The scores of each problem: of one generator, or of all."""
    found: dict[str, list[Scores]] = {}
    for row in scores:
        if owner in (None, row.owner):
            found.setdefault(row.problem, []).append(row)
    return list(found.values())


def measure(
    owner: Owner,
    clusters: Sequence[Sequence[Scores]],
    libraries: Mapping[Owner, Library],
    ks: Sequence[int],
    *,
    with_critic: bool,
) -> Measured:
    """All estimates of one row; the value of a problem is the mean over its groups."""

    def over(value_of: Callable[[Scores], float | None], *, lowest: float = 0.0) -> Estimate:
        values = [[value_of(row) for row in rows] for rows in clusters]
        known = [[value for value in row if value is not None] for row in values]
        return estimate([fmean(row) if row else None for row in known], lowest=lowest)

    own = [libraries[owner]] if owner in libraries else list(libraries.values())
    held = {id_ for library in (*own, libraries[SHARED]) for id_ in library.ids}
    rows = [row for cluster in clusters for row in cluster]
    return Measured(
        owner=owner,
        experiences=len(held),
        library_version=libraries[owner].version if owner in libraries else 0,
        rollouts=sum(len(row.rewards) for row in rows),
        mean_at_k=over(lambda row: fmean(row.rewards) if row.rewards else None),
        at_k=tuple(AtK(k, over(partial(_passed, k=k)), over(partial(_elected, k=k))) for k in ks),
        fused=over(lambda row: row.fused) if with_critic else None,
        critic_lift=over(_lift, lowest=-1.0) if with_critic else None,
        failures=sum(row.failures for row in rows),
    )


def _lift(row: Scores) -> float | None:
    return None if row.fused is None or not row.rewards else row.fused - fmean(row.rewards)


def _passed(row: Scores, *, k: int) -> float | None:
    return pass_at_k(row.rewards, k)


def _elected(row: Scores, *, k: int) -> float | None:
    return majority_at_k(row.rewards, row.votes, k)


def default_ks(rollouts: int) -> tuple[int, ...]:
    """The powers of two below the number of rollouts, and it."""
    powers = (2**power for power in range(rollouts.bit_length()))
    return (*(k for k in powers if k < rollouts), rollouts)
