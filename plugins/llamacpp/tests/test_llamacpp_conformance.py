"""The framework's suite of chat models, against the real default model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from grpo_llamacpp.plugin import grpo_chat_models

from grpo_framework.component import Component
from grpo_framework.testing.suites import ChatModelSuite


class TestLlamaCpp(ChatModelSuite):
    """The component as it is installed, small."""

    max_tokens = 40
    seconds = 300.0

    @pytest.fixture
    def component(self) -> Component[Any]:
        (component,) = grpo_chat_models()
        return component

    @pytest.fixture
    def options(self, weights: Path) -> dict[str, Any]:
        return {
            "model_path": str(weights),
            "slots": 2,
            "context": 1024,
            "threads": 1,
            "cache_prompt": False,
        }
