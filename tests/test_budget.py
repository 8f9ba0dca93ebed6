"""One budget over all calls: reserved before, settled after, so that no limit is ever passed."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grpo_framework.calls import Account, Brake, Budget, CallRules, GuardedModel, Spending
from grpo_framework.calls.budget import worst_case
from grpo_framework.config import BudgetLimits
from grpo_framework.errors import BudgetExhausted, ModelError
from grpo_framework.records import ChatReply, ChatRequest, Message, Price, Usage

PRICE = Price(Decimal("0.4"), Decimal("1.6"))
KINDS = ("timeout", "rate_limited", "overloaded", "bad_reply", "connection", "refused")


class Endpoint:
    """Charges a random amount within what a request allows, also for calls that fail."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.requests = 0
        self.charged = Decimal(0)

    async def chat(self, request, /):
        self.requests += 1
        await asyncio.sleep(0)
        size = sum(len(message.content.encode()) for message in request.messages)
        usage = Usage(self.dice.randint(1, size), self.dice.randint(0, request.max_tokens or 200))
        if self.dice.random() < 0.3:
            kind = self.dice.choice(KINDS)
            if kind not in ("rate_limited", "overloaded"):
                self.charged += PRICE.cost(usage)
            raise ModelError("no", kind=kind, retry_after=0.0)
        self.charged += PRICE.cost(usage)
        return ChatReply("yes", usage=usage)


async def spend(endpoint, limits, *, calls=400, concurrency=7):
    """Many calls at once, until a limit stops them; gives the budget and how many were answered."""
    brake = Brake()
    budget = Budget(limits, brake)
    rules = CallRules(concurrency=concurrency, default_max_tokens=200, breaker=1000)

    async def at_once(_):
        await asyncio.sleep(0)

    model = GuardedModel(
        endpoint, name="m", rules=rules, brake=brake, budget=budget, price=PRICE, pause=at_once
    )

    async def one(number):
        text = "x" * endpoint.dice.randint(1, 300)
        try:
            await model.chat(ChatRequest((Message("user", text),), seed=number))
        except BudgetExhausted as error:
            return error
        except ModelError:
            return None
        return True

    return budget, await asyncio.gather(*(one(number) for number in range(calls)))


@pytest.mark.parametrize("seed", range(50))
def test_no_cost_limit_is_passed_whatever_calls_cost(seed):
    """What the endpoint charged, failed tries included, stays within; and the budget is used."""
    endpoint = Endpoint(seed)
    limit = random.Random(-seed - 1).uniform(0.003, 0.02)
    budget, results = asyncio.run(spend(endpoint, BudgetLimits(max_cost=limit)))
    assert endpoint.charged <= budget.spent.cost <= Decimal(str(limit))
    stopped = [result for result in results if isinstance(result, BudgetExhausted)]
    assert stopped
    assert stopped[0].limit == "max_cost"
    assert "--max-cost" in stopped[0].hint
    # A clean stop comes late: not even the dearest single call would still have fitted.
    dearest = worst_case(ChatRequest((Message("user", "x" * 300),)), 200, PRICE)
    assert budget.spent.cost + dearest.cost > Decimal(str(limit))


@pytest.mark.parametrize("seed", range(5))
def test_a_limit_of_calls_counts_every_try(seed):
    """A hundred allowed are at most a hundred requests, retries included, and all are used."""
    endpoint = Endpoint(seed)
    budget, _ = asyncio.run(spend(endpoint, BudgetLimits(max_calls=100)))
    assert endpoint.requests == budget.spent.calls == 100


def test_a_limit_of_tokens_holds_too():
    endpoint = Endpoint(1)
    budget, results = asyncio.run(spend(endpoint, BudgetLimits(max_tokens=20_000)))
    assert budget.spent.tokens <= 20_000
    assert any(isinstance(result, BudgetExhausted) for result in results)


