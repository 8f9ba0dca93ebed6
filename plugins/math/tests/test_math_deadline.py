"""The time of a comparison: what this thread computes counts, not what the machine does."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from grpo_math import Cause, comparing, limits
from grpo_math.limits import Deadline, DeadlineError


class Clocks:
    """Clocks that a test sets: on the wall, of the thread, of the process."""

    def __init__(self) -> None:
        self.wall = self.thread = self.process = 100.0

    def go(self, wall: float, thread: float, process: float) -> None:
        self.wall += wall
        self.thread += thread
        self.process += process


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    module = SimpleNamespace(
        perf_counter=lambda: clocks.wall,
        thread_time=lambda: clocks.thread,
        process_time=lambda: clocks.process,
    )
    monkeypatch.setattr(limits, "time", module)
    return clocks


def run(clocks: Clocks, steps: int, *, thread: float, process: float) -> float | None:
    """Let a comparison of half a second run in steps of a hundredth; when it gives up, if so."""
    deadline = Deadline(0.5)
    started = clocks.wall
    for _ in range(steps):
        clocks.go(0.01, 0.01 * thread, 0.01 * process)
        try:
            deadline.check()
        except DeadlineError:
            return clocks.wall - started
    return None


def test_an_idle_machine_ends_a_comparison_when_its_time_is_used_up(clocks: Clocks) -> None:
    given_up = run(clocks, 200, thread=1, process=1)
    assert given_up == pytest.approx(0.5, abs=0.03)


def test_other_processes_take_nothing_of_the_time_of_a_comparison(clocks: Clocks) -> None:
    """On a machine five times as loaded, a comparison of 0.3 s is not given up."""
    assert run(clocks, 150, thread=0.2, process=0.2) is None


def test_a_starved_comparison_ends_all_the_same(clocks: Clocks) -> None:
    given_up = run(clocks, 1_000, thread=0.01, process=0.01)
    assert given_up == pytest.approx(4.0, abs=0.1)


def test_other_threads_do_not_keep_a_comparison_beyond_a_second(clocks: Clocks) -> None:
    """Two hostile inputs in two threads of an idle machine each end within the promised time."""
    given_up = run(clocks, 300, thread=0.5, process=1)
    assert given_up is not None
    assert given_up < 0.95


def test_the_load_does_not_turn_a_verdict_into_unknown_at_the_first_look(clocks: Clocks) -> None:
    """A thread that was put aside for long before the first look has not used its time."""
    deadline = Deadline(0.5)
    clocks.go(1.5, 0.01, 0.01)
    deadline.check()


def test_the_time_of_reading_the_answer_counts(
    clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look is after the reference is read, so a slow answer is not read for nothing."""
    whole = comparing._read_answer
    times = iter((0.1, 0.5))

    def read_slowly(text: str, *args: object, **kwargs: object) -> object:
        seconds = next(times)
        clocks.go(seconds, seconds, seconds)
        return whole(text, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(comparing, "_read_answer", read_slowly)
    result = comparing.compare("x^2 + 41y + slow", "y + 2x^2 - 7z + slow")
    assert result.cause is Cause.TIMEOUT
