"""How far an epoch is, how fast it goes, and how long it takes yet, gate and scoring included."""

from __future__ import annotations

import time
from collections.abc import Callable

from grpo_framework.events import (
    BatchFinished,
    BatchStarted,
    CallFinished,
    EpochStarted,
    Event,
    GroupFinished,
    LibraryCommitted,
    RunStarted,
    VersionScored,
)
from grpo_framework.experience import CRITIC
from grpo_framework.telling import describe_duration


class Tally:
    """What the progress shows: groups done of an epoch, rates, the time left.

    The time left is that of the whole epoch: batches still to come take, for each of their groups,
    what finished batches took with the edits that were measured at their ends, and the libraries
    are scored at the end of the epoch as they were before it.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.epochs = 0
        self.groups = 0
        self.done = 0
        self._clock = clock
        self._generators = 0
        self._measures = False
        self._calls = 0
        self._tokens = 0
        # Of the batches that were finished, over all epochs: groups, and seconds without scoring.
        self._finished = 0
        self._took = 0.0
        self._scoring = 0.0
        self._epoch_finished = 0
        self._batch: dict[int, int] = {}
        self._started = self._mark = self._committed = clock()

    def add(self, event: Event) -> None:
        """Take one event of the run."""
        now = self._clock()
        match event:
            case RunStarted():
                self.epochs = event.epochs
                self._generators = len(event.owners) - 1
                self._measures = event.validation > 0
                self._committed = now
            case EpochStarted():
                self.groups = (event.problems - event.done) * self._generators
                self.done = self._epoch_finished = self._calls = self._tokens = 0
                self._started = self._mark = now
            case BatchStarted():
                self.done += len(event.resting) * self._generators
                visited = len(event.problems) + len(event.resting)
                self._batch[event.batch] = visited * self._generators
            case CallFinished():
                self._calls += 1
                self._tokens += event.usage.output_tokens
            case GroupFinished() if event.owner != CRITIC:
                self.done += 1
            case LibraryCommitted():
                self._committed = now
            case VersionScored():
                self._scoring = now - self._committed
                self._mark += self._scoring
            case BatchFinished():
                groups = self._batch.pop(event.batch, 0)
                self._epoch_finished += groups
                self._finished += groups
                self._took += now - self._mark
                self._mark = now
            case _:
                pass

    @property
    def _elapsed(self) -> float:
        return max(self._clock() - self._started, 1e-3)

    @property
    def rate(self) -> str:
        """Calls and tokens a second, in this epoch."""
        calls, tokens = self._calls / self._elapsed, self._tokens / self._elapsed
        return f"{calls:.1f} calls/s, {tokens:.0f} tokens/s"

    @property
    def left(self) -> str:
        """The time left of the epoch, empty where nothing is known of it yet."""
        to_do = self.groups - self.done
        if self._finished:
            since = self._clock() - self._mark
            whole = self._took / self._finished * (self.groups - self._epoch_finished)
            # A batch that takes longer than those before it does not make the rest shorter.
            rest = self._took / self._finished * to_do
            return f"{describe_duration(max(whole - since, rest) + self._scoring)} left"
        if not self.done:
            return ""
        seconds = self._elapsed / self.done * to_do + self._scoring
        more = ", and more for measuring edits" if self._measures else ""
        return f"{describe_duration(seconds)} left{more}"

    @property
    def line(self) -> str:
        """All of it in one line."""
        told = [f"{self.done}/{self.groups} groups", self.rate, self.left]
        return ", ".join(part for part in told if part)
