"""Work of a run that is measured and not learned from, journalled whole, with what it cost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from attrs import evolve

from grpo_framework.codec import event_from_document, from_document, to_document
from grpo_framework.events import CallFinished, CallRetried, CallsPaused, Event, UnitFailed
from grpo_framework.recording import Recording
from grpo_framework.records import Purpose
from grpo_framework.rollouts import Stages

T = TypeVar("T")


async def measure_once(
    stages: Stages,
    purpose: Purpose,
    key: str,
    work: Callable[[Stages], Awaitable[T]],
    *,
    kind: type[T],
    record: Recording | None,
) -> T:
    """Do the work, or take its result from the journal, and tell what its calls cost either way.

    A resumed run goes by what is journalled: a unit that failed before the crash may succeed now,
    and what followed from the result may be in the store already.

    Args:
        stages: Of the batch.
        purpose: What the work is for.
        key: Of the result, unique for its purpose.
        work: Gets the stages for it: its calls and failures are told, its rollouts are not.
        kind: Class of the result.
        record: Of the run; None remembers nothing.
    """
    kept = None if record is None else await record.memory.get(purpose, key)
    if kept is not None:
        for event in map(event_from_document, kept["events"]):
            await stages.announce(event)
        return from_document(kept["value"], kind)
    told: list[Event] = []

    async def announce(event: Event) -> None:
        if isinstance(event, (CallFinished, UnitFailed)):
            told.append(event)
        if isinstance(event, (CallFinished, CallRetried, CallsPaused, UnitFailed)):
            await stages.announce(event)

    # What is measured is the whole library: the lots of training are for what is learned from.
    measuring = evolve(stages, announce=announce, purpose=purpose, serial=False, credit_dropout=0.0)
    value = await work(measuring)
    if record is not None:
        entry = {"value": to_document(value), "events": [to_document(event) for event in told]}
        await record.memory.put(purpose, key, entry)
    return value
