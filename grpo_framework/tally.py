"""How far an epoch is, how fast it goes, and how long it takes yet, gate and scoring included."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Hashable
from operator import attrgetter

from attrs import frozen

from grpo_framework.calls.asking import CAUSES, describe_pause
from grpo_framework.events import (
    BatchFinished,
    BatchStarted,
    CallFinished,
    CallRetried,
    CallsPaused,
    EpochStarted,
    Event,
    GroupFinished,
    LibraryCommitted,
    RunStarted,
    VersionScored,
)
from grpo_framework.experience import CRITIC
from grpo_framework.records import Purpose
from grpo_framework.telling import describe_duration

_SAME_PAUSE = 2.0
"""Seconds by which a pause must end later than the one before to be another."""

_AGAIN = 30.0
"""Seconds after which what goes on is said again."""

_LONG = 5.0
"""Seconds from which on the wait of one call for a rate limit is worth a line."""


_DOING = {"gate": "measuring edits", "validation": "scoring the libraries"}
"""What calls are made for, where they finish no group."""


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
        self._scoring: float | None = None
        self._epoch_finished = 0
        self._batch: dict[int, int] = {}
        self._epoch = 0
        self._purpose: Purpose = "learn"
        # Of a resumed run: whether no call was made yet, and the groups that were done before.
        self._replaying = False
        self._kept = 0
        self._began = self._started = self._mark = self._committed = clock()

    def add(self, event: Event) -> None:
        """Take one event of the run."""
        now = self._clock()
        match event:
            case CallFinished():  # the first, as by far the commonest
                self._call(event, now)
            case RunStarted():
                self.epochs = event.epochs
                self._generators = len(event.owners) - 1
                self._measures = event.validation > 0
                self._began = self._committed = now
                self._replaying = event.resumed
            case EpochStarted():
                self._epoch = event.epoch
                self._kept = 0
                self.groups = (event.problems - event.done) * self._generators
                self.done = self._epoch_finished = self._calls = self._tokens = 0
                self._started = self._mark = now
            case BatchStarted():
                self.done += len(event.resting) * self._generators
                visited = len(event.problems) + len(event.resting)
                self._batch[event.batch] = visited * self._generators
            case GroupFinished() if event.owner != CRITIC:
                self.done += 1
            case LibraryCommitted():
                self._committed = now
                self._purpose = "learn"
            case VersionScored():
                self._purpose = "learn"
                self._scoring = now - self._committed
                self._committed = now
                self._mark += self._scoring
            case BatchFinished():
                self._close(self._batch.pop(event.batch, 0), now)
            case _:
                pass

    def _call(self, event: CallFinished, now: float) -> None:
        self._purpose = event.unit.purpose
        if self._replaying:
            # A call that took longer than this session has lasted was made by one before it.
            if event.usage.seconds > now - self._began:
                return
            self._replaying = False
            self._started = self._mark = now - event.usage.seconds
            self._kept = self.done
        self._calls += 1
        self._tokens += event.usage.output_tokens

    def _close(self, groups: int, now: float) -> None:
        """A batch is finished; what was answered before this session says nothing of its speed."""
        self._epoch_finished += groups
        made = 0 if self._replaying else max(0, groups - self._kept)
        self._kept = 0
        if made:
            self._finished += made
            self._took += now - self._mark
        self._mark = now

    @property
    def _elapsed(self) -> float:
        return max(self._clock() - self._started, 1e-3)

    @property
    def rate(self) -> str:
        """Calls and tokens a second, in this epoch."""
        calls, tokens = self._calls / self._elapsed, self._tokens / self._elapsed
        return f"{calls:.1f} calls/s, {tokens:.0f} tokens/s"

    @property
    def pace(self) -> str:
        """The rates, once there is a call to speak of."""
        return self.rate if self._calls else ""

    @property
    def doing(self) -> str:
        """What is under way where it is no group, else empty."""
        return _DOING.get(self._purpose, "")

    @property
    def left(self) -> str:
        """The time left of the epoch, empty where nothing is known of it."""
        seconds = self._seconds_left()
        if seconds is None or (self.done >= self.groups and seconds < 1):
            return ""
        known = self._finished and self._scoring is not None
        over = "over " if self._measures and not known else ""
        return f"{over}{describe_duration(seconds)} left"

    def _seconds_left(self) -> float | None:
        to_do = self.groups - self.done
        scoring = self._scoring or 0.0
        if self._finished:
            since = self._clock() - self._mark
            whole = self._took / self._finished * (self.groups - self._epoch_finished)
            # A batch that takes longer than those before it does not make the rest shorter.
            rest = self._took / self._finished * to_do
            return max(whole - since, rest) + scoring
        made = self.done - self._kept
        if self._replaying or made <= 0:
            return None
        # How long measuring edits takes is not known before the first batch ends.
        return (self._clock() - self._mark) / made * to_do + scoring

    @property
    def line(self) -> str:
        """All of it in one line."""
        epoch = f"epoch {self._epoch}/{self.epochs}"
        told = [f"{epoch}: {self.done}/{self.groups} groups", self.doing, self.rate, self.left]
        return ", ".join(part for part in told if part)


class Repeats:
    """Lines of which many alike come at once: one is told, the others are counted.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[Hashable, float] = {}
        self._more = Counter[Hashable]()

    def describe(self, alike: Hashable, line: str) -> str:
        """The line, with the number of those that were left out since; empty where it is one.

        Args:
            alike: Equal for lines that say the same.
            line: What is to be said.
        """
        now = self._clock()
        if now - self._told.get(alike, -_AGAIN) < _AGAIN:
            self._more[alike] += 1
            return ""
        self._told[alike] = now
        more = self._more.pop(alike, 0)
        return f"{line} (and {more} more like it)" if more else line

    def rest(self) -> str:
        """How many were left out that nothing was said of yet; empty where there are none."""
        more = self._more.total()
        self._more.clear()
        return f"… and {more} more like {'it' if more == 1 else 'these'}" if more else ""


