"""Results on stdout: JSON documents and tables."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table


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
    numbers: Sequence[str] = (),
    styles: Sequence[str | None] = (),
) -> None:
    """Print a table on stdout; plain and unfolded lines where stdout is no terminal.

    Args:
        columns: Their heads.
        rows: Their cells; strings are printed as they are.
        title: Above the table.
        numbers: Heads of the columns that are set to the right.
        styles: A rich style for each row, such as ``red``; may be shorter than `rows`.
    """
    console = make_console()
    table = Table(title=title or None, box=None, pad_edge=False, title_justify="left")
    if not console.is_terminal:
        console.width = 10_000
    for head in columns:
        table.add_column(head, justify="right" if head in numbers else "left", overflow="fold")
    for place, row in enumerate(rows):
        style = styles[place] if place < len(styles) else None
        table.add_row(*(str(cell) for cell in row), style=style)
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
