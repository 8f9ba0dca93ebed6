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
    """A point in time after which work stops; checked by loops, no signal involved."""

    __slots__ = ("at",)

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    def check(self) -> None:
        """Stop the comparison if its time is used up.

        Raises:
            DeadlineError: The time is used up.
        """
        if time.monotonic() > self.at:
            raise DeadlineError

    def remaining(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self.at - time.monotonic())
