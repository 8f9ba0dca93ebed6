"""`grpo-cli experiences`: what was learned, in whichever store it is."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from grpo_framework.atomic import write_atomically
from grpo_framework.cli.exits import one_line
from grpo_framework.cli.experience_files import SUFFIX, Checked, check_path, read_path
from grpo_framework.cli.experience_rows import (
    describe_in_full,
    document_of,
    document_of_one,
    row_of,
)
from grpo_framework.cli.groups import SuggestingGroup
from grpo_framework.cli.importing import Imported, merge, replace
from grpo_framework.cli.options import (
    STORE_FLAGS,
    config_flags,
    find_plugins,
    json_flag,
    read_config,
)
from grpo_framework.cli.output import print_json, print_table, to_json
from grpo_framework.codec import experience_to_document
from grpo_framework.config import RunConfig
from grpo_framework.errors import ConfigError, DataError
from grpo_framework.exchange import export_document
from grpo_framework.experience import (
    SHARED,
    Library,
    generator_owner,
)
from grpo_framework.plugins import Plugins
from grpo_framework.protocols import ExperienceStore
from grpo_framework.records import Owner
from grpo_framework.workshop import open_store

F = TypeVar("F", bound=Callable[..., Any])


@click.group("experiences", cls=SuggestingGroup)
def command() -> None:
    """List, show, validate, export and import experiences."""


def _store_flags(function: F) -> F:
    return config_flags(*STORE_FLAGS, argument=False)(function)


async def load_libraries(store: ExperienceStore, config: RunConfig) -> dict[Owner, Library]:
    """All that a store holds: of the configured owners, and of further generators, if any."""
    found = {owner: await store.load(owner) for owner in (*config.owners, SHARED)}
    number = len(config.generators) + 1
    while len(library := await store.load(generator_owner(number))):
        found[library.owner] = library
        number += 1
    return found


def _read_store(config: RunConfig, plugins: Plugins) -> dict[Owner, Library]:
    async def read() -> dict[Owner, Library]:
        async with open_store(config, plugins) as store:
            return await load_libraries(store, config)

    return asyncio.run(read())


@command.command("list")
@_store_flags
@click.option("--owner", help="Only of this owner: generator_1, critic, shared …")
@json_flag
@click.pass_context
def list_experiences(ctx: click.Context, /, owner: str | None, as_json: bool, **given: Any) -> None:
    """List the experiences of a store."""
    config = read_config(given)
    libraries = _read_store(config, find_plugins(ctx))
    if owner is not None and owner not in libraries:
        message = f"no owner '{owner}'; owners are {', '.join(libraries)}"
        raise click.BadParameter(message, param_hint="--owner")
    chosen = [library for library in libraries.values() if owner in (None, library.owner)]
    if as_json:
        print_json({"store": config.store.use, "owners": [document_of(each) for each in chosen]})
        return
    rows = [row_of(library.owner, each) for library in chosen for each in library.experiences]
    if rows:
        heads = ("id", "owner", "category", "used", "successes", "effect", "status", "content")
        print_table(heads, rows, numbers=("used", "successes", "effect"))
    else:
        click.echo(f"no experiences in {config.experience_dir} ({config.store.use})")


@command.command("show")
@click.argument("ids", nargs=-1, metavar="[ID…]")
@_store_flags
@json_flag
@click.pass_context
def show(ctx: click.Context, /, ids: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Show experiences in full, by id, or all: text, use, and measured effect on the reward.

    The effect is that of having it in the prompt rather than not, measured in training by leaving
    it out at random; its 95 % interval holds however often one looks. An experience is proven where
    the interval is above 0, harmful where it is below, and unknown otherwise.
    """
    libraries = _read_store(read_config(given), find_plugins(ctx))
    held = {
        each.id: (library, each) for library in libraries.values() for each in library.experiences
    }
    for id_ in ids:
        if id_ not in held:
            near = difflib.get_close_matches(id_, held, n=5) or list(held)[:5]
            message = f"no experience '{id_}'; near: {', '.join(near) or 'there are none'}"
            raise DataError(message, hint="grpo-cli experiences list shows all")
    chosen = [held[id_] for id_ in ids or held]
    if as_json:
        rows = [{"owner": library.owner, **document_of_one(each)} for library, each in chosen]
        print_json({"experiences": rows})
        return
    if not chosen:
        click.echo("no experiences")
    for place, (library, each) in enumerate(chosen):
        if place:
            click.echo()
        for line in describe_in_full(library.owner, each):
            click.echo(line)


