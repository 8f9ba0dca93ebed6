"""Asking a model for operations: one request, and at most one more that quotes what was wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve, frozen

from grpo_framework.errors import ReplyRefused
from grpo_framework.experience import Operation
from grpo_framework.prompting import defuse
from grpo_framework.protocols import ChatModel
from grpo_framework.records import ChatReply, ChatRequest, Message
from grpo_prompted.proposals import Answer
from grpo_prompted.seeds import derive
from grpo_prompted.settings import Sampling
from grpo_prompted.shortening import shorten
from grpo_prompted.templates import Prompt

_QUOTED_REPLY_CHARS = 1500
_QUOTED_PROBLEMS = 5
_CUT_OFF = "the answer was cut off at the token limit"


@frozen
class Asker:
    """Asks one model, in text or for operations.

    Attributes:
        model: Who answers.
        sampling: Temperature and limit of each call.
        reask: The template of the second request.
    """

    model: ChatModel
    sampling: Sampling
    reask: Prompt

    async def ask_text(self, messages: tuple[Message, ...], *, seed: int) -> str:
        """Ask once, for text.

        Raises:
            ReplyRefused: The model refused, or said nothing.
        """
        reply = await self._chat(messages, None, seed)
        _refuse_refusal(reply)
        if not reply.text.strip():
            message = "the model's answer is empty"
            raise ReplyRefused(message, reply=reply.text, problems=(message,))
        return reply.text

    async def ask_operations(
        self,
        messages: tuple[Message, ...],
        schema: Mapping[str, Any],
        read: Callable[[str], Answer],
        *,
        seed: int,
    ) -> tuple[Operation, ...]:
        """Ask for operations, and once more where anything was wrong with the answer.

        The second answer replaces the first; where only the first was usable as a whole, its
        operations stand, the bad ones among them as `Malformed`.

        Raises:
            ReplyRefused: The model refused, or neither answer was usable as a whole.
        """
        reply = await self._chat(messages, schema, seed)
        first = _read(reply, read)
        if not first.problems:
            return first.operations
        again = await self._chat(
            (*messages, *self._quote(reply, first)), schema, derive(seed, "re-ask")
        )
        second = _read(again, read)
        if second.usable:
            return second.operations
        if first.usable:
            return first.operations
        message = f"the model's answer was unusable, also when asked again: {second.problems[0]}"
        raise ReplyRefused(message, reply=again.text, problems=second.problems)

    def _quote(self, reply: ChatReply, answer: Answer) -> tuple[Message, ...]:
        said = defuse(shorten(reply.text, _QUOTED_REPLY_CHARS)).strip() or "(nothing)"
        variables = {
            "problems": [defuse(problem) for problem in answer.problems[:_QUOTED_PROBLEMS]],
            "cut_off": reply.finish == "length",
        }
        return (Message("assistant", said), *self.reask.render(variables))

    async def _chat(
        self, messages: tuple[Message, ...], schema: Mapping[str, Any] | None, seed: int
    ) -> ChatReply:
        return await self.model.chat(
            ChatRequest(
                messages,
                seed=seed,
                temperature=self.sampling.temperature,
                max_tokens=self.sampling.max_tokens,
                schema=schema,
            )
        )


def _read(reply: ChatReply, read: Callable[[str], Answer]) -> Answer:
    _refuse_refusal(reply)
    answer = read(reply.text)
    if reply.finish == "length" and not answer.usable:
        return evolve(answer, problems=(_CUT_OFF, *answer.problems))
    return answer


def _refuse_refusal(reply: ChatReply) -> None:
    if reply.finish == "refused":
        message = "the model refused to answer"
        raise ReplyRefused(message, reply=reply.text, problems=(message,))
