"""The real default model: one loaded model serves the whole file."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from grpo_llamacpp.model import open_model

from grpo_framework.component import Wiring
from grpo_framework.errors import ConfigError, ModelError
from grpo_framework.records import ChatRequest, Message
from grpo_framework.validation import validate_with

SCHEMA = {
    "type": "object",
    "properties": {
        "reason": {"type": "string", "maxLength": 60},
        "answer": {"type": "integer"},
        "kind": {"oneOf": [{"const": "sum"}, {"const": "product"}]},
    },
    "required": ["reason", "answer", "kind"],
    "additionalProperties": False,
}


def ask(text: str, **fields: Any) -> ChatRequest:
    given = {"seed": 1, "max_tokens": 24, **fields}
    return ChatRequest((Message("user", text),), **given)


def with_model(weights: Path, use: Any, **options: Any) -> Any:
    given = {"model_path": str(weights), "slots": 4, "context": 512, "threads": 1, **options}

    async def run() -> Any:
        wiring = Wiring(name="smollm2-135m", options=given)
        async with asyncio.timeout(300), open_model(wiring) as model:
            return await use(model)

    return asyncio.run(run())


def test_answers_with_usage(weights: Path) -> None:
    """A reply has text, the file's name, tokens of prompt and answer, and its time."""

    async def use(model: Any) -> Any:
        return await model.chat(ask("What is 2+2?", temperature=0.0))

    reply = with_model(weights, use)
    assert "4" in reply.text
    assert reply.finish == "stop"
    assert reply.model == weights.name
    assert reply.usage.input_tokens > 10
    assert 0 < reply.usage.output_tokens <= 24
    assert (reply.usage.calls, reply.usage.seconds > 0) == (1, True)


def test_cut_off_at_the_limit(weights: Path) -> None:
    """The limit of the request holds, else that of the options; the reply says 'length'."""

    async def use(model: Any) -> Any:
        story = "Tell a long story about a fox."
        return [await model.chat(ask(story, max_tokens=n)) for n in (3, None)]

    replies = with_model(weights, use, max_tokens=5)
    assert [(r.finish, r.usage.output_tokens) for r in replies] == [("length", 3), ("length", 5)]


def test_stops_at_a_text(weights: Path) -> None:
    """A stop text ends the answer and is not in it."""

    async def use(model: Any) -> Any:
        return await model.chat(ask("What is 2+2?", temperature=0.0, stop=(" problem",)))

    reply = with_model(weights, use)
    assert "problem" not in reply.text
    assert reply.finish == "stop"


def test_schema_holds_the_answer(weights: Path) -> None:
    """With a schema, also a frozen one, every finished answer satisfies it, on one line."""

    async def use(model: Any) -> Any:
        frozen = MappingProxyType({**SCHEMA, "properties": MappingProxyType(SCHEMA["properties"])})
        requests = [
            ask(f"What is {n} and 5? Answer as JSON.", seed=n, max_tokens=80, schema=frozen)
            for n in range(4)
        ]
        return await asyncio.gather(*(model.chat(request) for request in requests))

    replies = with_model(weights, use, temperature=1.0)
    assert [reply.finish for reply in replies] == ["stop"] * 4
    for reply in replies:
        validate_with("reply", SCHEMA, json.loads(reply.text))
        assert "\n" not in reply.text


def test_same_seed_same_answer(weights: Path) -> None:
    """One after the other without the prompt cache, an equal request gets an equal text."""

    async def use(model: Any) -> Any:
        first = await model.chat(ask("Name a colour and say why.", temperature=0.8))
        await model.chat(ask("Something else entirely.", seed=5))
        again = await model.chat(ask("Name a colour and say why.", temperature=0.8))
        other = await model.chat(ask("Name a colour and say why.", temperature=0.8, seed=2))
        return first.text, again.text, other.text

    first, again, other = with_model(weights, use, cache_prompt=False)
    assert first == again
    assert first != other


