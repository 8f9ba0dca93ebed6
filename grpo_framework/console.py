"""What a person sees of a run: progress on stderr."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from grpo_framework.adaptive import FIRST, adapts
from grpo_framework.events import (
    BatchStarted,
    CallFinished,
    CallRetried,
    CallsPaused,
    EditsGated,
    EpochFinished,
    EpochStarted,
    Event,
    GroupFinished,
    LibraryCommitted,
    RunFinished,
    RunStarted,
    UnitFailed,
    VersionRestored,
    VersionScored,
)
from grpo_framework.experience import HARMFUL, PROMOTED, Delete
from grpo_framework.records import Failure
from grpo_framework.tally import Repeats, Tally, Waiting
from grpo_framework.telling import (
    count_of,
    describe_gate,
    describe_rules,
    describe_score,
    name_version,
)

PLAIN_EVERY = 5.0
"""Seconds between two progress lines where stderr is no terminal."""


class ConsoleObserver:
    """Shows a run as it goes: a bar on a terminal, plain lines elsewhere.

    Args:
        stream: Where to write; stderr by default, results have stdout.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._console = Console(file=stream or sys.stderr, highlight=False)
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._tally = Tally()
        self._waiting = Waiting()
        self._failures = Repeats()
        self._last = 0.0
        self._scored: VersionScored | None = None

    async def notify(self, event: Event, /) -> None:
        """Take one event."""
        self._tally.add(event)
        match event:
            case CallFinished():  # the first, as by far the commonest
                pass
            case RunStarted():
                self._start(event)
            case EpochStarted():
                self._epoch(event)
            case BatchStarted():
                self._say_batch(event)
            case CallsPaused() | CallRetried():
                line = self._waiting.describe(event)
                # On a terminal the bar says that calls wait.
                if line and not (self._bar and isinstance(event, CallsPaused)):
                    self._line(f"  {line}")
            case UnitFailed(failure=failure):
                self._fail(failure)
            case EditsGated():
                self._line(f"  {describe_gate(event)}")
            case VersionScored():
                self._line(f"  {describe_score(event, self._scored)}")
                self._scored = event
            case VersionRestored():
                self._line(f"the libraries of {name_version(event.epoch)} did best: restored")
            case LibraryCommitted():
                self._commit(event)
            case EpochFinished():
                self._tell_rest()
                self._line(f"epoch {event.epoch} done")
            case RunFinished():
                self._stop()
            case _:
                pass
        self._advance(event)

    def _start(self, event: RunStarted) -> None:
        generators = len(event.owners) - 1
        k = event.rollouts_per_generator
        self._line(
            f"training on {count_of(event.problems, 'problem')}, "
            f"{count_of(event.epochs, 'epoch')}: {count_of(generators, 'generator')} x "
            f"{count_of(k, 'rollout')} and {count_of(generators, 'fusion')} a problem"
        )
        if event.adaptive_groups:
            self._line(describe_adaptive(k))
        if event.validation:
            self._line(
                f"every edit is measured on {count_of(event.validation, 'validation problem')} "
                "before it is kept (--gate none keeps all)"
            )
        if event.simulation:
            self._line("a simulated model knows the answers: these rewards prove nothing")
        if self._console.is_terminal:
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                _Column(lambda: f"{self._tally.done}/{self._tally.groups}", "progress.download"),
                _Column(lambda: self._waiting.text or self._tally.doing or self._tally.pace),
                TimeElapsedColumn(table_column=Column(min_width=7)),
                _Column(lambda: "" if self._waiting.text else self._tally.left),
                console=self._console,
            )
            self._bar.start()

    def _epoch(self, event: EpochStarted) -> None:
        title = f"epoch {event.epoch}/{self._tally.epochs}"
        self._last = time.monotonic()
        if self._bar is not None:
            for task in self._bar.task_ids:
                self._bar.remove_task(task)
            # What ends the epoch is a piece of it: a bar that is full stands still.
            self._task = self._bar.add_task(title, total=self._tally.groups + 1)
        else:
            self._line(
                f"{title}: {count_of(event.problems, 'problem')}, in batches: {event.batches}"
            )

    def _say_batch(self, event: BatchStarted) -> None:
        if self._bar is not None:
            text = f"epoch {event.epoch}/{self._tally.epochs} batch {event.batch}"
            self._bar.update(self._task, description=text)

    def _advance(self, event: Event) -> None:
        if self._bar is not None:
            if isinstance(event, GroupFinished | CallFinished):
                self._bar.update(self._task, completed=self._tally.done)
            elif isinstance(event, EpochFinished):
                self._bar.update(self._task, completed=self._tally.groups + 1)
        elif (
            # Calls too: measuring edits takes long, and no group is finished meanwhile.
            isinstance(event, GroupFinished | CallFinished)
            and self._tally.groups
            and time.monotonic() - self._last > PLAIN_EVERY
        ):
            self._last = time.monotonic()
            self._line(f"  {self._tally.line}")

    def _commit(self, event: LibraryCommitted) -> None:
        changes = len(event.plan.changes)
        rules = Counter(refusal.rule for refusal in event.plan.refused)
        moved = rules.pop(PROMOTED, 0)
        if changes or event.plan.refused:
            shared = f"{moved} went to the shared library, " if moved else ""
            why = f" ({describe_rules(rules)})" if rules else ""
            self._line(
                f"  {event.plan.owner}: {count_of(changes, 'operation')} applied, "
                f"{shared}{rules.total()} refused{why}; "
                f"{event.size_before} -> {count_of(event.size_after, 'experience')}"
            )
        for item in event.plan.accepted:
            if isinstance(item, Delete) and item.rule == HARMFUL:
                self._line(f"  {event.plan.owner}: removed {item.id}: {item.reason}")

    def _fail(self, failure: Failure) -> None:
        unit = failure.unit
        number = f"#{unit.index + 1}" if unit.stage in ("attempt", "verdict") else ""
        parts = (unit.owner, unit.stage, number, unit.problem)
        where = " ".join(part for part in parts if part)
        line = f"  failed: {where}: {failure.kind}: {failure.message}"
        line = self._failures.describe((failure.kind, failure.message), line)
        if line:
            self._line(line)

    def _tell_rest(self) -> None:
        rest = self._failures.rest()
        if rest:
            self._line(f"  {rest}")

    def _stop(self) -> None:
        self._tell_rest()
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


class _Column(ProgressColumn):
    """What is true at the moment at which it is drawn, also where no event has come for long."""

    def __init__(self, text: Callable[[], str], style: str = "progress.remaining") -> None:
        super().__init__(table_column=Column(no_wrap=True))
        self._text = text
        self._style = style

    def render(self, task: Task) -> Text:  # noqa: ARG002 - what is told is of the whole run
        """A few words."""
        return Text(self._text(), style=self._style)


def describe_adaptive(k: int) -> str:
    """What adaptive groups will do with groups of k."""
    if adapts(asked=True, k=k):
        return f"groups begin with {FIRST} rollouts and grow up to {k} while they are uniform"
    return f"adaptive groups change nothing with groups of {k}: they begin with {FIRST} rollouts"
