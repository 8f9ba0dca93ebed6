"""`grpo-cli train`: learn experiences from problems with known answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from grpo_framework.cli.config_file import DEMO_PROBLEMS
from grpo_framework.cli.describing import describe_report
from grpo_framework.cli.earlier import fork, read_forked_config, read_run_config
from grpo_framework.cli.exits import TOO_MANY_FAILURES
from grpo_framework.cli.forecasting import show_forecast
from grpo_framework.cli.interrupting import run_interruptibly
from grpo_framework.cli.launching import Launched, is_begun, launch, refuse_existing
from grpo_framework.cli.options import (
    BUDGET_FLAGS,
    ENGINE_FLAGS,
    LEARNING_FLAGS,
    PROBLEM_FLAGS,
    STORE_FLAGS,
    config_flags,
    find_plugins,
    json_flag,
    read_config,
)
from grpo_framework.cli.output import print_json
from grpo_framework.cli.replicating import check_alike, show_replicates, train_replicates
from grpo_framework.codec import to_document
from grpo_framework.config import RunConfig
from grpo_framework.console import describe_adaptive
from grpo_framework.errors import ConfigError, RunFailed
from grpo_framework.experience import Library
from grpo_framework.plugins import Plugins
from grpo_framework.records import Owner
from grpo_framework.rehearsal import rehearse
from grpo_framework.replay import replay
from grpo_framework.reports import RunReport
from grpo_framework.rundir import REPORT
from grpo_framework.telling import count_of

_RUN = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("train")
@config_flags(*PROBLEM_FLAGS, *ENGINE_FLAGS, *STORE_FLAGS, *LEARNING_FLAGS, *BUDGET_FLAGS)
@click.option("--fork", "forked", type=_RUN, help="A new run from that run's experiences.")
@click.option("--replay", "replayed", type=_RUN, help="That run again from its journal, no model.")
@click.option(
    "--replicates",
    type=click.IntRange(min=1),
    metavar="R",
    help="Train R times, with seeds that follow each other, and compare the runs.",
)
@click.option("--dry-run", is_flag=True, help="Print calls, tokens and price; spend nothing.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
@json_flag
@click.pass_context
def command(
    ctx: click.Context,
    /,
    forked: Path | None,
    replayed: Path | None,
    replicates: int | None,
    dry_run: bool,
    quiet: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Learn experiences from problems with known answers.

    Without CONFIG and flags: a few of the built-in demo problems on the small local model.
    Experiences go to ./experiences, the record of the run to a new folder below ./runs. A --run-dir
    that holds a run that was stopped or killed is gone on with; what it paid for is not paid for
    again.
    """
    plugins = find_plugins(ctx)
    if replayed is not None:
        if replicates is not None:
            raise click.UsageError("--replay is of one run: it does not go with --replicates")
        show_replay(replayed, plugins, as_json=as_json)
        return
    seeds: Mapping[Owner, Library] = {}
    if forked is None:
        if not any(given[key] for key in ("config_file", "datasets", "max_problems")):
            given["max_problems"] = DEMO_PROBLEMS
        config = read_config(given)
    else:
        config = read_forked_config(forked, given)
    if replicates is not None:
        check_alike(config)
    if dry_run:
        forecasts = run_interruptibly(rehearse(config, plugins))
        show_forecast([each.repeated(replicates or 1) for each in forecasts], as_json=as_json)
        if forked is None and replicates is None and not is_begun(config):
            _foretell_refusal(config, plugins)
        return
    if replicates is not None:
        result = train_replicates(config, replicates, plugins, forked=forked, verbose=not quiet)
        show_replicates(result, config, as_json=as_json)
        return
    if forked is not None:
        config, seeds = run_interruptibly(fork(forked, config, plugins))
    launched = launch(config, plugins, verbose=not quiet, seeds=seeds)
    show_result(launched, as_json=as_json)


def _foretell_refusal(config: RunConfig, plugins: Plugins) -> None:
    """Say that the run itself would be refused for the experiences that are there."""
    try:
        run_interruptibly(refuse_existing(config, plugins, {}))
    except ConfigError as error:
        click.echo(f"the run would be refused: {error.message} ({error.hint})", err=True)


def show_replay(run: Path, plugins: Plugins, *, as_json: bool) -> None:
    """Replay a run, and say whether it came out the same.

    Raises:
        click.exceptions.Exit: It did not: exit code 1.
    """
    again = run_interruptibly(replay(run, read_run_config(run), plugins))
    if as_json:
        document = to_document(again.report)
        differences = list(again.differences)
        print_json({"identical": again.identical, "differences": differences, "report": document})
    else:
        for line in (*describe_report(again.report), *again.differences):
            click.echo(line)
        same = "identical" if again.identical else "not identical, see the differences above"
        click.echo(f"the replay of {run} is {same}")
    if not again.identical:
        raise click.exceptions.Exit(TOO_MANY_FAILURES)


def show_result(run: Launched, *, as_json: bool) -> None:
    """Print a run's report, and end with an error where it failed.

    Raises:
        RunFailed: More units failed than the configuration allows.
    """
    report, path, config = run.report, run.path, run.config
    if as_json:
        print_json(to_document(report))
    else:
        _show(report, path, config)
    if report.outcome == "failed":
        raise RunFailed(
            f"{report.failures} of {report.units} units failed, "
            f"more than the {config.max_failures:.0%} that max_failures allows",
            failures=report.failures,
            units=report.units,
            hint=f"the causes are in {path / REPORT} and above",
        )


def _show(report: RunReport, path: Path, config: RunConfig) -> None:
    for line in (*describe_report(report), *_closing(report, path, config)):
        click.echo(line)


def _closing(report: RunReport, path: Path, config: RunConfig) -> list[str]:
    learned = sum(owner.library_after for owner in report.epochs[-1].owners)
    mixed = sum(owner.groups.mixed for epoch in report.epochs for owner in epoch.owners)
    lines = [
        (
            f"{count_of(learned, 'experience')} in {config.experience_dir}, "
            f"learned from {count_of(mixed, 'mixed group')}"
        ),
        f"report: {path / REPORT}",
    ]
    if config.patience and report.outcome == "finished" and len(report.epochs) < config.epochs:
        lines.insert(
            0,
            f"ended after epoch {len(report.epochs)} of {config.epochs}: "
            f"{count_of(config.patience, 'epoch')} in a row brought nothing (patience)",
        )
    if config.adaptive_groups and not report.adaptive_groups:
        lines.append(describe_adaptive(report.rollouts_per_generator))
    if not mixed:
        lines.insert(0, "no group had different rewards, so there was nothing to learn from")
    if report.simulation:
        lines.append("simulated: a component knew the answers, so these rewards prove nothing")
    return lines
