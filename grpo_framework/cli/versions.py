"""`grpo-cli experiences history` and `revert`: the versions of a store, and the way back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import click

from grpo_framework.cli.exits import one_line
from grpo_framework.cli.experience_rows import document_of_one
from grpo_framework.cli.options import find_plugins, json_flag, read_config
from grpo_framework.cli.output import print_json, print_table
from grpo_framework.cli.stored import (
    choose_owners,
    load_libraries,
    owner_flag,
    store_flags,
)
from grpo_framework.cli.storing import held, name_store
from grpo_framework.config import RunConfig
from grpo_framework.errors import ConfigError, DataError
from grpo_framework.experience import Library
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins
from grpo_framework.records import Owner
from grpo_framework.telling import count_of
from grpo_framework.versions import Reversal, Revision, find_history, find_reversal
from grpo_framework.workshop import open_store

_SHOWN = 6
_ONE = re.compile(r"([a-z]+(?:_[1-9][0-9]*)?)=([0-9]+)")


@click.command("history")
@owner_flag
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Only the last so many.")
@store_flags
@json_flag
@click.pass_context
def history(
    ctx: click.Context, /, owner: str | None, last: int | None, as_json: bool, **given: Any
) -> None:
    """List the versions of a store: when each was written, what it holds, what it changed.

    Changes are + for added, - for removed and ~ for rewritten experiences. Versions without any, in
    which only uses were counted or the gate's findings noted, share a line.
    """
    config = read_config(given)
    found = asyncio.run(_history(config, find_plugins(ctx), owner))
    shown = {each: rows if last is None else rows[-last:] for each, rows in found.items()}
    if as_json:
        owners = [
            {"owner": each, "versions": [_revision(row) for row in rows]}
            for each, rows in shown.items()
        ]
        print_json({"store": config.store.use, "owners": owners})
        return
    cells = [
        _cells(each, list(rows)) for each, revisions in shown.items() for rows in _fold(revisions)
    ]
    if cells:
        heads = ("owner", "version", "written", "experiences", "changes")
        print_table(heads, cells, numbers=("version", "experiences"))
    else:
        click.echo(f"no versions in {name_store(config)}")


async def _history(
    config: RunConfig, plugins: Plugins, owner: Owner | None
) -> dict[Owner, tuple[Revision, ...]]:
    async with open_store(config, plugins) as store:
        chosen = choose_owners(await load_libraries(store, config), owner)
        return {each: await find_history(store, each) for each in chosen}


def _revision(row: Revision) -> dict[str, Any]:
    return {
        "version": row.version.number,
        "written_at": row.version.written_at,
        "experiences": len(row.library),
        "added": [each.id for each in row.change.added],
        "removed": [each.id for each in row.change.removed],
        "rewritten": [old.id for old, _ in row.change.rewritten],
    }


def _fold(revisions: Sequence[Revision]) -> Iterator[Sequence[Revision]]:
    """Each version that changed a text by itself, those without that follow each other together."""
    for changed, group in groupby(revisions, key=lambda row: bool(row.change)):
        rows = tuple(group)
        yield from ((row,) for row in rows) if changed else (rows,)


def _cells(owner: Owner, rows: Sequence[Revision]) -> tuple[str, ...]:
    first, row = rows[0].version.number, rows[-1]
    marks = [
        *(f"+{each.id}" for each in row.change.added),
        *(f"-{each.id}" for each in row.change.removed),
        *(f"~{old.id}" for old, _ in row.change.rewritten),
    ]
    more = f" and {len(marks) - _SHOWN} more" if len(marks) > _SHOWN else ""
    return (
        owner,
        str(row.version.number) if len(rows) == 1 else f"{first}-{row.version.number}",
        one_line(row.version.written_at) or "unknown",
        str(len(row.library)),
        " ".join(marks[:_SHOWN]) + more or "no text: uses counted, findings of the gate noted",
    )


@click.command("revert")
@click.argument("version", metavar="VERSION")
@owner_flag
@store_flags
@click.option("--dry-run", is_flag=True, help="Show what would come and go; write nothing.")
@json_flag
@click.pass_context
def revert(
    ctx: click.Context,
    /,
    version: str,
    owner: str | None,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Make the content of an old VERSION the newest one.

    VERSION is 12, for every owner that has come so far, or generator_1=3,critic=2; 0 is empty. A
    new version is written, so all versions stay and reverting to the last one takes it back. A
    training that was stopped cannot be resumed on it; train --fork begins a new one with its own.
    """
    config = read_config(given)
    done = asyncio.run(_revert(config, find_plugins(ctx), (version, owner), dry_run=dry_run))
    if as_json:
        print_json({"dry_run": dry_run, "owners": [_document(each) for each in done]})
        return
    for each in done:
        for line in _describe(each, dry_run=dry_run):
            click.echo(line)
    needed = [each for each in done if each.needed]
    if needed and not dry_run:
        back = ",".join(f"{each.before.owner}={each.before.version}" for each in needed)
        click.echo(f"take it back with: grpo-cli experiences revert {back}")


