"""The time left of an epoch: groups, what ends a batch, and the scoring of its version."""

from __future__ import annotations

import pytest

from grpo_framework.events import (
    BatchFinished,
    BatchStarted,
    CallFinished,
    CallRetried,
    CallsPaused,
    EpochStarted,
    GroupFinished,
    LibraryCommitted,
    RunStarted,
    VersionScored,
)
from grpo_framework.experience import Plan
from grpo_framework.records import Unit, Usage
from grpo_framework.tally import Repeats, Tally, Waiting

OWNERS = ("generator_1", "critic")


def retried(kind, wait):
    return CallRetried(Unit(1, 1, "p", "critic", "fusion"), "m", kind, "it failed", wait)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tally(clock):
    """An epoch of 4 problems in batches of 2."""
    tally = Tally(clock)
    tally.add(RunStarted("r", "", OWNERS, 4, 2, 3, validation=20))
    tally.add(EpochStarted(1, 4, 2))
    return tally


def answer(tally, clock, batch, epoch=1):
    """Two groups, 1 s each."""
    tally.add(BatchStarted(epoch, batch, ("p1", "p2")))
    for _ in range(2):
        clock.now += 1
        tally.add(GroupFinished(epoch, batch, "p1", "generator_1", (1.0,)))


def close(tally, clock, batch, *, gate, scoring=(), epoch=1):
    """Edits are measured, and libraries scored."""
    clock.now += gate
    tally.add(LibraryCommitted(epoch, batch, Plan("critic", 0), 0, 0, 1))
    for version, seconds in enumerate(scoring):
        clock.now += seconds
        tally.add(VersionScored(version, (), ()))
    tally.add(BatchFinished(epoch, batch, 0.0))


def test_nothing_is_foretold_before_anything_is_done(tally):
    assert tally.left == ""


def test_before_the_first_gate_it_is_said_that_more_will_come(tally, clock):
    answer(tally, clock, 1)
    assert tally.left == "over 2 s left"


def test_before_anything_was_scored_it_is_said_that_more_will_come(tally, clock):
    answer(tally, clock, 1)
    close(tally, clock, 1, gate=20)
    assert tally.left == "over 22 s left"


def test_what_ends_a_batch_and_the_scoring_are_in_the_time_left(tally, clock):
    answer(tally, clock, 1)
    close(tally, clock, 1, gate=20, scoring=[7])
    assert tally.left == "29 s left"
    answer(tally, clock, 2)
    assert tally.left == "27 s left"
    clock.now += 15
    assert tally.left == "12 s left"


def test_scoring_does_not_count_as_a_part_of_its_batch(tally, clock):
    answer(tally, clock, 1)
    close(tally, clock, 1, gate=20)
    answer(tally, clock, 2)
    close(tally, clock, 2, gate=20, scoring=[7, 10])
    tally.add(EpochStarted(2, 4, 2))
    assert tally.left == "54 s left"


def test_without_a_gate_groups_are_all(clock):
    tally = Tally(clock)
    tally.add(RunStarted("r", "", OWNERS, 4, 2, 3))
    tally.add(EpochStarted(1, 4, 2))
    answer(tally, clock, 1)
    assert tally.left == "2 s left"


def test_a_batch_that_takes_longer_than_those_before_leaves_no_negative_time(tally, clock):
    answer(tally, clock, 1)
    close(tally, clock, 1, gate=0, scoring=[7])
    answer(tally, clock, 2)
    clock.now += 50
    assert tally.left == "7 s left"


def test_a_pause_is_told_once_for_all_calls_that_were_sent_back_and_counts_down(clock):
    waiting, pause = Waiting(clock), CallsPaused("m", "rate_limited", 40.0)
    assert waiting.text == ""
    assert waiting.describe(pause) == "waiting for the rate limit, 40 s"
    assert waiting.describe(retried("rate_limited", 40.0)) == ""
    clock.now += 1
    assert waiting.describe(pause) == ""
    assert waiting.text == "waiting for the rate limit, 39 s"
    clock.now += 10
    assert waiting.describe(CallsPaused("m", "overloaded", 60.0))
    assert waiting.text == "waiting for the overloaded endpoint, 60 s"
    clock.now += 60
    assert waiting.text == ""
    assert waiting.describe(pause)


