"""`grpo-cli runs`: what became of earlier runs, and going on with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from grpo_framework.cli.groups import SuggestingGroup
from grpo_framework.cli.launching import launch
from grpo_framework.cli.options import BUDGET_FLAGS, find_plugins, json_flag
from grpo_framework.cli.train import show_result
from grpo_framework.config import RunConfig, config_from_document, set_keys
from grpo_framework.errors import ConfigError
from grpo_framework.rundir import CONFIG

_KEYS = {key: f"budget.{key}" for key in BUDGET_FLAGS} | {"concurrency": "concurrency"}


@click.group("runs", cls=SuggestingGroup)
def command() -> None:
    """List and show runs; go on with one that was stopped or killed."""


@command.command("resume")
@click.argument("run", type=click.Path(file_okay=False, path_type=Path))
@click.option("--max-cost", type=float, metavar="USD", help="A new limit of the whole run.")
@click.option("--max-tokens", type=int, help="A new limit of the whole run.")
@click.option("--max-calls", type=int, help="A new limit of the whole run.")
@click.option("--max-time", type=float, metavar="SECONDS", help="A new limit of the whole run.")
@click.option("--concurrency", type=click.IntRange(min=1), help="Most calls under way at once.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Another key.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
@json_flag
@click.pass_context
def resume(
    ctx: click.Context,
    /,
    run: Path,
    settings: tuple[str, ...],
    quiet: bool,
    as_json: bool,
    **limits: Any,
) -> None:
    """Go on with the run in the directory RUN; what it paid for is not paid for again.

    Limits, concurrency and time-outs may be changed; whatever decides the results may not.
    """
    given = [f"{_KEYS[key]}={json.dumps(value)}" for key, value in limits.items() if value]
    config = read_run_config(run, (*given, *settings))
    launched = launch(config, find_plugins(ctx), verbose=not quiet)
    show_result(launched, as_json=as_json)


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
        raise ConfigError(message, path=file, hint="grpo-cli runs list shows the runs") from error
    except (OSError, ValueError) as error:
        message = f"{file} cannot be read: {error}"
        raise ConfigError(message, path=file) from error
    changed = set_keys({**document, "run_dir": str(run)}, settings)
    return config_from_document(changed, path=file)
