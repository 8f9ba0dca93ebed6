"""The local embedder, on the default model: a chat model's vectors are poor, but they are vectors."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from grpo_llamacpp.embedder import LlamaEmbedder, open_embedder, read_embeddings
from grpo_llamacpp.plugin import grpo_embedders

from grpo_framework.component import Component, Wiring
from grpo_framework.errors import ConfigError, ModelError
from grpo_framework.testing.suites import EmbedderSuite


class TestLlamaEmbedder(EmbedderSuite):
    """The framework's suite."""

    seconds = 300.0

    @pytest.fixture
    def component(self) -> Component[Any]:
        (component,) = grpo_embedders()
        return component

    @pytest.fixture
    def name(self, weights: Path) -> str:
        return str(weights)

    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"threads": 1, "context": 256, "pooling": "mean"}


def test_a_text_that_is_too_long_says_so(weights: Path) -> None:
    """It is a failure of its own kind, and a closed embedder answers nobody."""
    wiring = Wiring(str(weights), options={"threads": 1, "context": 64, "pooling": "mean"})

    async def main() -> LlamaEmbedder:
        async with open_embedder(wiring) as embedder:
            with pytest.raises(ModelError) as caught:
                await embedder.embed(("word " * 200,))
            assert caught.value.kind == "context_too_long"
            assert (await embedder.embed(("word",))).usage.input_tokens > 0
            return embedder

    closed = asyncio.run(main())
    with pytest.raises(ModelError, match="closed"):
        asyncio.run(closed.embed(("word",)))


def test_a_file_must_be_named() -> None:
    """The plugin brings no embedding model."""

    async def main(name: str) -> None:
        async with open_embedder(Wiring(name)):
            pass

    with pytest.raises(ConfigError, match="brings no embedding model"):
        asyncio.run(main("embeddings"))
    with pytest.raises(ConfigError, match="cannot read"):
        asyncio.run(main("nowhere/file.gguf"))


def test_rows_are_put_in_order_and_errors_are_raised() -> None:
    """By their index, whatever order they come in."""
    rows = [{"index": 1, "embedding": [0, 1]}, {"index": 0, "embedding": [1, 0]}]
    reply = read_embeddings({"data": rows, "usage": {"prompt_tokens": 4}}, seconds=0.5)
    assert reply.vectors == ((1.0, 0.0), (0.0, 1.0))
    assert (reply.usage.input_tokens, reply.usage.seconds) == (4, 0.5)
    with pytest.raises(ModelError) as caught:
        read_embeddings({"error": {"code": 400, "message": "no"}}, seconds=0)
    assert caught.value.kind == "bad_request"
