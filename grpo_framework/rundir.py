"""A run's directory: configuration, journal, events, report and experiences; made, gone on with.

``journal.sqlite`` holds what was paid for, ``events.jsonl`` what happened, and each finished batch
leaves a checkpoint: a resumed run starts behind the last one, cuts the events back to it, and takes
from the journal what was answered since.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from attrs import field, frozen

from grpo_framework.atomic import write_atomically
from grpo_framework.calls import Budget, Spending
from grpo_framework.codec import (
    event_from_document,
    experience_to_document,
    from_document,
    to_document,
)
from grpo_framework.errors import DataError
from grpo_framework.events import Event, RunFinished
from grpo_framework.experience import Library
from grpo_framework.journal import Journal
from grpo_framework.records import Owner
from grpo_framework.reports import ReportFold, RunReport, fold
from grpo_framework.validation import validate

CONFIG = "config.json"
JOURNAL = "journal.sqlite"
EVENTS = "events.jsonl"
REPORT = "report.json"
EXPERIENCES = "experiences"


@frozen
class Checkpoint:
    """Where a run stands after a finished batch.

    Attributes:
        epoch: Of the batch, counted from 1; 0 before the first.
        batch: Counted from 1; 0 before the first.
        versions: The libraries' versions after it.
        before: Their versions after the batch before it, which stale rollouts see.
        fold: State of the report's fold.
        offset: Bytes of the events that belong to it and to what was before.
        spent: What the calls so far cost.
        elapsed: Seconds of the sessions so far.
    """

    epoch: int
    batch: int
    versions: dict[Owner, int]
    before: dict[Owner, int]
    fold: Any
    offset: int = 0
    spent: Spending = field(factory=Spending)
    elapsed: float = 0.0


def to_json(document: object) -> str:
    """A document as it is written to files: indented, UTF-8, with a final line end."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


class RunRecord:
    """An open run directory: the run's memory, and an observer that writes its events.

    Args:
        path: The directory.
        journal: Its journal, open.
        last: The checkpoint to go on from; None begins the run.
    """

    def __init__(self, path: Path, journal: Journal, last: Checkpoint | None) -> None:
        self.path = path
        self.memory = journal
        self.last = last
        self._fold = ReportFold()
        if last is not None:
            self._fold.restore(last.fold)
        self._events = _open_events(path / EVENTS, 0 if last is None else last.offset)

    async def notify(self, event: Event, /) -> None:
        """Append an event; the last one writes the report too."""
        self._fold.add(event)
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        row = {**to_document(event), "at": at}
        line = json.dumps(row, ensure_ascii=False) + "\n"
        self._events.write(line.encode("utf-8", "backslashreplace"))
        if isinstance(event, RunFinished):
            self._events.flush()
            document = to_document(self._fold.report())
            validate("report", document)
            write_atomically(self.path / REPORT, to_json(document))

    async def checkpoint(
        self,
        epoch: int,
        batch: int,
        *,
        versions: Mapping[Owner, int],
        before: Mapping[Owner, int],
        budget: Budget,
    ) -> None:
        """Record that a batch is committed; when this returns, it survives a power loss."""
        self._events.flush()
        standing = Checkpoint(
            epoch=epoch,
            batch=batch,
            versions=dict(versions),
            before=dict(before),
            fold=self._fold.state,
            offset=self._events.tell(),
            spent=budget.spent,
            elapsed=budget.elapsed,
        )
        await self.memory.put("checkpoint", f"{epoch}/{batch}", to_document(standing))
        await self.memory.sync()

    def close(self) -> None:
        """Close the events."""
        self._events.close()


@asynccontextmanager
async def open_record(path: Path, documents: Mapping[str, Any]) -> AsyncIterator[RunRecord]:
    """Open a run's directory, making it where there is none yet.

    Args:
        path: The directory.
        documents: File name → document to write beside the journal of a new run.

    Raises:
        DataError: The journal cannot be used.
    """
    journal = Journal(path / JOURNAL)
    await journal.start()
    try:
        entry = await journal.last("checkpoint")
        last = None if entry is None else from_document(entry.value, Checkpoint)
        for name, document in documents.items():
            if not (path / name).exists():
                write_atomically(path / name, to_json(document))
        record = RunRecord(path, journal, last)
        try:
            yield record
        finally:
            record.close()
    finally:
        await journal.close()


def _open_events(path: Path, offset: int) -> BinaryIO:
    """The events, cut back to a checkpoint: what came after it is told again."""
    file = path.open("r+b" if path.exists() else "w+b")
    file.truncate(offset)
    file.seek(offset)
    return file


def write_experiences(path: Path, libraries: Iterable[Library]) -> None:
    """Write libraries in the guide's format into a run's directory, as the run left them."""
    for library in libraries:
        rows = [experience_to_document(experience) for experience in library.experiences]
        file = path / EXPERIENCES / f"{library.owner}_experiences.json"
        write_atomically(file, to_json(rows))


def recompute_report(path: Path) -> RunReport:
    """The report of a run, computed again from its events.

    Args:
        path: The run's directory.

    Raises:
        DataError: There are no events, or a line is none; with file and line.
    """
    file = path / EVENTS
    if not file.is_file():
        message = "no events of a run"
        raise DataError(message, path=file, hint="give the directory of a run, as below runs/")
    return fold(_read_events(file))


def _read_events(file: Path) -> Iterable[Event]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield event_from_document(json.loads(line))
            except ValueError as error:
                raise DataError(str(error), path=file, line=number) from error
