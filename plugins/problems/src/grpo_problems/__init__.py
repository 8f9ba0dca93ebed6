"""Problem sources: files, hub data sets, the benchmarks known by name, and the demo set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from grpo_framework.component import NO_OPTIONS, Component, Factory, Wiring
from grpo_framework.hookspecs import hookimpl
from grpo_framework.protocols import ProblemSource
from grpo_problems.known import KNOWN, Known
from grpo_problems.tables import PATTERNS


def _text(description: str) -> Mapping[str, Any]:
    return {"type": "string", "minLength": 1, "description": description}


_KEYS: Mapping[str, Any] = {
    "problem_key": _text("Column of the problem text, instead of the usual spellings"),
    "answer_key": _text("Column of the answer, instead of the usual spellings"),
    "id_key": _text("Column of the id"),
    "answer_after": _text("The answer is what follows the last occurrence of this, such as ####"),
}
FILE_OPTIONS: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "path": _text("The file, where the reference is not the file itself"),
        "split": {
            "enum": ["train", "validation", "test"],
            "description": "The split of rows that name none",
        },
        **_KEYS,
    },
}
HUB_OPTIONS: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "path": _text("organisation/name, or a local folder, where the reference does not say it"),
        "config": _text("The configuration, of sets that have several"),
        "split": _text("The one split to read; without it, all"),
        "revision": _text("Commit or tag, so that a run can be repeated"),
        **_KEYS,
    },
}


@asynccontextmanager
async def open_file(wiring: Wiring) -> AsyncIterator[ProblemSource]:
    """Open the source of a file; nothing is read before `problems` is called."""
    from grpo_problems.sources import file_source

    yield file_source(wiring)


@asynccontextmanager
async def open_hub(wiring: Wiring) -> AsyncIterator[ProblemSource]:
    """Open the source of a set of the hub."""
    from grpo_problems.sources import hub_source

    yield hub_source(wiring)


@asynccontextmanager
async def open_demo(wiring: Wiring) -> AsyncIterator[ProblemSource]:  # noqa: ARG001 - the factory's form
    """Open the demo set."""
    from grpo_problems.demo import demo_source

    yield demo_source()


def _known_factory(known: Known) -> Factory[ProblemSource]:
    @asynccontextmanager
    async def open_known(wiring: Wiring) -> AsyncIterator[ProblemSource]:
        from grpo_problems.sources import known_source

        yield known_source(wiring, known)

    return open_known


@hookimpl
def grpo_problem_sources() -> Iterable[Component[ProblemSource]]:
    """Offer the sources ``file``, ``hub``, ``demo`` and one for each data set known by name."""
    return (
        Component(
            "demo",
            open_demo,
            "problems of this project, for a small model: fractions, units, LaTeX, word problems",
            NO_OPTIONS,
        ),
        *(Component(each.name, _known_factory(each), each.summary) for each in KNOWN),
        Component("file", open_file, "a JSONL, JSON, CSV or Parquet file", FILE_OPTIONS, PATTERNS),
        Component("hub", open_hub, "any data set of the hub", HUB_OPTIONS, ("hub/*",)),
    )
