"""What the plugin declares; the client itself is imported when a model is opened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from grpo_framework.component import Component, Wiring
from grpo_framework.hookspecs import hookimpl
from grpo_framework.protocols import ChatModel
from grpo_openai.options import OPTIONS, UNNAMED
from grpo_openai.prices import price_of


@asynccontextmanager
async def _open(wiring: Wiring) -> AsyncIterator[ChatModel]:
    from grpo_openai.client import open_model

    async with open_model(wiring) as model:
        yield model


@hookimpl
def grpo_chat_models() -> Iterable[Component[ChatModel]]:
    """Offer one chat model that takes any name: ``openai/gpt-4.1-mini``."""
    return (
        Component(
            name=UNNAMED,
            factory=_open,
            summary="any model of an OpenAI-compatible endpoint: openai/MODEL",
            options=OPTIONS,
            patterns=("*",),
            price=price_of,
        ),
    )
