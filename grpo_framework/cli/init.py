"""`grpo-cli init`: a commented configuration file that runs as it is."""

from __future__ import annotations

from pathlib import Path

import click

from grpo_framework.atomic import write_atomically
from grpo_framework.cli.config_file import DEMO_PROBLEMS, render
from grpo_framework.config import load_config
from grpo_framework.errors import DataError
from grpo_framework.validation import schema


@click.command("init")
@click.argument(
    "file", required=False, default="grpo.toml", type=click.Path(dir_okay=False, path_type=Path)
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(file: Path, force: bool) -> None:
    """Write a commented configuration file that runs as it is.

    FILE is grpo.toml where it is left out; it holds every key with its default, and
    max_problems as it is for a run that is told nothing.
    """
    if file.exists() and not force:
        raise DataError("is there already", path=file, hint="--force writes over it")
    defaults = {**load_config().document, "max_problems": DEMO_PROBLEMS}
    write_atomically(file, render(schema("config"), defaults))
    click.echo(
        f"wrote {file}; grpo-cli train {file} runs it on {DEMO_PROBLEMS} problems (max_problems)"
    )
