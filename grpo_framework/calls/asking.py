"""Says that a preflight call takes long: it belongs to no run yet, so there is no event of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from grpo_framework.mentioning import is_heard, mention

_AFTER = 2.0
"""Seconds from which on a call without an answer is worth a line."""

CAUSES = {"rate_limited": "the rate limit", "overloaded": "the overloaded endpoint"}
"""What calls wait for, by the kind of the error that told them to."""


@contextmanager
def asking(name: str) -> Iterator[None]:
    """Inside, a model is asked whether it answers at all: said once, where that takes long."""
    if not is_heard():
        yield
        return
    timer = asyncio.get_running_loop().call_later(_AFTER, mention, f"asking {name} …")
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
