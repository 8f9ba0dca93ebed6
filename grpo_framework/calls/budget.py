"""One budget over all roles: reserved before a call, settled after it, so no limit is passed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal

from attrs import frozen

from grpo_framework.calls.brake import Brake
from grpo_framework.config import BudgetLimits
from grpo_framework.errors import BudgetExhausted, GrpoError
from grpo_framework.records import ChatRequest, Price, Usage

MESSAGE_OVERHEAD = 16
"""Tokens that a chat template adds to a message, at the most."""


@frozen
class Spending:
    """An amount of what a budget counts."""

    cost: Decimal = Decimal(0)
    tokens: int = 0
    calls: int = 0

    @classmethod
    def of(cls, usage: Usage, cost: Decimal, calls: int) -> Spending:
        """What an answered call spent, over all its tries."""
        return cls(cost, usage.input_tokens + usage.output_tokens, calls)

    def __add__(self, other: Spending) -> Spending:
        return Spending(
            self.cost + other.cost, self.tokens + other.tokens, self.calls + other.calls
        )

    def __sub__(self, other: Spending) -> Spending:
        return Spending(
            self.cost - other.cost, self.tokens - other.tokens, self.calls - other.calls
        )


@frozen
class Account:
    """What a run has used up, over all its sessions.

    Attributes:
        spent: Every try of every call, answered or not.
        elapsed: Seconds of wall time.
    """

    spent: Spending = Spending()
    elapsed: float = 0.0


def worst_case(request: ChatRequest, max_tokens: int, price: Price) -> Spending:
    """An upper bound of what one try of a request can cost.

    Every token of a byte-level vocabulary holds at least one byte, so the prompt has at most as
    many tokens as bytes, and what the chat template adds.

    Args:
        request: Its messages and schema are counted.
        max_tokens: The most output tokens that the request allows.
        price: Of the model.
    """
    size = sum(len(message.content.encode("utf-8", "replace")) for message in request.messages)
    size += MESSAGE_OVERHEAD * (len(request.messages) + 1)
    if request.schema is not None:
        size += len(repr(request.schema).encode("utf-8", "replace"))
    usage = Usage(input_tokens=size, output_tokens=max_tokens)
    return Spending(price.cost(usage), size + max_tokens, 1)


class Budget:
    """What a run may still spend, shared by all its chat models.

    Args:
        limits: Of the whole run.
        brake: Is pulled when a limit is reached.
        clock: Seconds, monotonic; a test gives its own.
    """

    def __init__(
        self,
        limits: BudgetLimits,
        brake: Brake,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self.spent = Spending()
        self._brake = brake
        self._reserved = Spending()
        self._pending = 0
        self._clock = clock
        self._started = clock()
        self._earlier = Account()
        self._alarm: asyncio.TimerHandle | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def elapsed(self) -> float:
        """Seconds of the run, those of earlier sessions included."""
        return self._clock() - self._started

    @property
    def account(self) -> Account:
        """What the run has used up so far."""
        return Account(self.spent, self.elapsed)

    def go_on(self, account: Account) -> None:
        """Count what earlier sessions of the same run used up; told again, the newest counts."""
        self.spent += account.spent - self._earlier.spent
        self._started -= account.elapsed - self._earlier.elapsed
        self._earlier = account

    async def reserve(self, worst: Spending) -> None:
        """Set the worst case of a call aside; waits while calls under way may still give some back.

        Raises:
            BudgetExhausted: It does not fit; the brake is pulled, the run is stopping.
        """
        if self.limits.max_time is not None and self._alarm is None:
            left = max(0.0, self.limits.max_time - self.elapsed)
            self._alarm = asyncio.get_running_loop().call_later(left, self._stop, "max_time")
        while True:
            self._brake.check()
            limit = self._passed(worst)
            if limit is None:
                self._take(worst)
                return
            if self._pending == 0 or limit == "max_time":
                raise self._stop(limit, worst)
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.add(waiting)
            try:
                await waiting
            finally:
                self._waiting.discard(waiting)

    def try_reserve(self, worst: Spending) -> bool:
        """Set the worst case of a call aside if it fits at once; the run goes on either way."""
        if self._brake.reason is not None or self._passed(worst) is not None:
            return False
        self._take(worst)
        return True

    def settle(self, reserved: Spending, actual: Spending) -> None:
        """Give a reservation back and count what the call really cost."""
        self._reserved -= reserved
        self._pending -= 1
        self.spent += actual
        self._wake()

    def _stop(self, limit: str, wanted: Spending | None = None) -> GrpoError:
        """Also called when the time is up, for calls that wait and would ask much later."""
        error = self._brake.pull(self._error(limit, wanted))
        self._wake()
        return error

    def _take(self, worst: Spending) -> None:
        self._reserved += worst
        self._pending += 1

    def _wake(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    def _passed(self, more: Spending) -> str | None:
        """The limit that would be passed, or None."""
        limits = self.limits
        if not limits.any:
            return None
        total = self.spent + self._reserved + more
        if limits.max_calls is not None and total.calls > limits.max_calls:
            return "max_calls"
        if limits.max_tokens is not None and total.tokens > limits.max_tokens:
            return "max_tokens"
        if limits.max_cost is not None and total.cost > Decimal(str(limits.max_cost)):
            return "max_cost"
        if limits.max_time is not None and self.elapsed > limits.max_time:
            return "max_time"
        return None

    def _error(self, limit: str, wanted: Spending | None) -> BudgetExhausted:
        allowed = getattr(self.limits, limit)
        spent = self.spent
        told = f"spent {spent.calls} calls, {spent.tokens} tokens, ${spent.cost:.4f}"
        if wanted is not None and limit in {"max_cost", "max_tokens"}:
            most = f"${wanted.cost:.4f}" if limit == "max_cost" else f"{wanted.tokens} tokens"
            told += f"; the next call may take up to {most}"
        message = f"the budget is exhausted: {limit} = {allowed} ({told})"
        flag = limit.replace("_", "-")
        return BudgetExhausted(message, limit=limit, hint=f"go on with a larger --{flag}")
