"""The two ways a comparison gives up, as exceptions that never leave the package."""

from __future__ import annotations

import time


class OverLimitError(Exception):
    """An answer, or a value in it, is larger than the limits in the options allow."""


class DeadlineError(Exception):
    """The time of a comparison is used up."""


class UnreadableError(Exception):
    """A text cannot be read as the kind of answer that was tried."""


class UndecidableError(Exception):
    """Numerics cannot tell whether two expressions are equal."""


class Deadline:
    """The time a comparison has; checked by loops, no signal involved.

    It is the time this thread computes, not the time on the wall: the verdict does not depend on
    what else the machine does.
    """

    __slots__ = ("_at", "_not_before")

    def __init__(self, seconds: float) -> None:
        self._at = time.thread_time() + seconds
        # The clock on the wall costs a thirtieth of the thread's, and is never behind it.
        self._not_before = time.perf_counter() + seconds

    def check(self) -> None:
        """Stop the comparison if its time is used up.

        Raises:
            DeadlineError: The time is used up.
        """
        if time.perf_counter() > self._not_before and time.thread_time() > self._at:
            raise DeadlineError
