"""`grpo-cli doctor`: is everything there that a run needs?"""

from __future__ import annotations

import os
import sys
from typing import Any

import click
from attrs import asdict

from grpo_framework.cli.checkup import Outcome, examine, list_checks
from grpo_framework.cli.exits import OK, TROUBLE
from grpo_framework.cli.options import (
    ENGINE_FLAGS,
    PROBLEM_FLAGS,
    STORE_FLAGS,
    config_flags,
    find_plugins,
    json_flag,
    read_config,
)
from grpo_framework.cli.output import print_json


@click.command("doctor")
@config_flags(*PROBLEM_FLAGS, *ENGINE_FLAGS, "advisor", "advisor_model", *STORE_FLAGS, "run_dir")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds that one check may take.",
)
@json_flag
@click.pass_context
def command(ctx: click.Context, /, timeout: float, as_json: bool, **given: Any) -> int:
    """Check the installation, the model, the store and the data.

    Makes one small call to each chat model. Writes nothing but a temporary file. Exits with 3 where
    something is to be mended.
    """
    config, plugins = read_config(given), find_plugins(ctx)
    outcomes = []
    for check in list_checks(config, plugins, timeout):
        outcome = examine(check, timeout)
        outcomes.append(outcome)
        click.echo(_line(outcome), err=as_json)
    well = all(outcome.ok for outcome in outcomes)
    if as_json:
        print_json({"ok": well, "checks": [_document(outcome) for outcome in outcomes]})
    code = OK if well else TROUBLE
    if any(outcome.abandoned for outcome in outcomes):
        _leave(code)
    return code


def _line(outcome: Outcome) -> str:
    if outcome.ok:
        return f"ok    {outcome.name}: {outcome.detail}"
    return f"MEND  {outcome.name}: {outcome.detail} ({outcome.mend})"


def _document(outcome: Outcome) -> dict[str, Any]:
    return asdict(outcome, filter=lambda attribute, _: attribute.name != "abandoned")


def _leave(code: int) -> None:
    """End the process now: the interpreter would wait for the thread that does not come back."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
