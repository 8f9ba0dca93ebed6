"""Attempts and verdicts: one problem at one generator."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from attrs import field, frozen

from grpo_framework.calls import Announce, Memory, within
from grpo_framework.codec import digest, event_from_document, from_document, to_document
from grpo_framework.engine import Engine
from grpo_framework.errors import BudgetExhausted, ComparatorError, GrpoError, ModelError
from grpo_framework.events import CallFinished, RolloutFinished, UnitFailed
from grpo_framework.experience import Library
from grpo_framework.injection import draw_lots, note_shown
from grpo_framework.protocols import Comparator
from grpo_framework.records import (
    Attempt,
    Failure,
    Owner,
    Past,
    Problem,
    Purpose,
    Rollout,
    Stage,
    Unit,
    Verdict,
)

T = TypeVar("T")

CHEAP = 0.01
"""Seconds of work that is done again sooner than its result is waited for to be written.

The time of guarded calls does not count: their answers are remembered and not paid for again.
"""


class EndsProcess(Exception):  # noqa: N818 - carries what is no Exception out of the tasks
    """A component raised `KeyboardInterrupt` or the like: the cause of this.

    Raised as it is within a task, it would end the event loop with the other tasks still in it.
    """


@frozen
class Stages:
    """What all stages of a batch share.

    Attributes:
        engine: The opened components.
        announce: Takes events.
        slots: Bounds the attempts under way, also of generators that use no chat model.
        epoch: Counted from 1; 0 outside of training.
        batch: Counted from 1.
        run_seed: Seeds derive from it.
        rollouts: k, the size of a group.
        serial: Whether the rollouts of a group run one after the other.
        memory: Remembers finished units; None remembers nothing.
        unit_timeout: Seconds that one unit may take in all, None for any.
        past: What the owners' earlier batches came to.
        purpose: What the work is for; anything but learning is kept by the library's wording too.
        case: In a gate, whose edits are judged.
        known: Problem id → whether its groups are expected to be all right, or all wrong; None
            makes all groups full, else they begin small and grow while they are uniform.
        credit_dropout: Probability with which each experience is left out of a prompt.
    """

    engine: Engine
    announce: Announce
    slots: asyncio.Semaphore
    epoch: int
    batch: int
    run_seed: int
    rollouts: int
    serial: bool = False
    memory: Memory | None = None
    unit_timeout: float | None = None
    past: Mapping[Owner, Past] = field(factory=dict)
    purpose: Purpose = "learn"
    case: Owner = ""
    known: Mapping[str, bool] | None = None
    credit_dropout: float = 0.0

    def unit(self, problem: str, owner: Owner, stage: Stage, index: int = 0) -> Unit:
        """The address of a piece of work in this batch."""
        return Unit(self.epoch, self.batch, problem, owner, stage, index, self.purpose, self.case)

    def about(self, library: Library) -> tuple[str, ...]:
        """What tells apart work on several libraries of one version, as an input of `do`."""
        return () if self.purpose == "learn" else (library.wording,)

    async def do(
        self,
        unit: Unit,
        kind: type[T],
        work: Callable[[], Awaitable[T]],
        *,
        version: int,
        inputs: object = (),
    ) -> T | Failure:
        """Do a unit's work, or take its result from the memory; its failure becomes a value.

        A result is remembered when this returns; one that took less than `CHEAP` seconds beside
        its guarded calls soon after. A failure is announced and not remembered: a resumed run
        tries again. Where the run is stopping, the failure is of kind ``stopped`` and stays
        silent. A cancellation passes.

        Args:
            unit: The address of the work.
            kind: Class of its result, for the memory.
            work: Does it.
            version: Of the library that the work sees.
            inputs: What else it is made from: the work of other units, which may be more after a
                resume, where some of them had failed.
        """
        key = f"{unit.address}/{version}"
        if inputs and self.memory is not None:
            key = f"{key}/{digest(inputs)}"
        kept = None if self.memory is None else await self.memory.get(unit.stage, key)
        if kept is not None:
            for call in map(event_from_document, kept["calls"]):
                assert isinstance(call, CallFinished)
                await self.announce(call)
            return from_document(kept["value"], kind)
        started, own = time.monotonic(), 0.0
        try:
            self.engine.brake.check()
            with within(unit, self.announce, self.memory) as scope:
                value = await self._within_time(work)
            own = time.monotonic() - started - scope.waited
            document = _document_of(value, kind)
        # Components are foreign code; whatever one raises is this unit's failure and no other's.
        except Exception as error:
            return await self._fail(unit, error)
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            raise EndsProcess from error
        if self.memory is not None:
            entry = {"value": document, "calls": [to_document(call) for call in scope.finished]}
            try:
                if own < CHEAP:
                    self.memory.add(unit.stage, key, entry)
                else:
                    await self.memory.put(unit.stage, key, entry)
            except (TypeError, ValueError) as error:  # something in it is no plain JSON value
                return await self._fail(unit, error)
        return value

    async def _within_time(self, work: Callable[[], Awaitable[T]]) -> T:
        if self.unit_timeout is None:
            return await work()
        async with asyncio.timeout(self.unit_timeout):
            return await work()

    async def _fail(self, unit: Unit, error: Exception) -> Failure:
        reason = self.engine.brake.reason
        if reason is not None and (error is reason or isinstance(error, BudgetExhausted)):
            return Failure(unit, "stopped", reason.message)
        if isinstance(error, BudgetExhausted):
            self.engine.brake.pull(error)
            return Failure(unit, "stopped", error.message)
        failure = Failure(unit, kind_of(error), describe(error))
        await self.announce(UnitFailed(failure))
        return failure


def _document_of(value: object, kind: type) -> Any:
    """What a component returned, as it is remembered; a wrong kind of value is its failure."""
    if not isinstance(value, kind):
        message = f"returned {type(value).__name__} instead of {kind.__name__}"
        raise TypeError(message)
    return to_document(value)


def kind_of(error: Exception) -> str:
    """The kind of a failure: the error's own, or its class."""
    if isinstance(error, ModelError | ComparatorError):
        return error.kind
    if isinstance(error, TimeoutError):
        return "timeout"
    return type(error).__name__


