"""The fake chat models of the kit."""

from __future__ import annotations

import asyncio
import json

import pytest

from grpo_framework.errors import DataError, ModelError
from grpo_framework.records import ChatReply, ChatRequest, Usage
from grpo_framework.testing.models import RecordedChatModel, ScriptedReplies, request_digest
from grpo_framework.testing.samples import make_messages

REQUEST = ChatRequest(make_messages("Ünï 中"), seed=3, schema={"type": "object"})
OTHER = ChatRequest(make_messages("other"), seed=3)


def test_scripted_replies_come_in_order():
    """Texts, replies, functions and errors are given in order, then the default."""
    whole = ChatReply("whole", finish="length", usage=Usage(1, 2, 1))
    error = ModelError("slow", kind="rate_limited")
    model = ScriptedReplies("one", whole, error, lambda r: str(r.seed), default="rest")

    async def run():
        assert (await model.chat(REQUEST)).text == "one"
        assert await model.chat(REQUEST) is whole
        with pytest.raises(ModelError):
            await model.chat(REQUEST)
        assert (await model.chat(REQUEST)).text == "3"
        assert (await model.chat(OTHER)).text == "rest"

    asyncio.run(run())
    assert model.requests == [REQUEST] * 4 + [OTHER]


def test_scripted_replies_run_out():
    """A call without a reply fails the test that made it."""
    with pytest.raises(AssertionError, match="call 1 has no scripted reply"):
        asyncio.run(ScriptedReplies().chat(REQUEST))


def test_scripted_replies_count_words():
    """A text's usage is its words and those of the messages."""
    reply = asyncio.run(ScriptedReplies("two words").chat(OTHER))
    assert reply.usage == Usage(input_tokens=4, output_tokens=2, calls=1)


def test_recording_replays(tmp_path):
    """What was recorded is replayed without the model, repeated requests in their order."""
    path = tmp_path / "calls.jsonl"

    async def record():
        model = RecordedChatModel(path, record=ScriptedReplies("first", "second", "中"))
        return [await model.chat(request) for request in (REQUEST, REQUEST, OTHER)]

    async def replay():
        model = RecordedChatModel(path)
        return [await model.chat(request) for request in (OTHER, REQUEST, REQUEST, REQUEST)]

    first, second, other = asyncio.run(record())
    assert asyncio.run(replay()) == [other, first, second, second]
    assert len([json.loads(line) for line in path.read_text("utf-8").splitlines()]) == 3


def test_unrecorded_request_is_an_error(tmp_path):
    """A request that was never recorded says how to record it."""
    path = tmp_path / "calls.jsonl"
    path.write_text("")
    with pytest.raises(ModelError, match="record again") as caught:
        asyncio.run(RecordedChatModel(path).chat(REQUEST))
    assert caught.value.kind == "not_found"


@pytest.mark.parametrize("line", ["{", "[]", '{"digest": "x"}', '{"digest": "x", "reply": 1}'])
def test_damaged_recording_names_its_line(tmp_path, line):
    """A line that is no recorded call is an error with file and line."""
    path = tmp_path / "calls.jsonl"
    path.write_text(line)
    with pytest.raises(DataError, match=r"calls\.jsonl:1: not a recorded call"):
        RecordedChatModel(path)


def test_digest_tells_requests_apart():
    """Equal requests have equal digests, any other field another one."""
    assert request_digest(REQUEST) == request_digest(
        ChatRequest(make_messages("Ünï 中"), seed=3, schema={"type": "object"})
    )
    variants = [
        REQUEST,
        OTHER,
        ChatRequest(REQUEST.messages, seed=4, schema=REQUEST.schema),
        ChatRequest(REQUEST.messages, seed=3),
        ChatRequest(REQUEST.messages, seed=3, schema=REQUEST.schema, max_tokens=1),
    ]
    assert len({request_digest(variant) for variant in variants}) == len(variants)
