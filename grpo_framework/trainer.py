"""`TrainingFreeGRPOTrainer`: the epoch loop of Training-Free GRPO and nothing else.

Method: "Training-Free Group Relative Policy Optimization", arXiv 2510.08191, in the form described
in ``docs/explanation/method.md``: every owner has its own library and learns from its own evidence.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NoReturn

from grpo_framework.advantage import consolidate, tally
from grpo_framework.config import Execution
from grpo_framework.console import ConsoleObserver
from grpo_framework.engine import CausalEngine, Engine
from grpo_framework.events import (
    BatchFinished,
    BatchStarted,
    EpochFinished,
    EpochStarted,
    Event,
    LibraryCommitted,
    RunFinished,
    RunStarted,
)
from grpo_framework.experience import Count, Library, Operation
from grpo_framework.lanes import Learned, learn
from grpo_framework.manager import ExperienceManager
from grpo_framework.protocols import Observer
from grpo_framework.records import Owner, Problem
from grpo_framework.reports import ReportFold, RunReport
from grpo_framework.rollouts import Stages

logger = logging.getLogger(__name__)


class TrainingFreeGRPOTrainer:
    """Learns experiences from problems with known answers; no weight is updated.

    Args:
        causal_engine: Generators, critic, comparator and advisor: an `Engine` made by hand, or a
            `ConfiguredEngine`.
        experience_manager: The libraries over a store.
        rollouts_per_generator: k, the rollouts each generator makes of a problem.
        num_epochs: Passes over the problems.
        verbose: Whether progress and the final table go to stderr.
        batch_size: Problems between two commits of the libraries.
        seed: All order and sampling derive from it.
        gen_exec: Whether the generators of a problem run side by side or one after the other.
        rollout_exec: The same for the rollouts of a group.
        observers: See every event, beside the engine's.
        run_id: Name of the run in events and report.
        max_failures: Share of failed units (0 to 1) above which the outcome is ``failed``.

    Raises:
        TypeError: For the old keyword ``group_size``, saying what replaced it.
        ValueError: For a count below 1.
    """

    def __init__(
        self,
        causal_engine: CausalEngine,
        experience_manager: ExperienceManager,
        *,
        rollouts_per_generator: int = 3,
        num_epochs: int = 3,
        verbose: bool = True,
        batch_size: int = 8,
        seed: int = 0,
        gen_exec: Execution = "parallel",
        rollout_exec: Execution = "parallel",
        observers: Sequence[Observer] = (),
        run_id: str = "",
        max_failures: float = 0.5,
        **unknown: object,
    ) -> None:
        _refuse(unknown)
        _check_counts(
            rollouts_per_generator=rollouts_per_generator,
            num_epochs=num_epochs,
            batch_size=batch_size,
        )
        self.causal_engine = causal_engine
        self.experience_manager = experience_manager
        self.rollouts_per_generator = rollouts_per_generator
        self.num_epochs = num_epochs
        self.verbose = verbose
        self.batch_size = batch_size
        self.seed = seed
        self.gen_exec: Execution = gen_exec
        self.rollout_exec: Execution = rollout_exec
        self.run_id = run_id
        self.max_failures = max_failures
        self._observers: list[Observer] = list(observers)
        self._fold = ReportFold()

    @property
    def report(self) -> RunReport:
        """The report of the current or last run, also of an unfinished one."""
        return self._fold.report()

    def train(self, problems: Iterable[Problem]) -> RunReport:
        """Train on problems; the synchronous form of `train_async`.

        Raises:
            RuntimeError: Called while an event loop runs; await `train_async` there.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.train_async(problems))
        message = "an event loop is already running: use 'await trainer.train_async(problems)'"
        raise RuntimeError(message)

    async def train_async(self, problems: Iterable[Problem]) -> RunReport:
        """Train on problems and return the report.

        Args:
            problems: With their reference answers, ids without repeats.

        Raises:
            GrpoError: What stops a whole run: a component that cannot be opened, a store that
                cannot be written, an exhausted budget. The failure of a unit does not.
        """
        chosen = tuple(problems)
        self._fold = ReportFold()
        async with (
            self.experience_manager.open() as manager,
            self.causal_engine.open(chosen) as engine,
        ):
            console = [ConsoleObserver()] if self.verbose else []
            run = _Run(self, engine, manager, [*console, *engine.observers, *self._observers])
            await run.run(chosen)
        return self.report


def _refuse(unknown: Mapping[str, object]) -> None:
    if "group_size" in unknown:
        message = "group_size= was renamed: pass rollouts_per_generator="
        raise TypeError(message)
    if unknown:
        message = f"TrainingFreeGRPOTrainer takes no argument {', '.join(map(repr, unknown))}"
        raise TypeError(message)


def _check_counts(**counts: int) -> None:
    for name, value in counts.items():
        if value < 1:
            message = f"{name} must be at least 1, not {value}"
            raise ValueError(message)


