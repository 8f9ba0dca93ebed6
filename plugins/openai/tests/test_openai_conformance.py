"""The framework's suite of chat models, against an endpoint that echoes in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from grpo_openai.plugin import grpo_chat_models

from grpo_framework.component import Component
from grpo_framework.testing.suites import ChatModelSuite


def echo(body: Any) -> Any:
    """A deterministic endpoint: counts words as tokens, keeps to limit and schema."""
    asked = body["messages"][-1]["content"]
    text = f"You said: {asked}"
    if "response_format" in body:
        text = json.dumps({"summary": "s", "useful": True, "operations": []})
    words = text.split(" ")
    limit = body.get("max_tokens", 10_000)
    cut = len(words) > limit
    return {
        "model": body["model"],
        "choices": [
            {
                "message": {"content": " ".join(words[:limit])},
                "finish_reason": "length" if cut else "stop",
            }
        ],
        "usage": {
            "prompt_tokens": sum(len(turn["content"].split()) + 3 for turn in body["messages"]),
            "completion_tokens": min(limit, len(words)),
        },
    }


class TestOpenAI(ChatModelSuite):
    """The component as it is installed."""

    @pytest.fixture
    def component(self) -> Component[Any]:
        offered: Iterable[Component[Any]] = grpo_chat_models()
        (component,) = offered
        return component

    @pytest.fixture
    def name(self) -> str:
        return "vendor/some-model"

    @pytest.fixture
    def options(self, background: Any) -> dict[str, Any]:
        url, endpoint = background
        endpoint.answers = [echo] * 100
        return {"base_url": url}
