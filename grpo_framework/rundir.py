"""A run's directory: configuration, journal, events, report and experiences; made, gone on with.

``journal.sqlite`` holds what was paid for, ``events.jsonl`` what happened, and each finished batch
leaves a checkpoint: a resumed run starts behind the last one, cuts the events back to it, and takes
from the journal what was answered since.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from grpo_framework.atomic import write_atomically
from grpo_framework.calls import Account, Budget
from grpo_framework.codec import experience_to_document, from_document, to_document, to_json
from grpo_framework.errors import DataError
from grpo_framework.events import Event, RunFinished
from grpo_framework.experience import Library
from grpo_framework.journal import Journal
from grpo_framework.recording import Checkpoint
from grpo_framework.records import Owner, Past
from grpo_framework.reports import ReportFold
from grpo_framework.validation import validate

CONFIG = "config.json"
JOURNAL = "journal.sqlite"
EVENTS = "events.jsonl"
REPORT = "report.json"
EXPERIENCES = "experiences"
PREFLIGHT = "preflight.json"
LOCK = "lock"
"""Held by the process that works on the run; the system gives it back when the process dies."""

PREFLIGHT_HOLDS = 600.0
"""Seconds for which a preflight counts: a run killed and resumed at once pays for no new one."""

_PATIENCE = 1.0
"""Seconds to wait for the lock: whoever only looks whether a run is under way holds it shortly."""

logger = logging.getLogger(__name__)


def to_text(document: object) -> str:
    """A document as it is written to files: indented, UTF-8, with a final line end."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


class RunRecord:
    """An open run directory: the run's memory, and an observer that writes its events.

    Args:
        path: The directory.
        journal: Its journal, open.
        last: The checkpoint to go on from; None begins the run.
        account: What earlier sessions used up, also after that checkpoint.
    """

    def __init__(
        self,
        path: Path,
        journal: Journal,
        last: Checkpoint | None,
        account: Account | None = None,
    ) -> None:
        self.path = path
        self.memory = journal
        self.last = last
        self.account = account or Account()
        self.fold = ReportFold()
        if last is not None:
            self.fold.restore(last.fold)
        self._events_file = path / EVENTS
        self._events = _open_events(self._events_file, 0 if last is None else last.offset)

    async def notify(self, event: Event, /) -> None:
        """Append an event; the last one writes the report too."""
        row = to_document(event)
        row["at"] = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = to_json(row)
        if b"\xed" in line:  # perhaps a lone surrogate
            line = line.decode("utf-8", "surrogatepass").encode("utf-8", "backslashreplace")
        with _naming(self._events_file):
            self._events.write(line + b"\n")
        if isinstance(event, RunFinished):
            document = to_document(self.fold.report())
            validate("report", document)
            with _naming(self._events_file):
                self._events.flush()
            with _naming(self.path / REPORT):
                write_atomically(self.path / REPORT, to_text(document))

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
        """Record that a batch is committed; when this returns, it survives a power loss."""
        with _naming(self._events_file):
            self._events.flush()
            os.fsync(self._events.fileno())
        standing = Checkpoint(
            epoch=epoch,
            batch=batch,
            versions=dict(versions),
            before=dict(before),
            past=dict(past),
            fold=self.fold.state,
            offset=self._events.tell(),
            account=budget.account,
        )
        await self.memory.put("checkpoint", f"{epoch}/{batch}", to_document(standing))
        await self.memory.sync()

    async def sync(self) -> None:
        """Flush to the disk: all that was remembered so far survives a power loss."""
        await self.memory.sync()

    async def end_session(self, budget: Budget) -> None:
        """Record what the run has used up when it stops, failed tries and preflights included."""
        await self.memory.put("account", _stamp(), to_document(budget.account))
        await self.memory.sync()

    def write_experiences(self, libraries: Iterable[Library]) -> None:
        """Write libraries in the guide's format beside the journal, as the run leaves them."""
        for library in libraries:
            rows = [experience_to_document(experience) for experience in library.experiences]
            file = self.path / EXPERIENCES / f"{library.owner}_experiences.json"
            with _naming(file):
                write_atomically(file, to_text(rows))

    def close(self) -> None:
        """Close the events; what could not be written before is told again by a resumed run."""
        with suppress(OSError):
            self._events.close()


