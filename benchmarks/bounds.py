"""What a run could have taken at best: a greedy schedule of its own calls, and a lower bound.

Both are computed from the endpoint's log: each call's service time as it was served, the
dependencies of the method (fusion and advice wait for a group's attempts, the critic's advice for
the fusions, consolidation for the whole batch), no other barrier, and no overhead.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen
from grpo_prompted.seeds import derive

from grpo_framework.experience import CRITIC
from grpo_framework.records import Owner, Problem, Stage, Unit
from grpo_framework.schedule import Batch, plan_batches

PORTIONS = 64
"""Calls, at the most, in which the advisor consolidates one owner's proposals of a batch."""
_PRIORITY: Mapping[Stage, int] = {"consolidation": 0, "advice": 1, "fusion": 2, "attempt": 3}


@frozen
class Course:
    """What a run was asked to do.

    Attributes:
        problems: In the order of their file.
        epochs: Passes over them.
        batch_size: Problems between two commits.
        rollouts: k.
        concurrency: Most calls under way.
        generators: Owners that roll out.
        seed: Of the run.
    """

    problems: tuple[Problem, ...]
    epochs: int
    batch_size: int
    rollouts: int
    concurrency: int
    generators: tuple[Owner, ...] = ("generator_1",)
    seed: int = 0

    @property
    def batches(self) -> tuple[Batch, ...]:
        """All batches of the run."""
        return plan_batches(self.problems, self.epochs, self.batch_size, self.seed)

    def units(self, batch: Batch) -> Iterable[Unit]:
        """All units of a batch that can call a model."""
        at = (batch.epoch, batch.number)
        for problem in batch.problems:
            for owner in self.generators:
                for index in range(self.rollouts):
                    yield Unit(*at, problem.id, owner, "attempt", index)
                yield Unit(*at, problem.id, owner, "fusion")
                yield Unit(*at, problem.id, owner, "advice")
            yield Unit(*at, problem.id, CRITIC, "advice")
        for owner in (*self.generators, CRITIC):
            yield Unit(*at, "", owner, "consolidation", batch.number)


@frozen
class Ideal:
    """The figures that a run is held against, in seconds.

    Attributes:
        greedy: Of the greedy list schedule; a batch begins when that before it has ended, with a
            staleness of 1 when the one before that has.
        bound: Summed over batches, the larger of service ÷ concurrency and the longest chain.
        service: Of all calls.
        calls: How many there were.
    """

    greedy: float
    bound: float
    service: float
    calls: int


def ideal(
    course: Course, log: Sequence[Mapping[str, Any]], staleness: int = 0, rate: float = 0.0
) -> Ideal:
    """Compute the figures from an endpoint's log; each unit's first good answer counts.

    Args:
        course: What the run was asked to do.
        log: Of the endpoint.
        staleness: Of the run.
        rate: Calls a second that the endpoint accepted; 0 is any number.
    """
    served: dict[int, float] = {}
    for row in log:
        if row["kind"] == "ok":
            served.setdefault(row["seed"], row["end"] - row["start"])
    portions = range(1, PORTIONS)
    bound = service = 0.0
    whole: dict[Unit, float] = {}
    needed: dict[Unit, list[Unit]] = {}
    earlier: list[list[Unit]] = [[]] * (1 + staleness)
    for batch in course.batches:
        seconds: dict[Unit, float] = {}
        for unit in course.units(batch):
            seed = unit.seed(course.seed)
            if seed in served:
                seconds[unit] = served[seed]
            if unit.stage == "consolidation":
                for number in portions:
                    part = derive(seed, "portion", number)
                    if part in served:
                        seconds[evolve(unit, index=-number)] = served[part]
        before = _dependencies(seconds)
        service += sum(seconds.values())
        bound += max(sum(seconds.values()) / course.concurrency, _longest_chain(seconds, before))
        whole |= seconds
        needed |= {unit: others or earlier[0] for unit, others in before.items()}
        last = [unit for unit in seconds if unit.stage == "consolidation"]
        earlier = [*earlier[1:], last or list(seconds)]
    greedy = _list_schedule(whole, needed, course.concurrency, rate)
    return Ideal(greedy, bound, service, len(whole))


def _dependencies(seconds: Mapping[Unit, float]) -> dict[Unit, list[Unit]]:
    attempts: dict[tuple[str, Owner], list[Unit]] = {}
    fusions: dict[str, list[Unit]] = {}
    for unit in seconds:
        if unit.stage == "attempt":
            attempts.setdefault((unit.problem, unit.owner), []).append(unit)
        elif unit.stage == "fusion":
            fusions.setdefault(unit.problem, []).append(unit)
    before: dict[Unit, list[Unit]] = {}
    for unit in seconds:
        if unit.stage == "attempt":
            before[unit] = []
        elif unit.stage == "consolidation":
            before[unit] = [other for other in seconds if other.stage != "consolidation"]
        elif unit.owner == CRITIC:
            before[unit] = fusions.get(unit.problem, [])
        else:
            before[unit] = attempts.get((unit.problem, unit.owner), [])
    return before


def _longest_chain(seconds: Mapping[Unit, float], before: Mapping[Unit, list[Unit]]) -> float:
    ends: dict[Unit, float] = {}
    for unit in _in_order(seconds):
        ends[unit] = seconds[unit] + max((ends[other] for other in before[unit]), default=0.0)
    return max(ends.values(), default=0.0)


def _in_order(seconds: Mapping[Unit, float]) -> list[Unit]:
    rank = {"attempt": 0, "fusion": 1, "advice": 2, "consolidation": 3}
    return sorted(seconds, key=lambda unit: rank[unit.stage])


def _list_schedule(
    seconds: Mapping[Unit, float], before: Mapping[Unit, list[Unit]], servers: int, rate: float
) -> float:
    """The end of a schedule that starts, whenever it may, the first call that is ready.

    Later stages go first, then the order of the units, as in the framework's own queue. With a
    rate, it never starts a call that the endpoint's bucket, one second deep, would refuse.
    """
    numbers = {unit: number for number, unit in enumerate(seconds)}
    missing = {unit: len(others) for unit, others in before.items()}
    after: dict[Unit, list[Unit]] = {}
    for unit, others in before.items():
        for other in others:
            after.setdefault(other, []).append(unit)
    ready = [(_PRIORITY[unit.stage], numbers[unit], unit) for unit in seconds if not missing[unit]]
    heapq.heapify(ready)
    running: list[tuple[float, int, Unit]] = []
    gap = 1 / rate if rate else 0.0
    now, allowed = 0.0, -1.0
    while ready or running:
        while ready and len(running) < servers and allowed <= now:
            _, number, unit = heapq.heappop(ready)
            heapq.heappush(running, (now + seconds[unit], number, unit))
            allowed = max(allowed, now - 1 + gap) + gap
        may_start = ready and len(running) < servers
        if may_start and not (running and running[0][0] < allowed):
            now = allowed
            continue
        now, _, ended = heapq.heappop(running)
        for unit in after.get(ended, ()):
            missing[unit] -= 1
            if not missing[unit]:
                heapq.heappush(ready, (_PRIORITY[unit.stage], numbers[unit], unit))
    return now
