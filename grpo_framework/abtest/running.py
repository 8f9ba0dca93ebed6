"""Runs both arms of an A/B test side by side on the stages of training; learns and writes nothing.

Both arms of a (problem, generator) run at the same time with the same seeds, so that a drift of the
model or its endpoint meets both. Which arm is started first is a fair coin that the seed throws.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from attrs import field, frozen

from grpo_framework.abtest.betting import BettingTest
from grpo_framework.abtest.comparing import by_problem, headline
from grpo_framework.abtest.significance import ALPHA
from grpo_framework.abtest.values import (
    SIDES,
    ArmFailures,
    ArmUsage,
    Failures,
    Looks,
    Outcome,
    Pair,
    Side,
)
from grpo_framework.engine import Engine
from grpo_framework.errors import BudgetExhausted
from grpo_framework.evaluation.groups import (
    Judged,
    Tally,
    first_error,
    open_stages,
    open_tasks,
    run_group,
)
from grpo_framework.events import Event
from grpo_framework.experience import CRITIC, SHARED, Library
from grpo_framework.records import FinalAnswer, Owner, Problem, Rollout
from grpo_framework.rollouts import Stages


async def _silent(_: Event) -> None:
    """Tell nobody."""


@frozen
class Answered:
    """One problem, asked to the end at every generator in both arms.

    Attributes:
        problem: The problem's id.
        pairs: Complete ones.
        lost: Pairs with a failed side.
        halves: Those of them with one failed side alone, and 0 for it.
        judged: Units that brought a reward.
        measured: Whose pairs make the difference; empty for all generators.
    """

    problem: str
    pairs: tuple[Pair, ...]
    lost: int
    halves: tuple[Pair, ...]
    judged: int
    measured: tuple[Owner, ...] = ()

    @property
    def difference(self) -> float | None:
        """B − A over the owners measured; None where no pair of theirs is complete."""
        return self._difference(self.pairs)

    @property
    def strict_difference(self) -> float | None:
        """The same, where a side that failed alone earned nothing."""
        return self._difference((*self.pairs, *self.halves))

    def _difference(self, pairs: Sequence[Pair]) -> float | None:
        rows = by_problem(headline(pairs, self.measured))
        return rows[0].difference if rows else None


@frozen
class Plan:
    """How an A/B test is run.

    Attributes:
        repeats: R, the attempts of each generator at each problem, in each arm.
        seed: All sampling derives from it, in both arms alike.
        with_critic: Whether the critic fuses each generator's R attempts.
        sequential: Whether to stop as soon as the anytime-valid test is decided.
        alpha: The error at which it is decided; less than 5 % where several tests share these.
        measured: Whose rewards are compared; only they are asked, and for the critic the generators
            whose attempts it fuses. Empty for all generators.
        unit_timeout: Seconds that one attempt, verdict or fusion may take in all; None for any.
        announce: Takes the events of both arms.
        finished: Takes each problem that was asked to the end.
    """

    repeats: int = 4
    seed: int = 0
    with_critic: bool = True
    sequential: bool = False
    alpha: float = ALPHA
    measured: tuple[Owner, ...] = ()
    unit_timeout: float | None = None
    announce: Callable[[Event], Awaitable[None]] = field(default=_silent, repr=False)
    finished: Callable[[Answered], object] = field(default=lambda _: None, repr=False)


async def run_arms(
    engine: Engine,
    problems: Sequence[Problem],
    arms: Mapping[Side, Mapping[Owner, Library]],
    plan: Plan,
) -> Outcome:
    """Ask both arms the same problems, with the same seeds.

    Problems are asked in an order that the seed draws. An exhausted budget ends it early and is put
    down in the outcome: when the money runs out does not depend on who is ahead.

    Args:
        engine: The opened components; an advisor is not needed.
        problems: What is asked.
        arms: The libraries of each, by owner; an owner that is missing has no experiences.
        plan: How.

    Raises:
        GrpoError: What else stopped the whole test: a model that is down.
    """
    return await _Run(engine, arms, plan).run(problems)


class _Decided(Exception):  # noqa: N818 - no error: the news that ends a sequential test
    """The sequential test has found a direction."""


class _Run:
    """One A/B test under way."""

    def __init__(
        self, engine: Engine, arms: Mapping[Side, Mapping[Owner, Library]], plan: Plan
    ) -> None:
        self._engine = engine
        self._plan = plan
        owners = (*engine.owners, SHARED)
        self._libraries = {
            side: {owner: arms[side].get(owner, Library(owner)) for owner in owners}
            for side in SIDES
        }
        self._tallies = {side: Tally(plan.announce) for side in SIDES}
        slots = asyncio.Semaphore(engine.concurrency)
        self._stages: dict[Side, Stages] = {
            side: open_stages(
                engine,
                self._tallies[side].announce,
                rollouts=plan.repeats,
                seed=plan.seed,
                unit_timeout=plan.unit_timeout,
                slots=slots,
            )
            for side in SIDES
        }
        # Two groups of every generator belong to a problem; a few problems keep all slots busy.
        self._window = asyncio.Semaphore(2 + engine.concurrency // (2 * len(engine.generators)))
        self._coin = random.Random(plan.seed)  # noqa: S311 - an order, no secret
        self._done: dict[int, Answered] = {}
        self._test, self._strict_test = BettingTest(), BettingTest()
        self._looked = 0
        self._decided = False

    async def run(self, problems: Sequence[Problem]) -> Outcome:
        """All problems, or as many as a sequential test or the budget lets."""
        started = time.perf_counter()
        asked = list(problems)
        # A file may be sorted by difficulty; drawn at random, its beginning speaks for it all where
        # a sequential test, a budget or the user ends it there.
        self._coin.shuffle(asked)
        stopped = ""
        try:
            async with open_tasks(self._engine.brake) as tasks:
                for place, problem in enumerate(asked):
                    first = self._coin.choice(SIDES)
                    tasks.create_task(self._one(place, problem, first))
        except BaseExceptionGroup as group:
            error = first_error(group)
            if isinstance(error, BudgetExhausted) and self._done:
                stopped = error.message
            elif not isinstance(error, _Decided):
                raise error from None
        order = asked if self._plan.sequential else problems
        return self._outcome(order, stopped, time.perf_counter() - started)

    async def _one(self, place: int, problem: Problem, first: Side) -> None:
        async with self._window:
            self._engine.brake.check()
            answered = await self._ask(problem, first)
        # Units that the brake stopped are no failures of the problem: the whole test ends.
        self._engine.brake.check()
        self._done[place] = answered
        self._plan.finished(answered)
        if self._plan.sequential:
            self._look()

    def _look(self) -> None:
        """Let the test see what is finished, in the order drawn and not in that of finishing.

        Raises:
            _Decided: A direction is found.
        """
        # Tasks that are ready go on for a turn after the first one has raised: they look no more.
        while self._looked in self._done and not self._decided:
            answered = self._done[self._looked]
            self._looked += 1
            if answered.difference is not None:
                self._test.add(answered.difference)
            if answered.strict_difference is not None:
                self._strict_test.add(answered.strict_difference)
            tests = self._test, self._strict_test
            self._decided = all(test.p_value < self._plan.alpha for test in tests)
        if self._decided:
            raise _Decided

    async def _ask(self, problem: Problem, first: Side) -> Answered:
        generators = [owner for owner in self._engine.owners if self._is_asked(owner)]
        order: tuple[Side, Side] = ("a", "b") if first == "a" else ("b", "a")
        groups: dict[tuple[Owner, Side], asyncio.Task[Judged]] = {}
        async with asyncio.TaskGroup() as tasks:
            for owner in generators:
                for side in order:
                    group = run_group(
                        self._stages[side],
                        problem,
                        owner,
                        self._libraries[side],
                        with_critic=self._plan.with_critic,
                    )
                    groups[owner, side] = tasks.create_task(group)
        found = [
            pair
            for number, owner in enumerate(generators)
            for pair in self._pair(owner, number, *(groups[owner, side].result() for side in SIDES))
        ]
        complete = [
            Pair(problem.id, owner, repeat, a, b)
            for owner, repeat, a, b in found
            if a is not None and b is not None
        ]
        halves = [
            Pair(problem.id, owner, repeat, a or 0.0, b or 0.0)
            for owner, repeat, a, b in found
            if (a is None) is not (b is None)
        ]
        return Answered(
            problem=problem.id,
            pairs=tuple(complete),
            lost=len(found) - len(complete),
            halves=tuple(halves),
            judged=sum((a is not None) + (b is not None) for _, _, a, b in found),
            measured=self._plan.measured,
        )

    def _is_asked(self, owner: Owner) -> bool:
        measured = self._plan.measured
        return owner != CRITIC and (not measured or owner in measured or CRITIC in measured)

    def _pair(
        self, owner: Owner, number: int, a: Judged, b: Judged
    ) -> list[tuple[Owner, int, float | None, float | None]]:
        """Owner, repeat and both rewards of each pair; None for a side that failed."""
        rows: list[tuple[Owner, int, float | None, float | None]] = [
            (owner, repeat, _reward(left.rollout), _reward(right.rollout))
            for repeat, (left, right) in enumerate(zip(a.tried, b.tried, strict=True))
        ]
        if self._plan.with_critic:
            rows.append((CRITIC, number, _reward(a.final), _reward(b.final)))
        return rows

    def _outcome(self, order: Sequence[Problem], stopped: str, seconds: float) -> Outcome:
        # What finished beyond the look that decided is no part of the sample.
        found = {
            answered.problem: answered
            for place, answered in self._done.items()
            if not self._plan.sequential or place < self._looked
        }
        counted = [found[problem.id] for problem in order if problem.id in found]
        looks = Looks(self._decided and self._looked < len(order), len(order), self._looked)
        failed = sum(tally.failed for tally in self._tallies.values())
        return Outcome(
            pairs=tuple(pair for answered in counted for pair in answered.pairs),
            halves=tuple(pair for answered in counted for pair in answered.halves),
            problems=len(counted),
            failures=Failures(
                pairs=sum(answered.lost for answered in counted),
                problems=sum(answered.difference is None for answered in counted),
                units=failed,
                arms=tuple(ArmFailures(side, self._tallies[side].failures()) for side in SIDES),
            ),
            usage={side: _usage(self._tallies[side]) for side in SIDES},
            units=failed + sum(answered.judged for answered in self._done.values()),
            seconds=seconds,
            looks=looks if self._plan.sequential else None,
            stopped=stopped,
        )


def _reward(result: object) -> float | None:
    return result.reward if isinstance(result, Rollout | FinalAnswer) else None


def _usage(tally: Tally) -> ArmUsage:
    total = tally.total
    return ArmUsage(
        total.input_tokens, total.output_tokens, total.calls, total.seconds, float(tally.cost)
    )