@asynccontextmanager
async def open_record(
    path: Path, documents: Mapping[str, Any], *, probed: bool = True, moved: bool = False
) -> AsyncIterator[RunRecord]:
    """Open a run's directory, making it where there is none yet.

    Args:
        path: The directory.
        documents: File name → document to write before the journal of a new run is begun.
        probed: Whether every chat model has just answered its preflight call.
        moved: Whether the experiences lie elsewhere now, so that a begun run's documents change.

    Raises:
        DataError: The journal cannot be used, or another process works on the run.
    """
    with _locked(path):
        # A journal is the sign of a begun run, so what it cannot be resumed without comes first.
        begun = (path / JOURNAL).exists()
        for name, document in documents.items():
            if moved or not begun:
                write_atomically(path / name, to_text(document))
        if probed:
            write_atomically(path / PREFLIGHT, to_text({"at": time.time()}))
        async with open_journal(path / JOURNAL) as journal:
            entry = await journal.last("checkpoint")
            last = None if entry is None else from_document(entry.value, Checkpoint)
            record = RunRecord(path, journal, last, await _read_account(journal, last))
            try:
                yield record
            finally:
                record.close()


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """An error of the disk as one that says which file and how to go on."""
    try:
        yield
    except OSError as error:
        message = f"cannot be written: {error.strerror}"
        hint = "mend that and resume the run: nothing that was recorded is lost"
        raise DataError(message, path=file, hint=hint) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a run's directory, made where it is not there, for this process alone."""
    path.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path / LOCK, timeout=_PATIENCE, poll_interval=0.01)
    try:
        lock.acquire()
    except Timeout as error:
        message = "another process works on this run"
        raise DataError(message, path=path, hint="let it end, or stop it with Ctrl-C") from error
    try:
        yield
    finally:
        lock.release()


def see_idle(path: Path) -> None:
    """See that no other process works on a run, before anything else is asked of it.

    Raises:
        DataError: One does.
    """
    with _locked(path):
        pass


@asynccontextmanager
async def open_journal(path: Path) -> AsyncIterator[Journal]:
    """Open a run's journal, and close it on exit.

    Raises:
        DataError: It cannot be used.
    """
    journal = Journal(path)
    await journal.start()
    try:
        yield journal
        # What was added last was not waited for.
        await journal.sync()
    finally:
        await journal.close()


def preflight_holds(path: Path) -> bool:
    """Whether the chat models of the run in a directory answered a preflight call lately."""
    try:
        at = json.loads((path / PREFLIGHT).read_text(encoding="utf-8"))["at"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return isinstance(at, int | float) and 0 <= time.time() - at < PREFLIGHT_HOLDS


async def _read_account(journal: Journal, last: Checkpoint | None) -> Account:
    """The newest account: of the last batch, of a session's end, or of the last answered call."""
    ended, answered = await journal.last("account"), await journal.last("call")
    return newest_account(
        last,
        None if ended is None else ended.value,
        None if answered is None else answered.value,
    )


def newest_account(last: Checkpoint | None, ended: Any, answered: Any) -> Account:
    """The newest of the accounts that a journal holds.

    Args:
        last: The last checkpoint.
        ended: The last entry ``account``.
        answered: The last entry ``call``.
    """
    known = [Account() if last is None else last.account]
    if ended is not None:
        known.append(from_document(ended, Account))
    if answered is not None:
        known.append(from_document(answered["account"], Account))
    return max(known, key=lambda account: (account.spent.calls, account.elapsed))


def _stamp() -> str:
    return datetime.now(UTC).isoformat()


def _open_events(path: Path, offset: int) -> BinaryIO:
    """The events, cut back to a checkpoint: what came after it is told again."""
    file = path.open("r+b" if path.exists() else "w+b")
    size = file.seek(0, os.SEEK_END)
    if size < offset:
        # Only other hands shorten it: it is flushed to the disk before its checkpoint is.
        logger.warning(
            "%s has lost %d bytes; the report is whole without them", path, offset - size
        )
        file.seek(0)
        offset = file.read().rfind(b"\n") + 1
    file.truncate(offset)
    file.seek(offset)
    return file
