"""The hook of the plugin `pool`: one advisor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from grpo_framework.component import Component, Wiring
from grpo_framework.errors import ConfigError
from grpo_framework.hookspecs import hookimpl
from grpo_framework.protocols import Advisor
from grpo_pool.advisor import PoolAdvisor
from grpo_pool.tactics import LANGUAGES, SHIPPED, read_tactics

OPTIONS: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "language": {
            "description": "Language of the shipped tactics; en.",
            "enum": list(LANGUAGES),
        },
        "tactics": {
            "description": "A JSON file with further tactics.",
            "type": "string",
            "minLength": 1,
        },
        "shipped": {
            "description": "Whether the shipped tactics are used; true.",
            "type": "boolean",
        },
        "proposals": {
            "description": "Most tactics for one group; 1.",
            "type": "integer",
            "minimum": 1,
        },
        "per_batch": {
            "description": "Most additions for one owner and batch; 2.",
            "type": "integer",
            "minimum": 1,
        },
    },
}


@asynccontextmanager
async def _open(wiring: Wiring) -> AsyncIterator[Advisor]:
    options = wiring.options
    language = options.get("language", "en")
    shipped = read_tactics(SHIPPED, language) if options.get("shipped", True) else ()
    own = read_tactics(Path(options["tactics"]), language) if "tactics" in options else ()
    names = {tactic.name for tactic in own}
    tactics = (*own, *(tactic for tactic in shipped if tactic.name not in names))
    if not tactics:
        raise ConfigError(
            "pool/advisor has no tactics: 'shipped' is false and 'tactics' names no file",
            pointer="/options/tactics",
        )
    yield PoolAdvisor(tactics, options.get("proposals", 1), options.get("per_batch", 2))


@hookimpl
def grpo_advisors() -> Iterable[Component[Advisor]]:
    """Offer the advisor."""
    yield Component(
        "advisor",
        _open,
        summary="Proposes general tactics by kind of failure, as a bandit; no model calls",
        options=OPTIONS,
    )
