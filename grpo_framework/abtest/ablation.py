"""Leave one out: the full store against the store without one experience, for each of some.

Arm A of every comparison is the store without the item, arm B the full store; so the effect of an
item is B − A, what it adds. The verdicts are controlled over all items together (Holm).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import evolve, field, frozen

from grpo_framework.abtest.comparing import compare_pairs, conclude, worst_p
from grpo_framework.abtest.running import Plan, run_arms
from grpo_framework.abtest.sharing import share_work
from grpo_framework.abtest.significance import ALPHA, holm
from grpo_framework.abtest.values import (
    ArmUsage,
    Failures,
    Outcome,
    Side,
)
from grpo_framework.abtest.worth import Ablated, Worth
from grpo_framework.engine import Engine
from grpo_framework.errors import BudgetExhausted, GrpoError, RunFailed
from grpo_framework.experience import CRITIC, SHARED, Experience, Library
from grpo_framework.records import Owner, Problem, Stage

_WORTH: dict[str, Worth] = {"better": "helps", "worse": "harms", "undecided": "unknown"}


@frozen
class Target:
    """An experience to be left out.

    Attributes:
        owner: Whose it is.
        experience: The experience.
    """

    owner: Owner
    experience: Experience

    def measured(self, owners: Sequence[Owner]) -> tuple[Owner, ...]:
        """Whose rewards say what it is worth: the owners whose prompts it is in.

        A shared experience is judged by the generators; the critic has a row of its own.
        """
        if self.owner == SHARED:
            return tuple(owner for owner in owners if owner != CRITIC)
        return (self.owner,)

    def needs_critic(self, *, with_critic: bool) -> bool:
        """Whether the critic has to fuse: its own prompts change."""
        return self.owner == CRITIC or (self.owner == SHARED and with_critic)


@frozen
class Measured:
    """What a leave-one-out run brought.

    Attributes:
        items: In the order of the targets; those that were not reached have no pairs.
        full: What the full store's answers cost, over all items.
        units: Units of work tried.
        seconds: Wall time.
        error: What ended it before its end; None if nothing did.
    """

    items: tuple[Ablated, ...]
    full: ArmUsage
    units: int
    seconds: float
    error: GrpoError | None = field(default=None, eq=False)


def leave_out(libraries: Mapping[Owner, Library], target: Target) -> dict[Owner, Library]:
    """The libraries without one experience; versions stay, nothing is renumbered."""
    library = libraries[target.owner]
    left = tuple(each for each in library.experiences if each.id != target.experience.id)
    return {**libraries, target.owner: evolve(library, experiences=left)}


async def ablate(
    engine: Engine,
    problems: Sequence[Problem],
    libraries: Mapping[Owner, Library],
    targets: Sequence[Target],
    plan: Plan,
    *,
    done: Callable[[Target], object] = lambda _: None,
) -> Measured:
    """Measure what experiences are worth, one after the other.

    Only owners whose prompts an experience is in are asked, and equal work is done once
    (`grpo_framework.abtest.sharing`): the full store's answers serve all items.

    Args:
        engine: Opened.
        problems: What is asked.
        libraries: The full store, by owner.
        targets: What is left out in turn.
        plan: How; in a sequential one each item stops at its share of the 5 %, so that the
            verdicts hold for all items together.
        done: Takes each target that was measured to the end.

    Returns:
        The items; an exhausted budget or a model that went down ends it with what is there.

    Raises:
        GrpoError: The same, before the first problem was asked to its end; or any other error.
    """
    started = time.perf_counter()
    shared = share_work(engine)
    outcomes: list[Outcome] = []
    error: GrpoError | None = None
    for target in targets:
        own = evolve(
            plan,
            measured=target.measured(engine.owners),
            with_critic=target.needs_critic(with_critic=plan.with_critic),
            alpha=ALPHA / len(targets),
        )
        arms: dict[Side, Mapping[Owner, Library]] = {
            "a": leave_out(libraries, target),
            "b": libraries,
        }
        try:
            outcome = await run_arms(shared, problems, arms, own)
        except (BudgetExhausted, RunFailed) as stopped:
            if not outcomes:
                raise
            error = stopped
            break
        outcomes.append(outcome)
        if outcome.stopped:
            hint = "the result is of what was asked until then"
            error = BudgetExhausted(outcome.stopped, limit="", hint=hint)
            break
        done(target)
    return Measured(
        items=judge_items(targets, outcomes, engine.owners, sequential=plan.sequential),
        full=add_up(outcome.usage["b"] for outcome in outcomes),
        units=sum(outcome.units for outcome in outcomes),
        seconds=time.perf_counter() - started,
        error=error,
    )


_NOTHING = Outcome((), (), 0, Failures(0, 0, 0, ()), {"a": ArmUsage(), "b": ArmUsage()}, 0, 0.0)


def judge_items(
    targets: Sequence[Target],
    outcomes: Sequence[Outcome],
    owners: Sequence[Owner],
    *,
    sequential: bool,
) -> tuple[Ablated, ...]:
    """Judge all items together; pure.

    Args:
        targets: All that were to be measured: one that was not reached counts in the correction,
            with a p-value of 1.
        outcomes: Of the first of them, in their order.
        owners: Of the engine.
        sequential: Whether the anytime-valid test stopped the samples.
    """
    missing = [_NOTHING] * (len(targets) - len(outcomes))
    rows = [
        _judge(target, outcome, target.measured(owners), sequential=sequential)
        for target, outcome in zip(targets, [*outcomes, *missing], strict=True)
    ]
    adjusted = holm({row.id: row.p_adjusted for row in rows})
    return tuple(
        evolve(
            row,
            p_adjusted=adjusted[row.id],
            verdict=_WORTH[conclude(row.effect, row.strict, p_value=adjusted[row.id])],
        )
        for row in rows
    )


def _judge(
    target: Target, outcome: Outcome, measured: tuple[Owner, ...], *, sequential: bool
) -> Ablated:
    # The attempts that a critic's experience cannot change are no part of its comparison.
    shown = (*measured, CRITIC) if target.owner == SHARED else measured
    pairs, halves = (
        tuple(pair for pair in rows if pair.owner in shown)
        for rows in (outcome.pairs, outcome.halves)
    )
    found = compare_pairs(pairs, halves, sequential=sequential, measured=measured)
    return Ablated(
        id=target.experience.id,
        owner=target.owner,
        content=target.experience.content,
        measured=measured,
        effect=found.difference,
        strict=found.strict,
        p_adjusted=worst_p(found.difference, found.strict),
        verdict="unknown",
        problems=found.problems,
        minimum_detectable_effect=found.minimum_detectable_effect,
        per_owner=found.per_owner,
        failures=outcome.failures,
        usage=outcome.usage["a"],
        sequential=outcome.looks,
        pairs=pairs,
        halves=halves,
    )


def add_up(usages: Iterable[ArmUsage]) -> ArmUsage:
    """What several arms cost together."""
    total = ArmUsage()
    for each in usages:
        total = ArmUsage(
            total.input_tokens + each.input_tokens,
            total.output_tokens + each.output_tokens,
            total.calls + each.calls,
            total.seconds + each.seconds,
            total.cost + each.cost,
        )
    return total


def most_work(
    targets: Sequence[Target], owners: Sequence[Owner], problems: int, plan: Plan
) -> dict[tuple[Stage, Owner], int]:
    """Stage and generator → how many units all targets need at the most; pure.

    Fewer are done where an experience is not in every prompt, and where a sequential test stops.

    Args:
        targets: What is left out in turn.
        owners: Of the engine.
        problems: How many are asked.
        plan: Its repeats, and whether the critic is measured.
    """
    fusing = sum(target.needs_critic(with_critic=plan.with_critic) for target in targets)
    of_critic = any(target.owner == CRITIC for target in targets)
    work: dict[tuple[Stage, Owner], int] = {}
    for owner in (each for each in owners if each != CRITIC):
        changed = sum(owner in target.measured(owners) for target in targets)
        attempts = problems * plan.repeats * (changed + bool(changed or of_critic))
        fusions = problems * (fusing + bool(fusing))
        work |= {("attempt", owner): attempts, ("verdict", owner): attempts}
        work |= {("fusion", owner): fusions, ("fusion_verdict", owner): fusions}
    return work
