"""The checks of `grpo-cli doctor`: each ends in time, and each failure says how to mend it."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from grpo_framework.atomic import probe_directory
from grpo_framework.cli.exits import describe, one_line
from grpo_framework.cli.judging import open_model
from grpo_framework.cli.storing import store_folder
from grpo_framework.config import CallLimits, ComponentConfig, RunConfig
from grpo_framework.errors import GrpoError
from grpo_framework.experience import SHARED, Experience, normalise
from grpo_framework.meaning import Meaning
from grpo_framework.plugins import (
    ADVISOR,
    COMPARATOR,
    CRITIC,
    EMBEDDER,
    GENERATOR,
    STORE,
    Noun,
    Plugins,
)
from grpo_framework.records import Problem, Question
from grpo_framework.telling import count_of
from grpo_framework.workshop import Workshop, open_store

OLDEST_PYTHON = (3, 11)


@frozen
class Check:
    """One line of the examination.

    Attributes:
        name: What is checked.
        work: Does it, and says what was found; raises where it is not well.
        mend: How to mend it, where the error does not say.
        slow: Whether it may wait for foreign code, and so runs against the clock.
    """

    name: str
    work: Callable[[], Awaitable[str]]
    mend: str
    slow: bool = True


@frozen
class Outcome:
    """What a check found.

    Attributes:
        name: What was checked.
        ok: Whether it is well.
        detail: What was found.
        mend: How to mend it; empty where it is well.
        seconds: How long it took.
        abandoned: Whether it was still at work when its time was over.
    """

    name: str
    ok: bool
    detail: str
    mend: str = ""
    seconds: float = 0.0
    abandoned: bool = field(default=False)


def examine(check: Check, timeout: float) -> Outcome:
    """Carry out a check, for `timeout` seconds at most.

    It runs in a thread of its own: foreign code may block where no cancellation reaches it. Such a
    thread is left behind, and the caller must end the process without waiting for it.
    """
    started = time.perf_counter()
    found: list[Outcome] = []

    def work() -> None:
        found.append(_attempt(check, timeout))

    thread = threading.Thread(target=work, name=f"check {check.name}", daemon=True)
    thread.start()
    thread.join(timeout + 1.0 if check.slow else None)
    seconds = time.perf_counter() - started
    if not found:
        detail = f"no result within {timeout:g} s"
        return Outcome(check.name, False, detail, check.mend, seconds, abandoned=True)
    return evolve(found[0], seconds=seconds)


def _attempt(check: Check, timeout: float) -> Outcome:
    async def bounded() -> str:
        async with asyncio.timeout(timeout if check.slow else None):
            return await check.work()

    try:
        return Outcome(check.name, True, one_line(asyncio.run(bounded())))
    except TimeoutError:
        return Outcome(check.name, False, f"no result within {timeout:g} s", check.mend)
    except GrpoError as error:
        mend = one_line(error.hint) or check.mend
        return Outcome(check.name, False, one_line(error.message), mend)
    # What a check finds is a line of the result, whatever it is.
    except Exception as error:
        return Outcome(check.name, False, describe(error), check.mend)


def list_checks(config: RunConfig, plugins: Plugins, timeout: float) -> Iterator[Check]:
    """All checks, in the order in which one needs the other."""
    quick = evolve(config, calls=CallLimits(timeout=timeout, tries=1))
    workshop = Workshop(quick, plugins)
    yield Check("python", _python, "install Python 3.11 or newer", slow=False)
    yield Check("grpo-framework", _core, "install it again with pip", slow=False)
    for name in plugins.names:
        mend = f"install the distribution of '{name}' again, or uninstall it"
        yield Check(f"plugin {name}", _plugin(plugins, name), mend)
    for label, noun, use in _components(config):
        name = f"{label} {use.use}"
        yield Check(name, _component(workshop, noun, use), "grpo-cli plugins lists what there is")
    for use in _models(workshop):
        mend = "choose another --model, or mend the endpoint or the file it needs"
        yield Check(f"model {use.use}", _model(workshop, use), mend)
    if config.embedder is not None:
        mend = "choose another --embedder, or mend the endpoint or the file it needs"
        yield Check(f"embedder {config.embedder.use}", _embedder(workshop, config.embedder), mend)
    mend = "choose another --experience-dir, or mend its files or permissions"
    yield Check(f"store {config.store.use}", _store(config, plugins), mend)
    yield Check("experiences writable", _writable(store_folder(config)), mend)
    runs = Path(config.run_dir or "runs")
    yield Check("runs writable", _writable(runs), "choose another --run-dir, or its permissions")
    if config.data_dir is not None:
        mend = "give --data-dir the folder that holds the data sets"
        yield Check("data folder", _data_dir(Path(config.data_dir)), mend)
    for use in config.datasets:
        mend = "mend the file, or name another --datasets"
        yield Check(f"problems {use.use}", _problems(workshop, use), mend)


async def _python() -> str:
    if sys.version_info < OLDEST_PYTHON:
        message = f"{platform.python_version()} is too old"
        raise GrpoError(message)
    return f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}"


async def _core() -> str:
    return metadata.version("grpo-framework")


def _plugin(plugins: Plugins, name: str) -> Callable[[], Awaitable[str]]:
    async def work() -> str:
        record = plugins.record(name)
        if record.failure:
            message = f"{record.distribution}: {record.failure}"
            raise GrpoError(message)
        count = sum(len(components) for _, components in record.components)
        return f"{record.distribution}, {count_of(count, 'component')}"

    return work


def _components(config: RunConfig) -> Iterator[tuple[str, Noun[Any], ComponentConfig]]:
    nouns: list[tuple[Noun[Any], tuple[ComponentConfig, ...]]] = [
        (GENERATOR, config.generators),
        (CRITIC, (config.critic,)),
        (COMPARATOR, (config.comparator,)),
        (ADVISOR, config.advisor),
        (STORE, (config.store,)),
    ]
    for noun, uses in nouns:
        for use in uses:
            yield noun.name, noun, use


def _component(
    workshop: Workshop, noun: Noun[Any], use: ComponentConfig
) -> Callable[[], Awaitable[str]]:
    async def work() -> str:
        return workshop.find(noun, use).component.summary or "found"

    return work


def _models(workshop: Workshop) -> tuple[ComponentConfig, ...]:
    """Every chat model that a component of the configuration uses, once."""
    config = workshop.config
    roles: list[tuple[Noun[Any], ComponentConfig, ComponentConfig | None]] = [
        (GENERATOR, use, use.model) for use in config.generators
    ]
    roles.append((CRITIC, config.critic, config.critic_model))
    roles.append((COMPARATOR, config.comparator, None))
    roles += [(ADVISOR, use, use.model or config.advisor_model) for use in config.advisor]
    found: list[ComponentConfig] = []
    for noun, use, named in roles:
        model = named or config.model
        known = any((model.use, model.options) == (each.use, each.options) for each in found)
        if not known and _uses_chat_model(workshop, noun, use):
            found.append(model)
    return tuple(found)


def _uses_chat_model(workshop: Workshop, noun: Noun[Any], use: ComponentConfig) -> bool:
    """Whether it does; one that cannot be found might, and has a line of its own."""
    try:
        return workshop.plugins.find(noun, use.use).component.uses_chat_model
    except GrpoError:
        return True


def _model(workshop: Workshop, use: ComponentConfig) -> Callable[[], Awaitable[str]]:
    async def work() -> str:
        async with open_model(workshop, use) as model:
            reply = await model.probe()
        usage = reply.usage
        return f"answered {reply.text[:40]!r} ({usage.output_tokens} tokens, {usage.seconds:.2g} s)"

    return work


def _embedder(workshop: Workshop, use: ComponentConfig) -> Callable[[], Awaitable[str]]:
    """Embeds three texts, so that a threshold can be chosen for this embedder."""
    question = Question("", "Write the unit beside every number.")
    others = (
        Experience("", "Each value should have its measure next to it."),
        Experience("", "Draw a picture of the situation first."),
    )

    async def work() -> str:
        async with workshop.open(EMBEDDER, use) as embedder:
            same, other = await Meaning(embedder).rank(question, others)
        limit = workshop.config.limits.near_meaning
        return f"a paraphrase lies at {same:.2f}, another text at {other:.2f}; limit {limit:.2f}"

    return work


def _store(config: RunConfig, plugins: Plugins) -> Callable[[], Awaitable[str]]:
    async def work() -> str:
        async with open_store(config, plugins) as store:
            libraries = [await store.load(owner) for owner in (*config.owners, SHARED)]
        held = count_of(sum(map(len, libraries)), "experience")
        return f"{held} of {count_of(len(libraries), 'owner')}"

    return work


def _writable(folder: Path) -> Callable[[], Awaitable[str]]:
    async def work() -> str:
        return _write_in(folder)

    return work


def _write_in(folder: Path) -> str:
    """Really write a file, in the folder or in the nearest one above it that is there."""
    there = probe_directory(folder)
    return str(folder) if there == folder.absolute() else f"{folder} can be made in {there}"


def _data_dir(folder: Path) -> Callable[[], Awaitable[str]]:
    async def work() -> str:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - its error names the folder
        return f"{folder}: {len(names)} entries ({', '.join(names[:8])})"

    return work


def _contradictions(problems: Sequence[Problem]) -> str:
    """Problems of one text and different answers: at least one of these is wrong, or incomplete."""
    first: dict[str, Problem] = {}
    found = [
        (known, problem)
        for problem in problems
        if (known := first.setdefault(normalise(problem.question.text), problem)).answer
        != problem.answer
    ]
    if not found:
        return ""
    one, other = found[0]
    places = f"{one.source or one.id} and {other.source or other.id}"
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"; {places} are the same text with different answers{more}"


def _problems(workshop: Workshop, use: ComponentConfig) -> Callable[[], Awaitable[str]]:
    async def work() -> str:
        only = Workshop(evolve(workshop.config, datasets=(use,)), workshop.plugins)
        problems = await only.problems()
        told = f"{count_of(len(problems), 'problem')} in the split '{workshop.config.split}'"
        return told + _contradictions(problems)

    return work
