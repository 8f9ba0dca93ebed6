"""The chat model: as many worker threads as slots, each waiting in llama.cpp for one answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from grpo_framework.component import Wiring
from grpo_framework.errors import ModelError
from grpo_framework.records import ChatReply, ChatRequest
from grpo_llamacpp.options import Settings, read_settings
from grpo_llamacpp.server import Server, import_library, load_server
from grpo_llamacpp.wire import read_events, write_request


class _Call:
    """One request under way: what came of it so far, and whether anybody still wants it."""

    def __init__(self) -> None:
        self.events: list[bytes] = []
        self.unwanted = False

    def take(self, event: bytes) -> bool:
        """Take an event; true tells llama.cpp to stop."""
        self.events.append(event)
        return self.unwanted


@asynccontextmanager
async def open_model(wiring: Wiring) -> AsyncIterator[LlamaModel]:
    """Load a model, and free it at the end with all its threads.

    Raises:
        ConfigError: The weights are missing, or llama.cpp cannot load them.
    """
    settings = read_settings(wiring)
    model = LlamaModel(settings, load_server(settings))
    try:
        yield model
    finally:
        model.close()


class LlamaModel:
    """A GGUF file as a chat model.

    llama.cpp decodes all slots in one batch. A call beyond the slots waits for one to be free.
    """

    def __init__(self, settings: Settings, server: Server) -> None:
        self._settings = settings
        self._server: Server | None = server
        self._to_grammar = import_library().json_schema_to_grammar
        self._calls: set[_Call] = set()
        self._workers = ThreadPoolExecutor(settings.slots, thread_name_prefix="llama")

    async def chat(self, request: ChatRequest, /) -> ChatReply:
        """Answer one request; a cancelled one stops at its next token.

        Raises:
            ModelError: ``context_too_long``, ``bad_request``, ``bad_reply`` or ``overloaded``.
        """
        if self._server is None:
            raise ModelError("the model is closed", kind="bad_request")
        call = _Call()
        self._calls.add(call)
        body = write_request(request, self._settings, self._to_grammar)
        waiting = asyncio.get_running_loop().run_in_executor(
            self._workers, self._answer, body, call
        )
        try:
            return await waiting
        finally:
            call.unwanted = True
            self._calls.discard(call)

    def _answer(self, body: bytes, call: _Call) -> ChatReply:
        start = time.monotonic()
        # No name here for the server: a traceback that somebody keeps would keep it alive.
        assert self._server is not None, "close() waits for the workers before it frees"
        try:
            self._server.handle_chat_completions(body, call.take)
        except (RuntimeError, ValueError) as error:
            said = " ".join(str(error).split())
            raise ModelError(f"llama.cpp refuses the request: {said}", kind="bad_request") from None
        seconds = time.monotonic() - start
        return read_events(call.events, model=self._settings.path.name, seconds=seconds)

    def close(self) -> None:
        """Stop what is under way and free the model.

        It blocks until each worker has seen its next token (a prompt being read comes first), so
        that no thread is inside llama.cpp when it is freed, not even on the way out of Ctrl-C.
        """
        for call in self._calls:
            call.unwanted = True
        self._workers.shutdown(wait=True, cancel_futures=True)
        self._server = None
