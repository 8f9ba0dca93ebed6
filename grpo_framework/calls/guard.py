"""One guard around every chat model: limit, timeout, retry, account; itself a ChatModel.

Which unit of work a call belongs to is carried by the context (`within`), so that a generator or
advisor calls its model as it likes and the call is still counted for the right owner and stage.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from attrs import evolve, frozen

from grpo_framework.errors import ModelError
from grpo_framework.events import CallFinished, CallRetried, Event
from grpo_framework.protocols import ChatModel
from grpo_framework.records import ChatReply, ChatRequest, Message, Unit

Announce = Callable[[Event], Awaitable[None]]

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0


@frozen
class _Scope:
    unit: Unit
    announce: Announce


_SCOPE: ContextVar[_Scope | None] = ContextVar("grpo_call_scope", default=None)


@contextmanager
def within(unit: Unit, announce: Announce) -> Iterator[None]:
    """Count every model call made inside for `unit`, and announce it.

    Args:
        unit: Whose work it is.
        announce: Takes the events of the calls.
    """
    token = _SCOPE.set(_Scope(unit, announce))
    try:
        yield
    finally:
        _SCOPE.reset(token)


class GuardedModel:
    """A chat model behind the limits of the run.

    Args:
        model: What is guarded.
        name: Its reference, for messages and events.
        concurrency: Most calls under way at once.
        timeout: Seconds until one try is given up.
        tries: Tries of one call before its failure is final.
        pause: How to wait between tries; a test makes it instant.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        name: str,
        concurrency: int,
        timeout: float,
        tries: int,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._model = model
        self._name = name
        self._limiter = asyncio.Semaphore(concurrency)
        self._timeout = timeout
        self._tries = tries
        self._pause = pause

    async def chat(self, request: ChatRequest, /) -> ChatReply:
        """Answer one request; retryable failures are tried again with full jitter.

        Raises:
            ModelError: The failure was final, or the last try failed too.
        """
        scope = _SCOPE.get()
        for tried in range(1, self._tries + 1):
            try:
                reply = await self._once(request)
            except ModelError as error:
                if not error.retryable or tried == self._tries:
                    raise
                wait = error.retry_after
                if wait is None:
                    ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tried - 1))
                    # Full jitter spreads the load; it decides no result, so it needs no seed.
                    wait = random.uniform(0, ceiling)  # noqa: S311
                if scope is not None:
                    await scope.announce(
                        CallRetried(scope.unit, self._name, error.kind, error.message, wait)
                    )
                await self._pause(wait)
            else:
                if scope is not None:
                    await scope.announce(
                        CallFinished(scope.unit, self._name, reply.usage, reply.finish, tried)
                    )
                return reply
        raise AssertionError  # the loop returns or raises

    async def _once(self, request: ChatRequest) -> ChatReply:
        async with self._limiter:
            started = time.perf_counter()
            try:
                async with asyncio.timeout(self._timeout):
                    reply = await self._model.chat(request)
            except TimeoutError as error:
                message = f"{self._name}: no answer within {self._timeout:g} s"
                raise ModelError(message, kind="timeout") from error
            seconds = time.perf_counter() - started
        return evolve(reply, usage=evolve(reply.usage, calls=1, seconds=seconds))


async def probe(model: ChatModel) -> ChatReply:
    """Make one small call, to see before anything is spent or written that the model answers.

    Raises:
        ModelError: It does not.
    """
    request = ChatRequest((Message("user", "Say OK."),), seed=0, max_tokens=4)
    return await model.chat(request)
