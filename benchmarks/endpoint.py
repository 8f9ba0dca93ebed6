"""A simulated OpenAI-compatible endpoint, for benchmarks and tests: a process of its own.

    python -m benchmarks.endpoint --rate 20 --error 0.05 --log calls.jsonl

Service times are lognormal with a long tail and drawn, like every fault, from a seed, the request
and how often it was sent before: the n-th try of a request always meets the same fate. Answers
follow from the request alone where it has a seed, else from how many good answers it got before;
so a right client gets the same results with and without faults.

It prints its address, answers ``POST …/chat/completions``, counts in ``GET /stats``, writes a JSON
line a call to ``--log``, and ends by itself after ``--seconds`` or when its parent is gone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import attrs
from aiohttp import web

from benchmarks.answers import answer, digest_of

FAULTS = ("limited", "error", "dropped", "truncated", "broken", "hung")
"""Kinds of injected faults, in the order in which their shares are laid out."""


@attrs.frozen
class Behaviour:
    """How the endpoint behaves; shares are between 0 and 1, times in seconds.

    Attributes:
        seed: Everything is drawn from it.
        median: Of the service times.
        sigma: Of their logarithm.
        capacity: Calls served at once, the rest wait in order of arrival; 0 is any number.
        rate: Calls accepted a second; above it a call gets 429 with Retry-After; 0 is any number.
        burst: Calls accepted at once after a pause; 0 is one second's.
        limited: Share of injected 429.
        retry_after: Of an injected 429.
        error: Share of injected 500.
        dropped: Share of connections dropped without an answer.
        truncated: Share of answers whose JSON is cut.
        broken: Share of answers that break off in the middle of the body.
        hung: Share of requests that are never answered.
        straggler: Share of calls that take `factor` times as long.
        factor: Of the stragglers.
        tries: From this try of a request on nothing is injected any more.
        right: Share of right answers.
        seconds: After these the process ends.
    """

    seed: int = 0
    median: float = 0.5
    sigma: float = 0.8
    capacity: int = 0
    rate: float = 0.0
    burst: int = 0
    limited: float = 0.0
    retry_after: int = 1
    error: float = 0.0
    dropped: float = 0.0
    truncated: float = 0.0
    broken: float = 0.0
    hung: float = 0.0
    straggler: float = 0.0
    factor: float = 10.0
    tries: int = 4
    right: float = 0.6
    seconds: float = 3600.0

    def service(self, draw: str) -> float:
        """Seconds that a call takes."""
        seconds = self.median * math.exp(self.sigma * random.Random(draw).gauss(0.0, 1.0))
        late = random.Random(f"{draw}/late").random() < self.straggler
        return seconds * (self.factor if late else 1.0)

    def fault(self, draw: str, number: int) -> str | None:
        """What is injected into the `number`-th try of a request, counted from 1."""
        if number >= self.tries:
            return None
        place = random.Random(f"{draw}/fault").random()
        for kind in FAULTS:
            place -= getattr(self, kind)
            if place < 0:
                return kind
        return None


class Bucket:
    """A token bucket: `take` gives 0 where a call is accepted, else seconds until it would be."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._most = float(burst or max(1, round(rate)))
        self._left = self._most
        self._at = time.monotonic()

    def take(self) -> float:
        """Take a token, if there is one."""
        if not self._rate:
            return 0.0
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1.0:
            return (1.0 - self._left) / self._rate
        self._left -= 1.0
        return 0.0