def test_each_model_has_its_own_pause_and_the_longest_is_shown(clock):
    waiting = Waiting(clock)
    assert waiting.describe(CallsPaused("a", "rate_limited", 40.0))
    told = waiting.describe(CallsPaused("b", "overloaded", 30.0))
    assert told == "b: waiting for the overloaded endpoint, 30 s"
    assert waiting.describe(CallsPaused("b", "overloaded", 30.0)) == ""
    assert waiting.describe(CallsPaused("a", "rate_limited", 40.0)) == ""
    assert waiting.text == "waiting for the rate limit, 40 s"
    assert waiting.describe(CallsPaused("b", "overloaded", 50.0))
    assert waiting.text == "waiting for the overloaded endpoint, 50 s"


def test_a_retry_is_told_where_no_pause_says_it_already(clock):
    waiting = Waiting(clock)
    assert waiting.describe(retried("connection", 1.0)) == "m: it failed; again in 1 s"
    assert waiting.describe(retried("rate_limited", 1.0)) == ""
    assert waiting.describe(retried("rate_limited", 9.0)) == "m: it failed; again in 9 s"
    waiting.describe(CallsPaused("m", "rate_limited", 40.0))
    clock.now += 30
    assert waiting.describe(retried("connection", 0.3)) == "m: it failed; trying again"


def test_short_pauses_that_go_on_are_told_now_and_then(clock):
    waiting, told = Waiting(clock), []
    for _ in range(31):
        told.append(waiting.describe(CallsPaused("m", "rate_limited", 2.0)))
        assert waiting.text
        clock.now += 2.1
    assert [place for place, line in enumerate(told) if line] == [0, 15, 30]


def test_failures_alike_are_told_once_and_counted(clock):
    waiting = Waiting(clock)
    told = [waiting.describe(retried("connection", 1.0)) for _ in range(9)]
    assert told == ["m: it failed; again in 1 s", *[""] * 8]
    clock.now += 30
    line = waiting.describe(retried("connection", 4.0))
    assert line == "m: it failed; again in 4 s (and 8 more like it)"


def test_what_was_left_out_is_counted_at_the_end(clock):
    repeats = Repeats(clock)
    assert [repeats.describe("a", line) for line in "xyz"] == ["x", "", ""]
    assert repeats.describe("b", "w") == "w"
    assert (repeats.rest(), repeats.rest()) == ("… and 2 more like these", "")


def test_problems_that_rest_take_no_time(clock):
    tally = Tally(clock)
    tally.add(RunStarted("r", "", OWNERS, 4, 2, 3))
    tally.add(EpochStarted(1, 4, 1))
    tally.add(BatchStarted(1, 1, ("p1",), resting=("p2", "p3", "p4")))
    assert tally.line.startswith("epoch 1/2: 3/4 groups")


def called(seconds=1.0, purpose="learn"):
    unit = Unit(1, 1, "p", "critic", "fusion", purpose=purpose)
    return CallFinished(unit, "m", Usage(1, 1, 1, seconds), "stop")


def test_what_is_under_way_after_the_groups_is_named_and_no_time_of_zero_is(clock):
    tally = Tally(clock)
    tally.add(RunStarted("r", "", OWNERS, 2, 3, 3, validation=20))
    tally.add(EpochStarted(1, 2, 1))
    answer(tally, clock, 1)
    tally.add(called(purpose="gate"))
    assert tally.doing == "measuring edits"
    assert tally.line == "epoch 1/3: 2/2 groups, measuring edits, 0.5 calls/s, 0 tokens/s"
    tally.add(LibraryCommitted(1, 1, Plan("critic", 0), 0, 0, 1))
    assert tally.doing == ""
    tally.add(called(purpose="validation"))
    assert tally.doing == "scoring the libraries"
    tally.add(VersionScored(1, (), ()))
    assert tally.doing == ""


def test_what_an_earlier_session_paid_for_is_no_speed(clock):
    tally = Tally(clock)
    tally.add(RunStarted("r", "", OWNERS, 4, 1, 3, resumed=True))
    tally.add(EpochStarted(1, 4, 1))
    tally.add(BatchStarted(1, 1, ("p1", "p2", "p3", "p4")))
    for _ in range(2):
        tally.add(called(seconds=5.0))
        tally.add(GroupFinished(1, 1, "p", "generator_1", (1.0,)))
    assert (tally.pace, tally.left) == ("", "")
    clock.now += 20
    tally.add(called(seconds=10.0))
    tally.add(GroupFinished(1, 1, "p", "generator_1", (1.0,)))
    assert tally.rate == "0.1 calls/s, 0 tokens/s"
    assert tally.left == "10 s left"
