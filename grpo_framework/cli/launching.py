"""From a configuration to a finished run: begin it, or go on with the one in its directory."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from attrs import evolve, frozen

from grpo_framework.calls import Account
from grpo_framework.cli.earlier import read_run_config
from grpo_framework.cli.interrupting import run_interruptibly
from grpo_framework.cli.output import command_line
from grpo_framework.cli.storing import held, see_same, see_writable
from grpo_framework.config import RunConfig
from grpo_framework.errors import BudgetExhausted, ConfigError, RunFailed, VersionConflict
from grpo_framework.experience import Library
from grpo_framework.identity import IDENTITY, check_identity, identify, identity_document
from grpo_framework.manager import ExperienceManager
from grpo_framework.mentioning import heard_by
from grpo_framework.opening import ConfiguredEngine
from grpo_framework.plugins import Plugins
from grpo_framework.provenance import TRAINED_ON, leave_beside, training_document
from grpo_framework.records import Owner
from grpo_framework.reports import RunReport
from grpo_framework.rundir import (
    CONFIG,
    JOURNAL,
    RunRecord,
    open_record,
    preflight_holds,
    see_idle,
)
from grpo_framework.splitting import is_gated
from grpo_framework.standing import read_checkpoint, read_report
from grpo_framework.trainer import TrainingFreeGRPOTrainer
from grpo_framework.workshop import Workshop

_FOLDER = "experience_dir"
_NOT_BEGUN = (
    "stopped before the models had answered: nothing is begun or written, and nothing was paid but "
    "perhaps a preflight call; the same command starts again"
)


@frozen
class Launched:
    """A run that came to its end: its report, directory and configuration."""

    report: RunReport
    path: Path
    config: RunConfig


def launch(
    config: RunConfig,
    plugins: Plugins,
    *,
    verbose: bool,
    seeds: Mapping[Owner, Library] | None = None,
    go_on: str = "",
) -> Launched:
    """Begin a run, or go on with the one that the run directory holds; Ctrl-C stops it cleanly.

    What costs nothing is checked first, and nothing is written before the models answer. A run
    that has come to its end is not run again.

    Args:
        config: Of the run.
        plugins: Of this process.
        verbose: Whether progress goes to stderr.
        seeds: Libraries to begin with, written to the store if that holds none.
        go_on: The line that says how to go on after a stop; empty says how to resume this run.

    Raises:
        ConfigError: The run in the directory was begun otherwise, or the experiences are not to be
            touched.
        BudgetExhausted: A limit was reached; the run can be gone on with.
        KeyboardInterrupt: It was interrupted; the run can be gone on with.
    """
    path = _run_dir(config)
    start = _Launch(config, plugins, path, verbose, seeds or {}, go_on)
    report = run_interruptibly(start.run(), how_to_go_on=start.how_to_go_on)
    return Launched(report, path, read_run_config(path))


@frozen
class _Launch:
    """One start of a run, or one more session of it."""

    config: RunConfig
    plugins: Plugins
    path: Path
    verbose: bool
    seeds: Mapping[Owner, Library]
    go_on: str

    def how_to_go_on(self) -> str:
        """A line: how to go on, or that nothing was begun."""
        if not (self.path / JOURNAL).exists():
            return _NOT_BEGUN
        return self.go_on or "stopped; go on with: " + command_line("runs", "resume", self.path)

    async def run(self) -> RunReport:
        tell = (lambda line: click.echo(line, err=True)) if self.verbose else (lambda _: None)
        with heard_by(tell):
            return await self._run()

    async def _run(self) -> RunReport:
        config, plugins, path = self.config, self.plugins, self.path
        resumed = (path / JOURNAL).exists()
        workshop = Workshop(config, plugins)
        problems, validation = await workshop.training_problems()
        workshop.find_all()
        identity = identify(config, problems, plugins, validation)
        earlier = read_run_config(path) if resumed else config
        was = earlier.experience_dir
        if resumed:
            # Where the experiences lie decides nothing; that they are the same ones does.
            check_identity(path, evolve(identity, config={**identity.config, _FOLDER: was}))
            ended = read_report(path)
            if ended is not None:
                click.echo(f"the run in {path} is {ended.outcome}; this is its report", err=True)
                return ended
        chosen_by = validation if is_gated(config.gate.kind, len(validation)) else ()
        trained_on = training_document(problems, chosen_by)
        moved = was != config.experience_dir
        kept = {**earlier.document, _FOLDER: config.experience_dir} if moved else {}
        documents = {
            CONFIG: kept or config.document,
            IDENTITY: identity_document(identity),
            TRAINED_ON: trained_on,
        }
        async with ExperienceManager.from_config(config, plugins).open() as manager:
            if not resumed or moved:
                there = await manager.load(config.owners)
                if resumed:
                    await see_same(path, was, config, plugins, there)
                else:
                    _refuse_existing(config, there, self.seeds)
            if resumed:
                # Whoever works on it holds its store as well, and this says more.
                see_idle(path)
            await see_writable(manager.store)
            begun = asyncio.Event()
            trainer = self._trainer(manager, documents, begun, resumed=resumed, moved=moved)
            try:
                return await trainer.train_async(problems, validation)
            except VersionConflict as error:
                if resumed:
                    fork = command_line("train", "--fork", path, "--experience-dir", "NEW")
                    error.hint = (
                        "they were reverted or changed since, or another run writes to them; "
                        f"begin a new run with what this one had learned: {fork}"
                    )
                raise
            except Exception as error:
                # A disk that is full or a fault of a plugin ends a session, and not the run.
                if begun.is_set() or isinstance(error, BudgetExhausted | RunFailed):
                    click.echo(self.how_to_go_on(), err=True)
                raise
            finally:
                self._leave_beside(trained_on)

    def _leave_beside(self, trained_on: dict[str, Any]) -> None:
        """`grpo-cli ab` reads it to refuse problems that the experiences were learned from."""
        folder = Path(self.config.experience_dir)
        try:
            leave_beside(folder, trained_on)
        except OSError as error:
            # It must not hide why the run ends.
            message = f"{folder}: the record of the training problems cannot be written: "
            click.echo(f"{message}{error.strerror}", err=True)

    def _trainer(
        self,
        manager: ExperienceManager,
        documents: dict[str, object],
        begun: asyncio.Event,
        *,
        resumed: bool,
        moved: bool,
    ) -> TrainingFreeGRPOTrainer:
        config = self.config
        probing = not (resumed and preflight_holds(self.path))

        @asynccontextmanager
        async def record() -> AsyncIterator[RunRecord]:
            """Opened when the models have answered, so the first to write anything."""
            async with held(manager.store):
                if not resumed:
                    await manager.seed(self.seeds.values())
                async with open_record(self.path, documents, probed=probing, moved=moved) as opened:
                    begun.set()
                    # What is loaded by now stays; to look for cycles in it takes 0.04 s each time.
                    gc.freeze()
                    yield opened

        last = read_checkpoint(self.path) if resumed else None
        account = Account() if last is None else last.account
        engine = ConfiguredEngine(config, self.plugins, preflight=probing, account=account)
        return TrainingFreeGRPOTrainer(
            causal_engine=engine,
            experience_manager=manager,
            rollouts_per_generator=config.rollouts_per_generator,
            num_epochs=config.epochs,
            verbose=self.verbose,
            batch_size=config.batch_size,
            seed=config.seed,
            gen_exec=config.gen_exec,
            rollout_exec=config.rollout_exec,
            run_id=self.path.name,
            max_failures=config.max_failures,
            staleness=config.staleness,
            gate=config.gate.kind,
            gate_budget=config.gate.budget,
            gate_tries=config.gate.tries,
            patience=config.patience,
            adaptive_groups=config.adaptive_groups,
            credit_dropout=config.credit_dropout,
            unit_timeout=config.calls.unit_timeout,
            record=record,
        )


def is_begun(config: RunConfig) -> bool:
    """Whether the configured run directory holds a run to go on with."""
    return config.run_dir is not None and (Path(config.run_dir) / JOURNAL).exists()


def _run_dir(config: RunConfig) -> Path:
    """The configured directory, or a new one below ``runs/``."""
    if config.run_dir is not None:
        return Path(config.run_dir)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
    return Path("runs") / f"{stamp}-{config.fingerprint[:6]}"


async def refuse_existing(
    config: RunConfig, plugins: Plugins, seeds: Mapping[Owner, Library]
) -> None:
    """See that a run which has not begun may write to its store.

    Raises:
        ConfigError: It holds experiences, and the run is not to go on from them.
    """
    async with ExperienceManager.from_config(config, plugins).open() as manager:
        _refuse_existing(config, await manager.load(config.owners), seeds)


def _refuse_existing(
    config: RunConfig, libraries: dict[Owner, Library], seeds: Mapping[Owner, Library]
) -> None:
    """Experiences cost money: without being told to go on from them, they are left alone."""
    held = sum(len(library) for library in libraries.values())
    same = all(
        library.experiences == seeds[owner].experiences
        for owner, library in libraries.items()
        if owner in seeds
    )
    if held and not config.use_existing_experiences and not (seeds and same):
        message = f"{config.experience_dir} already holds {held} experiences"
        hint = "add --use-existing-experiences to go on from them, or name another --experience-dir"
        raise ConfigError(message, pointer="/experience_dir", hint=hint)
