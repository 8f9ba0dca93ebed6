"""One run over opened components: the batches of its schedule, one after the other."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

from grpo_framework.calls import Announce
from grpo_framework.committing import Closing
from grpo_framework.engine import Engine
from grpo_framework.errors import DataError
from grpo_framework.events import (
    BatchFinished,
    BatchStarted,
    EpochFinished,
    EpochStarted,
    Event,
    RunFinished,
    RunStarted,
)
from grpo_framework.experience import Library
from grpo_framework.gating import Gate
from grpo_framework.holding import Held, Running, calling_off
from grpo_framework.lanes import Learned, learn, raise_first
from grpo_framework.manager import ExperienceManager
from grpo_framework.protocols import Observer
from grpo_framework.recording import Recording, derive_seed, versions_of
from grpo_framework.records import Owner, Past, Problem
from grpo_framework.reports import ReportFold, RunReport
from grpo_framework.rollouts import Stages
from grpo_framework.schedule import Batch, RunSettings, plan_batches
from grpo_framework.scoring import score_epoch, tell_restored
from grpo_framework.visiting import Visits

logger = logging.getLogger(__name__)
_SEED = "seed"


class Session:
    """One session of a run: from its beginning, or from its last checkpoint, to its end.

    Args:
        settings: The course of the run.
        engine: Opened.
        manager: Opened.
        observers: See every event.
        record: The run's directory; None leaves no trace and cannot be resumed.
        gate: Measures edits before they are committed, and versions after an epoch; None does not.
    """

    def __init__(
        self,
        settings: RunSettings,
        engine: Engine,
        manager: ExperienceManager,
        *,
        observers: Sequence[Observer] = (),
        record: Recording | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._manager = manager
        self._observers = list(observers)
        self._record = record
        self._gate = gate
        self._slots = asyncio.Semaphore(engine.concurrency)
        self._fold = ReportFold() if record is None else record.fold
        self._mark = time.perf_counter()
        self._run_seed = settings.seed
        memory = None if record is None else record.memory
        self._visits = Visits(settings.adaptive_k, len(engine.generators), memory)

    @property
    def report(self) -> RunReport:
        """The report so far."""
        return self._fold.report()

    async def announce(self, event: Event) -> None:
        """Fold an event into the report and show it to the observers."""
        self._fold.add(event)
        if self._record is not None:
            await self._record.notify(event)
        for observer in tuple(self._observers):
            try:
                await observer.notify(event)
            # An observer cannot change a run, also not by failing.
            except Exception:
                # Several events may have been under way to it; one failure is told.
                if observer in self._observers:
                    logger.exception("observer %r failed and gets no more events", observer)
                    self._observers.remove(observer)

    async def run(self, problems: tuple[Problem, ...]) -> None:
        """The whole schedule, from where the record says."""
        plan = self._settings
        schedule = plan_batches(problems, plan.num_epochs, plan.batch_size, plan.seed)
        started = self._mark = time.perf_counter()
        done, newest, seen = await self._begin(schedule, len(problems))
        try:
            await self._visits.restore(schedule[:done])
            libraries = await self._work(schedule, done, newest, seen)
            libraries = await self._restore_best(libraries)
            if self._record is not None:
                self._record.write_experiences(libraries.values())
            outcome = self._outcome()
            await self._finish(outcome, started)
        except BaseException as error:
            # What cannot be written any more must not hide why the run ends.
            with suppress(DataError):
                await self._finish("interrupted", started)
            raise_first(error)

    async def _finish(self, outcome: str, started: float) -> None:
        await self.announce(RunFinished(outcome, time.perf_counter() - started))
        if self._record is not None:
            await self._record.end_session(self._engine.budget)

    async def _begin(
        self, schedule: Sequence[Batch], problems: int
    ) -> tuple[int, dict[Owner, Library], dict[Owner, Library]]:
        """Batches that are done, the newest libraries, and those of one batch before."""
        owners, record = self._engine.owners, self._record
        last = None if record is None else record.last
        if record is not None:
            self._engine.budget.go_on(record.account)
        if last is None:
            libraries = await self._manager.load(owners)
            self._run_seed = derive_seed(self._settings.seed, libraries)
            if record is not None:
                record.memory.add(_SEED, "run", self._run_seed)
            await self._announce_start(problems, resumed=False)
            versions = versions_of(libraries)
            await self._checkpoint(0, 0, versions, versions, {})
            return 0, libraries, libraries
        kept = None if record is None else await record.memory.get(_SEED, "run")
        self._run_seed = self._settings.seed if kept is None else int(kept)
        await self._announce_start(problems, resumed=True)
        done = sum((batch.epoch, batch.number) <= (last.epoch, last.batch) for batch in schedule)
        newest = await self._manager.load(owners, versions=last.versions)
        return done, newest, await self._manager.load(owners, versions=last.before)

    async def _announce_start(self, problems: int, *, resumed: bool) -> None:
        await self.announce(
            RunStarted(
                run_id=self._settings.run_id,
                fingerprint=self._engine.fingerprint,
                owners=self._engine.owners,
                problems=problems,
                epochs=self._settings.num_epochs,
                rollouts_per_generator=self._settings.rollouts_per_generator,
                simulation=self._engine.simulation,
                resumed=resumed,
                validation=0 if self._gate is None else len(self._gate.problems),
                adaptive_groups=self._settings.adaptive_groups,
            )
        )

    async def _work(
        self,
        schedule: Sequence[Batch],
        done: int,
        newest: dict[Owner, Library],
        seen: dict[Owner, Library],
    ) -> dict[Owner, Library]:
        """Batch by batch; with staleness the next one starts before the last one is committed.

        Args:
            schedule: All batches of the run.
            done: How many of them an earlier session committed.
            newest: The libraries after these.
            seen: The libraries one batch earlier: what a stale batch under way had seen.

        Returns:
            The libraries at the end.
        """
        running: Running[list[Learned]] = deque()
        following = done
        last = None if self._record is None else self._record.last
        async with calling_off(running):
            while (following < len(schedule) or running) and not self._is_enough():
                while following < len(schedule) and len(running) <= self._settings.staleness:
                    stale = self._settings.staleness > 0 and following == done > 0
                    batch = self._visits.narrow(schedule[following], stale=stale)
                    libraries = seen if stale else newest
                    past = last.past if stale and last is not None else self._fold.past
                    held = Held(self.announce, waiting=bool(running))
                    await self._announce_batch(held, batch, libraries, opening=following == done)
                    stages = self._stages(batch, held.announce, past)
                    collecting = asyncio.create_task(self._collect(stages, batch, libraries))
                    running.append((batch, held, collecting))
                    following += 1
                batch, held, collecting = running[0]
                await held.release()
                learned = await collecting
                running.popleft()
                self._engine.brake.check()
                await self._visits.take(batch, learned)
                newest = await self._commit(batch, newest, learned)
        return newest

    def _is_enough(self) -> bool:
        """Whether so many epochs in a row brought nothing that the run ends here."""
        return self._fold.epochs_without_gain >= (self._settings.patience or math.inf)

    def _outcome(self) -> str:
        report = self.report
        allowed = self._settings.max_failures * report.units
        return "failed" if report.failures > allowed else "finished"

    async def _announce_batch(
        self, held: Held, batch: Batch, libraries: Mapping[Owner, Library], *, opening: bool
    ) -> None:
        if batch.first or opening:
            sizes = tuple((owner, len(library)) for owner, library in libraries.items())
            await held.announce(
                EpochStarted(batch.epoch, batch.of_problems, batch.of_batches, sizes, batch.before)
            )
        versions = tuple(versions_of(libraries).items())
        ids = tuple(problem.id for problem in batch.problems)
        await held.announce(BatchStarted(batch.epoch, batch.number, ids, versions, batch.resting))

    def _stages(self, batch: Batch, announce: Announce, past: Mapping[Owner, Past]) -> Stages:
        return Stages(
            engine=self._engine,
            announce=announce,
            slots=self._slots,
            epoch=batch.epoch,
            batch=batch.number,
            run_seed=self._run_seed,
            rollouts=self._settings.rollouts_per_generator,
            serial=self._settings.rollout_exec == "serial",
            memory=None if self._record is None else self._record.memory,
            unit_timeout=self._settings.unit_timeout,
            past=past,
            known=batch.known,
            credit_dropout=self._settings.credit_dropout,
        )

    async def _collect(
        self, stages: Stages, batch: Batch, libraries: dict[Owner, Library]
    ) -> list[Learned]:
        """All problems of a batch on one snapshot; only its end waits for all."""
        serial = self._settings.gen_exec == "serial"
        async with asyncio.TaskGroup() as tasks:
            lanes = [
                tasks.create_task(learn(stages, tasks, libraries, problem, serial=serial))
                for problem in batch.problems
            ]
        return [lane.result() for lane in lanes]

    async def _commit(
        self, batch: Batch, libraries: dict[Owner, Library], learned: Sequence[Learned]
    ) -> dict[Owner, Library]:
        """Close a batch, and see how the libraries do on validation at the end of an epoch.

        How they did at the start is seen once a text has changed, at the end of the first epoch at
        the latest.
        """
        past = self._fold.past
        stages = self._stages(batch, self.announce, past)
        closing = Closing(stages, self._manager, self._record, self._gate)
        commits = await closing.close(libraries, learned)
        committed = {commit.plan.owner: commit.after for commit in commits}
        after = {owner: committed[owner] for owner in libraries}
        if self._gate is not None:
            if self._fold.latest_version is None and (
                batch.last or any(each.before.wording != each.after.wording for each in commits)
            ):
                # Until now all prompts read as at the start: a limit that ends the run early
                # should find its calls spent on learning.
                await self._score(stages, self._gate, 0, libraries)
            if batch.last:
                await self._score(stages, self._gate, batch.epoch, after)
        started, self._mark = self._mark, time.perf_counter()
        await self.announce(BatchFinished(batch.epoch, batch.number, self._mark - started))
        if batch.last:
            await self.announce(EpochFinished(batch.epoch))
        before = versions_of(libraries)
        await self._checkpoint(batch.epoch, batch.number, versions_of(after), before, past)
        return after

    async def _score(
        self, stages: Stages, gate: Gate, epoch: int, libraries: dict[Owner, Library]
    ) -> None:
        """Try the libraries as an epoch left them on the validation problems."""
        known, record = self._fold.latest_version, self._record
        scored = await score_epoch(stages, gate.problems, libraries, known, record, epoch)
        await self.announce(scored)

    async def _restore_best(self, libraries: dict[Owner, Library]) -> dict[Owner, Library]:
        """The version that did best on validation, as the newest one; the last where none did."""
        best = self._fold.best_version
        if best is None or dict(best.versions) == versions_of(libraries):
            return libraries
        restored = await self._manager.restore(libraries, dict(best.versions))
        if restored != libraries:
            await self.announce(tell_restored(best.epoch, restored))
        return restored

    async def _checkpoint(
        self,
        epoch: int,
        batch: int,
        versions: dict[Owner, int],
        before: dict[Owner, int],
        past: Mapping[Owner, Past],
    ) -> None:
        if self._record is not None:
            budget = self._engine.budget
            await self._record.checkpoint(
                epoch, batch, versions=versions, before=before, past=past, budget=budget
            )
