"""What commands take from an earlier run: its configuration, and its libraries for a new run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from attrs import evolve

from grpo_framework.cli.options import read_config
from grpo_framework.config import RunConfig, config_from_document, set_keys
from grpo_framework.errors import ConfigError, DataError
from grpo_framework.experience import Library
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins
from grpo_framework.records import Owner
from grpo_framework.rundir import CONFIG
from grpo_framework.standing import read_checkpoint

_NO_RUN = (
    "grpo-cli runs list shows the runs; one that was stopped before its models answered left none"
)


def read_run_config(run: Path, settings: tuple[str, ...] = ()) -> RunConfig:
    """The configuration of a run, from its directory.

    Args:
        run: The directory.
        settings: ``key=value`` texts that change it.

    Raises:
        ConfigError: There is no run, or its configuration cannot be read.
    """
    file = run / CONFIG
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        message = f"{run} holds no run"
        raise ConfigError(message, path=file, hint=_NO_RUN) from error
    except (OSError, ValueError) as error:
        message = f"{file} cannot be read: {error}"
        raise ConfigError(message, path=file) from error
    changed = set_keys({**document, "run_dir": str(run)}, settings)
    return config_from_document(changed, path=file)


def read_forked_config(run: Path, given: Mapping[str, Any]) -> RunConfig:
    """The configuration of a run with some of it changed, for a new run in a new directory.

    Args:
        run: Of the earlier run.
        given: A command's keyword arguments; a file takes the place of the run's configuration.
    """
    document = read_run_config(run).document
    base = {key: value for key, value in document.items() if key != "run_dir"}
    return read_config(given, {**base, "use_existing_experiences": False})


async def fork(
    run: Path, config: RunConfig, plugins: Plugins
) -> tuple[RunConfig, Mapping[Owner, Library]]:
    """What a new run begins with that goes on from an earlier run's libraries.

    Args:
        run: Directory of the earlier run.
        config: Of the new one.
        plugins: Of this process.

    Returns:
        The configuration, and the libraries to write into its store first: none where it is the
        store of the earlier run.

    Raises:
        ConfigError: It is that store, and somebody has gone on with it.
    """
    old = read_run_config(run)
    libraries = await _libraries_of(run, old, plugins)
    if (config.store, config.experience_dir) != (old.store, old.experience_dir):
        return config, libraries
    async with ExperienceManager.from_config(config, plugins).open() as manager:
        newest = await manager.load(old.owners)
    moved = [owner for owner, library in newest.items() if library != libraries[owner]]
    if moved:
        message = f"{config.experience_dir} has changed since {run} ({', '.join(moved)})"
        hint = "name another --experience-dir for the new run, or --use-existing-experiences alone"
        raise ConfigError(message, pointer="/experience_dir", hint=hint)
    return evolve(config, use_existing_experiences=True), {}


async def _libraries_of(run: Path, old: RunConfig, plugins: Plugins) -> dict[Owner, Library]:
    """The libraries after the last batch of a run; the store's newest where that is not known."""
    try:
        last = read_checkpoint(run)
        versions = None if last is None else last.versions
    except DataError as error:
        click.echo(f"{error.message}; going on from the newest experiences", err=True)
        versions = None
    async with ExperienceManager.from_config(old, plugins).open() as manager:
        return await manager.load(old.owners, versions=versions)
