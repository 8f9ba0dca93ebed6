"""`grpo-cli experiences`: what was learned, in whichever store it is."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

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
from grpo_framework.cli.options import find_plugins, json_flag, read_config
from grpo_framework.cli.output import print_json, print_table, to_json
from grpo_framework.cli.stored import (
    choose_owners,
    load_libraries,
    owner_flag,
    pick_experiences,
    read_store,
    store_flags,
)
from grpo_framework.cli.storing import held, name_store
from grpo_framework.cli.versions import history, revert
from grpo_framework.codec import experience_to_document
from grpo_framework.config import RunConfig
from grpo_framework.errors import ConfigError, DataError
from grpo_framework.exchange import export_document
from grpo_framework.experience import Library
from grpo_framework.plugins import Plugins
from grpo_framework.records import Owner
from grpo_framework.telling import count_of
from grpo_framework.workshop import open_store

_ENGINE_COMMAND = "ablate"


class _Experiences(SuggestingGroup):
    """Imports `ablate`, which runs an engine, only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, sorted."""
        return sorted([*super().list_commands(ctx), _ENGINE_COMMAND])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command, imported if need be."""
        if cmd_name != _ENGINE_COMMAND:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(f"grpo_framework.cli.{cmd_name}")
        return cast("click.Command", module.command)


@click.group("experiences", cls=_Experiences)
def command() -> None:
    """List, show, measure, validate, export, import and revert experiences."""


command.add_command(history)
command.add_command(revert)


@command.command("list")
@store_flags
@owner_flag
@json_flag
@click.pass_context
def list_experiences(ctx: click.Context, /, owner: str | None, as_json: bool, **given: Any) -> None:
    """List the experiences of a store."""
    config = read_config(given)
    libraries = read_store(config, find_plugins(ctx))
    chosen = [libraries[each] for each in choose_owners(libraries, owner)]
    if as_json:
        print_json({"store": config.store.use, "owners": [document_of(each) for each in chosen]})
        return
    rows = [row_of(library.owner, each) for library in chosen for each in library.experiences]
    if rows:
        heads = ("id", "owner", "category", "used", "successes", "effect", "status", "content")
        print_table(heads, rows, numbers=("used", "successes", "effect"))
    else:
        click.echo(f"no experiences in {name_store(config)}")


@command.command("show")
@click.argument("ids", nargs=-1, metavar="[ID…]")
@store_flags
@json_flag
@click.pass_context
def show(ctx: click.Context, /, ids: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Show experiences in full, by id, or all: text, use, and measured effect on the reward.

    The effect is that of having it in the prompt rather than not, measured in training by leaving
    it out at random; its 95 % interval holds however often one looks. An experience is proven where
    the interval is above 0, harmful where it is below, and unknown otherwise.
    """
    config = read_config(given)
    libraries = read_store(config, find_plugins(ctx))
    chosen = pick_experiences(libraries, ids)
    if as_json:
        rows = [{"owner": owner, **document_of_one(each)} for owner, each in chosen]
        print_json({"experiences": rows})
        return
    if not chosen:
        click.echo(f"no experiences in {name_store(config)}")
    for place, (owner, each) in enumerate(chosen):
        if place:
            click.echo()
        for line in describe_in_full(owner, each):
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
    head = [f"ok     {file.path}: {count_of(count, 'experience')}"] if file.valid else []
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
@store_flags
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
    libraries = read_store(config, find_plugins(ctx))
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
@store_flags
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
            f"{each.removed} removed; {count_of(len(each.library), 'experience')}"
        )


async def _import(
    config: RunConfig, plugins: Plugins, incoming: tuple[Library, ...], way: str | None
) -> list[Imported]:
    async with open_store(config, plugins) as store, held(store):
        present = await load_libraries(store, config)
        for library in incoming:
            present.setdefault(library.owner, await store.load(library.owner))
        count = sum(map(len, present.values()))
        if count and way is None:
            message = f"{config.experience_dir} already holds {count} experiences"
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
