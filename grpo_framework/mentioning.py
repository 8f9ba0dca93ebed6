"""Says what belongs to no run yet, so that there is no event of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_TELL: ContextVar[Callable[[str], object] | None] = ContextVar("grpo_tell", default=None)


@contextmanager
def heard_by(tell: Callable[[str], object]) -> Iterator[None]:
    """Tell what is mentioned inside.

    Args:
        tell: Takes a line.
    """
    token = _TELL.set(tell)
    try:
        yield
    finally:
        _TELL.reset(token)


def is_heard() -> bool:
    """Whether somebody listens."""
    return _TELL.get() is not None


def mention(line: str) -> None:
    """Say something, where somebody listens."""
    tell = _TELL.get()
    if tell is not None:
        tell(line)
