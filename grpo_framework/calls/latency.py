"""The running distribution of service times: when a call is hung, when a copy is worth sending."""

from __future__ import annotations

import bisect
from collections import deque

WINDOW = 200
ENOUGH = 20
"""Answers that must have been seen before the distribution is used."""


class Latency:
    """The last answered calls' times in seconds, with their quantiles."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque()
        self._sorted: list[float] = []

    def add(self, seconds: float) -> None:
        """Take one answered call's time."""
        self._recent.append(seconds)
        bisect.insort(self._sorted, seconds)
        if len(self._recent) > WINDOW:
            oldest = self._recent.popleft()
            del self._sorted[bisect.bisect_left(self._sorted, oldest)]

    def quantile(self, share: float) -> float | None:
        """The time that this share of calls stays below; None until enough were seen.

        Args:
            share: Between 0 and 1.
        """
        if len(self._sorted) < ENOUGH:
            return None
        return self._sorted[min(len(self._sorted) - 1, int(share * len(self._sorted)))]
