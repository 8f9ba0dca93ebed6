"""A tiny plugin, made by hand, and a way to run commands on it."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from grpo_framework.cli import cli
from grpo_framework.component import Component
from grpo_framework.errors import ComparatorError, ModelError, ProblemError
from grpo_framework.experience import Experience, Library
from grpo_framework.hookspecs import hookimpl
from grpo_framework.plugins import Plugins, Source
from grpo_framework.records import Attempt, ChatReply, Problem, Question, Verdict

TOY = [
    "--datasets=toy",
    "--model=toy",
    "--generator=toy",
    "--critic=toy",
    "--comparator=toy",
    "--store=toy",
]


class ToyGenerator:
    """Right where the seed is even, or where an experience says so; some texts make it fail."""

    async def attempt(self, question, library, /, *, seed):
        taught = any(each.content == "be right" for each in library.experiences)
        if question.text == "boom" or (taught and question.text.startswith("frail")):
            raise ModelError("the model is gone", kind="connection", retryable=False)
        return Attempt("right" if taught or seed % 2 == 0 else "wrong")


class ToyCritic:
    async def fuse(self, question, attempts, library, /, *, seed):
        return attempts[-1]


class ToyComparator:
    """Equal texts are equal; some texts are beyond it."""

    async def compare(self, problem, answer, /):
        if answer == "unclear":
            raise ComparatorError("cannot be read", kind="unparsed answer")
        if answer == "crash":
            raise ZeroDivisionError("by zero")
        if answer is None:
            return Verdict(0.0, "no answer found")
        if answer == "half":
            return Verdict(0.5, "half of it", answer)
        equal = answer == problem.answer
        return Verdict(float(equal), "same" if equal else "not the same", answer, {"rule": "text"})


class ToyStore:
    """Keeps libraries in memory, across the commands of one test."""

    def __init__(self):
        self.kept = {}
        self.commits = 0

    def hold(self, owner, *contents):
        prefix = {"critic": "C", "shared": "S"}.get(owner, "G" + owner[-1])
        rows = tuple(
            Experience(f"{prefix}-{number:03}", text, created_at="2025-01-01T00:00:00")
            for number, text in enumerate(contents, 1)
        )
        self.kept[owner] = Library(owner, 1, rows, len(rows) + 1)

    async def load(self, owner, /, *, version=None):
        return self.kept.get(owner, Library(owner))

    async def commit(self, library, /, *, expected_version):
        assert self.kept.get(library.owner, Library(library.owner)).version == expected_version
        self.kept[library.owner] = library
        self.commits += 1


class ToyModel:
    def __init__(self, options):
        self.options = options

    async def chat(self, request, /):
        if self.options.get("down"):
            raise ModelError("connection refused", kind="connection", hint="start the server")
        if self.options.get("blocks"):
            time.sleep(self.options["blocks"])  # noqa: ASYNC251 - a plugin that breaks its contract
        if self.options.get("hangs"):
            await asyncio.Event().wait()
        return ChatReply("OK")


class ToyProblems:
    def __init__(self, texts):
        self.texts = texts

    async def problems(self):
        if self.texts == ["broken"]:
            raise ProblemError("no answer", hint="give every problem an answer")
        return tuple(
            Problem(Question(f"p{number}", text), "right", source=f"toy:{number}")
            for number, text in enumerate(self.texts, 1)
        )


def opening(make):
    @asynccontextmanager
    async def factory(wiring):
        yield make(wiring)

    return factory


def toy_module(store):
    free = {"type": "object"}

    @hookimpl
    def grpo_generators():
        return [Component("g", opening(lambda _: ToyGenerator()), "a toy", uses_chat_model=True)]

    @hookimpl
    def grpo_critics():
        return [Component("c", opening(lambda _: ToyCritic()), "a toy critic")]

    @hookimpl
    def grpo_comparators():
        return [Component("text", opening(lambda _: ToyComparator()), "same text")]

    @hookimpl
    def grpo_experience_stores():
        return [Component("memory", opening(lambda _: store), "in memory", options=free)]

    @hookimpl
    def grpo_chat_models():
        return [Component("m", opening(lambda w: ToyModel(w.options)), "says OK", options=free)]

    @hookimpl
    def grpo_problem_sources():
        def make(wiring):
            return ToyProblems(wiring.options.get("texts", ["one", "two", "three", "four"]))

        return [Component("few", opening(make), "four problems", options=free)]

    @hookimpl
    def grpo_advisors():
        return [Component("none", opening(lambda _: None), "no advice")]

    return SimpleNamespace(**{key: value for key, value in locals().items() if "grpo_" in key})


def failing():
    message = "no\nsuch library"
    raise ImportError(message)


@pytest.fixture
def store():
    return ToyStore()


@pytest.fixture
def plugins(store):
    module = toy_module(store)
    return Plugins(
        [
            Source("toy", "toy", "toy-plugin 0.1", lambda: module),
            Source("broken", "broken", "broken-plugin 2.0", failing),
        ]
    )


@pytest.fixture
def run(plugins, tmp_path, monkeypatch):
    """Run a command in an empty folder; the result has exit_code, stdout, stderr and document."""
    monkeypatch.chdir(tmp_path)

    def invoke(*args, **rest):
        result = CliRunner().invoke(cli, [str(arg) for arg in args], obj=plugins, **rest)
        if "--json" in args and result.stdout.startswith("{"):
            result.document = json.loads(result.stdout)
        return result

    return invoke


@pytest.fixture
def toy():
    """The flags of a run on the toy plugin."""
    return list(TOY)


@pytest.fixture
def real(tmp_path, monkeypatch):
    """Run a command in an empty folder with the installed plugins, the simulation among them."""
    pytest.importorskip("grpo_scripted")
    monkeypatch.chdir(tmp_path)

    def invoke(*args):
        result = CliRunner().invoke(cli, [str(arg) for arg in args], obj=Plugins.discover())
        if "--json" in args and result.stdout.startswith("{"):
            result.document = json.loads(result.stdout)
        return result

    return invoke
