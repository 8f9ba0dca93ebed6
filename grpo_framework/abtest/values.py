"""What an A/B test says: frozen values, from single pairs to the whole comparison."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from grpo_framework.evaluation import Estimate, Held
from grpo_framework.records import Owner
from grpo_framework.reports import FailureCount

Side = Literal["a", "b"]
SIDES: tuple[Side, Side] = ("a", "b")

Finding = Literal["better", "worse", "undecided"]
"""What B is, compared with A."""


@frozen
class Pair:
    """The same piece of work by both arms: same problem, owner, repeat and seed.

    Attributes:
        problem: The problem's id.
        owner: A generator; or the critic, for a fusion.
        repeat: Counted from 0; for the critic it counts the generators whose attempts were fused.
        a: Reward of arm A.
        b: Reward of arm B.
    """

    problem: str
    owner: Owner
    repeat: int
    a: float
    b: float


@frozen
class Difference:
    """Mean reward of B − mean reward of A, over problems.

    Attributes:
        mean: From −1 to 1; None without any pair.
        ci95: Low and high end of its 95 % interval; in a sequential test it holds at all times.
        p_value: Two-sided, that there is no difference.
        test: Where the p-value comes from.
    """

    mean: float | None
    ci95: tuple[float, ...] | None
    p_value: float
    test: str


@frozen
class Changes:
    """How many problems B solves and A does not, the reverse, and the rest.

    A problem is solved where its mean reward reaches 0.5.
    """

    fixed: int
    broken: int
    same: int


@frozen
class OwnerComparison:
    """The comparison of one owner alone.

    Attributes:
        owner: A generator, or the critic with its fusions.
        pairs: Complete pairs.
        a: Mean reward of arm A, over problems.
        b: Of arm B.
        difference: With its own p-value and interval.
        p_adjusted: The p-value (the larger one where `strict` has one) after Holm's correction for
            all owners.
        verdict: From the adjusted p-value, so that all owners together err in at most 5 %.
        problems: Fixed, broken, same.
    """

    owner: Owner
    pairs: int
    a: float | None
    b: float | None
    difference: Difference
    p_adjusted: float
    verdict: Finding
    problems: Changes


@frozen
class Statistics:
    """All that follows from the pairs.

    Attributes:
        a: Mean reward of arm A's generators, over problems, with its interval.
        b: Of arm B's.
        difference: B − A over all generators.
        strict: The same where a side that failed alone earned nothing; None where none did. A
            verdict needs both to say the same: failures that hit one arm more are its own doing.
        verdict: What B is, compared with A.
        problems: Fixed, broken, same.
        minimum_detectable_effect: The smallest true difference that this sample finds with 80 %
            power; None where it could not find any.
        per_owner: Each generator, and the critic.
    """

    a: Estimate
    b: Estimate
    difference: Difference
    strict: Difference | None
    verdict: Finding
    problems: Changes
    minimum_detectable_effect: float | None
    per_owner: tuple[OwnerComparison, ...]


@frozen
class ArmUsage:
    """What an arm's calls cost; `cost` in US dollars."""

    input_tokens: int = 0
    output_tokens: int = 0
    calls: int = 0
    seconds: float = 0.0
    cost: float = 0.0


@frozen
class ArmFailures:
    """What failed in one arm: stage, owner, kind, how often, and the first message."""

    arm: Side
    causes: tuple[FailureCount, ...]


@frozen
class Failures:
    """What failed; it is in no mean, never a reward of 0 but in `Statistics.strict`.

    Attributes:
        pairs: Pairs that were left out because a side failed.
        problems: Problems of which no pair of a generator is left.
        units: Failed units of both arms.
        arms: The causes.
    """

    pairs: int
    problems: int
    units: int
    arms: tuple[ArmFailures, ...]


@frozen
class Looks:
    """The course of a sequential test.

    Attributes:
        stopped_early: Whether it was decided before all problems were asked.
        problems_planned: How many would have been asked.
        looks: How often the test was asked: after every problem, in the order they were drawn in.
    """

    stopped_early: bool
    problems_planned: int
    looks: int


@frozen
class Outcome:
    """What running both arms brought, before any statistics.

    Attributes:
        pairs: Complete ones.
        halves: Those with one failed side alone, and 0 for it.
        problems: Problems asked to the end.
        failures: What failed.
        usage: What each arm cost.
        units: Units of work tried.
        seconds: Wall time.
        looks: The course of a sequential test; None for a fixed sample.
        stopped: What ended it before its end, as an exhausted budget; empty if nothing did.
    """

    pairs: tuple[Pair, ...] = field(repr=False)
    halves: tuple[Pair, ...] = field(repr=False)
    problems: int
    failures: Failures
    usage: dict[Side, ArmUsage]
    units: int
    seconds: float
    looks: Looks | None = None
    stopped: str = ""


@frozen
class Arm:
    """One side of the comparison.

    Attributes:
        name: As it was given.
        mean: Mean reward of its generators over problems, in complete pairs.
        libraries: Owner → the library whose experiences were in the prompts.
    """

    name: str
    mean: Estimate
    libraries: dict[Owner, Held]


@frozen
class Comparison:
    """The result of an A/B test (schema ``abtest``).

    Attributes:
        arms: A and B.
        difference: B − A over all generators.
        strict: See `Statistics`.
        verdict: What B is, compared with A.
        problems: Fixed, broken, same.
        minimum_detectable_effect: See `Statistics`.
        per_owner: Each generator, and the critic.
        failures: What failed.
        usage: What each arm cost.
        repeats: Attempts of each generator at each problem, in each arm.
        seed: Of the run.
        fingerprint: Of the configuration.
        simulation: Whether a component only played a model: such rewards prove nothing.
        training_problems: Ids of problems among those asked that an arm was trained on.
        sequential: The course of a sequential test; None for a fixed sample.
        stopped: What ended it before its end; empty if nothing did.
        units: Units of work tried.
        seconds: Wall time of the attempts.
        pairs: Pair by pair; with `halves`, all statistics can be computed again from these.
        halves: Those with one failed side alone, and 0 for it; they are in `strict` only.
    """

    arms: dict[Side, Arm]
    difference: Difference
    strict: Difference | None
    verdict: Finding
    problems: Changes
    minimum_detectable_effect: float | None
    per_owner: tuple[OwnerComparison, ...]
    failures: Failures
    usage: dict[Side, ArmUsage]
    repeats: int
    seed: int
    fingerprint: str
    simulation: bool
    training_problems: tuple[str, ...]
    sequential: Looks | None
    stopped: str
    units: int
    seconds: float
    pairs: tuple[Pair, ...] = field(repr=False)
    halves: tuple[Pair, ...] = field(repr=False)
