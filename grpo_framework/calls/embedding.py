"""The guard around an embedder: that of the chat models, so that there is one for all calls.

An embedding call is dressed as a chat call: the texts are its messages, the vectors its answer. So
limiter, timeout, retry, budget, memory and account are the same, and their rules are written once.
"""

from __future__ import annotations

import base64
import math
import struct
from typing import Any

from grpo_framework.calls.guard import GuardedModel
from grpo_framework.errors import ModelError
from grpo_framework.protocols import Embedder
from grpo_framework.records import ChatReply, ChatRequest, EmbedReply, Message


class GuardedEmbedder:
    """An embedder behind the limits of the run.

    Args:
        embedder: What is guarded.
        name: Its reference, for messages, events and the memory's keys.
        rest: As for `grpo_framework.calls.GuardedModel`.
    """

    def __init__(self, embedder: Embedder, *, name: str, **rest: Any) -> None:
        self._guard = GuardedModel(_Dressed(embedder, name), name=name, **rest)

    async def embed(self, texts: tuple[str, ...], /) -> EmbedReply:
        """Embed some texts, from the memory or from the embedder.

        Raises:
            ModelError: The failure was final, or the last try failed too.
            BudgetExhausted: It would pass a limit of the run.
            RunFailed: The embedder has failed too often in a row.
        """
        messages = tuple(Message("user", text) for text in texts)
        reply = await self._guard.chat(ChatRequest(messages, max_tokens=0))
        return EmbedReply(_unpack(reply.text), reply.usage)

    async def probe(self) -> None:
        """Embed one short text, to see before anything is spent that the embedder answers.

        Raises:
            ModelError: It does not; with its name.
            BudgetExhausted: Not even this call fits.
        """
        await self._guard.probe()


class _Dressed:
    """An embedder as a chat model."""

    def __init__(self, embedder: Embedder, name: str) -> None:
        self._embedder = embedder
        self._name = name

    async def chat(self, request: ChatRequest, /) -> ChatReply:
        texts = tuple(message.content for message in request.messages)
        reply = await self._embedder.embed(texts)
        reason = _find_fault(reply.vectors, len(texts))
        if reason:
            raise ModelError(f"{self._name} {reason}", kind="bad_reply")
        return ChatReply(_pack(reply.vectors), usage=reply.usage)


def _find_fault(vectors: tuple[tuple[float, ...], ...], texts: int) -> str:
    """What is wrong with an embedder's answer; empty if nothing is."""
    if len(vectors) != texts:
        return f"gave {len(vectors)} vectors for {texts} texts"
    if len({len(vector) for vector in vectors}) != 1 or not vectors[0]:
        return "gave vectors of different or no length"
    if not all(math.isfinite(value) for vector in vectors for value in vector):
        return "gave a vector with a value that is no finite number"
    if not all(any(vector) for vector in vectors):
        return "gave a vector of zeros"
    return ""


def _pack(vectors: tuple[tuple[float, ...], ...]) -> str:
    """Vectors as text, in single precision: a memory keeps them in a quarter of their JSON."""
    return " ".join(
        base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode() for vector in vectors
    )


def _unpack(text: str) -> tuple[tuple[float, ...], ...]:
    found = []
    for word in text.split():
        raw = base64.b64decode(word)
        found.append(struct.unpack(f"<{len(raw) // 4}f", raw))
    return tuple(found)
