"""A generator and an experience store of one's own: the hooks; the work is in their modules."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from grpo_framework import Component, ExperienceStore, Generator, Wiring, hookimpl


@asynccontextmanager
async def open_agent(wiring: Wiring) -> AsyncIterator[Generator]:
    """Make the generator; what it would have to close goes after the yield."""
    from hello_plugin.agent import Agent

    yield Agent(wiring.chat_model, wiring.options.get("tone", "brief"))


@asynccontextmanager
async def open_sqlite(wiring: Wiring) -> AsyncIterator[ExperienceStore]:
    """Open the store in the run's experience directory."""
    from hello_plugin.store import SqliteStore

    store = SqliteStore(wiring.experience_dir / wiring.options.get("file", "hello.sqlite"))
    await store.prepare()
    yield store


AGENT_OPTIONS = {
    "type": "object",
    "properties": {
        "tone": {"type": "string", "default": "brief", "description": "How the agent is to answer."}
    },
    "additionalProperties": False,
}
SQLITE_OPTIONS = {
    "type": "object",
    "properties": {
        "file": {
            "type": "string",
            "default": "hello.sqlite",
            "description": "Name of the file in the experience directory.",
        }
    },
    "additionalProperties": False,
}


@hookimpl
def grpo_generators() -> Iterable[Component[Generator]]:
    """The generators of this plugin."""
    yield Component(
        name="agent",
        factory=open_agent,
        summary="one prompt of our own",
        options=AGENT_OPTIONS,
        uses_chat_model=True,
    )


@hookimpl
def grpo_experience_stores() -> Iterable[Component[ExperienceStore]]:
    """The stores of this plugin."""
    yield Component(
        name="sqlite",
        factory=open_sqlite,
        summary="every version of every library in one SQLite file",
        options=SQLITE_OPTIONS,
    )
