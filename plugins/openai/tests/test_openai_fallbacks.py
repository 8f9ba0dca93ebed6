"""Forms of a request that an endpoint refuses give way to others, once and for all."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import Any

import pytest
from aiohttp import web

from grpo_framework.errors import ModelError
from grpo_framework.records import ChatRequest, Message

ASK = ChatRequest((Message("user", "6·7?"),))

SCHEMA = MappingProxyType(
    {"type": "object", "properties": MappingProxyType({"a": {"type": "integer"}})}
)


def refuse(message: str, status: int = 400) -> web.Response:
    return web.json_response({"error": {"message": message}}, status=status)


def test_schema_is_asked_for(endpoint: Any, serving: Any) -> None:
    """A schema, also a frozen one, goes out as response_format json_schema."""
    request = ChatRequest(ASK.messages, schema=SCHEMA)

    async def use(model: Any, _url: str) -> None:
        await model.chat(request)

    serving(endpoint, use)
    assert endpoint.bodies[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": {
            "name": "reply",
            "strict": False,
            "schema": {"type": "object", "properties": {"a": {"type": "integer"}}},
        },
    }


def test_schema_falls_back_and_remembers(endpoint: Any, serving: Any) -> None:
    """Refused as json_schema, then as json_object, it is left out; later calls start there."""
    request = ChatRequest(ASK.messages, schema=SCHEMA)

    def handle(body: Any) -> Any:
        kind = body.get("response_format", {}).get("type")
        if kind is None:
            return {"choices": [{"message": {"content": "{}"}}]}
        return refuse(f"'response_format.type' {kind} is not supported")

    endpoint.answers = [handle] * 30

    async def use(model: Any, _url: str) -> None:
        await asyncio.gather(*(model.chat(request) for _ in range(3)))
        before = len(endpoint.bodies)
        await model.chat(request)
        assert len(endpoint.bodies) == before + 1

    serving(endpoint, use)
    assert "response_format" not in endpoint.bodies[-1]


def test_fixed_schema_mode_does_not_fall_back(endpoint: Any, serving: Any) -> None:
    """With json_schema fixed, the refusal is an error."""
    endpoint.answers = [refuse("response_format is not supported")]

    async def use(model: Any, _url: str) -> None:
        with pytest.raises(ModelError) as caught:
            await model.chat(ChatRequest(ASK.messages, schema=SCHEMA))
        assert caught.value.kind == "bad_request"

    serving(endpoint, use, options={"json_schema": "json_schema"})
    assert len(endpoint.bodies) == 1


def test_token_limit_changes_its_name(endpoint: Any, serving: Any) -> None:
    """An endpoint that wants max_completion_tokens gets it, from then on at once."""
    message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    endpoint.answers = [refuse(message)]

    async def use(model: Any, _url: str) -> None:
        for _ in range(2):
            await model.chat(ChatRequest(ASK.messages, max_tokens=8))

    serving(endpoint, use)
    limits = [(b.get("max_tokens"), b.get("max_completion_tokens")) for b in endpoint.bodies]
    assert limits == [(8, None), (None, 8), (None, 8)]
