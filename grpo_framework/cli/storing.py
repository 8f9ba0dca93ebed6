"""What a run asks of its experience store before anything is paid for."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

from attrs import evolve

from grpo_framework.config import RunConfig
from grpo_framework.errors import ConfigError
from grpo_framework.experience import Library
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins
from grpo_framework.protocols import ExperienceStore, ProbedStore
from grpo_framework.records import Owner
from grpo_framework.standing import read_checkpoint


def store_folder(config: RunConfig) -> Path:
    """Where the store writes: the option ``path`` where it has one, else the experience folder."""
    path = config.store.options.get("path")
    return Path(path if isinstance(path, str) else config.experience_dir)


def name_store(config: RunConfig) -> str:
    """The configured store in words, and that its directory is not there."""
    missing = "" if store_folder(config).exists() else ", which does not exist"
    return f"{config.experience_dir} ({config.store.use}){missing}"


async def see_writable(store: ExperienceStore | None) -> None:
    """See that a training could write to a store, and that no other one is at it.

    Raises:
        StoreError: It cannot be written, or another training works on it.
    """
    if isinstance(store, ProbedStore):
        await store.probe()


def held(store: ExperienceStore | None) -> AbstractAsyncContextManager[None]:
    """Keep other trainings away from a store: each would pay for a batch before one is refused."""
    return store.hold() if isinstance(store, ProbedStore) else nullcontext()


async def see_same(
    run: Path, was: str, config: RunConfig, plugins: Plugins, there: dict[Owner, Library]
) -> None:
    """See that a run can go on in another folder: its experiences are there as it left them.

    Args:
        run: Its directory.
        was: The folder of the experiences so far.
        config: Of the run, with the new folder.
        plugins: Of this process.
        there: The newest libraries of the new folder.

    Raises:
        ConfigError: Other experiences are there, or none where the run has some.
    """
    last = read_checkpoint(run)
    versions = {} if last is None else last.versions
    if not any(versions.values()):
        same = not any(library.version for library in there.values())
    else:
        same = await _stands_there(evolve(config, experience_dir=was), plugins, versions, there)
    if not same:
        message = f"{config.experience_dir} does not hold the experiences that {run} stands at"
        hint = (
            f"copy the whole folder {was} there, .history with it"
            if any(versions.values())
            else "name an empty folder: the run began without experiences"
        )
        raise ConfigError(message, pointer="/experience_dir", hint=hint)


async def _stands_there(
    old: RunConfig,
    plugins: Plugins,
    versions: dict[Owner, int],
    there: dict[Owner, Library],
) -> bool:
    """Whether libraries are the old store's: its newest, or those of the run's last batch."""
    async with ExperienceManager.from_config(old, plugins).open() as manager:
        newest = await manager.load(old.owners)
        reached = await manager.load(old.owners, versions=versions)
    return there in (newest, reached)
