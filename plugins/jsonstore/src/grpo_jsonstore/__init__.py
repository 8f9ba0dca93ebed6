"""The experience store of the guide: a directory of ``<owner>_experiences.json`` with versions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from grpo_framework.component import Component, Wiring
from grpo_framework.hookspecs import hookimpl
from grpo_framework.protocols import ExperienceStore

OPTIONS: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "path": {
            "description": "The directory; without it, the run's experience directory",
            "type": "string",
            "minLength": 1,
        }
    },
}


@asynccontextmanager
async def open_directory(wiring: Wiring) -> AsyncIterator[ExperienceStore]:
    """Open the store; the directory is made by the first commit, not before."""
    from grpo_jsonstore.store import DirectoryStore

    path = wiring.options.get("path")
    yield DirectoryStore(Path(path) if path else wiring.experience_dir)


@hookimpl
def grpo_experience_stores() -> Iterable[Component[ExperienceStore]]:
    """Offer the store ``jsonstore/directory``."""
    summary = "a directory of <owner>_experiences.json, versions and history beside them"
    return (Component("directory", open_directory, summary, OPTIONS),)
