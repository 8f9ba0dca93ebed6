"""The rollouts of one problem at one generator: how many are made, and what waits for what."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from attrs import frozen

from grpo_framework.adaptive import FIRST, grown, may_grow
from grpo_framework.experience import Library, join
from grpo_framework.records import Attempt, Failure, Problem, Rollout
from grpo_framework.rollouts import Stages, Tried, judge_attempt, make_attempt


@frozen
class Group:
    """The rollouts of one problem at one generator while they are under way.

    Attributes:
        attempts: Done as soon as all attempts are made (the critic waits for these alone; where
            groups adapt, whether more are made waits for verdicts).
        tried: Done as soon as all are judged.
    """

    attempts: asyncio.Task[tuple[Attempt, ...]]
    tried: asyncio.Task[tuple[Tried, ...]]


def start_group(
    stages: Stages,
    tasks: asyncio.TaskGroup,
    problem: Problem,
    own: Library,
    shared: Library,
) -> Group:
    """Start the rollouts of a problem: k, or where groups adapt, as many as it takes.

    Args:
        stages: Of the batch.
        tasks: Holds the work, so that an end of the run ends it too.
        problem: With its reference, which only the comparator sees.
        own: The generator's library.
        shared: Everybody's.
    """
    library = join(own, shared)
    turn = asyncio.Semaphore(1 if stages.serial else stages.rollouts)

    made: list[asyncio.Future[Attempt | Failure]] = []
    judged: list[asyncio.Task[Tried]] = []

    async def one(index: int) -> Tried:
        async with turn:
            attempt = await make_attempt(stages, problem, library, index)
        made[index].set_result(attempt)
        return await judge_attempt(stages, problem, attempt, library, index)

    def start(size: int) -> None:
        fresh = range(len(made), size)
        made.extend(asyncio.get_running_loop().create_future() for _ in fresh)
        judged.extend([tasks.create_task(one(index)) for index in fresh])

    async def grow() -> None:
        while len(made) < stages.rollouts:
            if not _wants_more(stages, problem, [await task for task in judged]):
                return
            start(grown(len(made), stages.rollouts))

    adaptive = stages.known is not None and stages.purpose == "learn"
    start(min(FIRST, stages.rollouts) if adaptive else stages.rollouts)
    growing = tasks.create_task(grow())

    async def all_attempts() -> tuple[Attempt, ...]:
        await growing
        attempts = [await task for task in made]
        return tuple(attempt for attempt in attempts if isinstance(attempt, Attempt))

    async def all_tried() -> tuple[Tried, ...]:
        await growing
        return tuple([await task for task in judged])

    return Group(tasks.create_task(all_attempts()), tasks.create_task(all_tried()))


def _wants_more(stages: Stages, problem: Problem, tried: Sequence[Tried]) -> bool:
    """Whether a group grows: it is uniform so far, and not expected to stay so."""
    results = [one.rollout for one in tried]
    if any(isinstance(each, Failure) and each.kind == "stopped" for each in results):
        return False
    rewards = [each.reward for each in results if isinstance(each, Rollout)]
    return may_grow(rewards, (stages.known or {}).get(problem.id))