@command.command("validate")
@click.argument("path", required=False, default="experiences", type=click.Path(path_type=Path))
@json_flag
def validate_files(path: Path, as_json: bool) -> None:
    """Check a directory of experiences, an owner's file, or an export.

    PATH is ./experiences where it is left out. Checked are the schema, that every id belongs to its
    owner, and that none stands twice.
    """
    files = check_path(path)
    wrong = sum(not file.valid for file in files)
    if as_json:
        print_json({"valid": not wrong, "files": [_verdict(file) for file in files]})
    else:
        for file in files:
            for line in _lines(file):
                click.echo(line)
    if wrong:
        message = f"{wrong} of {len(files)} files not valid"
        raise DataError(message, path=path, hint="each finding names its place")


def _lines(file: Checked) -> list[str]:
    count = sum(len(library) for library in file.libraries)
    head = [f"ok     {file.path}: {count} experiences"] if file.valid else []
    marks = {True: "wrong  ", False: "note   "}
    return head + [
        marks[finding.wrong] + one_line(f"{file.path}{_at(finding.where)}: {finding.what}")
        for finding in file.findings
    ]


def _at(where: str) -> str:
    return f" at {where}" if where else ""


def _verdict(file: Checked) -> dict[str, Any]:
    return {
        "path": str(file.path),
        "valid": file.valid,
        "experiences": {library.owner: len(library) for library in file.libraries},
        "findings": [
            {"where": finding.where, "what": finding.what, "wrong": finding.wrong}
            for finding in file.findings
        ],
    }


@command.command("export")
@click.argument("target", required=False, default="-", type=click.Path(path_type=Path))
@_store_flags
@click.option(
    "--format",
    "form",
    type=click.Choice(["object", "directory"]),
    default="object",
    help="One object for deployment, or a directory with a file for each owner.",
)
@click.option("--force", is_flag=True, help="Write over what is there.")
@click.pass_context
def export(ctx: click.Context, /, target: Path, form: str, force: bool, **given: Any) -> None:
    """Export a store to TARGET, or as one object to stdout."""
    config = read_config(given)
    libraries = _read_store(config, find_plugins(ctx))
    if not any(map(len, libraries.values())):
        message = f"{config.store.use} holds no experiences in {config.experience_dir}"
        raise ConfigError(message, pointer="/experience_dir", hint="name another --experience-dir")
    if form == "directory":
        if str(target) == "-":
            raise click.UsageError("--format directory needs a TARGET")
        _write(_directory(target, libraries), force=force)
        return
    now = datetime.now(UTC).isoformat(timespec="seconds")
    document = export_document(libraries.values(), export_time=now)
    if str(target) == "-":
        print_json(document)
    else:
        _write({target: document}, force=force)


def _directory(target: Path, libraries: Mapping[Owner, Library]) -> dict[Path, Any]:
    return {
        target / f"{owner}{SUFFIX}": [experience_to_document(each) for each in library.experiences]
        for owner, library in libraries.items()
    }


def _write(documents: Mapping[Path, Any], *, force: bool) -> None:
    """Write files, all or, where one of them is there already, none."""
    there = [path for path in documents if path.exists()]
    if there and not force:
        raise DataError("is there already", path=there[0], hint="--force writes over it")
    for path, document in documents.items():
        write_atomically(path, to_json(document) + "\n")
        click.echo(f"wrote {path}", err=True)


@command.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@_store_flags
@click.option("--merge", "way", flag_value="merge", help="Add to what the store holds.")
@click.option("--replace", "way", flag_value="replace", help="Take the place of what it holds.")
@json_flag
@click.pass_context
def import_experiences(
    ctx: click.Context, /, source: Path, way: str | None, as_json: bool, **given: Any
) -> None:
    """Import a directory of experiences, an owner's file, or an export; ids are kept.

    Where the store holds experiences, say --merge (an id that both hold must say the same) or
    --replace (of the owners that SOURCE holds).
    """
    config = read_config(given)
    incoming = read_path(source)
    done = asyncio.run(_import(config, find_plugins(ctx), incoming, way))
    if as_json:
        print_json({"owners": [each.document for each in done]})
        return
    for each in done:
        click.echo(
            f"{each.library.owner}: {each.added} added, {each.known} known, "
            f"{each.removed} removed; {len(each.library)} experiences"
        )


async def _import(
    config: RunConfig, plugins: Plugins, incoming: tuple[Library, ...], way: str | None
) -> list[Imported]:
    async with open_store(config, plugins) as store:
        present = await load_libraries(store, config)
        for library in incoming:
            present.setdefault(library.owner, await store.load(library.owner))
        held = sum(map(len, present.values()))
        if held and way is None:
            message = f"{config.experience_dir} already holds {held} experiences"
            hint = "say --merge or --replace, or name another --experience-dir"
            raise ConfigError(message, pointer="/experience_dir", hint=hint)
        change = replace if way == "replace" else merge
        planned = [
            change(present[library.owner], library, capacity=config.limits.capacity)
            for library in incoming
        ]
        for each in planned:
            if each.changed:
                expected = present[each.library.owner].version
                await store.commit(each.library, expected_version=expected)
    return planned
