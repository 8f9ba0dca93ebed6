"""The two ways a comparison gives up, as exceptions that never leave the package."""

from __future__ import annotations

import time
from typing import Final

_LONG: Final = 0.02
_PATIENCE: Final = (1.6, 1.8, 8.0)
_BUSY: Final = 0.8
_SLACK: Final = 0.6


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

    It is the time this thread computes, not the time on the wall, so that the verdict does not
    depend on what else the machine does. Where it waits for other threads of this process, it
    gives up once all of its time has passed `_PATIENCE` times on the wall: at the first figure if
    `_SLACK` of its time is left at most, else at the second. Where it waits for other processes,
    which the time of this process tells, it gives up at the third. The clocks of the thread and
    of the process are dear to read (on some machines more than a comparison takes), so they are
    first read when the clock on the wall says that this one takes longer than most.
    """

    __slots__ = ("_at", "_look_again", "_process", "_seconds", "_started")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._started = time.perf_counter()
        self._look_again = self._started + min(_LONG, seconds)
        self._at: float | None = None
        self._process = 0.0

    def check(self) -> None:
        """Stop the comparison if its time is used up.

        Raises:
            DeadlineError: The time is used up.
        """
        now = time.perf_counter()
        if now <= self._look_again:
            return
        spent = time.thread_time()
        if self._at is None:
            begun = min(now - self._started, _LONG, self._seconds)
            self._at = spent + self._seconds - begun
            self._process = time.process_time() - begun
        left = self._at - spent
        late, last, starved = (self._started + self._seconds * times for times in _PATIENCE)
        if left < 0 or now > starved:
            raise DeadlineError
        if now > late and (now > last or left < self._seconds * _SLACK):
            here = time.process_time() - self._process
            if here > (now - self._started) * _BUSY:
                raise DeadlineError
        # The clock on the wall is never behind that of the thread.
        self._look_again = now + min(left, max(late - now, _LONG))