def test_more_calls_than_slots(weights: Path) -> None:
    """Calls beyond the slots wait and are answered; the loop goes on meanwhile."""
    ticks: list[int] = []

    async def tick() -> None:
        while True:
            ticks.append(1)
            await asyncio.sleep(0.005)

    async def use(model: Any) -> Any:
        ticker = asyncio.create_task(tick())
        replies = await asyncio.gather(
            *(model.chat(ask(f"Say {n}.", seed=n, max_tokens=12)) for n in range(9))
        )
        ticker.cancel()
        return replies

    assert len(with_model(weights, use, slots=2)) == 9
    assert len(ticks) > 10


def test_prompt_beyond_the_context(weights: Path) -> None:
    """A prompt that does not fit a slot is told as such, and the model lives on."""

    async def use(model: Any) -> Any:
        with pytest.raises(ModelError) as caught:
            await model.chat(ask("word " * 2000))
        return caught.value, await model.chat(ask("Say yes."))

    error, reply = with_model(weights, use)
    assert (error.kind, error.retryable) == ("context_too_long", False)
    assert "512" in error.message
    assert reply.text


def test_awkward_prompts(weights: Path) -> None:
    """Lone surrogates, control characters and empty prompts are answered."""

    async def use(model: Any) -> Any:
        texts = ["lone \ud800 one", "pair \ud83d\ude00", "nul \x00 \x7f", "", "分数 ½"]
        return [await model.chat(ask(text, max_tokens=4)) for text in texts]

    assert len(with_model(weights, use)) == 5


def test_cancelled_calls_free_their_slots(weights: Path) -> None:
    """Cancelled calls, running or waiting, end at once; their slots answer the next call."""

    async def use(model: Any) -> Any:
        story = ask("Tell a very long story.", max_tokens=400)
        tasks = [asyncio.create_task(model.chat(story)) for _ in range(4)]
        await asyncio.sleep(0.3)
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends)
        return await model.chat(ask("Say yes."))

    assert with_model(weights, use, slots=2).text


def test_closing_leaves_no_thread(weights: Path) -> None:
    """After the model is closed, also by an error amid calls, none of its threads is left."""
    before = threading.active_count()
    native = len(list(Path("/proc/self/task").iterdir())) if Path("/proc/self/task").is_dir() else 0

    async def use(model: Any) -> Any:
        task = asyncio.create_task(model.chat(ask("Tell a very long story.", max_tokens=400)))
        await asyncio.sleep(0.2)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        raise LookupError("amid calls")

    with pytest.raises(LookupError, match="amid calls"):
        with_model(weights, use)
    assert threading.active_count() == before
    if native:
        assert len(list(Path("/proc/self/task").iterdir())) <= native


PROGRAM = """
import asyncio, signal, sys, threading, os
from grpo_framework.component import Wiring
from grpo_framework.records import ChatRequest, Message
from grpo_llamacpp.model import open_model

async def main():
    options = {"model_path": sys.argv[1], "slots": 2, "context": 512, "threads": 1}
    async with open_model(Wiring(name="smollm2-135m", options=options)) as model:
        request = ChatRequest((Message("user", "Tell a long story."),), seed=1, max_tokens=450)
        calls = [asyncio.create_task(model.chat(request)) for _ in range(3)]
        await asyncio.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.gather(*calls)

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted", threading.active_count())
    raise SystemExit(130)
"""


def test_interrupt_stops_cleanly(weights: Path) -> None:
    """Ctrl-C amid calls arrives as KeyboardInterrupt; the process ends without noise."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(weights)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        # A shell that starts the tests in the background has them ignore the signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "interrupted 1\n", "")


def test_damaged_file(weights: Path, tmp_path: Path) -> None:
    """A GGUF file that was cut off is an error in one line, not a crash."""
    path = tmp_path / "cut.gguf"
    with weights.open("rb") as file:
        path.write_bytes(file.read(3_000_000))

    async def use(_model: Any) -> None:
        raise AssertionError

    with pytest.raises(ConfigError, match=r"cut\.gguf") as caught:
        with_model(path, use)
    assert "\n" not in str(caught.value)
