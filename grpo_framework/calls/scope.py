"""Whose work a model call is: carried by the context from the stage that does the work."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from attrs import define, field

from grpo_framework.codec import digest
from grpo_framework.events import CallFinished, Event
from grpo_framework.records import ChatRequest, Unit

Announce = Callable[[Event], Awaitable[None]]


class Memory(Protocol):
    """Where finished work is remembered across the death of the process."""

    async def get(self, kind: str, key: str) -> Any:
        """The value, or None."""
        ...

    async def put(self, kind: str, key: str, value: Any) -> None:
        """Remember a value; when this returns, it is."""
        ...

    def add(self, kind: str, key: str, value: Any) -> None:
        """Remember a value before all that is put later; for what is made again in no time."""
        ...


@define
class Scope:
    """One unit's calls.

    Attributes:
        unit: Whose work they are.
        announce: Takes their events.
        memory: Where their answers are kept across the death of the process; None keeps none.
        finished: The answered ones, in order.
    """

    unit: Unit
    announce: Announce
    memory: Memory | None = None
    finished: list[CallFinished] = field(factory=list)
    _repeats: Counter[str] = field(factory=Counter)
    _waits: list[tuple[float, float]] = field(factory=list)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Note the time that an answer takes which is remembered; a failure is not, and repeats."""
        began = time.monotonic()
        yield
        ended = time.monotonic()
        # Calls that were under way at the same time are waited for together.
        while self._waits and self._waits[-1][1] >= began:
            began = min(began, self._waits.pop()[0])
        self._waits.append((began, ended))

    @property
    def waited(self) -> float:
        """Seconds in which an answer was waited for: none of them is spent again after a resume."""
        return sum(ended - began for began, ended in self._waits)

    def key(self, model: str, request: ChatRequest) -> str:
        """What determines a call: model, messages, sampling, schema, unit, and which repeat of it.

        Two calls alike within one unit are two samples; so are the k attempts of a group, whose
        units differ in their index.
        """
        determined = digest((model, request, self.unit))
        self._repeats[determined] += 1
        return f"{determined}:{self._repeats[determined]}"

    async def finish(self, event: CallFinished) -> None:
        """Take note of an answered call."""
        self.finished.append(event)
        await self.announce(event)


_SCOPE: ContextVar[Scope | None] = ContextVar("grpo_call_scope", default=None)


def current_scope() -> Scope | None:
    """The unit whose work is being done here, or None."""
    return _SCOPE.get()


@contextmanager
def within(unit: Unit, announce: Announce, memory: Memory | None = None) -> Iterator[Scope]:
    """Count every model call made inside for `unit`, and announce it.

    Args:
        unit: Whose work it is.
        announce: Takes the events of the calls.
        memory: Remembers their answers.
    """
    scope = Scope(unit, announce, memory)
    token = _SCOPE.set(scope)
    try:
        yield scope
    finally:
        _SCOPE.reset(token)
