"""What a run is: the same configuration, problems and plugins, or it is another run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from grpo_framework.codec import from_document, to_document
from grpo_framework.config import RunConfig
from grpo_framework.errors import ConfigError, DataError
from grpo_framework.plugins import Plugins
from grpo_framework.records import Problem

IDENTITY = "identity.json"


@frozen
class Identity:
    """All that must stay the same for a run to be gone on with.

    Attributes:
        config: The decisive part of the configuration.
        problems: SHA-256 over the problems with their answers, in order.
        count: Number of problems.
        validation: SHA-256 over the validation problems; empty without any.
        plugins: Plugin → name and version of its distribution, of those the run uses.
    """

    config: dict[str, Any]
    problems: str
    count: int
    plugins: dict[str, str]
    validation: str = ""


def identify(
    config: RunConfig,
    problems: Iterable[Problem],
    plugins: Plugins,
    validation: Sequence[Problem] = (),
) -> Identity:
    """The identity of a run about to begin or to go on."""
    digest, count = _digest(problems)
    used = {record.name: record.distribution for record in plugins.imported()}
    judging = _digest(validation)[0] if validation else ""
    return Identity(config.decisive, digest, count, used, judging)


def _digest(problems: Iterable[Problem]) -> tuple[str, int]:
    rows = [(problem.id, problem.question.text, problem.answer) for problem in problems]
    text = json.dumps(rows, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest(), len(rows)


def check_identity(path: Path, now: Identity) -> None:
    """Compare a run's identity with that of the run in a directory.

    Args:
        path: The run's directory.
        now: What would go on with it.

    Raises:
        ConfigError: They differ; it names every difference.
        DataError: The directory's own record cannot be read.
    """
    changes = _differences(_read(path), now)
    if changes:
        message = f"the run in {path} was begun otherwise: {'; '.join(changes)}"
        hint = f"undo that, or begin a new run from its experiences with --fork {path}"
        raise ConfigError(message, hint=hint)


def check_problems(path: Path, problems: Iterable[Problem], validation: Sequence[Problem]) -> None:
    """Compare problems with those of the run in a directory.

    Args:
        path: The run's directory.
        problems: What it learns from.
        validation: What judges its edits; empty where nothing does.

    Raises:
        ConfigError: They are others.
        DataError: The directory's own record cannot be read.
    """
    then, (digest, count) = _read(path), _digest(problems)
    judging = _digest(validation)[0] if validation else ""
    if digest != then.problems or judging != then.validation:
        message = f"the problems of {path} have changed ({then.count} then, {count} now)"
        raise ConfigError(message, hint="undo that: a run is replayed and rescored on its own")


def _read(path: Path) -> Identity:
    file = path / IDENTITY
    try:
        return from_document(json.loads(file.read_text(encoding="utf-8")), Identity)
    except (OSError, ValueError) as error:
        message = f"cannot be read: {error}"
        raise DataError(message, path=file, hint="the run cannot be gone on with") from error


def _differences(then: Identity, now: Identity) -> list[str]:
    found = [
        f"{key}: {_short(old)} is now {_short(new)}"
        for key, old, new in _changed(then.config, now.config)
    ]
    if then.problems != now.problems:
        found.append(f"the problems have changed ({then.count} then, {now.count} now)")
    if then.validation != now.validation:
        found.append("the validation problems have changed")
    found += [
        f"plugin {name}: {old or 'not used'} is now {new or 'not used'}"
        for name, old, new in _changed(then.plugins, now.plugins)
        # A plugin that is merely imported now was not part of the run.
        if old is not None
    ]
    return found


def _changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    return [
        (key, then.get(key), now.get(key))
        for key in sorted({*then, *now})
        if then.get(key) != now.get(key)
    ]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def identity_document(identity: Identity) -> Any:
    """The identity as plain JSON values, as it is kept in the run's directory."""
    return to_document(identity)
