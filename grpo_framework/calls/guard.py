"""The guard around a chat model: every call of every role goes through it.

A call is looked up in the run's memory, waits for its place (`Limiter`), reserves its worst case
(`Budget`), is sent, tried again by `policies`, settled, and remembered before its answer is used.

Which unit of work a call belongs to is carried by the context (`within`), so that a generator or
advisor calls its model as it likes and the call is still counted for the right owner and stage.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from attrs import evolve, field, frozen

from grpo_framework.calls.asking import asking, tell_wait
from grpo_framework.calls.brake import Brake
from grpo_framework.calls.budget import Account, Budget, Spending, worst_case
from grpo_framework.calls.latency import Latency
from grpo_framework.calls.limiter import Limiter, Permit
from grpo_framework.calls.policies import FREE_OF_TOKENS, HARMLESS, PRIORITY, policy_of, wait_before
from grpo_framework.calls.scope import Scope, current_scope
from grpo_framework.codec import from_document, to_document
from grpo_framework.config import BudgetLimits
from grpo_framework.errors import DataError, ModelError, RunFailed
from grpo_framework.events import CallFinished, CallRetried, CallsPaused
from grpo_framework.protocols import ChatModel
from grpo_framework.records import ChatReply, ChatRequest, Message, Price, Usage

PREFLIGHT_TRIES = 4
TIMEOUT_MULTIPLE = 8.0
HEDGE_MULTIPLE = 3.0


@frozen
class CallRules:
    """How calls to one chat model are guarded.

    Attributes:
        concurrency: Most calls under way at once.
        timeout: Seconds until one try is given up, at the most.
        timeout_floor: The adaptive limit (a multiple of the running p95) is never below this.
        tries: Upper limit of tries; None leaves it to the table of policies.
        hedge: Whether a slow call gets a copy, the first answer winning.
        breaker: Final failures in a row after which the run stops.
        default_max_tokens: Sent where a request has no limit and the budget needs one.
    """

    concurrency: int = 8
    timeout: float = 600.0
    timeout_floor: float = 30.0
    tries: int | None = None
    hedge: bool = False
    breaker: int = 10
    default_max_tokens: int = 4096


class GuardedModel:
    """A chat model behind the limits of the run.

    Args:
        model: What is guarded.
        name: Its reference, for messages, events and the memory's keys.
        rules: Limits of its calls.
        brake: Stops the run.
        budget: Of the run; None is without limits.
        price: Of the model.
        pause: How to wait between tries; a test makes it instant.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        name: str,
        rules: CallRules | None = None,
        brake: Brake | None = None,
        budget: Budget | None = None,
        price: Price | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._model = model
        self._name = name
        self._rules = CallRules() if rules is None else rules
        self._brake = Brake() if brake is None else brake
        self._budget = Budget(BudgetLimits(), self._brake) if budget is None else budget
        self.price = Price() if price is None else price
        self._pause = pause
        self._limiter = Limiter(self._rules.concurrency, brake=self._brake)
        self._latency = Latency()
        self._failed_in_a_row = 0

    async def chat(self, request: ChatRequest, /) -> ChatReply:
        """Answer one request, from the memory or from the model.

        Raises:
            ModelError: The failure was final, or the last try failed too.
            BudgetExhausted: It would pass a limit of the run.
            RunFailed: The model has failed too often in a row.
            DataError: The run's memory cannot be used.
        """
        scope = current_scope()
        if scope is None:
            return (await self._answer(request, None)).reply
        key = scope.key(self._name, request)
        try:
            with scope.waiting():
                answered = await self._recall(request, scope, key)
        except DataError as error:
            # The run's memory cannot be used: not one more call may be paid for and forgotten.
            raise self._brake.pull(error) from error
        reply = answered.reply
        await scope.finish(
            CallFinished(
                unit=scope.unit,
                model=self._name,
                usage=reply.usage,
                finish=reply.finish,
                tries=answered.tries,
                cost=str(self.price.cost(reply.usage)),
            )
        )
        return reply

    async def _recall(self, request: ChatRequest, scope: Scope, key: str) -> _Answered:
        """The answer from the memory, or from the model and then put into the memory."""
        memory = scope.memory
        kept = None if memory is None else await memory.get("call", key)
        if kept is not None:
            # What it cost is in the account that the run goes on with (`RunRecord.account`).
            return from_document(kept, _Answered)
        answered = await self._answer(request, scope)
        if memory is not None:
            answered = _Answered(answered.reply, answered.tries, self._budget.account)
            await memory.put("call", key, to_document(answered))
        return answered

    async def probe(self) -> ChatReply:
        """Make one small call, to see before anything is spent or written that the model answers.

        It counts in the budget as any other, but a dead model is given up sooner.

        Raises:
            ModelError: It does not answer; with its name.
            BudgetExhausted: Not even this call fits.
        """
        request = ChatRequest((Message("user", "Say OK."),), seed=0, max_tokens=4)
        try:
            with asking(self._name):
                return (await self._answer(request, None, most=PREFLIGHT_TRIES)).reply
        except ModelError as error:
            raise ModelError(
                f"{self._name} does not answer: {error.message}",
                kind=error.kind,
                retryable=False,
                hint=error.hint,
            ) from error

    async def _answer(
        self, request: ChatRequest, scope: Scope | None, *, most: int | None = None
    ) -> _Answered:
        tried = 0
        most = self._rules.tries if most is None else min(most, self._rules.tries or most)
        while True:
            tried += 1
            try:
                reply = await self._send(request, scope)
            except ModelError as error:
                policy = policy_of(error, most=most)
                if tried >= policy.tries:
                    self._count_failure(error)
                    raise
                wait = wait_before(policy, error, tried)
                if scope is not None:
                    await scope.announce(
                        CallRetried(scope.unit, self._name, error.kind, error.message, wait)
                    )
                await self._brake.wait(self._pause(wait))
            else:
                self._failed_in_a_row = 0
                self._brake.clear(self._name)
                return _Answered(reply, tried)

    async def _confirm(self) -> None:
        """Make a preflight call in the middle of a run, to tell an outage from single failures."""
        try:
            await self.probe()
        except ModelError as error:
            failures = self._failed_in_a_row
            hint = "mend it and resume the run: what was paid for is kept"
            raise RunFailed(error.message, failures=failures, units=failures, hint=hint) from error

    def _count_failure(self, error: ModelError) -> None:
        """The circuit breaker: a model that only fails must not burn the budget."""
        if error.kind in HARMLESS:
            return
        self._failed_in_a_row += 1
        self._brake.suspect(self._name, self._confirm)
        if self._failed_in_a_row >= self._rules.breaker:
            message = (
                f"{self._name} failed {self._failed_in_a_row} times in a row, "
                f"the last time: {error.message}"
            )
            hint = "mend it and resume the run: what was paid for is kept"
            failures = self._failed_in_a_row
            self._brake.pull(RunFailed(message, failures=failures, units=failures, hint=hint))

    async def _send(self, request: ChatRequest, scope: Scope | None) -> ChatReply:
        """One try: place, budget, call, account."""
        self._brake.check()
        request, worst = self._bounded(request)
        permit = await self._limiter.acquire(PRIORITY.get(scope.unit.stage, 3) if scope else 0)
        try:
            await self._budget.reserve(worst)
        except BaseException:
            self._limiter.release(permit, answered=False)
            raise
        actual, answered = worst, False
        try:
            started = time.perf_counter()
            reply = await self._timed(request, worst)
            seconds = time.perf_counter() - started
            self._latency.add(seconds)
            counted = reply.usage
            usage = Usage(counted.input_tokens, counted.output_tokens, 1, seconds)
            # An endpoint that counts no tokens must not make the budget endless.
            actual = self._spending(usage, 1) if usage.input_tokens else worst
            answered = True
            return ChatReply(reply.text, reply.finish, usage, reply.model)
        except ModelError as error:
            answered = error.kind == "bad_reply"
            if error.kind in FREE_OF_TOKENS:
                actual = Spending(calls=1)
            await self._heed(error, permit, scope)
            raise
        finally:
            self._limiter.release(permit, answered=answered)
            self._budget.settle(worst, actual)

    def _bounded(self, request: ChatRequest) -> tuple[ChatRequest, Spending]:
        """The request with a limit of output tokens where the budget needs one, and its price."""
        limits = self._budget.limits
        if limits.max_cost is None and limits.max_tokens is None:
            return request, Spending(calls=1)
        if request.max_tokens is None:
            request = evolve(request, max_tokens=self._rules.default_max_tokens)
        most = request.max_tokens or 0
        return request, worst_case(request, most, self.price)

    def _spending(self, usage: Usage, calls: int) -> Spending:
        return Spending.of(usage, self.price.cost(usage), calls)

    async def _heed(self, error: ModelError, permit: Permit, scope: Scope | None) -> None:
        """Let the limiter know when the endpoint asks for less, and say so if that takes long."""
        if error.kind not in ("rate_limited", "overloaded") or not error.retryable:
            return
        pause = error.retry_after or 0.0
        self._limiter.congested(permit, rate=error.kind == "rate_limited", pause=pause)
        if pause >= 1.0 and scope is None:
            tell_wait(self._name, error.kind, pause)
        elif pause >= 1.0 and scope is not None:
            await scope.announce(CallsPaused(self._name, error.kind, pause))

    async def _timed(self, request: ChatRequest, worst: Spending) -> ChatReply:
        limit = self._rules.timeout
        usual = self._latency.quantile(0.95)
        if usual is not None:
            limit = min(limit, max(self._rules.timeout_floor, TIMEOUT_MULTIPLE * usual))
        try:
            async with asyncio.timeout(limit):
                if self._rules.hedge:
                    return await self._hedged(request, worst)
                return await self._model.chat(request)
        except TimeoutError as error:
            message = f"{self._name}: no answer within {limit:.0f} s"
            raise ModelError(message, kind="timeout") from error

    async def _hedged(self, request: ChatRequest, worst: Spending) -> ChatReply:
        """Send a copy of a slow call; the first good answer wins, both are paid for."""
        first = asyncio.create_task(self._chat(request))
        running = {first}
        usual = self._latency.quantile(0.9)
        copy_of: Permit | None = None
        try:
            after = None if usual is None else HEDGE_MULTIPLE * usual
            done, _ = await asyncio.wait(running, timeout=after)
            if not done:
                copy_of = self._limiter.try_acquire()
                if copy_of is not None and not self._budget.try_reserve(worst):
                    self._limiter.release(copy_of, answered=False)
                    copy_of = None
                if copy_of is not None:
                    running.add(asyncio.create_task(self._chat(request)))
            while True:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                good = [task for task in done if task.exception() is None]
                if good or not running:
                    return (good or list(done))[0].result()
        finally:
            for task in running:
                task.cancel()
            if running:
                await asyncio.gather(*running, return_exceptions=True)
            if copy_of is not None:
                self._limiter.release(copy_of, answered=False)
                self._budget.settle(worst, worst)

    async def _chat(self, request: ChatRequest) -> ChatReply:
        return await self._model.chat(request)


@frozen
class _Answered:
    """An answered call as it is remembered, with what the whole run had spent by then."""

    reply: ChatReply
    tries: int = 1
    account: Account = field(factory=Account)
