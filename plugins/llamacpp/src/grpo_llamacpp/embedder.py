"""The embedder: one worker thread, which waits in llama.cpp for one call after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from grpo_framework.component import Wiring
from grpo_framework.errors import ModelError
from grpo_framework.records import EmbedReply, Usage
from grpo_llamacpp.options import read_embedder_settings
from grpo_llamacpp.server import EmbeddingServer, load_embedder
from grpo_llamacpp.wire import read_failure


@asynccontextmanager
async def open_embedder(wiring: Wiring) -> AsyncIterator[LlamaEmbedder]:
    """Load an embedding model, and free it at the end.

    Raises:
        ConfigError: The weights are missing, or llama.cpp cannot load them.
    """
    embedder = LlamaEmbedder(load_embedder(read_embedder_settings(wiring)))
    try:
        yield embedder
    finally:
        embedder.close()


class LlamaEmbedder:
    """A GGUF file as an embedder."""

    def __init__(self, server: EmbeddingServer) -> None:
        self._server: EmbeddingServer | None = server
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="llama-embed")

    async def embed(self, texts: tuple[str, ...], /) -> EmbedReply:
        """Embed some texts; a cancelled call is given up at its end.

        Raises:
            ModelError: ``context_too_long``, ``bad_request`` or ``overloaded``.
        """
        if self._server is None:
            raise ModelError("the embedder is closed", kind="bad_request")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._worker, self._answer, texts)

    def _answer(self, texts: tuple[str, ...]) -> EmbedReply:
        start = time.monotonic()
        assert self._server is not None, "close() waits for the worker before it frees"
        plain = [text.encode("utf-8", "replace").decode() for text in texts]
        document = self._server.handle_embeddings({"input": plain, "encoding_format": "float"})
        return read_embeddings(document, seconds=time.monotonic() - start)

    def close(self) -> None:
        """Wait for the call under way, and free the model."""
        self._worker.shutdown(wait=True, cancel_futures=True)
        self._server = None


def read_embeddings(document: Any, *, seconds: float) -> EmbedReply:
    """Read what llama.cpp says, pure.

    Raises:
        ModelError: It is an error.
    """
    if "error" in document:
        raise read_failure(document["error"])
    rows = sorted(document["data"], key=lambda row: int(row["index"]))
    vectors = tuple(tuple(map(float, row["embedding"])) for row in rows)
    tokens = int(document["usage"]["prompt_tokens"])
    return EmbedReply(vectors, Usage(input_tokens=tokens, calls=1, seconds=seconds))
