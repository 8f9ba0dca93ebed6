"""What the plugin declares; the client itself is imported when a model is opened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from grpo_framework.component import Component, Wiring
from grpo_framework.hookspecs import hookimpl
from grpo_framework.protocols import ChatModel, Embedder
from grpo_openai.options import EMBEDDER_OPTIONS, OPTIONS, UNNAMED, UNNAMED_EMBEDDER
from grpo_openai.prices import price_of


@asynccontextmanager
async def _open(wiring: Wiring) -> AsyncIterator[ChatModel]:
    from grpo_openai.client import open_model

    async with open_model(wiring) as model:
        yield model


@asynccontextmanager
async def _open_embedder(wiring: Wiring) -> AsyncIterator[Embedder]:
    from grpo_openai.embeddings import open_embedder

    async with open_embedder(wiring) as embedder:
        yield embedder


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


@hookimpl
def grpo_embedders() -> Iterable[Component[Embedder]]:
    """Offer one embedder that takes any name: ``openai/text-embedding-3-small``."""
    return (
        Component(
            name=UNNAMED_EMBEDDER,
            factory=_open_embedder,
            summary="any embedding model of an OpenAI-compatible endpoint: openai/MODEL",
            options=EMBEDDER_OPTIONS,
            patterns=("*",),
            price=price_of,
        ),
    )
