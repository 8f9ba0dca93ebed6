"""Fake chat models for tests: scripted replies, recorded calls, and models that wait."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from grpo_framework.codec import from_document, to_document
from grpo_framework.errors import DataError, ModelError
from grpo_framework.protocols import ChatModel
from grpo_framework.records import ChatReply, ChatRequest, Usage

Reply: TypeAlias = str | ChatReply | Exception | Callable[[ChatRequest], "str | ChatReply"]
"""What a scripted reply may be: its text, the whole reply, an error to raise, or a function."""


class ScriptedReplies:
    """A chat model that gives the replies it was made with, in order, and records every request.

    Attributes:
        requests: What it was asked, in order.
    """

    def __init__(self, *replies: Reply, default: Reply | None = None) -> None:
        """Take the replies.

        Args:
            replies: One for each call; an exception is raised, a function is called.
            default: For every call after the last reply; None makes such a call fail the test.
        """
        self._replies = list(replies)
        self._default = default
        self.requests: list[ChatRequest] = []

    async def chat(self, request: ChatRequest, /) -> ChatReply:
        """Give the next reply.

        Raises:
            AssertionError: There is none left and no default.
        """
        self.requests.append(request)
        await asyncio.sleep(0)
        reply = self._replies.pop(0) if self._replies else self._default
        if reply is None:
            message = f"call {len(self.requests)} has no scripted reply: {request.messages[-1]}"
            raise AssertionError(message)
        if isinstance(reply, Exception):
            raise reply
        value = reply if isinstance(reply, (str, ChatReply)) else reply(request)
        return _count_words(request, value) if isinstance(value, str) else value


def _count_words(request: ChatRequest, text: str) -> ChatReply:
    words = sum(len(message.content.split()) for message in request.messages)
    usage = Usage(input_tokens=words, output_tokens=len(text.split()), calls=1)
    return ChatReply(text, usage=usage, model="fake")


def request_digest(request: ChatRequest) -> str:
    """SHA-256 of all that a request says; equal requests, equal digest."""
    text = json.dumps(to_document(request), sort_keys=True, default=dict)
    return hashlib.sha256(text.encode()).hexdigest()


class RecordedChatModel:
    """A chat model that records the calls of another one to a file, or replays them from it.

    The file has one JSON object a line: the request, its digest, and the reply. A request that is
    made several times is replayed in the order of its recordings; the last one goes on.
    """

    def __init__(self, path: Path, *, record: ChatModel | None = None) -> None:
        """Open a recording.

        Args:
            path: The JSON Lines file.
            record: The model to ask and record; None replays and asks nobody.

        Raises:
            DataError: A line of the recording cannot be read.
        """
        self._path = path
        self._inner = record
        self._replies: dict[str, list[ChatReply]] = {}
        if record is None:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                digest, reply = _read_line(line, path, number)
                self._replies.setdefault(digest, []).append(reply)

    async def chat(self, request: ChatRequest, /) -> ChatReply:
        """Replay the recorded reply, or ask the model and record its reply.

        Raises:
            ModelError: The request was never recorded (kind ``not_found``).
        """
        digest = request_digest(request)
        if self._inner is not None:
            reply = await self._inner.chat(request)
            self._append({"digest": digest, "request": request, "reply": reply})
            return reply
        await asyncio.sleep(0)
        known = self._replies.get(digest)
        if not known:
            raise ModelError(
                f"{self._path} holds no reply to this request",
                kind="not_found",
                hint="record again: pass record=<the real model>",
            )
        return known.pop(0) if len(known) > 1 else known[0]

    def _append(self, row: dict[str, Any]) -> None:
        line = json.dumps(to_document(row), ensure_ascii=False, default=dict)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def _read_line(line: str, path: Path, number: int) -> tuple[str, ChatReply]:
    try:
        row = json.loads(line)
        return str(row["digest"]), from_document(row["reply"], ChatReply)
    except (ValueError, KeyError, TypeError) as error:
        message = f"not a recorded call: {error}"
        raise DataError(message, path=path, line=number) from error


class GatheringChatModel:
    """A chat model that answers nobody until `size` calls wait at once: proof of concurrency."""

    def __init__(self, inner: ChatModel, *, size: int) -> None:
        self._inner = inner
        self._size = size
        self._open = asyncio.Event()
        self.waiting = 0

    async def chat(self, request: ChatRequest, /) -> ChatReply:
        """Wait for the others, then answer."""
        self.waiting += 1
        if self.waiting >= self._size:
            self._open.set()
        await self._open.wait()
        return await self._inner.chat(request)


class HangingChatModel:
    """A chat model that never answers: for tests of time limits and cancellation.

    Attributes:
        requests: What it was asked.
        asked: Set when the first call has arrived.
    """

    def __init__(self) -> None:
        self.requests: list[ChatRequest] = []
        self.asked = asyncio.Event()

    async def chat(self, request: ChatRequest, /) -> ChatReply:
        """Wait until cancelled."""
        self.requests.append(request)
        self.asked.set()
        await asyncio.Event().wait()
        message = "a hanging model was woken"
        raise AssertionError(message)
