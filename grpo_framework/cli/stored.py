"""What the commands below `grpo-cli experiences` share: the store's flags and what it holds."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click

from grpo_framework.cli.options import STORE_FLAGS, config_flags
from grpo_framework.config import RunConfig
from grpo_framework.errors import DataError
from grpo_framework.experience import SHARED, Experience, Library, generator_owner
from grpo_framework.plugins import Plugins
from grpo_framework.protocols import ExperienceStore
from grpo_framework.records import Owner
from grpo_framework.workshop import open_store

F = TypeVar("F", bound=Callable[..., Any])


def store_flags(function: F) -> F:
    """Give a command the flags that name a store."""
    return config_flags(*STORE_FLAGS, argument=False)(function)


def owner_flag(function: F) -> F:
    """Give a command ``--owner``."""
    text = "Only of this owner: generator_1, critic, shared …"
    return click.option("--owner", help=text)(function)


async def load_libraries(store: ExperienceStore, config: RunConfig) -> dict[Owner, Library]:
    """All that a store holds: of the configured owners, and of further generators, if any."""
    found = {owner: await store.load(owner) for owner in (*config.owners, SHARED)}
    number = len(config.generators) + 1
    while (library := await store.load(generator_owner(number))).version or len(library):
        found[library.owner] = library
        number += 1
    return found


def read_store(config: RunConfig, plugins: Plugins) -> dict[Owner, Library]:
    """All that the configured store holds."""

    async def read() -> dict[Owner, Library]:
        async with open_store(config, plugins) as store:
            return await load_libraries(store, config)

    return asyncio.run(read())


def choose_owners(owners: Iterable[Owner], owner: Owner | None) -> list[Owner]:
    """The owner that ``--owner`` names, or all.

    Raises:
        click.BadParameter: There is no such owner.
    """
    known = list(owners)
    if owner is not None and owner not in known:
        message = f"no owner '{owner}'; owners are {', '.join(known)}"
        raise click.BadParameter(message, param_hint="--owner")
    return [each for each in known if owner in (None, each)]


def pick_experiences(
    libraries: Mapping[Owner, Library], ids: Sequence[str]
) -> list[tuple[Owner, Experience]]:
    """The experiences of these ids with their owners, in the order given; without ids, all.

    Raises:
        DataError: One of them is not there; with the nearest ids.
    """
    held = {
        each.id: (library.owner, each)
        for library in libraries.values()
        for each in library.experiences
    }
    for id_ in ids:
        if id_ not in held:
            near = difflib.get_close_matches(id_, held, n=5) or list(held)[:5]
            message = f"no experience '{id_}'; near: {', '.join(near) or 'there are none'}"
            raise DataError(message, hint="grpo-cli experiences list shows all")
    return [held[id_] for id_ in (dict.fromkeys(ids) if ids else held)]
