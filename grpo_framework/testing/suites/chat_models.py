"""The suite of chat models."""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar

import pytest

from grpo_framework.component import Component, Wiring
from grpo_framework.protocols import ChatModel
from grpo_framework.records import ChatReply, ChatRequest, Message, Usage
from grpo_framework.testing.samples import AWKWARD_TEXTS, make_messages
from grpo_framework.testing.suites.base import ComponentSuite, Drive
from grpo_framework.validation import validate_with

REPLY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "summary": {"type": "string", "maxLength": 200},
        "useful": {"type": "boolean"},
        "operations": {
            "type": "array",
            "maxItems": 2,
            "items": {
                "type": "object",
                "properties": {
                    "op": {"enum": ["add"]},
                    "content": {"type": "string", "minLength": 1, "maxLength": 200},
                },
                "required": ["op", "content"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["summary", "useful", "operations"],
    "additionalProperties": False,
}
"""The schema that a structured reply must satisfy; of the kind that advisors use."""


class ChatModelSuite(ComponentSuite):
    """What every chat model must do.

    Attributes:
        deterministic: Whether an equal request with a seed gets an equal text.
        structured: Whether replies are held to `ChatRequest.schema`.
        max_tokens: Limit of the suite's requests, so that a real model answers soon.
    """

    protocol: ClassVar[type] = ChatModel
    deterministic: ClassVar[bool] = True
    structured: ClassVar[bool] = True
    max_tokens: ClassVar[int] = 256

    def _request(self, *texts: str, **fields: Any) -> ChatRequest:
        given = {"seed": 1, "temperature": 0.0, "max_tokens": self.max_tokens, **fields}
        return ChatRequest(make_messages(*texts), **given)

    def test_replies(self, drive: Drive) -> None:
        """A chat gets a reply with text, finish and the usage of one call."""

        async def use(model: ChatModel) -> None:
            _check(await model.chat(self._request()))
            _check(await model.chat(ChatRequest((Message("user", "Say yes."),), max_tokens=8)))

        drive(use)

    def test_takes_a_longer_chat(self, drive: Drive) -> None:
        """A chat with several turns and awkward texts gets a reply."""
        turns = tuple(
            Message("user" if number % 2 == 0 else "assistant", text)
            for number, text in enumerate(AWKWARD_TEXTS)
        )

        async def use(model: ChatModel) -> None:
            _check(await model.chat(ChatRequest(turns, seed=2, max_tokens=16)))

        drive(use)

    def test_same_seed_same_reply(self, drive: Drive) -> None:
        """An equal request with an equal seed gets an equal text."""
        if not self.deterministic:
            pytest.skip("the model is declared as not deterministic")

        async def use(model: ChatModel) -> None:
            first = await model.chat(self._request())
            assert (await model.chat(self._request())).text == first.text

        drive(use)

    def test_counts_tokens(self, drive: Drive) -> None:
        """A longer prompt counts more input tokens."""

        async def use(model: ChatModel) -> None:
            short = await model.chat(self._request("Say yes."))
            long = await model.chat(self._request("Say yes. " * 40))
            assert 0 < short.usage.input_tokens < long.usage.input_tokens

        drive(use)

    def test_keeps_to_the_token_limit(self, drive: Drive) -> None:
        """An answer cut off at the limit is a reply with finish 'length'."""

        async def use(model: ChatModel) -> None:
            text = "Count from one to one hundred in words, then explain each number."
            reply = await model.chat(self._request(text, max_tokens=2))
            assert reply.usage.output_tokens <= 2
            assert reply.finish in ("length", "stop")

        drive(use)

    def test_reply_fits_the_schema(self, drive: Drive) -> None:
        """With a schema, the text is JSON that the schema accepts, unless it was cut off."""
        if not self.structured:
            pytest.skip("the model is declared as not structured")

        async def use(model: ChatModel) -> None:
            text = "Propose one short operation as JSON."
            reply = await model.chat(self._request(text, schema=REPLY_SCHEMA))
            _check(reply)
            if reply.finish == "stop":
                validate_with("reply", REPLY_SCHEMA, json.loads(reply.text))

        drive(use)

    def test_replies_to_many_at_once(self, drive: Drive) -> None:
        """Requests at the same time all get a reply to their own text."""

        async def use(model: ChatModel) -> None:
            requests = [self._request(f"What is {number} plus 1?") for number in range(6)]
            for reply in await asyncio.gather(*(model.chat(request) for request in requests)):
                _check(reply)

        drive(use)

    def test_cancellation_passes(self, component: Component[Any], wiring: Wiring) -> None:
        """A cancelled call ends; the model answers the next one."""

        async def run() -> None:
            async with asyncio.timeout(self.seconds), component.factory(wiring) as model:
                task = asyncio.ensure_future(model.chat(self._request("Tell a long story.")))
                await asyncio.sleep(0)
                if task.cancel():
                    with pytest.raises(asyncio.CancelledError):
                        await task
                _check(await model.chat(self._request()))

        asyncio.run(run())


def _check(reply: Any) -> None:
    assert isinstance(reply, ChatReply)
    assert isinstance(reply.text, str)
    assert reply.finish in ("stop", "length", "refused")
    assert isinstance(reply.usage, Usage)
    assert reply.usage.calls == 1
    assert reply.usage.input_tokens >= 0
    assert reply.usage.output_tokens >= 0
    assert reply.text or reply.finish != "stop", "an empty answer needs its finish"
