"""`grpo-cli train`: learn experiences from problems with known answers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from grpo_framework.cli.options import (
    ENGINE_FLAGS,
    PROBLEM_FLAGS,
    STORE_FLAGS,
    config_flags,
    find_plugins,
    json_flag,
    read_config,
)
from grpo_framework.cli.output import make_console, print_json
from grpo_framework.codec import to_document
from grpo_framework.config import RunConfig
from grpo_framework.console import report_tables
from grpo_framework.errors import ConfigError, RunFailed
from grpo_framework.experience import Library
from grpo_framework.manager import ExperienceManager
from grpo_framework.opening import ConfiguredEngine
from grpo_framework.plugins import Plugins
from grpo_framework.reports import RunReport
from grpo_framework.rundir import CONFIG, JOURNAL, REPORT, open_record, write_experiences
from grpo_framework.trainer import TrainingFreeGRPOTrainer
from grpo_framework.workshop import Workshop


@click.command("train")
@config_flags(
    *PROBLEM_FLAGS,
    *ENGINE_FLAGS,
    "advisor",
    "advisor_model",
    *STORE_FLAGS,
    "use_existing_experiences",
    "epochs",
    "rollouts_per_generator",
    "batch_size",
    "gen_exec",
    "rollout_exec",
    "run_dir",
)
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
@json_flag
@click.pass_context
def command(ctx: click.Context, /, quiet: bool, as_json: bool, **given: Any) -> None:
    """Learn experiences from problems with known answers.

    Without CONFIG and flags: the built-in demo problems on the small local model. Experiences go to
    ./experiences, the record of the run to a new folder below ./runs.
    """
    config = read_config(given)
    report, path = asyncio.run(_train(config, find_plugins(ctx), verbose=not quiet))
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


async def _train(config: RunConfig, plugins: Plugins, *, verbose: bool) -> tuple[RunReport, Path]:
    """Check everything that costs nothing first: nothing is written before the models answer."""
    path = _choose_run_dir(config)
    problems = await Workshop(config, plugins).problems()
    async with ExperienceManager.from_config(config, plugins).open() as manager:
        _refuse_existing(config, await manager.load(config.owners))
        trainer = TrainingFreeGRPOTrainer(
            causal_engine=ConfiguredEngine(config, plugins),
            experience_manager=manager,
            rollouts_per_generator=config.rollouts_per_generator,
            num_epochs=config.epochs,
            verbose=verbose,
            batch_size=config.batch_size,
            seed=config.seed,
            gen_exec=config.gen_exec,
            rollout_exec=config.rollout_exec,
            run_id=path.name,
            max_failures=config.max_failures,
            record=lambda: open_record(path, {CONFIG: config.document}),
        )
        report = await trainer.train_async(problems)
        write_experiences(path, (await manager.load(config.owners)).values())
    return report, path


def _choose_run_dir(config: RunConfig) -> Path:
    """The directory of a new run: the configured one, or a new name below ``runs/``.

    Raises:
        ConfigError: It already holds a run.
    """
    if config.run_dir is None:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
        return Path("runs") / f"{stamp}-{config.fingerprint[:6]}"
    path = Path(config.run_dir)
    if (path / JOURNAL).exists():
        message = f"{path} already holds a run"
        raise ConfigError(message, pointer="/run_dir", hint="choose another --run-dir")
    return path


def _refuse_existing(config: RunConfig, libraries: dict[str, Library]) -> None:
    """Experiences cost money: without being told to go on from them, they are left alone."""
    held = sum(len(library) for library in libraries.values())
    if held and not config.use_existing_experiences:
        message = f"{config.experience_dir} already holds {held} experiences"
        hint = "add --use-existing-experiences to go on from them, or name another --experience-dir"
        raise ConfigError(message, pointer="/experience_dir", hint=hint)


def _show(report: RunReport, path: Path, config: RunConfig) -> None:
    console = make_console()
    if not console.is_terminal:
        console.width = 160
    for table in report_tables(report):
        console.print(table)
    for failure in (failure for epoch in report.epochs for failure in epoch.failures):
        where = f"{failure.owner} {failure.stage}"
        console.print(f"failed {failure.count} x {where}: {failure.kind}: {failure.message}")
    for line in _closing(report, path, config):
        console.print(line)


def _closing(report: RunReport, path: Path, config: RunConfig) -> list[str]:
    learned = sum(owner.library_after for owner in report.epochs[-1].owners)
    mixed = sum(owner.groups.mixed for epoch in report.epochs for owner in epoch.owners)
    lines = [
        f"{learned} experiences in {config.experience_dir}, learned from {mixed} mixed groups",
        f"report: {path / REPORT}",
    ]
    if not mixed:
        lines.insert(0, "no group had different rewards, so there was nothing to learn from")
    if report.simulation:
        lines.append("simulated: a component knew the answers, so these rewards prove nothing")
    return lines