def test_a_limit_of_time_stops_new_calls():
    """The clock is that of all sessions together."""

    async def main():
        now = [100.0]
        budget = Budget(BudgetLimits(max_time=60.0), Brake(), clock=lambda: now[0])
        budget.go_on(Account(elapsed=50.0))
        await budget.reserve(Spending(calls=1))
        now[0] += 11.0
        with pytest.raises(BudgetExhausted, match="max_time = 60"):
            await budget.reserve(Spending(calls=1))

    asyncio.run(main())


def test_what_earlier_sessions_spent_is_spent():
    """A resumed run has what the limit leaves."""

    async def main():
        budget = Budget(BudgetLimits(max_calls=10), Brake())
        budget.go_on(Account(Spending(Decimal(1), 500, 9), 3.0))
        await budget.reserve(Spending(calls=1))
        budget.settle(Spending(calls=1), Spending(calls=1))
        with pytest.raises(BudgetExhausted):
            await budget.reserve(Spending(calls=1))
        assert budget.account.spent.calls == 10

    asyncio.run(main())


def test_a_call_waits_for_what_others_may_give_back():
    """The worst case of one call fills the budget; when it cost less, the next one fits."""

    async def main():
        budget = Budget(BudgetLimits(max_tokens=100), Brake())
        await budget.reserve(Spending(tokens=90, calls=1))
        second = asyncio.create_task(budget.reserve(Spending(tokens=50, calls=1)))
        await asyncio.sleep(0)
        assert not second.done()
        budget.settle(Spending(tokens=90, calls=1), Spending(tokens=20, calls=1))
        await second
        assert not budget.try_reserve(Spending(tokens=50, calls=1))
        assert budget.try_reserve(Spending(tokens=30, calls=1))

    asyncio.run(main())


def test_an_endpoint_that_counts_no_tokens_cannot_empty_the_purse():
    """Without usage the worst case counts."""

    class Silent:
        async def chat(self, request, /):
            return ChatReply("yes")

    async def main():
        budget = Budget(BudgetLimits(max_cost=1.0), Brake())
        model = GuardedModel(Silent(), name="m", budget=budget, price=PRICE)
        await model.chat(ChatRequest((Message("user", "hello"),)))
        assert budget.spent.cost > 0

    asyncio.run(main())


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(max_size=200),
    answer=st.integers(0, 500),
    rates=st.tuples(st.decimals(0, 100, places=3), st.decimals(0, 100, places=3)),
)
def test_the_worst_case_is_an_upper_bound(text, answer, rates):
    """For any text: a byte-level tokenizer counts no more tokens than bytes."""
    price = Price(*rates)
    request = ChatRequest((Message("user", text),))
    tokens = len(text.encode("utf-8", "replace"))
    worst = worst_case(request, 500, price)
    assert worst.cost >= price.cost(Usage(tokens, answer))
    assert worst.tokens >= tokens + answer


def test_an_account_told_again_is_not_counted_twice():
    """The preflight's budget knows what was spent; the run's record tells it once more."""
    budget = Budget(BudgetLimits(), Brake(), clock=lambda: 100.0)
    budget.go_on(Account(Spending(Decimal(1), 500, 9), 3.0))
    budget.go_on(Account(Spending(Decimal(2), 600, 10), 4.0))
    assert budget.account == Account(Spending(Decimal(2), 600, 10), 4.0)


def test_a_limit_of_time_wakes_calls_that_wait_for_the_endpoint():
    """The endpoint asked for an hour's wait; the run stops when its own time is up."""

    async def main():
        brake = Brake()
        budget = Budget(BudgetLimits(max_time=0.01), brake)

        class Busy:
            async def chat(self, _request, /):
                raise ModelError("later", kind="rate_limited", retry_after=3600.0)

        guarded = GuardedModel(Busy(), name="m", brake=brake, budget=budget)
        request = ChatRequest((Message("user", "Hello?"),))
        calls = [asyncio.create_task(guarded.chat(request)) for _ in range(3)]
        for call in calls:
            with pytest.raises(BudgetExhausted, match="max_time"):
                await asyncio.wait_for(call, 60)

    asyncio.run(main())
