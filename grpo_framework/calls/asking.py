"""Says what belongs to no run yet, so that there is no event of it: a preflight call takes long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_AFTER = 2.0
"""Seconds from which on a call without an answer is worth a line."""

CAUSES = {"rate_limited": "the rate limit", "overloaded": "the overloaded endpoint"}
"""What calls wait for, by the kind of the error that told them to."""

_TELL: ContextVar[Callable[[str], object] | None] = ContextVar("grpo_tell_asking", default=None)


@contextmanager
def telling_asked(tell: Callable[[str], object]) -> Iterator[None]:
    """Tell of preflight calls made inside.

    Args:
        tell: Takes a line.
    """
    token = _TELL.set(tell)
    try:
        yield
    finally:
        _TELL.reset(token)


def mention(line: str) -> None:
    """Say something that belongs to no run yet, where somebody listens."""
    tell = _TELL.get()
    if tell is not None:
        tell(line)


@contextmanager
def asking(name: str) -> Iterator[None]:
    """Inside, a model is asked whether it answers at all: said once, where that takes long."""
    tell = _TELL.get()
    if tell is None:
        yield
        return
    timer = asyncio.get_running_loop().call_later(_AFTER, tell, f"asking {name} …")
    try:
        yield
    finally:
        timer.cancel()


def tell_wait(name: str, kind: str, seconds: float) -> None:
    """Say that a preflight call was sent back, and for how long it waits."""
    mention(f"asking {name}: {describe_pause(kind, seconds)}")


def describe_pause(kind: str, seconds: float) -> str:
    """Why nothing seems to happen, and for how long.

    Args:
        kind: One of `CAUSES`.
        seconds: That are still to be waited.
    """
    return f"waiting for {CAUSES[kind]}, {seconds:.0f} s"