async def _revert(
    config: RunConfig, plugins: Plugins, wanted: tuple[str, Owner | None], *, dry_run: bool
) -> list[Reversal]:
    async with open_store(config, plugins) as store:
        newest = await load_libraries(store, config)
        if not any(library.version or len(library) for library in newest.values()):
            message = f"there is nothing to revert: no experiences in {name_store(config)}"
            hint = "name another --experience-dir"
            raise ConfigError(message, pointer="/experience_dir", hint=hint)
        versions = choose_versions(newest, *wanted)
        # All are read before one is written: a version that is not there changes nothing.
        found = [await find_reversal(store, owner, number) for owner, number in versions.items()]
        if not dry_run:
            manager = ExperienceManager(store=store, plugins=plugins)
            async with held(store):
                for each in found:
                    await manager.revert(each.before.owner, each.target)
        return found


def choose_versions(
    held: Mapping[Owner, Library], text: str, owner: Owner | None
) -> dict[Owner, int]:
    """Owner → the version to go back to.

    Args:
        held: The newest versions.
        text: ``12``, of all owners that have come so far, or ``generator_1=3,critic=2``.
        owner: The only owner that a plain number is for; None for all.

    Raises:
        click.BadParameter: It is neither, or names no owner of the store.
        DataError: No owner has come so far.
    """
    chosen = choose_owners(held, owner)
    if text.isascii() and text.isdecimal():
        number = int(text)
        versions = {each: number for each in chosen if max(1, number) <= held[each].version}
        if not versions:
            newest = ", ".join(f"{each} {held[each].version}" for each in chosen)
            message = f"no owner has come to version {number}; the newest are {newest}"
            raise DataError(message, hint="grpo-cli experiences history lists all versions")
        return versions
    matches = [_ONE.fullmatch(part.strip()) for part in text.split(",")]
    if owner is not None or not all(matches):
        message = f"'{text}' is neither a version, as 12, nor owner=version,…, as generator_1=3"
        if owner is not None and all(matches):
            message = "owner=version names the owner already: leave --owner out"
        raise click.BadParameter(message, param_hint="VERSION")
    named = {match[1]: int(match[2]) for match in matches if match}
    for each in named:
        if each not in held:
            message = f"no owner '{each}'; owners are {', '.join(held)}"
            raise click.BadParameter(message, param_hint="VERSION")
    return named


def _document(done: Reversal) -> dict[str, Any]:
    change = done.change
    return {
        "owner": done.before.owner,
        "target": done.target,
        "from_version": done.before.version,
        "to_version": done.after.version,
        "changed": done.needed,
        "comes": [document_of_one(each) for each in change.added],
        "goes": [document_of_one(each) for each in change.removed],
        "rewritten": [
            {"id": old.id, "before": document_of_one(old), "after": document_of_one(new)}
            for old, new in change.rewritten
        ],
        "experiences": len(done.after),
    }


def _describe(done: Reversal, *, dry_run: bool) -> Sequence[str]:
    owner, before, after = done.before.owner, done.before, done.after
    if not done.needed:
        return [f"{owner}: version {before.version} says what version {done.target} says"]
    would = "would become" if dry_run else "is now"
    change = done.change
    sizes = f"({len(before)} -> {count_of(len(after), 'experience')})"
    return [
        f"{owner}: version {done.target} {would} version {after.version} {sizes}",
        *(f"  + {each.id}  {one_line(each.content)}" for each in change.added),
        *(f"  - {each.id}  {one_line(each.content)}" for each in change.removed),
        *(
            f"  ~ {old.id}  {one_line(old.content)} -> {one_line(new.content)}"
            for old, new in change.rewritten
        ),
    ]
