"""A run's directory: the resolved configuration, the events, the report and the experiences."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from grpo_framework.atomic import write_atomically
from grpo_framework.codec import event_from_document, experience_to_document, to_document
from grpo_framework.config import RunConfig
from grpo_framework.errors import ConfigError, DataError
from grpo_framework.events import Event, RunFinished, RunStarted
from grpo_framework.experience import Library
from grpo_framework.reports import ReportFold, RunReport, fold
from grpo_framework.validation import validate

CONFIG, EVENTS, REPORT, EXPERIENCES = "config.json", "events.jsonl", "report.json", "experiences"


def choose_run_dir(config: RunConfig) -> Path:
    """The directory of a new run: the configured one, or a new name below ``runs/``.

    Raises:
        ConfigError: It already holds a run.
    """
    if config.run_dir is None:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
        return Path("runs") / f"{stamp}-{config.fingerprint[:6]}"
    path = Path(config.run_dir)
    if (path / EVENTS).exists():
        message = f"{path} already holds a run"
        raise ConfigError(message, pointer="/run_dir", hint="choose another --run-dir")
    return path


def to_json(document: object) -> str:
    """A document as it is written to files: indented, UTF-8, with a final line end."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


class RunRecorder:
    """An observer that writes the run directory; it makes it when the run starts, not before.

    Args:
        path: The run's directory.
        config: The resolved configuration.
    """

    def __init__(self, path: Path, config: RunConfig) -> None:
        self._path = path
        self._config = config
        self._fold = ReportFold()
        self._events: TextIO | None = None

    async def notify(self, event: Event, /) -> None:
        """Append an event; the last one closes the file and writes the report."""
        if isinstance(event, RunStarted):
            write_atomically(self._path / CONFIG, to_json(self._config.document))
            self._events = (self._path / EVENTS).open("w", encoding="utf-8")
        self._fold.add(event)
        if self._events is None:
            return
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        row = {**to_document(event), "at": at}
        self._events.write(json.dumps(row, ensure_ascii=False) + "\n")
        if isinstance(event, RunFinished):
            self._events.close()
            self._events = None
            self._write_report()

    def _write_report(self) -> None:
        document = to_document(self._fold.report())
        validate("report", document)
        write_atomically(self._path / REPORT, to_json(document))


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
    events = []
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                events.append(event_from_document(json.loads(line)))
            except ValueError as error:
                raise DataError(str(error), path=file, line=number) from error
    return fold(events)
