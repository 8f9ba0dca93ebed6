"""Results on stdout: JSON documents and tables."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from grpo_framework.tabling import lay_out

_UNLIMITED = 10_000
"""Cells of a line that nothing limits."""


def to_json(document: Any, *, indent: int | None = 2, encoding: str = "utf-8") -> str:
    """A document as JSON: characters as they are where the encoding has them, else all escaped."""
    text = json.dumps(document, ensure_ascii=False, indent=indent, allow_nan=False)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(document, indent=indent, allow_nan=False)
    return text


def print_json(document: Any, *, indent: int | None = 2) -> None:
    """Print one JSON document; without indent it stands on one line."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    click.echo(to_json(document, indent=indent, encoding=encoding))


def make_console(*, stderr: bool = False) -> Console:
    """A console on the present streams, without markup: what it prints is often foreign text."""
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    title: str = "",
    numbers: Collection[str] = (),
    keys: Collection[str] = (),
    styles: Sequence[str | None] = (),
) -> None:
    """Print a table on stdout; plain and unbroken lines where stdout is no terminal.

    Args:
        columns: Their heads.
        rows: Their cells; strings are printed as they are.
        title: Above the table.
        numbers: Heads of the columns that are set to the right.
        keys: Heads of the columns that are said again where columns go on below.
        styles: A rich style for each row, such as ``red``; may be shorter than `rows`.
    """
    console = make_console()
    for table in lay_out(
        columns,
        rows,
        width=room_of(console),
        title=title,
        numbers=numbers,
        keys=keys,
        styles=styles,
    ):
        print_whole(console, table)


def room_of(console: Console) -> int:
    """Cells of a line: those of the terminal, elsewhere as many as are wanted."""
    return console.width if console.is_terminal else _UNLIMITED


def print_whole(console: Console, table: Table) -> None:
    """Print a table that was laid out; a terminal wraps by itself what is wider."""
    console.width = _UNLIMITED
    console.print(table)


def command_line(*arguments: object) -> str:
    """A line for the user's shell: `grpo-cli` by the path it was called by, where no PATH has it.

    Args:
        arguments: What follows the program's name.
    """
    called, program = sys.argv[0], "grpo-cli"
    if Path(called).stem == program and shutil.which(program) is None:
        program = called
    return shlex.join([program, *map(str, arguments)])
