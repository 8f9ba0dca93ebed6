"""How many calls to one chat model may be under way, and when the next one may start.

Both are learned from the endpoint's own answers: the number in flight (additive increase,
multiplicative decrease, as in TCP, Jacobson 1988) and, once a rate limit has shown itself, the pace
of new calls (`Pace`). Waiting calls start by priority, then in order of arrival.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable

from attrs import define, field

from grpo_framework.calls.brake import Brake
from grpo_framework.calls.pace import Pace
from grpo_framework.errors import GrpoError

DECREASE = 0.7
OUTCOMES = 16
"""Calls by which it is judged whether an endpoint is overloaded; half of them must have failed.

A server error now and then is no overload: its call is tried again later, and the others go on.
"""


@define
class Permit:
    """A call's leave to be under way, from `Limiter.acquire` to `Limiter.release`."""

    started: float


@define(order=True)
class _Waiting:
    priority: int
    number: int
    ready: asyncio.Future[None] = field(order=False)

    def send_away(self, reason: GrpoError) -> None:
        if not self.ready.done():
            self.ready.set_exception(reason)


class Limiter:
    """Adaptive concurrency and pace of one chat model, shared by all roles.

    Args:
        most: Upper limit of calls in flight; the lower is 1.
        brake: Sends those away that wait for a place, with its reason.
        clock: Seconds, monotonic; a test gives its own.
    """

    def __init__(
        self,
        most: int,
        *,
        brake: Brake | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._brake = Brake() if brake is None else brake
        self._clock = clock
        # Half to begin with: a full burst into a rate limit would be refused all at once.
        self._limit = float(max(1, min(most, max(8, most // 2))))
        self._slow_start = True
        self._flying = 0
        self._queue: list[_Waiting] = []
        self._numbers = itertools.count()
        self._cut_at = -1.0
        self._paused_until = 0.0
        self._pace = Pace()
        self._next_start = 0.0
        self._overloaded: deque[bool] = deque(maxlen=OUTCOMES)
        self._timer: asyncio.TimerHandle | None = None

    @property
    def limit(self) -> int:
        """Calls that may be in flight now."""
        return int(self._limit)

    @property
    def in_flight(self) -> int:
        """Calls that are in flight."""
        return self._flying

    @property
    def waiting(self) -> int:
        """Calls that wait to start."""
        return sum(not item.ready.done() for item in self._queue)

    @property
    def paused_for(self) -> float:
        """Seconds until the endpoint may be asked again, 0 where it may now."""
        return max(0.0, self._paused_until - self._clock())

    async def acquire(self, priority: int = 0) -> Permit:
        """Wait for a place.

        Args:
            priority: Lower goes first.

        Raises:
            GrpoError: The run is stopping.
        """
        permit = self.try_acquire()
        if permit is not None:
            return permit
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(priority, next(self._numbers), ready)
        heapq.heappush(self._queue, waiting)
        self._start_waiting()
        try:
            with self._brake.breaking(waiting.send_away):
                await ready
        except asyncio.CancelledError:
            if ready.done() and not ready.cancelled():
                self._flying -= 1
                self._start_waiting()
            raise
        return Permit(self._clock())

    def try_acquire(self) -> Permit | None:
        """A place if one is free at once and nobody waits for it; None otherwise."""
        now = self._clock()
        if self._queue or self._flying >= self.limit:
            return None
        if now < self._paused_until or now < self._next_start:
            return None
        self._start(now)
        return Permit(now)

    def release(self, permit: Permit, *, answered: bool) -> None:
        """Give the place back.

        Args:
            permit: From `acquire`.
            answered: Whether the endpoint took the call, whatever became of it.
        """
        self._flying -= 1
        if answered:
            self._overloaded.append(False)
            if permit.started > self._cut_at:
                step = 1.0 if self._slow_start else 1.0 / self._limit
                self._limit = min(float(self._most), self._limit + step)
        self._start_waiting()

    def congested(self, permit: Permit, *, rate: bool, pause: float = 0.0) -> None:
        """Take note that the endpoint asked for less.

        Args:
            permit: Of the call that was refused.
            rate: Whether a rate limit said so (then the pace of new calls is held down too).
            pause: Seconds for which the endpoint wants no request at all.
        """
        now = self._clock()
        if rate:
            self._pace.refused(permit.started, now)
        self._paused_until = max(self._paused_until, now + pause)
        self._pace.pause(now, self._paused_until)
        if rate:
            return
        self._overloaded.append(True)
        # Calls that started before the last cut tell nothing new.
        if permit.started <= self._cut_at or 2 * sum(self._overloaded) < OUTCOMES:
            return
        self._cut_at = now
        self._slow_start = False
        self._overloaded.clear()
        self._limit = max(1.0, min(self._limit, float(self._flying)) * DECREASE)

    def _start(self, now: float) -> None:
        self._flying += 1
        self._pace.started(now)
        pace = self._pace.at(now)
        if pace is not None:
            self._next_start = max(now, self._next_start) + 1.0 / pace

    def _start_waiting(self) -> None:
        """Start as many waiting calls as limit, pause and pace allow."""
        while self._queue and self._flying < int(self._limit):
            if self._queue[0].ready.done():
                heapq.heappop(self._queue)
                continue
            now = self._clock()
            at = max(self._paused_until, self._next_start)
            if at > now:
                self._wake_in(at - now)
                return
            self._start(now)
            heapq.heappop(self._queue).ready.set_result(None)

    def _wake_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._start_waiting)
