"""The time left of an epoch: groups, what ends a batch, and the scoring of its version."""

from __future__ import annotations

import pytest

from grpo_framework.events import (
    BatchFinished,
    BatchStarted,
    EpochStarted,
    GroupFinished,
    LibraryCommitted,
    RunStarted,
    VersionScored,
)
from grpo_framework.experience import Plan
from grpo_framework.tally import Tally

OWNERS = ("generator_1", "critic")


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
    """An epoch of 4 problems in batches of 2; scoring the libraries at the start took 7 s."""
    tally = Tally(clock)
    tally.add(RunStarted("r", "", OWNERS, 4, 2, 3, validation=20))
    clock.now += 7
    tally.add(VersionScored(0, (), ()))
    tally.add(EpochStarted(1, 4, 2))
    return tally


def answer(tally, clock, batch, epoch=1):
    """Two groups, 1 s each."""
    tally.add(BatchStarted(epoch, batch, ("p1", "p2")))
    for _ in range(2):
        clock.now += 1
        tally.add(GroupFinished(epoch, batch, "p1", "generator_1", (1.0,)))


def close(tally, clock, batch, *, gate, scoring=0, epoch=1):
    """Edits are measured, and libraries scored."""
    clock.now += gate
    tally.add(LibraryCommitted(epoch, batch, Plan("critic", 0), 0, 0, 1))
    if scoring:
        clock.now += scoring
        tally.add(VersionScored(epoch, (), ()))
    tally.add(BatchFinished(epoch, batch, 0.0))


def test_nothing_is_foretold_before_anything_is_done(tally):
    assert tally.left == ""


def test_before_the_first_gate_it_is_said_that_more_will_come(tally, clock):
    answer(tally, clock, 1)
    assert tally.left == "9 s left, and more for measuring edits"


def test_what_ends_a_batch_and_the_scoring_are_in_the_time_left(tally, clock):
    answer(tally, clock, 1)
    close(tally, clock, 1, gate=20)
    assert tally.left == "29 s left"
    answer(tally, clock, 2)
    assert tally.left == "27 s left"
    clock.now += 15
    assert tally.left == "12 s left"


def test_scoring_does_not_count_as_a_part_of_its_batch(tally, clock):
    answer(tally, clock, 1)
    close(tally, clock, 1, gate=20)
    answer(tally, clock, 2)
    close(tally, clock, 2, gate=20, scoring=10)
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
    close(tally, clock, 1, gate=0)
    answer(tally, clock, 2)
    clock.now += 50
    assert tally.left == "7 s left"


def test_problems_that_rest_take_no_time(clock):
    tally = Tally(clock)
    tally.add(RunStarted("r", "", OWNERS, 4, 2, 3))
    tally.add(EpochStarted(1, 4, 1))
    tally.add(BatchStarted(1, 1, ("p1",), resting=("p2", "p3", "p4")))
    assert tally.line.startswith("3/4 groups")
