"""A finished run once more from its journal: no model, no comparator and no advisor is asked.

Every unit's result is taken from the journal, and what failed fails again; schedule, contrasts,
plans, commits and the report are computed anew. So the same libraries and report come out, or
something has changed, in the code or in the run's files.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from attrs import field, frozen

from grpo_framework.calls import Account, Budget
from grpo_framework.codec import experience_to_document, from_document, to_document
from grpo_framework.combining import combine
from grpo_framework.config import RunConfig
from grpo_framework.differing import compare_documents
from grpo_framework.engine import Engine
from grpo_framework.errors import DataError, StoreError, VersionConflict
from grpo_framework.events import Event
from grpo_framework.experience import Library
from grpo_framework.identity import check_problems
from grpo_framework.journal import Journal
from grpo_framework.manager import ExperienceManager
from grpo_framework.meaning import Meaning
from grpo_framework.plugins import Plugins
from grpo_framework.recording import Checkpoint
from grpo_framework.records import Owner, Past
from grpo_framework.reports import ReportFold, RunReport
from grpo_framework.rundir import EXPERIENCES, JOURNAL, open_journal
from grpo_framework.stand_ins import Failures, StandIn, make_advisors, read_failures
from grpo_framework.standing import read_report
from grpo_framework.trainer import TrainingFreeGRPOTrainer
from grpo_framework.workshop import Workshop


@frozen
class Replayed:
    """What came of a replay.

    Attributes:
        report: The report that came out.
        libraries: The libraries that came out, by owner.
        differences: Where they are not those of the run, one line each; empty where identical.
    """

    report: RunReport
    libraries: Mapping[Owner, Library]
    differences: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether libraries and report are those of the run."""
        return not self.differences


async def replay(path: Path, config: RunConfig, plugins: Plugins) -> Replayed:
    """Run a finished run again from its journal, in memory.

    Args:
        path: The run's directory.
        config: Its configuration.
        plugins: For the problems, and for the store where the run did not begin with nothing.

    Raises:
        DataError: The run is not finished, or its journal lacks an entry.
        ConfigError: The problems have changed.
    """
    report = read_report(path)
    if report is None:
        hint = f"finish it first: grpo-cli runs resume {path}"
        raise DataError("this run has not come to its end", path=path, hint=hint)
    problems, validation = await Workshop(config, plugins).training_problems()
    check_problems(path, problems, validation)
    async with open_journal(path / JOURNAL) as journal:
        record = _Record(_Recorded(journal, read_failures(path)))
        seeds = await _libraries_at_start(journal, config, plugins)
        trainer = TrainingFreeGRPOTrainer(
            causal_engine=await _engine(record.memory, config, simulation=report.simulation),
            experience_manager=ExperienceManager(
                _Held(seeds), limits=config.limits, hygiene=config.hygiene
            ),
            rollouts_per_generator=config.rollouts_per_generator,
            num_epochs=config.epochs,
            verbose=False,
            batch_size=config.batch_size,
            seed=config.seed,
            gen_exec=config.gen_exec,
            rollout_exec=config.rollout_exec,
            run_id=report.run_id,
            max_failures=config.max_failures,
            staleness=config.staleness,
            gate=config.gate.kind,
            gate_budget=config.gate.budget,
            gate_tries=config.gate.tries,
            patience=config.patience,
            adaptive_groups=config.adaptive_groups,
            credit_dropout=config.credit_dropout,
            record=record.open,
        )
        now = await trainer.train_async(problems, validation)
    differences = (
        *compare_documents("report", to_document(report), to_document(now)),
        *_compare_libraries(path, record.libraries),
    )
    return Replayed(now, record.libraries, differences)


