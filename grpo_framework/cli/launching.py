"""From a configuration to a finished run: begin it, or go on with the one in its directory."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import click
from attrs import frozen

from grpo_framework.config import RunConfig
from grpo_framework.errors import BudgetExhausted, ConfigError, RunFailed
from grpo_framework.experience import Library
from grpo_framework.identity import IDENTITY, check_identity, identify, identity_document
from grpo_framework.manager import ExperienceManager
from grpo_framework.opening import ConfiguredEngine
from grpo_framework.plugins import Plugins
from grpo_framework.reports import RunReport
from grpo_framework.rundir import CONFIG, JOURNAL, open_record, write_experiences
from grpo_framework.trainer import TrainingFreeGRPOTrainer
from grpo_framework.workshop import Workshop


@frozen
class Launched:
    """A run that came to its end: its report, directory and configuration."""

    report: RunReport
    path: Path
    config: RunConfig


async def launch(config: RunConfig, plugins: Plugins, *, verbose: bool) -> Launched:
    """Begin a run, or go on with the one that the run directory holds.

    What costs nothing is checked first, and nothing is written before the models answer.

    Args:
        config: Of the run.
        plugins: Of this process.
        verbose: Whether progress goes to stderr.

    Raises:
        ConfigError: The run in the directory was begun otherwise, or the experiences are not to be
            touched.
        BudgetExhausted: A limit was reached; the run can be gone on with.
    """
    path = _run_dir(config)
    resumed = (path / JOURNAL).exists()
    workshop = Workshop(config, plugins)
    problems = await workshop.problems()
    workshop.find_all()
    identity = identify(config, problems, plugins)
    if resumed:
        check_identity(path, identity)
    async with ExperienceManager.from_config(config, plugins).open() as manager:
        if not resumed:
            _refuse_existing(config, await manager.load(config.owners))
        documents = {CONFIG: config.document, IDENTITY: identity_document(identity)}
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
            staleness=config.staleness,
            unit_timeout=config.calls.unit_timeout,
            record=lambda: open_record(path, documents),
        )
        try:
            report = await trainer.train_async(problems)
        except (asyncio.CancelledError, BudgetExhausted, RunFailed):
            if (path / JOURNAL).exists():
                click.echo(f"stopped; go on with: grpo-cli runs resume {path}", err=True)
            raise
        write_experiences(path, (await manager.load(config.owners)).values())
    return Launched(report, path, config)


def _run_dir(config: RunConfig) -> Path:
    """The configured directory, or a new one below ``runs/``."""
    if config.run_dir is not None:
        return Path(config.run_dir)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
    return Path("runs") / f"{stamp}-{config.fingerprint[:6]}"


def _refuse_existing(config: RunConfig, libraries: dict[str, Library]) -> None:
    """Experiences cost money: without being told to go on from them, they are left alone."""
    held = sum(len(library) for library in libraries.values())
    if held and not config.use_existing_experiences:
        message = f"{config.experience_dir} already holds {held} experiences"
        hint = "add --use-existing-experiences to go on from them, or name another --experience-dir"
        raise ConfigError(message, pointer="/experience_dir", hint=hint)