def describe(error: Exception) -> str:
    """An error in one line."""
    text = error.message if isinstance(error, GrpoError) else str(error)
    return " ".join(text.split()) or type(error).__name__


async def judge(comparator: Comparator, problem: Problem, attempt: Attempt) -> Verdict:
    """Compare an attempt with the reference; a refused or empty one has no answer."""
    answer = attempt.response if attempt.response.strip() else None
    return await comparator.compare(problem, answer)


@frozen
class Tried:
    """One rollout's way: the attempt, if it was made, and the judged rollout, if it was judged."""

    attempt: Attempt | Failure
    rollout: Rollout | Failure


async def try_once(stages: Stages, problem: Problem, library: Library, index: int) -> Tried:
    """One rollout by itself: the attempt and its verdict.

    Args:
        stages: Of the batch.
        problem: With its reference, which only the comparator sees.
        library: All that may go into the prompt, the shared experiences among it.
        index: Which one, counted from 0; its seed derives from it.
    """
    attempt = await make_attempt(stages, problem, library, index)
    return await judge_attempt(stages, problem, attempt, library, index)


async def judge_attempt(
    stages: Stages, problem: Problem, attempt: Attempt | Failure, library: Library, index: int
) -> Tried:
    """The verdict on an attempt, if it was made; arguments as for `try_once`."""
    if isinstance(attempt, Failure):
        return Tried(attempt, attempt)
    return Tried(attempt, await _verdict(stages, problem, attempt, library, index))


async def make_attempt(
    stages: Stages, problem: Problem, library: Library, index: int
) -> Attempt | Failure:
    """One attempt of a generator; arguments as for `try_once`."""
    async with stages.slots:
        return await _attempt_now(stages, problem, library, index)


async def _attempt_now(
    stages: Stages, problem: Problem, library: Library, index: int
) -> Attempt | Failure:
    """One attempt of a generator; arguments as for `try_once`."""
    unit = stages.unit(problem.id, library.owner, "attempt", index)
    generator = stages.engine.generators[stages.engine.owners.index(library.owner)]
    seed = unit.seed(stages.run_seed)

    async def work() -> Attempt:
        chosen = await stages.engine.injection.choose(problem.question, library)
        shown, mask = draw_lots(chosen, stages.credit_dropout, seed)
        attempt = await generator.attempt(problem.question, shown, seed=seed)
        return note_shown(attempt, shown, library, mask)

    about = stages.about(library)
    return await stages.do(unit, Attempt, work, version=library.version, inputs=about)


async def _verdict(
    stages: Stages, problem: Problem, attempt: Attempt, library: Library, index: int
) -> Rollout | Failure:
    comparator = stages.engine.comparator
    unit = stages.unit(problem.id, library.owner, "verdict", index)
    verdict = await stages.do(
        unit,
        Verdict,
        lambda: judge(comparator, problem, attempt),
        version=library.version,
        inputs=stages.about(library),
    )
    if isinstance(verdict, Failure):
        return verdict
    made = stages.unit(problem.id, library.owner, "attempt", index)
    rollout = Rollout(
        unit=made,
        attempt=attempt,
        verdict=verdict,
        seed=made.seed(stages.run_seed),
        experiences=library.ids if attempt.experiences is None else attempt.experiences,
        library_version=library.version,
    )
    await stages.announce(RolloutFinished(rollout))
    return rollout