@frozen
class _Pause:
    """A model's pause: why, until when, and when it was said."""

    kind: str = ""
    until: float = -math.inf
    told: float = -math.inf


_NEVER = _Pause()


class Waiting:
    """Whether calls wait because an endpoint asked for less, why, and for how long yet.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Each model's last pause.
        self._pauses: dict[str, _Pause] = {}
        self._repeats = Repeats(clock)

    def describe(self, event: CallsPaused | CallRetried) -> str:
        """What to say of a pause or a retry; empty where it is no news.

        Calls of one model that were under way together are all sent back with the same words, and
        short waits for a rate limit come all the time: while they go on they are said now and then.
        Once several models were told to wait, it is said of which one.
        """
        if isinstance(event, CallsPaused):
            return self._pause(event)
        until = self._pauses.get(event.model, _NEVER).until
        known = self._clock() + event.wait <= until + _SAME_PAUSE
        if event.kind in CAUSES and (known or event.wait < _LONG):
            return ""
        soon = f"; again in {event.wait:.0f} s" if event.wait >= 1 else "; trying again"
        alike = (event.model, event.kind, event.message)
        return self._repeats.describe(alike, f"{event.model}: {event.message}{soon}")

    def _pause(self, event: CallsPaused) -> str:
        now, last = self._clock(), self._pauses.get(event.model, _NEVER)
        other = event.kind != last.kind
        more = now + event.seconds - last.until
        until = now + event.seconds if other or more > _SAME_PAUSE else last.until
        news = other or more >= _LONG or (more > _SAME_PAUSE and now - last.told >= _AGAIN)
        self._pauses[event.model] = _Pause(event.kind, until, now if news else last.told)
        which = f"{event.model}: " if len(self._pauses) > 1 else ""
        return f"{which}{describe_pause(event.kind, event.seconds)}" if news else ""

    @property
    def text(self) -> str:
        """What to say of it now, of the model that waits longest; empty where none waits."""
        pause = max(self._pauses.values(), key=attrgetter("until"), default=_NEVER)
        left = pause.until - self._clock()
        return describe_pause(pause.kind, left) if left > 0 else ""
