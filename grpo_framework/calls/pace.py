"""How fast new calls may start, once an endpoint has shown that it has a rate limit.

Refusals now and then do not slow a run down: their calls are tried again, after the pause that the
endpoint asked for. Where they are many, the accepted rate is measured, and the pace goes down to it
and up again by the curve of CUBIC (Ha, Rhee and Xu 2008; RFC 9438): quickly back to just below the
rate that was refused, slowly past it, quickly away from it where nothing is refused there. A rate
that was accepted for some seconds is believed, and the pace does not fall below it.
"""

from __future__ import annotations

from collections import deque

MANY = ((6, 20), (10, 100))
"""So many refusals among so many calls are a rate limit's; fewer may have any cause."""
AGAIN = ((3, 80),)
"""The same once a rate limit has shown itself."""
CUT = 0.9
"""What is left of the refused pace."""
DEEPEST = 0.5
"""What the pace loses at most by one cut, before `CUT`: few calls give a noisy measure."""
REST = 1.5
"""Seconds between two cuts: a cut needs time to show."""
LATELY = 40
"""Calls over which the accepted rate is measured."""
RETURN = 8.0
"""Seconds until the pace is back at the one that was refused."""
PROOF = 5
"""Seconds for which a rate must have been accepted to be believed."""
MEMORY = 300
"""Seconds after which that is forgotten."""
LEAST = 0.2
"""Calls a second; the lowest pace."""


class Pace:
    """The pace of one endpoint's new calls.

    Times are seconds of any one clock. The accepted rate is measured over the time in which calls
    could start, so the pauses that the endpoint asked for do not count; in a proof they do.
    """

    def __init__(self) -> None:
        self._slots: deque[tuple[int, int]] = deque()
        self._starts: deque[float] = deque(maxlen=LATELY)
        self._refusals: deque[int] = deque(maxlen=max(count for count, _ in MANY))
        self._calls = 0
        self._paused = 0.0
        self._paused_until = 0.0
        self._cut_at: float | None = None
        self._refused_pace = 0.0

    def at(self, now: float) -> float | None:
        """Calls a second that may start now; None is any number."""
        if self._cut_at is None:
            return None
        since = (now - self._cut_at) / RETURN - 1.0
        return max(LEAST, self._refused_pace * (1.0 + (1.0 - CUT) * since**3))

    def pause(self, now: float, until: float) -> None:
        """No call starts until then."""
        if until > self._paused_until:
            self._paused += until - max(now, self._paused_until)
            self._paused_until = until

    def started(self, now: float) -> None:
        """A call starts; it counts as accepted until it is refused."""
        self._calls += 1
        self._starts.append(now - self._paused)
        second = int(now)
        if not self._slots or second > self._slots[-1][0]:
            self._slots.append((second, 0))
            while self._slots[0][0] < second - MEMORY:
                self._slots.popleft()
        self._count(1)

    def refused(self, started: float, now: float) -> None:
        """A call is refused; call it before `pause`.

        Args:
            started: When it started.
            now: When it is refused.
        """
        self._count(-1)
        self._refusals.append(self._calls)
        if self._cut_at is not None and started < self._cut_at + REST:
            return
        many = MANY if self._cut_at is None else AGAIN
        if not any(self._are_many(count, among) for count, among in many):
            return
        pace, (started_rate, share) = self.at(now), self._lately()
        rate = started_rate if pace is None else min(pace, started_rate)
        accepted = rate * max(DEEPEST, 1.0 - share)
        self._refused_pace = max(LEAST, accepted, 0.95 / CUT * self._proven())
        self._cut_at = now
        self._refusals.clear()

    def _count(self, number: int) -> None:
        second, count = self._slots[-1]
        self._slots[-1] = (second, count + number)

    def _are_many(self, count: int, among: int) -> bool:
        return len(self._refusals) >= count and self._refusals[-count] > self._calls - among

    def _lately(self) -> tuple[float, float]:
        """Calls started a second over the last ones, and the share of refusals among them."""
        count = len(self._starts)
        refused = sum(number > self._calls - count for number in self._refusals)
        seconds = max(self._starts[-1] - self._starts[0], 1e-3)
        return count / seconds, refused / count

    def _proven(self) -> float:
        """The highest rate accepted for `PROOF` seconds on end; 0 where there was no time yet."""
        counts = dict(self._slots)
        first, last = self._slots[0][0], self._slots[-1][0]
        sums = (
            sum(counts.get(second + number, 0) for number in range(PROOF))
            for second in range(first, last - PROOF + 1)
        )
        return max(sums, default=0) / PROOF
