"""Events of a batch that started early: held back until the batches before it are committed.

A checkpoint keeps the report's sums and the events' length as they are after its batch. What a
later batch has done by then is done again from the journal by a resumed run, so it must not be
among them, or it would be counted twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias, TypeVar

from grpo_framework.calls import Announce
from grpo_framework.errors import DataError
from grpo_framework.events import CallRetried, CallsPaused, Event
from grpo_framework.schedule import Batch

T = TypeVar("T")

_TOLD_AT_ONCE = (CallRetried, CallsPaused)
"""Say why a run waits, and count for nothing."""


class Held:
    """Takes a batch's events; passes them on once it is the batch's turn.

    Args:
        announce: Where they go, in their order.
        waiting: Whether other batches come first.
    """

    def __init__(self, announce: Announce, *, waiting: bool) -> None:
        self._announce = announce
        self._kept: list[Event] | None = [] if waiting else None

    async def announce(self, event: Event) -> None:
        """Pass an event on, or keep it until `release`."""
        if self._kept is None or isinstance(event, _TOLD_AT_ONCE):
            await self._announce(event)
        else:
            self._kept.append(event)

    async def release(self) -> None:
        """It is the batch's turn: pass on what was kept, and from now on everything at once."""
        while self._kept:
            kept, self._kept = self._kept, []
            for event in kept:
                await self._announce(event)
        self._kept = None


Running: TypeAlias = deque[tuple[Batch, Held, asyncio.Task[T]]]
"""The batches under way, the oldest first: their events, and what does their work."""


@asynccontextmanager
async def calling_off(running: Running[T]) -> AsyncIterator[None]:
    """On exit, end the batches that are still under way.

    What they have done is told where the run stops in the middle, and not where it is at its end
    before its time: then their place in the report would depend on how far they had come.
    """
    try:
        yield
    except BaseException:
        await _end(running)
        # What cannot be written any more must not hide why the run ends.
        with suppress(DataError):
            for _, held, _ in running:
                await held.release()
        raise
    await _end(running)


async def _end(running: Running[T]) -> None:
    for *_, task in running:
        task.cancel()
    await asyncio.gather(*(task for *_, task in running), return_exceptions=True)
