"""Where a run stands: read from its directory, without touching it."""

from __future__ import annotations

import json
import math
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from filelock import FileLock, Timeout

from grpo_framework.codec import event_from_document, from_document
from grpo_framework.entries import MEND, read_last
from grpo_framework.errors import DataError
from grpo_framework.events import Event
from grpo_framework.identity import IDENTITY
from grpo_framework.recording import Checkpoint
from grpo_framework.reports import ReportFold, RunReport, fold
from grpo_framework.rundir import CONFIG, EVENTS, JOURNAL, LOCK, REPORT, newest_account
from grpo_framework.validation import validate


@frozen
class Standing:
    """Where a run stands.

    Attributes:
        path: Its directory.
        started: When it began, ISO 8601; empty where that is not known.
        outcome: ``running`` now, ``stopped`` (it can be gone on with), ``finished``, ``failed``, or
            ``damaged``.
        trouble: What is damaged.
        epoch: Of the last batch that was committed; 0 before the first.
        epochs: In all.
        batch: Within that epoch.
        batches: Of an epoch.
        problems: Of the run.
        calls: Requests sent, every try and preflight counted.
        cost: US dollars.
        experiences: In all libraries after that batch.
    """

    path: str
    started: str = ""
    outcome: str = "stopped"
    trouble: str = ""
    epoch: int = 0
    epochs: int = 0
    batch: int = 0
    batches: int = 0
    problems: int = 0
    calls: int = 0
    cost: float = 0.0
    experiences: int = 0

    @property
    def done(self) -> int:
        """Batches that were committed."""
        return max(0, self.epoch - 1) * self.batches + self.batch


def find_runs(folder: Path) -> tuple[Path, ...]:
    """The runs below a folder, oldest first; the folder may be a run itself."""
    if (folder / CONFIG).is_file():
        return (folder,)
    patterns = (f"*/{CONFIG}", f"*/replicate-*/{CONFIG}")
    found = [path.parent for pattern in patterns for path in folder.glob(pattern)]
    return tuple(sorted(found, key=lambda path: (_started(path), path.name)))


def read_standing(path: Path) -> Standing:
    """Where the run in a directory stands; what cannot be read is said in it, not raised."""
    bare = Standing(str(path), _started(path))
    try:
        return _read(path)
    except (DataError, OSError, ValueError, KeyError, TypeError) as error:
        text = error.message if isinstance(error, DataError) else f"{error}"
        return Standing(bare.path, bare.started, "damaged", " ".join(text.split()))


def _read(path: Path) -> Standing:
    config = json.loads((path / CONFIG).read_text(encoding="utf-8"))
    problems = json.loads((path / IDENTITY).read_text(encoding="utf-8"))["count"]
    report = read_report(path)
    last = read_checkpoint(path)
    outcome = "running" if is_under_way(path) else "stopped" if report is None else report.outcome
    return Standing(
        path=str(path),
        started=_started(path),
        outcome=outcome,
        epoch=0 if last is None else last.epoch,
        epochs=config["epochs"],
        batch=0 if last is None else last.batch,
        batches=math.ceil(problems / config["batch_size"]),
        problems=problems,
        calls=0 if last is None else last.account.spent.calls,
        cost=0.0 if last is None else float(last.account.spent.cost),
        experiences=0 if last is None else _count_experiences(last),
    )


def _count_experiences(last: Checkpoint) -> int:
    epochs = report_until(last).epochs
    return sum(owner.library_after for owner in epochs[-1].owners) if epochs else 0


def report_until(last: Checkpoint) -> RunReport:
    """The report of a run up to a checkpoint."""
    folding = ReportFold()
    folding.restore(last.fold)
    return folding.report()


def read_checkpoint(path: Path) -> Checkpoint | None:
    """The last checkpoint of a run, with the newest account; None before the first.

    Raises:
        DataError: The journal is damaged.
    """
    file = path / JOURNAL
    if not file.exists():
        return None
    try:
        value, ended, answered = (
            read_last(file, kind) for kind in ("checkpoint", "account", "call")
        )
    except sqlite3.Error as error:
        message = f"the journal cannot be read: {error}"
        raise DataError(message, path=file, hint=MEND) from error
    if value is None:
        return None
    last = from_document(value, Checkpoint)
    return evolve(last, account=newest_account(last, ended, answered))


def _started(path: Path) -> str:
    """The time of the first event; of the configuration's file where there is none yet."""
    try:
        with (path / EVENTS).open(encoding="utf-8") as lines:
            return str(json.loads(next(lines))["at"])
    except (OSError, ValueError, KeyError, StopIteration):
        pass
    try:
        seconds = (path / CONFIG).stat().st_mtime
    except OSError:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def is_under_way(path: Path) -> bool:
    """Whether a process works on the run in a directory right now."""
    if not (path / LOCK).exists() or not os.access(path / LOCK, os.W_OK):
        return False
    try:
        with FileLock(path / LOCK, timeout=0):
            return False
    except Timeout:
        return True


def read_report(path: Path) -> RunReport | None:
    """The report of a run that came to its end, None of one that did not.

    Raises:
        DataError: It cannot be read.
    """
    file = path / REPORT
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        validate("report", document, path=file)
        report = from_document(document, RunReport)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read: {error}", path=file) from error
    return report if report.outcome in ("finished", "failed") else None


def recompute_report(path: Path) -> RunReport:
    """The report of a run, computed again from its events.

    Args:
        path: The run's directory.

    Raises:
        DataError: There are no events, or a line is none; with file and line.
    """
    return fold(read_events(path))


def read_events(path: Path) -> Iterator[Event]:
    """The events of a run, in their order.

    Args:
        path: The run's directory.

    Raises:
        DataError: There are no events, or a line is none; with file and line.
    """
    file = path / EVENTS
    if not file.is_file():
        message = "no events of a run"
        raise DataError(message, path=file, hint="give the directory of a run, as below runs/")
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            yield _read_event(file, number, line)


def _read_event(file: Path, number: int, line: str) -> Event:
    try:
        document: Any = json.loads(line)
        return event_from_document(document)
    except ValueError as error:
        raise DataError(str(error), path=file, line=number) from error