class _Recorded:
    """The run's memory: gives what is there, knows what failed, and remembers nothing new."""

    def __init__(self, journal: Journal, failed: Failures) -> None:
        self.journal = journal
        self.failed = failed
        self._addresses = {(unit.stage, unit.address) for unit in failed.failures}

    async def get(self, kind: str, key: str) -> Any:
        value = await self.journal.get(kind, key)
        # Behind the address stand the library's version and, for some stages, a digest.
        addresses = {(kind, key.rsplit("/", parts)[0]) for parts in (1, 2)}
        if value is None and not addresses & self._addresses:
            message = f"the journal has no {kind} {key}: the run cannot be replayed"
            hint = "it may have been recorded by another version of this program"
            raise DataError(message, path=self.journal.path, hint=hint)
        return value

    async def put(self, kind: str, key: str, value: Any) -> None:
        """Nothing new is remembered."""

    def add(self, kind: str, key: str, value: Any) -> None:
        """Nothing new is remembered."""


@frozen
class _Record:
    """Takes the place of the run's directory, and writes nothing."""

    memory: _Recorded
    libraries: dict[Owner, Library] = field(factory=dict)
    fold: ReportFold = field(factory=ReportFold)
    last: Checkpoint | None = None
    account: Account = field(factory=Account)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[_Record]:
        yield self

    async def notify(self, event: Event, /) -> None:
        """The trainer keeps the report."""

    async def sync(self) -> None:
        """There is nothing to flush."""

    async def checkpoint(
        self,
        epoch: int,
        batch: int,
        *,
        versions: Mapping[Owner, int],
        before: Mapping[Owner, int],
        past: Mapping[Owner, Past],
        budget: Budget,
    ) -> None:
        """A replay is not resumed."""

    async def end_session(self, budget: Budget) -> None:
        """A replay spends nothing."""

    def write_experiences(self, libraries: Iterable[Library]) -> None:
        self.libraries.update((library.owner, library) for library in libraries)


async def _engine(recorded: _Recorded, config: RunConfig, *, simulation: bool) -> Engine:
    actor = StandIn(recorded.failed)
    names = [use.use for use in config.advisor]
    advisors = await make_advisors(recorded.journal, recorded.failed, len(names))
    return Engine(
        generators=(actor,) * len(config.generators),
        critic=actor,
        comparator=actor,
        advisor=combine(names, advisors),
        concurrency=config.concurrency,
        simulation=simulation,
        fingerprint=config.fingerprint,
        meaning=None if config.embedder is None else Meaning(actor),
    )


class _Held:
    """The store of a replay: the libraries of the run's start, and what is committed to them."""

    def __init__(self, libraries: Mapping[Owner, Library]) -> None:
        self._newest = dict(libraries)
        self._versions = {(each.owner, each.version): each for each in libraries.values()}

    async def load(self, owner: Owner, /, *, version: int | None = None) -> Library:
        if version is None:
            return self._newest.get(owner, Library(owner))
        if version and (owner, version) not in self._versions:
            message = f"a replay holds no version {version} of {owner} from before the run"
            raise StoreError(message)
        return self._versions.get((owner, version), Library(owner))

    async def commit(self, library: Library, /, *, expected_version: int) -> None:
        found = (await self.load(library.owner)).version
        if found != expected_version:
            raise VersionConflict(library.owner, expected=expected_version, found=found)
        self._newest[library.owner] = library
        self._versions[library.owner, library.version] = library


async def _libraries_at_start(
    journal: Journal, config: RunConfig, plugins: Plugins
) -> dict[Owner, Library]:
    """The versions that the run began with; its store is opened only if there were any."""
    entry = await journal.get("checkpoint", "0/0")
    if entry is None:
        raise DataError("the journal lacks the beginning of the run", path=journal.path)
    versions = from_document(entry, Checkpoint).versions
    if not any(versions.values()):
        return {}
    async with ExperienceManager.from_config(config, plugins).open() as manager:
        return await manager.load(config.owners, versions=versions)


def _compare_libraries(path: Path, libraries: Mapping[Owner, Library]) -> Iterator[str]:
    for owner, library in libraries.items():
        file = path / EXPERIENCES / f"{owner}_experiences.json"
        try:
            then = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"cannot be read: {error}", path=file) from error
        now = [experience_to_document(experience) for experience in library.experiences]
        yield from compare_documents(file.name, then, now)
