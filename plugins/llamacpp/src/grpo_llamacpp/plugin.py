"""What the plugin declares; llama.cpp itself is loaded when a model is opened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from grpo_framework.component import Component, Wiring, free
from grpo_framework.hookspecs import hookimpl
from grpo_framework.protocols import ChatModel, Embedder
from grpo_llamacpp.options import EMBEDDER, EMBEDDER_OPTIONS, OPTIONS
from grpo_llamacpp.weights import DEFAULT_MODEL


@asynccontextmanager
async def _open(wiring: Wiring) -> AsyncIterator[ChatModel]:
    from grpo_llamacpp.model import open_model

    async with open_model(wiring) as model:
        yield model


@asynccontextmanager
async def _open_embedder(wiring: Wiring) -> AsyncIterator[Embedder]:
    from grpo_llamacpp.embedder import open_embedder

    async with open_embedder(wiring) as embedder:
        yield embedder


@hookimpl
def grpo_chat_models() -> Iterable[Component[ChatModel]]:
    """Offer the default model, and any GGUF file: ``llamacpp/path/to/file.gguf``."""
    return (
        Component(
            name=DEFAULT_MODEL,
            factory=_open,
            summary="SmolLM2-135M-Instruct in this process, or any file: llamacpp/PATH.gguf",
            options=OPTIONS,
            patterns=("*.gguf",),
            price=free,
        ),
    )


@hookimpl
def grpo_embedders() -> Iterable[Component[Embedder]]:
    """Offer any GGUF file of an embedding model: ``llamacpp/path/to/file.gguf``."""
    return (
        Component(
            name=EMBEDDER,
            factory=_open_embedder,
            summary="an embedding model in this process: llamacpp/PATH.gguf",
            options=EMBEDDER_OPTIONS,
            patterns=("*.gguf",),
            price=free,
        ),
    )
