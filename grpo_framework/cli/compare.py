"""`grpo-cli compare`: judge answers against reference answers."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from grpo_framework.cli.exits import one_line
from grpo_framework.cli.judging import (
    Row,
    choose_processes,
    find_comparator,
    judge_here,
    judge_in_processes,
)
from grpo_framework.cli.options import config_flags, find_plugins, json_flag, read_config
from grpo_framework.cli.output import print_json
from grpo_framework.cli.pairs import Pair, read_pairs
from grpo_framework.workshop import Workshop


@click.command("compare")
@click.option("--gold", metavar="TEXT", help="The reference answer.")
@click.option("--pred", metavar="TEXT", help="The answer to judge.")
@click.option("--response", metavar="TEXT", help="A whole response, in which the answer is found.")
@click.option(
    "--pairs",
    metavar="FILE",
    help="JSON Lines with 'gold' and 'pred' or 'response'; - is stdin. One JSON object a row out.",
)
@click.option("--swap", is_flag=True, help="Compare the other way round.")
@click.option("--explain", is_flag=True, help="Add how the comparator came to its verdict.")
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    metavar="N",
    help="Worker processes for --pairs; by default as many as the rows are worth.",
)
@config_flags("comparator", "model", "model_path", "concurrency", argument=False)
@json_flag
@click.pass_context
def command(
    ctx: click.Context,
    /,
    gold: str | None,
    pred: str | None,
    response: str | None,
    pairs: str | None,
    swap: bool,
    explain: bool,
    processes: int | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Judge answers against reference answers.

    One answer by --gold and --pred (or --response), or many by --pairs. The reward is 1 for equal
    and 0 for different. Where the comparator cannot tell, the verdict is unknown and the reward
    null; it is 0 where there is no answer to judge.
    """
    config, plugins = read_config(given), find_plugins(ctx)
    if pairs is not None:
        if not (gold is None and pred is None and response is None):
            raise click.UsageError("--pairs goes without --gold, --pred and --response")
        rows = read_pairs(pairs)
    else:
        rows = (_single(gold, pred, response),)
    if swap:
        rows = tuple(pair.swap() for pair in rows)
    find_comparator(Workshop(config, plugins))  # a wrong name before any worker starts

    def show(row: Row) -> None:
        shown = row if explain else {key: row[key] for key in row if key != "details"}
        if as_json or pairs is not None:
            print_json(shown, indent=None if pairs is not None else 2)
        else:
            _show(shown)

    workers = choose_processes(len(rows)) if processes is None else min(processes, len(rows))
    if workers > 1:
        judge_in_processes(config, rows, workers, show)
    else:
        asyncio.run(judge_here(config, plugins, rows, show))


def _single(gold: str | None, pred: str | None, response: str | None) -> Pair:
    if gold is None or (pred is None) == (response is None):
        raise click.UsageError("give --gold with --pred or --response, or --pairs FILE")
    return Pair(gold, response if pred is None else pred, whole=pred is None)


def _show(row: Row) -> None:
    reward = "none" if row["reward"] is None else f"{row['reward']:g}"
    click.echo(one_line(f"{row['verdict']} (reward {reward}): {row['reason']}"))
    if "details" in row:
        click.echo("  " + one_line(f"extracted: {row['extracted']}"))
        for key, value in row["details"].items():
            click.echo("  " + one_line(f"{key}: {value}"))
        click.echo(f"  seconds: {row['seconds']}")
