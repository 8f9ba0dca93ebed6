"""The simulated student as a chat model, with faults on demand."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Literal

from attrs import frozen

from grpo_framework.errors import ModelError, ModelErrorKind
from grpo_framework.records import ChatReply, ChatRequest, Usage
from grpo_scripted.conversation import compose_answer
from grpo_scripted.dice import choose, draw
from grpo_scripted.lookup import AnswerIndex
from grpo_scripted.student import Ability


@frozen
class Faults:
    """What goes wrong, and how often; drawn by hash of the request and the number of the try.

    Attributes:
        latency: Seconds that each call takes.
        fail_rate: Share of calls that raise a `ModelError`.
        fail_kinds: Kinds of these errors, drawn evenly.
        retry_after: Seconds to wait that a ``rate_limited`` error asks for.
        truncation_rate: Share of replies that are cut off in the middle (``finish="length"``).
    """

    latency: float = 0.0
    fail_rate: float = 0.0
    fail_kinds: tuple[ModelErrorKind, ...] = ("rate_limited", "overloaded", "timeout")
    retry_after: float = 0.0
    truncation_rate: float = 0.0


class ScriptedChatModel:
    """A chat model that plays student, critic and advisor from the text of the messages alone."""

    def __init__(
        self, answers: AnswerIndex, ability: Ability, faults: Faults, *, name: str
    ) -> None:
        self._answers = answers
        self._ability = ability
        self._faults = faults
        self._name = name
        self._failures: dict[str, int] = {}

    async def chat(self, request: ChatRequest, /) -> ChatReply:
        """Answer a request: equal messages and seed, equal reply.

        Raises:
            ModelError: As the options ask for; a request that failed can succeed when repeated.
        """
        await asyncio.sleep(self._faults.latency)
        parts = [f"{message.role}\x1f{message.content}" for message in request.messages]
        text = "\x1e".join([*parts, str(request.seed)])
        key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        self._fail_sometimes(key)
        answer = compose_answer(request, self._answers, self._ability)
        shown, finish = self._cut(answer, request, key)
        words = sum(len(message.content.split()) for message in request.messages)
        usage = Usage(input_tokens=words, output_tokens=len(shown.split()), calls=1)
        return ChatReply(shown, finish=finish, usage=usage, model=self._name)

    def _fail_sometimes(self, key: str) -> None:
        number = self._failures.get(key, 0)
        if draw("fail", key, number) >= self._faults.fail_rate:
            self._failures.pop(key, None)
            return
        self._failures[key] = number + 1
        kind = choose(self._faults.fail_kinds, "kind", key, number)
        wait = self._faults.retry_after if kind == "rate_limited" else None
        raise ModelError(f"simulated fault: {kind}", kind=kind, retry_after=wait)

    def _cut(
        self, answer: str, request: ChatRequest, key: str
    ) -> tuple[str, Literal["stop", "length"]]:
        """Apply stop texts, the limit of words, and the truncation asked for."""
        for stop in request.stop:
            answer = answer.partition(stop)[0] if stop else answer
        words = answer.split(" ")
        limit = len(words)
        if draw("truncate", key) < self._faults.truncation_rate:
            limit = len(words) // 2
        if request.max_tokens is not None and len(answer.split()) > request.max_tokens:
            limit = min(limit, request.max_tokens)
        if limit == len(words):
            return answer, "stop"
        return " ".join(words[:limit]), "length"
