"""Runs an evaluation on the stages of training, with epoch 0 in every seed; learns nothing.

The same problems, seed and models give the same prompts apart from the experiences. No store is
touched.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from attrs import frozen

from grpo_framework.engine import Engine
from grpo_framework.errors import BudgetExhausted
from grpo_framework.evaluation.groups import Tally, first_error, open_stages, open_tasks, run_group
from grpo_framework.evaluation.measures import (
    ALL,
    Evaluation,
    Held,
    Measured,
    Scores,
    by_problem,
    default_ks,
    measure,
)
from grpo_framework.evaluation.voting import count_votes
from grpo_framework.events import Event
from grpo_framework.experience import CRITIC, SHARED, Library
from grpo_framework.records import Failure, FinalAnswer, Owner, Problem, Rollout
from grpo_framework.rollouts import Stages


async def _silent(_: Event) -> None:
    """Tell nobody."""


async def evaluate(
    engine: Engine,
    problems: Sequence[Problem],
    libraries: Mapping[Owner, Library],
    *,
    rollouts: int = 3,
    seed: int = 0,
    ks: Sequence[int] = (),
    with_critic: bool = True,
    unit_timeout: float | None = None,
    announce: Callable[[Event], Awaitable[None]] = _silent,
    finished: Callable[[Scores], object] = lambda _: None,
) -> Evaluation:
    """Measure the generators, and the critic over them.

    Args:
        engine: The opened components; an advisor is not needed.
        problems: What is asked.
        libraries: By owner, with the shared one; an owner that is missing has no experiences.
        rollouts: Attempts of each generator at each problem.
        seed: All sampling derives from it.
        ks: For pass@k and majority@k; by default the powers of two below `rollouts`, and it.
        with_critic: Whether the critic fuses each generator's attempts.
        unit_timeout: Seconds that one attempt, verdict or fusion may take in all; None for any.
        announce: Takes the events of the calls and rollouts.
        finished: Takes the scores of each group as soon as they are there.

    Returns:
        The result; where the budget was exhausted, of the problems asked until then.

    Raises:
        GrpoError: What stopped the whole run: a budget exhausted before any problem was done, a
            model that is down.
        ValueError: A k is below 1 or above `rollouts`.
    """
    chosen = _choose_ks(ks, rollouts)
    held = {owner: libraries.get(owner, Library(owner)) for owner in (*engine.owners, SHARED)}
    started = time.perf_counter()
    count = Tally(announce)
    stages = open_stages(
        engine, count.announce, rollouts=rollouts, seed=seed, unit_timeout=unit_timeout
    )
    scores, stopped = await _score_all(stages, problems, held, finished, with_critic=with_critic)
    seconds = time.perf_counter() - started
    rows = _Rows(scores, held, chosen, with_critic)
    return Evaluation(
        problems=len({row.problem for row in scores}) if stopped else len(problems),
        rollouts_per_generator=rollouts,
        seed=seed,
        fingerprint=engine.fingerprint,
        simulation=engine.simulation,
        libraries={owner: _hold(library) for owner, library in held.items()},
        overall=rows.measure(ALL),
        owners=tuple(rows.measure(owner) for owner in engine.owners if owner != CRITIC),
        units=count.failed + sum(len(row.rewards) + (row.fused is not None) for row in scores),
        failures=count.failures(),
        usage=count.total,
        usage_by_owner=dict(sorted(count.usage.items())),
        seconds=seconds,
        scores=scores,
        stopped=stopped,
    )


def _choose_ks(ks: Sequence[int], rollouts: int) -> tuple[int, ...]:
    chosen = tuple(sorted(set(ks))) or default_ks(rollouts)
    if rollouts < 1 or chosen[0] < 1 or chosen[-1] > rollouts:
        message = f"every k must be from 1 to the number of rollouts, {rollouts}: {chosen}"
        raise ValueError(message)
    return chosen


def _hold(library: Library) -> Held:
    return Held(library.version, len(library), library.digest)


@frozen
class _Rows:
    """Makes the rows of the result from the scores."""

    scores: tuple[Scores, ...]
    libraries: Mapping[Owner, Library]
    ks: tuple[int, ...]
    with_critic: bool

    def measure(self, owner: Owner) -> Measured:
        clusters = by_problem(self.scores, None if owner == ALL else owner)
        return measure(owner, clusters, self.libraries, self.ks, with_critic=self.with_critic)


async def _score_all(
    stages: Stages,
    problems: Sequence[Problem],
    libraries: Mapping[Owner, Library],
    finished: Callable[[Scores], object],
    *,
    with_critic: bool,
) -> tuple[tuple[Scores, ...], str]:
    """All groups, in the order of the problems; few problems are open at once.

    An exhausted budget ends it early: those problems count that every generator was asked by then.
    """
    window = asyncio.Semaphore(2 * stages.engine.concurrency)

    async def one(problem: Problem, owner: Owner) -> Scores:
        async with window:
            stages.engine.brake.check()
            scores = await _score(stages, problem, owner, libraries, with_critic=with_critic)
        # Units that the brake stopped are no failures of the problem: the whole evaluation ends.
        stages.engine.brake.check()
        finished(scores)
        return scores

    owners = [owner for owner in stages.engine.owners if owner != CRITIC]
    running: dict[tuple[str, Owner], asyncio.Task[Scores]] = {}
    try:
        async with open_tasks(stages.engine.brake) as tasks:
            for problem in problems:
                for owner in owners:
                    running[problem.id, owner] = tasks.create_task(one(problem, owner))
    except BaseExceptionGroup as group:
        error = first_error(group)
        done = [
            running[problem.id, owner].result()
            for problem in problems
            if all(_is_done(running.get((problem.id, owner))) for owner in owners)
            for owner in owners
        ]
        if isinstance(error, BudgetExhausted) and done:
            return tuple(done), error.message
        raise error from None
    return tuple(task.result() for task in running.values()), ""


def _is_done(task: asyncio.Task[Scores] | None) -> bool:
    return task is not None and task.done() and not task.cancelled() and task.exception() is None


async def _score(
    stages: Stages,
    problem: Problem,
    owner: Owner,
    libraries: Mapping[Owner, Library],
    *,
    with_critic: bool,
) -> Scores:
    group = await run_group(stages, problem, owner, libraries, with_critic=with_critic)
    tried, final = group.tried, group.final
    rollouts = [one.rollout for one in tried if isinstance(one.rollout, Rollout)]
    failed = sum(isinstance(one.rollout, Failure) for one in tried)
    return Scores(
        problem=problem.id,
        owner=owner,
        rewards=tuple(rollout.reward for rollout in rollouts),
        votes=await count_votes(stages.engine.comparator, problem.question, rollouts),
        fused=final.reward if isinstance(final, FinalAnswer) else None,
        failures=failed + isinstance(final, Failure),
    )
