"""Progress of a long step on stderr: a bar where stderr is a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

import click

from grpo_framework.cli.output import make_console
from grpo_framework.events import CallRetried, CallsPaused, Event
from grpo_framework.mentioning import heard_by
from grpo_framework.tally import Waiting
from grpo_framework.telling import describe_duration

if TYPE_CHECKING:
    from rich.progress import TaskID

LINE_EVERY = 10.0
"""Seconds between two plain lines of one step."""


class Progress(Protocol):
    """Shows how far a step is."""

    def start(self, step: str, total: int) -> None:
        """Begin a step of `total` pieces; the one before it is finished."""

    def advance(self, pieces: int = 1, note: str = "") -> None:
        """Some pieces are done; `note` is what is worth saying beside the count."""

    def say(self, line: str) -> None:
        """Print a line of its own."""


class PlainProgress:
    """Lines such as ``evaluate: 120/900, 4.2/s, 3 min left``: at first, now and then, at the end.

    Args:
        write: Takes one line.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        write: Callable[[str], object] = lambda line: click.echo(line, err=True),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._clock = clock
        self._step, self._total, self._done = "", 0, 0
        self._note = ""
        self._started = self._spoken = 0.0

    def start(self, step: str, total: int) -> None:
        """Say that a step begins."""
        self._step, self._total, self._done, self._note = step, total, 0, ""
        self._started = self._spoken = self._clock()
        self._write(f"{step}: 0/{total}")

    def advance(self, pieces: int = 1, note: str = "") -> None:
        """Say how far it is, if the last line is long ago or the step is done."""
        self._done += pieces
        self._note = note or self._note
        now = self._clock()
        if self._done >= self._total or now - self._spoken >= LINE_EVERY:
            self._spoken = now
            self._write(self._line(now - self._started))

    def say(self, line: str) -> None:
        """Print a line of its own."""
        self._write(line)

    def _line(self, seconds: float) -> str:
        parts = [f"{self._step}: {self._done}/{self._total}"]
        if seconds > 0:
            rate = self._done / seconds
            parts.append(f"{rate:.2g}/s")
            if 0 < self._done < self._total:
                parts.append(f"{describe_duration((self._total - self._done) / rate)} left")
        return ", ".join([*parts, self._note] if self._note else parts)


class BarProgress:
    """A bar with count, rate and time left; used as a context manager."""

    def __init__(self) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as Bars

        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=make_console(stderr=True),
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def start(self, step: str, total: int) -> None:
        """Add a bar."""
        self._task = self._bars.add_task(step, total=total, rate="", note="")

    def advance(self, pieces: int = 1, note: str = "") -> None:
        """Move the newest bar."""
        if self._task is None:
            return
        task = next(task for task in self._bars.tasks if task.id == self._task)
        rate = f"{task.speed:.2g}/s" if task.speed else ""
        self._bars.update(
            self._task, advance=pieces, rate=rate, note=note or task.fields.get("note", "")
        )

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self._bars.console.print(line)


@contextmanager
def show_progress() -> Iterator[Progress]:
    """The progress that fits stderr; it says too where a preflight call takes long."""
    if sys.stderr.isatty():
        with BarProgress() as bars, heard_by(bars.say):
            yield bars
    else:
        plain = PlainProgress()
        with heard_by(plain.say):
            yield plain


def watch_calls(progress: Progress) -> Callable[[Event], Awaitable[None]]:
    """Takes the events of a measurement, and says where its calls wait or are tried again."""
    waiting = Waiting()

    async def announce(event: Event) -> None:
        if isinstance(event, CallsPaused | CallRetried):
            line = waiting.describe(event)
            if line:
                progress.say(line)

    return announce
