"""An OpenAI-compatible endpoint on loopback whose answers a test writes itself."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from grpo_openai.client import OpenAIModel, open_model

from grpo_framework.component import Wiring

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def completion(text: str | None = "42", finish: str | None = "stop", **message: Any) -> dict:
    """A chat completion as the vendor writes it."""
    return {
        "id": "c1",
        "object": "chat.completion",
        "model": "m-2026",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, **message},
                "finish_reason": finish,
            }
        ],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }


class Endpoint:
    """What a test sees of the endpoint: the bodies, headers and connections it got."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.bodies: list[Any] = []
        self.raw: list[bytes] = []
        self.headers: list[Any] = []
        self.queries: list[Any] = []
        self.connections: set[Any] = set()
        self.handler: Handler | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.raw.append(await request.read())
        self.bodies.append(json.loads(self.raw[-1]))
        self.headers.append(request.headers.copy())
        self.queries.append(dict(request.query))
        assert request.transport is not None
        self.connections.add(request.transport.get_extra_info("peername"))
        if self.handler is not None:
            return await self.handler(request)
        given = self.answers.pop(0) if self.answers else completion()
        if callable(given):
            given = given(self.bodies[-1])
        if isinstance(given, web.StreamResponse):
            return given
        return web.json_response(given)


def serve(
    endpoint: Endpoint, use: Callable[[OpenAIModel, str], Awaitable[Any]], **given: Any
) -> Any:
    """Start the endpoint, open a model on it, run an async function with both."""
    options = given.pop("options", {})
    environment = {"OPENAI_API_KEY": "sk-test-secret", **given.pop("environment", {})}

    async def run() -> Any:
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/v1/chat/completions", endpoint.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        wiring = Wiring(name="m", options={"base_url": url, **options}, environment=environment)
        try:
            async with asyncio.timeout(300), open_model(wiring) as model:
                return await use(model, url)
        finally:
            await runner.cleanup()

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """A cache directory of each test's own; no test reads or writes the user's."""
    directory = tmp_path / "cache"
    monkeypatch.setenv("GRPO_CACHE_DIR", str(directory))
    return directory


@pytest.fixture
def endpoint() -> Endpoint:
    """A fresh endpoint."""
    return Endpoint()


@pytest.fixture
def serving() -> Any:
    """See `serve`."""
    return serve


@pytest.fixture
def written() -> Any:
    """See `completion`."""
    return completion


@pytest.fixture
def background() -> Iterator[tuple[str, Endpoint]]:
    """An endpoint in a thread of its own, for tests that run their own event loops."""
    endpoint, started = Endpoint(), threading.Event()
    address: list[str] = []
    ending: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def live() -> None:
        ended = asyncio.Event()
        app = web.Application()
        app.router.add_post("/v1/chat/completions", endpoint.answer)
        app.router.add_post("/v1/embeddings", endpoint.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address.append(f"http://127.0.0.1:{runner.addresses[0][1]}/v1")
        # An event, not loop.stop(): a stop that comes before the loop waits would be lost.
        ending.append((asyncio.get_running_loop(), ended))
        started.set()
        await ended.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(live()), daemon=True)
    thread.start()
    assert started.wait(10)
    yield address[0], endpoint
    loop, ended = ending[0]
    loop.call_soon_threadsafe(ended.set)
    thread.join(10)
    assert not thread.is_alive()
