"""The embedder behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from grpo_framework.component import Wiring
from grpo_framework.errors import ModelError
from grpo_framework.records import EmbedReply, Usage
from grpo_openai.client import document_or_text, failure_within
from grpo_openai.connection import Connection, open_connection
from grpo_openai.failures import read_failure
from grpo_openai.settings import Settings, read_settings
from grpo_openai.wire import read_document


@asynccontextmanager
async def open_embedder(wiring: Wiring) -> AsyncIterator[OpenAIEmbedder]:
    """Open an embedder: one session for its whole life.

    Raises:
        ConfigError: See `grpo_openai.settings.read_settings`.
    """
    settings = read_settings(wiring, "/embeddings")
    async with open_connection(settings) as connection:
        yield OpenAIEmbedder(settings, connection, wiring.options.get("dimensions"))


class OpenAIEmbedder:
    """An embedder behind an OpenAI-compatible endpoint; it does not retry, the guard does."""

    def __init__(self, settings: Settings, connection: Connection, dimensions: int | None) -> None:
        self._settings = settings
        self._connection = connection
        self._dimensions = dimensions

    async def embed(self, texts: tuple[str, ...], /) -> EmbedReply:
        """Embed some texts in one call.

        Raises:
            ModelError: With its kind and, where the endpoint asked for it, `retry_after`.
        """
        start = time.monotonic()
        status, headers, raw = await self._connection.post(self._body(texts))
        if status != 200:
            raise read_failure(status, headers, document_or_text(raw), self._settings)
        document = read_document(raw)
        failure = failure_within(document, "data")
        if failure is not None:
            raise read_failure(failure, headers, document, self._settings)
        return read_vectors(document, len(texts), seconds=time.monotonic() - start)

    def _body(self, texts: tuple[str, ...]) -> bytes:
        body: dict[str, Any] = {
            "model": self._settings.model,
            # A lone surrogate, which no JSON in UTF-8 can carry, becomes U+FFFD.
            "input": [text.encode("utf-8", "replace").decode() for text in texts],
            "encoding_format": "float",
        }
        if self._dimensions is not None:
            body["dimensions"] = self._dimensions
        body.update(self._settings.extra_body)
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def read_vectors(document: Any, texts: int, *, seconds: float) -> EmbedReply:
    """Read a list of embeddings, pure.

    Args:
        document: The parsed body.
        texts: How many were sent.
        seconds: How long the call took.

    Raises:
        ModelError: Of kind ``bad_reply``: something is missing or has another type.
    """
    rows = document.get("data") if isinstance(document, dict) else None
    if not isinstance(rows, list) or len(rows) != texts:
        raise _bad(f"'data' is no list of {texts} embeddings")
    found: dict[int, tuple[float, ...]] = {}
    for place, row in enumerate(rows):
        values = row.get("embedding") if isinstance(row, dict) else None
        if not isinstance(values, list) or not all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in values
        ):
            raise _bad(f"data[{place}] holds no list of numbers")
        # Endpoints may answer in another order than they were asked.
        found[row.get("index", place)] = tuple(float(value) for value in values)
    if sorted(found) != list(range(texts)):
        raise _bad("the indices of 'data' are not those of the texts")
    usage = document.get("usage")
    counted = usage.get("prompt_tokens", 0) if isinstance(usage, dict) else 0
    tokens = counted if isinstance(counted, int) and counted > 0 else 0
    vectors = tuple(found[place] for place in range(texts))
    return EmbedReply(vectors, Usage(input_tokens=tokens, calls=1, seconds=seconds))


def _bad(what: str) -> ModelError:
    return ModelError(f"the endpoint's reply holds no embeddings: {what}", kind="bad_reply")