class Simulation:
    """The server's state: how often each request came, what is being served, what was counted."""

    def __init__(self, behaviour: Behaviour, log: TextIO | None) -> None:
        self._behaviour = behaviour
        self._log = log
        self._bucket = Bucket(behaviour.rate, behaviour.burst)
        self._slots = asyncio.Semaphore(behaviour.capacity or sys.maxsize)
        self._came: Counter[str] = Counter()
        self._good: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self._barred: dict[str, float] = {}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request."""
        if request.method == "GET" and request.path == "/stats":
            return web.json_response(self.counts)
        if not request.path.endswith("/chat/completions"):
            return web.json_response({"error": {"message": "no such path"}}, status=404)
        began = time.time()
        raw = await request.read()
        # Only a whole request stands in the queue; one whose body is late is overtaken.
        arrival = time.time()
        body = json.loads(raw)
        key = digest_of(self._behaviour.seed, raw)
        self._came[key] += 1
        number = self._came[key]
        row: dict[str, Any] = {
            "key": key,
            "path": request.path,
            "try": number,
            "seed": body.get("seed"),
            "schema": "response_format" in body,
            "arrival": arrival,
            "early": began < self._barred.get(key, 0.0),
        }
        try:
            return await self._serve(request, body, key, number, row)
        except (asyncio.CancelledError, ConnectionError):
            row.setdefault("kind", "abandoned")
            raise
        finally:
            self._count({**row, "end": time.time()})

    async def _serve(
        self, request: web.BaseRequest, body: Any, key: str, number: int, row: dict[str, Any]
    ) -> web.StreamResponse:
        behaviour = self._behaviour
        wait = self._bucket.take()
        if wait:
            return self._refuse(key, math.ceil(wait), row)
        draw = digest_of(key, number)
        fault = behaviour.fault(draw, number)
        if fault == "limited":
            return self._refuse(key, behaviour.retry_after, row)
        async with self._slots:
            row["start"] = time.time()
            row["service"] = service = behaviour.service(draw)
            if fault == "hung":
                row["kind"] = "hung"
                await asyncio.sleep(behaviour.seconds)
            await asyncio.sleep(service if fault in (None, "truncated", "broken") else 0.05)
        row["kind"] = fault or "ok"
        if fault == "error":
            row["status"] = 500
            return web.json_response({"error": {"message": "injected"}}, status=500)
        if fault == "dropped":
            return _drop(request)
        return await self._answer(request, body, key, fault, row)

    def _refuse(self, key: str, seconds: int, row: dict[str, Any]) -> web.StreamResponse:
        row |= {"kind": "limited", "status": 429, "retry_after": seconds}
        self._barred[key] = time.time() + seconds
        error = {"error": {"message": "too many requests", "type": "rate_limit_exceeded"}}
        return web.json_response(error, status=429, headers={"Retry-After": str(seconds)})

    async def _answer(
        self, request: web.BaseRequest, body: Any, key: str, fault: str | None, row: dict[str, Any]
    ) -> web.StreamResponse:
        if fault is None:
            self._good[key] += 1
        # With a seed a sampling can be repeated; without one, each good answer is a new sample.
        sample = 0 if body.get("seed") is not None else self._good[key]
        document = answer(body, draw=digest_of(key, sample), right=self._behaviour.right)
        raw = json.dumps(document).encode()
        row["status"] = 200
        if fault == "truncated":
            raw = raw[: len(raw) // 2]
        if fault == "broken":
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            response.content_length = len(raw)
            await response.prepare(request)
            await response.write(raw[: len(raw) // 2])
            _drop(request)
            return response
        return web.Response(body=raw, content_type="application/json")

    def _count(self, row: dict[str, Any]) -> None:
        kind = row.get("kind", "abandoned")
        self.counts["requests"] += 1
        self.counts["answered" if kind == "ok" else kind] += 1
        self.counts["early"] += bool(row["early"])
        if self._log is not None:
            self._log.write(json.dumps({**row, "kind": kind}) + "\n")
            self._log.flush()


def _drop(request: web.BaseRequest) -> web.StreamResponse:
    """Cut the connection; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def serve(behaviour: Behaviour, *, port: int, log: Path | None) -> None:
    """Serve until the time is over or the parent is gone."""
    parent = os.getppid()
    with (log or Path(os.devnull)).open("a", encoding="utf-8") as lines:
        simulation = Simulation(behaviour, None if log is None else lines)
        runner = web.ServerRunner(web.Server(simulation.handle), handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, shutdown_timeout=0.1, backlog=1024)
        await site.start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
        until = time.monotonic() + behaviour.seconds
        # Nothing tells a process that its parent has gone; it has to look.
        while time.monotonic() < until and os.getppid() == parent:  # noqa: ASYNC110
            await asyncio.sleep(0.5)


@contextmanager
def simulated_endpoint(
    behaviour: Behaviour | None = None, *, log: Path | None = None, **changes: Any
) -> Iterator[str]:
    """A running endpoint; gives its address, ending in ``/v1``.

    Args:
        behaviour: How it behaves.
        log: Gets a JSON line a call.
        changes: Single attributes of `Behaviour`.
    """
    behaviour = attrs.evolve(behaviour or Behaviour(), **changes)
    command = [sys.executable, "-m", "benchmarks.endpoint"]
    for name, value in attrs.asdict(behaviour).items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    if log is not None:
        command += ["--log", str(log.absolute())]
    root = Path(__file__).resolve().parent.parent
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def read_stats(url: str) -> dict[str, int]:
    """What an endpoint has counted: ``requests``, ``answered``, and each kind of fault."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/stats", timeout=10) as response:
        counts: dict[str, int] = json.load(response)
        return counts


def read_log(path: Path) -> list[dict[str, Any]]:
    """The calls that an endpoint logged, in the order in which they ended."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve as the flags say."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    for field in attrs.fields(Behaviour):
        kind = type(field.default)
        name = f"--{field.name.replace('_', '-')}"
        parser.add_argument(name, type=kind, default=field.default, help=str(field.default))
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--log", type=Path, help="gets a JSON line a call")
    given = vars(parser.parse_args(arguments))
    port, log = given.pop("port"), given.pop("log")
    asyncio.run(serve(Behaviour(**given), port=port, log=log))


if __name__ == "__main__":
    main()
