"""The embedder: what is sent, how answers are read, and which errors come of what."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from aiohttp import web
from grpo_openai.embeddings import open_embedder
from grpo_openai.plugin import grpo_embedders

from grpo_framework.component import Component, Wiring
from grpo_framework.errors import ConfigError, ModelError
from grpo_framework.testing.suites import EmbedderSuite


@pytest.fixture
def endpoint(background: Any) -> Any:
    """An endpoint in a thread of its own, with its address."""
    url, endpoint = background
    endpoint.url = url
    return endpoint


def embeddings(*vectors: list[float], turned: bool = False) -> dict[str, Any]:
    """A list of embeddings as the vendor writes it, or with its rows the other way round."""
    rows = [
        {"object": "embedding", "index": place, "embedding": vector}
        for place, vector in enumerate(vectors)
    ]
    data = rows[::-1] if turned else rows
    return {"object": "list", "data": data, "usage": {"prompt_tokens": 5, "total_tokens": 5}}


def count_letters(text: str) -> list[float]:
    folded = text.casefold()
    return [1.0 + folded.count(letter) for letter in "abcdefghijklmnopqrstuvwxyz"]


def answer(body: dict[str, Any]) -> dict[str, Any]:
    return embeddings(*map(count_letters, body["input"]), turned=True)


def embed(endpoint: Any, *texts: str, **options: Any) -> Any:
    wiring = Wiring(
        "text-embedding-3-small",
        options={"base_url": endpoint.url, **options},
        environment={"OPENAI_API_KEY": "sk-secret"},
    )

    async def main() -> Any:
        async with open_embedder(wiring) as embedder:
            return await embedder.embed(texts)

    return asyncio.run(main())


def test_texts_go_in_one_call_and_vectors_come_in_their_order(endpoint: Any) -> None:
    """Rows are put in order by their index; model, key and usage are as with chat calls."""
    endpoint.answers = [embeddings([1.0, 0.0], [0.0, 2], turned=True)]
    reply = embed(endpoint, "one", "two")
    assert reply.vectors == ((1.0, 0.0), (0.0, 2.0))
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.calls) == (5, 0, 1)
    (body,) = endpoint.bodies
    assert body == {
        "model": "text-embedding-3-small",
        "input": ["one", "two"],
        "encoding_format": "float",
    }
    assert endpoint.headers[0]["Authorization"] == "Bearer sk-secret"


def test_dimensions_and_further_fields_are_sent(endpoint: Any) -> None:
    """`extra_body` wins, a lone surrogate is no reason to fail."""
    endpoint.answers = [embeddings([1.0])]
    embed(endpoint, "a\ud800", dimensions=64, extra_body={"encoding_format": "base64"})
    assert endpoint.bodies[0]["dimensions"] == 64
    assert endpoint.bodies[0]["encoding_format"] == "base64"
    assert endpoint.bodies[0]["input"] == ["a?"]


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"data": None},
        {"data": [{"index": 0, "embedding": [1.0]}]},
        {"data": [{"embedding": [1.0]}, {"embedding": "AAAA"}]},
        {"data": [{"embedding": [1.0]}, {"embedding": [True]}]},
        {"data": [{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}]},
        {"data": [{"embedding": [1.0]}, 7]},
    ],
)
def test_what_is_no_list_of_embeddings_is_a_bad_reply(endpoint: Any, document: Any) -> None:
    """A missing row, a row twice, and what is no number are errors, never a made-up vector."""
    endpoint.answers = [document]
    with pytest.raises(ModelError) as caught:
        embed(endpoint, "one", "two")
    assert caught.value.kind == "bad_reply"


def test_errors_are_read_as_those_of_chat_calls(endpoint: Any) -> None:
    """Kind and wait come from status, headers and body, also of an error with status 200."""

    async def limited(_: web.Request) -> web.StreamResponse:
        return web.json_response(
            {"error": {"message": "slow down"}}, status=429, headers={"retry-after": "3"}
        )

    endpoint.handler = limited
    with pytest.raises(ModelError) as caught:
        embed(endpoint, "one")
    assert (caught.value.kind, caught.value.retry_after) == ("rate_limited", 3.0)
    endpoint.handler = None
    endpoint.answers = [{"error": {"message": "upstream", "code": 503}}]
    with pytest.raises(ModelError) as caught:
        embed(endpoint, "one")
    assert caught.value.kind == "overloaded"


def test_a_model_must_be_named() -> None:
    """The plugin's own name is none."""
    wiring = Wiring("embeddings", options={"base_url": "http://localhost:1/v1"})

    async def main() -> None:
        async with open_embedder(wiring):
            pass

    with pytest.raises(ConfigError, match="needs a model's name"):
        asyncio.run(main())


class TestOpenAIEmbedder(EmbedderSuite):
    """The framework's suite, on an endpoint that counts letters."""

    @pytest.fixture
    def component(self) -> Component[Any]:
        (component,) = grpo_embedders()
        return component

    @pytest.fixture
    def name(self) -> str:
        return "letters"

    @pytest.fixture
    def options(self, endpoint: Any) -> dict[str, Any]:
        endpoint.answers = [answer] * 100
        return {"base_url": endpoint.url}


def test_the_counted_letters_are_told_apart() -> None:
    """The endpoint of this suite can fail it: other texts have other directions."""
    one, other = count_letters("Write the unit"), count_letters("A train at noon")
    product = sum(a * b for a, b in zip(one, other, strict=True))
    assert product / math.hypot(*one) / math.hypot(*other) < 0.999
