"""One problem at one generator with given libraries, and the count of what that cost and lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from decimal import Decimal

from attrs import frozen

from grpo_framework.calls import Brake
from grpo_framework.engine import Engine
from grpo_framework.errors import BudgetExhausted, GrpoError
from grpo_framework.events import CallFinished, Event, UnitFailed
from grpo_framework.experience import CRITIC, SHARED, Library
from grpo_framework.fusion import fuse
from grpo_framework.grouping import start_group
from grpo_framework.records import Failure, FinalAnswer, Owner, Problem, Usage
from grpo_framework.reports import FailureCount, bearer
from grpo_framework.rollouts import Stages, Tried


@frozen
class Judged:
    """What came of a group: its rollouts by index, and the critic's fusion of them.

    Attributes:
        tried: One a rollout, failed ones in their place.
        final: None where the critic was left out or there was nothing to fuse.
    """

    tried: tuple[Tried, ...]
    final: FinalAnswer | Failure | None


def open_stages(
    engine: Engine,
    announce: Callable[[Event], Awaitable[None]],
    *,
    rollouts: int,
    seed: int,
    unit_timeout: float | None,
    slots: asyncio.Semaphore | None = None,
) -> Stages:
    """The stages of an evaluation: those of training, with epoch 0 in every seed.

    Args:
        engine: Opened.
        announce: Takes the events.
        rollouts: Attempts in a group.
        seed: All sampling derives from it.
        unit_timeout: Seconds that one unit may take in all; None for any.
        slots: Bounds the attempts under way, where several stages share the bound.
    """
    return Stages(
        engine=engine,
        announce=announce,
        slots=slots or asyncio.Semaphore(engine.concurrency),
        epoch=0,
        batch=1,
        run_seed=seed,
        rollouts=rollouts,
        unit_timeout=unit_timeout,
    )


async def run_group(
    stages: Stages,
    problem: Problem,
    owner: Owner,
    libraries: Mapping[Owner, Library],
    *,
    with_critic: bool,
) -> Judged:
    """Make and judge a group, and let the critic fuse it.

    Args:
        stages: Of the evaluation.
        problem: What is asked.
        owner: The generator.
        libraries: By owner, the shared one and the critic's among them.
        with_critic: Whether the critic fuses the attempts.
    """
    shared = libraries[SHARED]
    async with asyncio.TaskGroup() as tasks:
        group = start_group(stages, tasks, problem, libraries[owner], shared)
        attempts = await group.attempts
        final = (
            await fuse(stages, problem, owner, attempts, libraries[CRITIC], shared)
            if with_critic
            else None
        )
        return Judged(await group.tried, final)


class Tally:
    """Adds up what calls cost and what failed, and passes every event on."""

    def __init__(self, announce: Callable[[Event], Awaitable[None]]) -> None:
        self._announce = announce
        self.usage: dict[Owner, Usage] = {}
        self.cost = Decimal(0)
        self._failures: Counter[tuple[str, Owner, str]] = Counter()
        self._messages: dict[tuple[str, Owner, str], str] = {}

    async def announce(self, event: Event) -> None:
        """Take one event."""
        if isinstance(event, CallFinished):
            owner = bearer(event.unit)
            self.usage[owner] = self.usage.get(owner, Usage()) + event.usage
            self.cost += Decimal(event.cost)
        elif isinstance(event, UnitFailed):
            failure = event.failure
            key = (failure.unit.stage, bearer(failure.unit), failure.kind)
            self._failures[key] += 1
            self._messages.setdefault(key, failure.message)
        await self._announce(event)

    @property
    def total(self) -> Usage:
        """All calls together."""
        return sum(self.usage.values(), Usage())

    @property
    def failed(self) -> int:
        """How many units failed."""
        return self._failures.total()

    def failures(self) -> tuple[FailureCount, ...]:
        """What failed, by stage, owner and kind, with the first message of each."""
        return tuple(
            FailureCount(*key, count=number, message=self._messages[key])
            for key, number in sorted(self._failures.items())
        )


INTERRUPT = "interrupt"
"""The limit of the `BudgetExhausted` by which a user ends a measurement: it waits for no call."""


@asynccontextmanager
async def open_tasks(brake: Brake) -> AsyncIterator[asyncio.TaskGroup]:
    """A task group for the problems of a measurement.

    A limit that is reached lets a problem's calls under way end; an interruption does not.

    Args:
        brake: Of the engine.

    Raises:
        BaseExceptionGroup: What ended it, the interruption among it.
    """
    group = asyncio.TaskGroup()

    def break_off(reason: GrpoError) -> None:
        if isinstance(reason, BudgetExhausted) and reason.limit == INTERRUPT:
            with suppress(RuntimeError):  # all of it has just ended
                group.create_task(_fail(reason))

    with brake.breaking(break_off):
        async with group:
            yield group


async def _fail(reason: GrpoError) -> None:
    raise reason


def first_error(error: BaseException) -> BaseException:
    """A task group wraps what stopped an evaluation; the caller gets the cause itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
