"""Events of a batch that started early: held back until the batches before it are committed.

A checkpoint keeps the report's sums and the events' length as they are after its batch. What a
later batch has done by then is done again from the journal by a resumed run, so it must not be
among them, or it would be counted twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from grpo_framework.calls import Announce
from grpo_framework.errors import DataError
from grpo_framework.events import CallRetried, CallsPaused, Event

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


async def call_off(running: Sequence[tuple[Held, asyncio.Task[Any]]], *, tell: bool) -> None:
    """End batches that are under way.

    Args:
        running: Their events, and what does their work.
        tell: Whether what they have done is told, as that of a run that stops in the middle.
    """
    for _, task in running:
        task.cancel()
    await asyncio.gather(*(task for _, task in running), return_exceptions=True)
    # What cannot be written any more must not hide why the run ends.
    with suppress(DataError):
        for held, _ in running if tell else ():
            await held.release()