class _Run:
    """One run of a trainer over opened components."""

    def __init__(
        self,
        trainer: TrainingFreeGRPOTrainer,
        engine: Engine,
        manager: ExperienceManager,
        observers: list[Observer],
    ) -> None:
        self._trainer = trainer
        self._engine = engine
        self._manager = manager
        self._observers = observers
        self._slots = asyncio.Semaphore(engine.concurrency)

    async def announce(self, event: Event) -> None:
        """Fold an event into the report and show it to the observers."""
        self._trainer._fold.add(event)
        for observer in tuple(self._observers):
            try:
                await observer.notify(event)
            # An observer cannot change a run, also not by failing.
            except Exception:
                logger.exception("observer %r failed and gets no more events", observer)
                self._observers.remove(observer)

    async def run(self, problems: tuple[Problem, ...]) -> None:
        """All epochs."""
        trainer, engine = self._trainer, self._engine
        started = time.perf_counter()
        libraries = await self._manager.load(engine.owners)
        await self.announce(
            RunStarted(
                run_id=trainer.run_id,
                fingerprint=engine.fingerprint,
                owners=engine.owners,
                problems=len(problems),
                epochs=trainer.num_epochs,
                rollouts_per_generator=trainer.rollouts_per_generator,
                simulation=engine.simulation,
            )
        )
        outcome = "interrupted"
        try:
            for epoch in range(1, trainer.num_epochs + 1):
                libraries = await self._epoch(epoch, problems, libraries)
            outcome = self._outcome()
        except BaseExceptionGroup as group:
            _raise_first(group)
        finally:
            await self.announce(RunFinished(outcome, time.perf_counter() - started))

    def _outcome(self) -> str:
        report = self._trainer.report
        allowed = self._trainer.max_failures * report.units
        return "failed" if report.failures > allowed else "finished"

    async def _epoch(
        self, epoch: int, problems: tuple[Problem, ...], libraries: dict[Owner, Library]
    ) -> dict[Owner, Library]:
        """One pass over the problems, in a seeded order, in batches."""
        started = time.perf_counter()
        order = list(problems)
        # The order of an epoch must follow from the seed; nothing here is a secret.
        random.Random(f"{self._trainer.seed}/{epoch}").shuffle(order)  # noqa: S311
        batches = list(_chunks(order, self._trainer.batch_size))
        sizes = tuple((owner, len(library)) for owner, library in libraries.items())
        await self.announce(EpochStarted(epoch, len(order), len(batches), sizes))
        for number, batch in enumerate(batches, 1):
            libraries = await self._batch(epoch, number, batch, libraries)
        await self.announce(EpochFinished(epoch, time.perf_counter() - started))
        return libraries

    async def _batch(
        self, epoch: int, number: int, problems: Sequence[Problem], libraries: dict[Owner, Library]
    ) -> dict[Owner, Library]:
        """One snapshot of the libraries, all its problems, one commit an owner."""
        started = time.perf_counter()
        stages = Stages(
            engine=self._engine,
            announce=self.announce,
            slots=self._slots,
            epoch=epoch,
            batch=number,
            run_seed=self._trainer.seed,
            rollouts=self._trainer.rollouts_per_generator,
            serial=self._trainer.rollout_exec == "serial",
        )
        versions = tuple((owner, library.version) for owner, library in libraries.items())
        ids = tuple(problem.id for problem in problems)
        await self.announce(BatchStarted(epoch, number, ids, versions))
        serial = self._trainer.gen_exec == "serial"
        async with asyncio.TaskGroup() as tasks:
            lanes = [
                tasks.create_task(learn(stages, tasks, libraries, problem, serial=serial))
                for problem in problems
            ]
        after = await self._commit(stages, libraries, [lane.result() for lane in lanes])
        await self.announce(BatchFinished(epoch, number, time.perf_counter() - started))
        return after

    async def _commit(
        self, stages: Stages, libraries: dict[Owner, Library], learned: Sequence[Learned]
    ) -> dict[Owner, Library]:
        """The only barrier: consolidate every owner's proposals side by side, then commit."""
        proposed: dict[Owner, tuple[Operation, ...]] = {}
        for owner, operations in (row for lane in learned for row in lane.proposals):
            proposed[owner] = proposed.get(owner, ()) + operations
        async with asyncio.TaskGroup() as tasks:
            merged = {
                owner: tasks.create_task(consolidate(stages, owner, operations, libraries[owner]))
                for owner, operations in proposed.items()
            }
        proposals = {owner: task.result() for owner, task in merged.items()}
        used, succeeded = tally([answer for lane in learned for answer in lane.answers])
        counts = {id_: Count(number, succeeded[id_]) for id_, number in used.items()}
        after = dict(libraries)
        for commit in await self._manager.commit(libraries, proposals, counts):
            after[commit.plan.owner] = commit.after
            await self.announce(
                LibraryCommitted(
                    epoch=stages.epoch,
                    batch=stages.batch,
                    plan=commit.plan,
                    size_before=len(commit.before),
                    size_after=len(commit.after),
                    version=commit.after.version,
                )
            )
        return after


def _chunks(items: Sequence[Problem], size: int) -> Iterator[Sequence[Problem]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _raise_first(group: BaseExceptionGroup[BaseException]) -> NoReturn:
    """A task group wraps what stopped the run; the caller gets the cause itself."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    raise first from None
