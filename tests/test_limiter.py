"""The limiter: a rate limit is found, refusals for other causes do not slow a run down."""

from __future__ import annotations

import asyncio
import random

from grpo_framework.calls.limiter import OUTCOMES, Limiter
from grpo_framework.calls.pace import Pace


class Endpoint:
    """A token bucket and refusals by chance, driven second by second without waiting."""

    def __init__(self, *, rate: float = 1e9, burst: float = 1e9, chance: float = 0.0) -> None:
        self.rate, self.burst, self.chance = rate, burst, chance
        self.tokens, self.at, self.dice = burst, 0.0, random.Random(1)

    def accepts(self, now: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1.0 or self.dice.random() < self.chance:
            return False
        self.tokens -= 1.0
        return True


def drive(
    endpoint: Endpoint, *, demand: float, seconds: float, pause: float
) -> tuple[list[float], int]:
    """Start calls at `demand` a second where the pace allows; accepted times and refusals."""
    pace, now, accepted, refused = Pace(), 0.0, [], 0
    while now < seconds:
        pace.started(now)
        if endpoint.accepts(now):
            accepted.append(now)
            wait = 0.0
        else:
            refused += 1
            pace.refused(now, now + 1e-3)
            pace.pause(now, now + pause)
            wait = pause
        now += max(wait, 1.0 / min(demand, pace.at(now) or demand))
    return accepted, refused


def test_a_rate_limit_is_found_within_seconds_and_used():
    """Of a limit of 20 a second at least 80 % is used, with at most 5 % refusals."""
    endpoint = Endpoint(rate=20.0, burst=20.0)
    accepted, refused = drive(endpoint, demand=100.0, seconds=120.0, pause=1.0)
    late = [at for at in accepted if at > 20.0]
    assert len(late) >= 0.8 * 20.0 * 100.0
    assert refused <= 0.05 * len(accepted)


def test_refusals_at_random_do_not_slow_a_run_down():
    """5 % refusals that have nothing to do with the rate leave two thirds of the demand."""
    accepted, _ = drive(Endpoint(chance=0.05), demand=50.0, seconds=60.0, pause=0.0)
    assert len(accepted) >= 50.0 * 60.0 * 2 / 3


def test_many_refusals_at_random_do_not_stop_a_run():
    """20 % refusals without a Retry-After leave at least a third of the demand, for minutes."""
    accepted, _ = drive(Endpoint(chance=0.2), demand=50.0, seconds=240.0, pause=0.0)
    assert len(accepted) >= 50.0 * 240.0 / 3


def test_a_lower_limit_than_before_is_found():
    """A limit that comes down to a quarter is followed: refusals end."""
    endpoint, pace, now, refused = Endpoint(rate=40.0, burst=4.0), Pace(), 0.0, 0
    while now < 900.0:
        if now > 300.0:
            endpoint.rate = 10.0
        pace.started(now)
        if not endpoint.accepts(now):
            refused += now > 700.0
            pace.refused(now, now + 1e-3)
        now += 1.0 / min(100.0, pace.at(now) or 100.0)
    assert refused <= 0.15 * 200.0 * 10.0


def test_a_server_error_now_and_then_keeps_the_concurrency():
    """One failure among answers is no overload; half of the last calls is."""

    async def scenario() -> None:
        limiter = Limiter(64)
        before = limiter.limit
        for number in range(OUTCOMES):
            permit = await limiter.acquire()
            limiter.congested(permit, rate=False)
            limiter.release(permit, answered=False)
            assert limiter.limit == before or number >= OUTCOMES / 2 - 1
        assert limiter.limit < before

    asyncio.run(scenario())


def test_a_pause_holds_all_calls_back():
    """After a Retry-After no call starts before it has passed."""

    async def scenario() -> None:
        now = 100.0
        limiter = Limiter(8, clock=lambda: now)
        permit = await limiter.acquire()
        limiter.congested(permit, rate=True, pause=30.0)
        limiter.release(permit, answered=False)
        assert limiter.try_acquire() is None
        assert limiter.paused_for == 30.0
        now = 130.0
        assert limiter.try_acquire() is not None

    asyncio.run(scenario())
