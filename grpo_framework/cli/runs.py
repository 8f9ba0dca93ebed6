"""`grpo-cli runs`: what became of earlier runs, and going on with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from attrs import asdict

from grpo_framework.cli.describing import describe_report
from grpo_framework.cli.earlier import read_run_config
from grpo_framework.cli.exits import TOO_MANY_FAILURES
from grpo_framework.cli.groups import SuggestingGroup
from grpo_framework.cli.interrupting import run_interruptibly
from grpo_framework.cli.launching import launch
from grpo_framework.cli.options import BUDGET_FLAGS, find_plugins, json_flag
from grpo_framework.cli.output import command_line, print_json, print_table
from grpo_framework.cli.rescoring import rescore_run
from grpo_framework.cli.train import show_result
from grpo_framework.codec import to_document
from grpo_framework.config import RunConfig
from grpo_framework.errors import DataError
from grpo_framework.recomputing import recompute
from grpo_framework.reports import RunReport
from grpo_framework.standing import (
    Standing,
    find_runs,
    read_checkpoint,
    read_report,
    read_standing,
    report_until,
)
from grpo_framework.telling import count_of

RUNS = Path("runs")
"""Where a run goes that is given no directory."""

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_KEYS = {key: f"budget.{key}" for key in BUDGET_FLAGS} | {"concurrency": "concurrency"}


@click.group("runs", cls=SuggestingGroup)
def command() -> None:
    """List and show runs; go on with one that was stopped or killed."""


@command.command("list")
@click.argument("folder", metavar="[DIR]", required=False, type=_FOLDER)
@json_flag
def list_(folder: Path | None, *, as_json: bool) -> None:
    """List the runs below DIR (by default ./runs), oldest first, and where each stands."""
    if folder is None and not RUNS.is_dir():
        runs: tuple[Path, ...] = ()
    else:
        runs = find_runs(folder or RUNS)
    standings = [read_standing(path) for path in runs]
    if as_json:
        print_json([to_document(standing) for standing in standings])
    elif standings:
        heads = ("run", "started", "outcome", "epoch", "batches", "problems", "calls", "$")
        rows = [_row(standing) for standing in standings]
        print_table((*heads, "experiences"), rows, numbers=(*heads[3:], "experiences"))
    else:
        click.echo(f"no runs in {folder or RUNS}")


@command.command("show")
@click.argument("run", type=_FOLDER)
@json_flag
def show(run: Path, *, as_json: bool) -> None:
    """Show the run in the directory RUN: its configuration, standing, report and costs."""
    config = read_run_config(run)
    standing = read_standing(run)
    report = _report_of(run, standing)
    if as_json:
        print_json(
            {
                "standing": to_document(standing),
                "config": config.document,
                "report": to_document(report),
            }
        )
        return
    print_table(("", ""), [*_settings(config), *_standing(standing)])
    for line in describe_report(report):
        click.echo(line)
    if standing.outcome == "stopped":
        click.echo(f"go on with: {command_line('runs', 'resume', run)}")


@command.command("rescore")
@click.argument("run", type=_FOLDER)
@click.option("--comparator", required=True, metavar="PLUGIN/COMPONENT", help="What judges now.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Another key.")
@json_flag
@click.pass_context
def rescore(
    ctx: click.Context, /, run: Path, comparator: str, settings: tuple[str, ...], as_json: bool
) -> None:
    """Judge all answers of the run in the directory RUN again with another comparator.

    No model is called and nothing is written. Options of the comparator:
    --set comparator.options.KEY=VALUE.
    """
    config = read_run_config(run, (f"comparator={json.dumps(comparator)}", *settings))
    old = read_run_config(run).comparator.use
    rescored = run_interruptibly(rescore_run(run, config, find_plugins(ctx)))
    if as_json:
        print_json({"run": str(run), "before": old, "now": config.comparator.use, **rescored})
        return
    heads = ("owner", "answers", "before", "now", "changed", "unjudged")
    rows = [
        (
            *(row["owner"], row["answers"], f"{row['before']:.4f}"),
            *("-" if row["now"] is None else f"{row['now']:.4f}", row["changed"], row["unjudged"]),
        )
        for row in rescored["owners"]
    ]
    print_table(heads, rows, title=f"{old} before, {config.comparator.use} now", numbers=heads[1:])
    for row in rescored["changes"]:
        now = "unjudged" if row["now"] is None else f"{row['now']:g}"
        click.echo(
            f"{row['owner']} {row['problem']} epoch {row['epoch']} #{row['index']}: "
            f"{row['before']:g} > {now}: {row['reason']}"
        )


@command.command("recompute")
@click.argument("run", type=_FOLDER)
@json_flag
def recompute_(run: Path, *, as_json: bool) -> None:
    """Compute the report of the finished run in the directory RUN again from its events.

    Every number of report.json follows from events.jsonl, and every group's rewards from its single
    answers there. Says identical, or names each difference and exits with 1; writes nothing.
    """
    again = recompute(run)
    if as_json:
        report = to_document(again.report)
        rows = list(again.differences)
        print_json({"identical": again.identical, "differences": rows, "report": report})
    else:
        for line in (*describe_report(again.report), *again.differences):
            click.echo(line)
        same = "identical" if again.identical else "not identical, see the differences above"
        click.echo(f"computed again, the report of {run} is {same}")
    if not again.identical:
        raise click.exceptions.Exit(TOO_MANY_FAILURES)


def _report_of(run: Path, standing: Standing) -> RunReport:
    """The final report, or that of the batches so far."""
    if standing.outcome == "damaged":
        raise DataError(standing.trouble, hint="grpo-cli train --fork keeps the experiences")
    done = read_report(run)
    if done is not None:
        return done
    last = read_checkpoint(run)
    return RunReport() if last is None else report_until(last)


def _row(standing: Standing) -> tuple[object, ...]:
    return (
        standing.path,
        standing.started[:16].replace("T", " "),
        standing.outcome if not standing.trouble else f"damaged: {standing.trouble}",
        f"{standing.epoch}/{standing.epochs}",
        f"{standing.done}/{standing.epochs * standing.batches}",
        standing.problems,
        standing.calls,
        f"{standing.cost:.4f}" if standing.cost else "-",
        standing.experiences,
    )


def _settings(config: RunConfig) -> list[tuple[str, str]]:
    models = {config.model.use}
    models |= {use.use for use in (config.critic_model, config.advisor_model) if use is not None}
    models |= {use.model.use for use in config.generators if use.model is not None}
    course = (
        f"{count_of(config.epochs, 'epoch')}, batches of {config.batch_size}, "
        f"{count_of(config.rollouts_per_generator, 'rollout')} a group, seed {config.seed}"
    )
    budget = [f"{key} {value:g}" for key, value in asdict(config.budget).items() if value]
    return [
        ("problems", ", ".join(use.use for use in config.datasets)),
        ("models", ", ".join(sorted(models))),
        ("generators", ", ".join(use.use for use in config.generators)),
        ("critic", config.critic.use),
        ("advisor", ", ".join(use.use for use in config.advisor)),
        ("comparator", config.comparator.use),
        ("experiences", f"{config.experience_dir} ({config.store.use})"),
        ("course", course),
        ("budget", ", ".join(budget) or "none"),
    ]


def _standing(standing: Standing) -> list[tuple[str, str]]:
    total = standing.epochs * standing.batches
    return [
        ("started", standing.started),
        ("outcome", standing.outcome),
        ("done", f"{standing.done} of {total} batches, epoch {standing.epoch}/{standing.epochs}"),
        ("spent", f"{standing.calls} requests, ${standing.cost:.4f}"),
    ]


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
