"""Loading llama.cpp's server into this process, quietly and without a door to the outside."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from typing import Any, Protocol

from grpo_framework.errors import ConfigError
from grpo_llamacpp.options import EmbedderSettings, Settings

_SILENT = -1
_CHATTY = 3


class Server(Protocol):
    """What is used of `xllamacpp.Server`."""

    def handle_chat_completions(self, prompt: bytes, callback: Any, /) -> Any:
        """Answer a request; blocks, with the interpreter's lock released.

        Args:
            prompt: The request as JSON.
            callback: Gets each event's JSON as bytes, under the lock; true ends the request.
        """

    def handle_completions(self, prompt: bytes, callback: Any, /) -> Any:
        """Go on from a text, without the model's chat template; else like the other."""


class EmbeddingServer(Protocol):
    """What is used of `xllamacpp.Server` for embeddings."""

    def handle_embeddings(self, body: dict[str, Any], /) -> Any:
        """Answer a request; blocks, with the interpreter's lock released."""


def import_library() -> Any:
    """Import xllamacpp, with OpenMP's waiting threads asleep instead of spinning.

    llama.cpp meets at a barrier hundreds of times per token. Spinning there is a little faster on
    an idle machine, and over ten times slower as soon as another process wants the same cores.
    OpenMP reads the variable once, while the library is loaded; a value of the user's is kept.
    """
    variable = "OMP_WAIT_POLICY"
    given = os.environ.get(variable)
    if given is None:
        os.environ[variable] = "passive"
    try:
        import xllamacpp
    finally:
        if given is None:
            del os.environ[variable]
    return xllamacpp


def load_server(settings: Settings) -> Server:
    """Load a chat model.

    It blocks, holding the interpreter's lock, for as long as loading takes (about a second for the
    default model); xllamacpp offers no other way.

    Raises:
        ConfigError: llama.cpp cannot load the file.
    """
    xllamacpp = import_library()
    params = _begin(xllamacpp, settings)
    params.n_parallel = settings.slots
    params.n_ctx = settings.context * settings.slots
    params.kv_unified = False
    # The prompts of a run share long beginnings, and there are more kinds of them than slots.
    # Left alone, llama.cpp would keep up to 8 GB of them.
    params.cache_ram_mib = settings.prompt_cache
    server: Server = _load(xllamacpp, params, settings, _await_loop)
    return server


def load_embedder(settings: EmbedderSettings) -> EmbeddingServer:
    """Load an embedding model; it blocks as `load_server` does.

    Raises:
        ConfigError: llama.cpp cannot load the file.
    """
    xllamacpp = import_library()
    params = _begin(xllamacpp, settings)
    params.embedding = True
    params.n_parallel = 1
    # A text is embedded in one piece: all of it has to fit into one batch.
    params.n_ctx = params.n_batch = params.n_ubatch = settings.context
    if settings.pooling != "auto":
        name = f"LLAMA_POOLING_TYPE_{settings.pooling.upper()}"
        params.pooling_type = getattr(xllamacpp.llama_pooling_type, name)
    server: EmbeddingServer = _load(
        xllamacpp, params, settings, lambda each: each.handle_embeddings({"input": ["Hi"]})
    )
    return server


def _begin(xllamacpp: Any, settings: Settings | EmbedderSettings) -> Any:
    """What chat models and embedding models have in common."""
    params = xllamacpp.CommonParams()
    params.model.path = str(settings.path)
    params.model_alias = {settings.path.name}
    params.n_gpu_layers = settings.gpu_layers
    params.cpuparams.n_threads = settings.threads
    params.cpuparams_batch.n_threads = settings.threads
    params.verbosity = _CHATTY if settings.verbose else _SILENT
    params.warmup = False
    # It always listens on a free loopback port too: as little as can be, behind a random key.
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_threads_http = 1
    params.api_keys = [secrets.token_hex(32)]
    params.ui = False
    params.endpoint_slots = False
    return params


def _load(
    xllamacpp: Any,
    params: Any,
    settings: Settings | EmbedderSettings,
    first: Callable[[Any], object],
) -> Any:
    """Load the file, and ask once: only an answer proves that llama.cpp's own loop is running.

    A server freed before its loop began would wait for it for ever: the loop clears the mark that
    told it to end.
    """
    try:
        server = xllamacpp.Server(params)
        first(server)
    except RuntimeError as error:
        gigabytes = settings.path.stat().st_size / 1e9
        raise ConfigError(
            f"llama.cpp cannot load {settings.path} ({gigabytes:.2f} GB): {error}",
            hint="the file may be damaged, of a newer kind, or too large for the memory; option "
            "verbose = true shows llama.cpp's own words",
        ) from None
    return server


def _await_loop(server: Server) -> None:
    """Ask a chat model for one token."""
    server.handle_completions(b'{"prompt":"Hi","max_tokens":1}', lambda _event: None)
