"""Which problems of a batch are visited, and what earlier visits say of them (adaptive groups)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from grpo_framework.adaptive import Standing, visited
from grpo_framework.calls import Memory
from grpo_framework.errors import DataError
from grpo_framework.lanes import Learned
from grpo_framework.records import Owner, Rollout
from grpo_framework.schedule import Batch

_KIND = "visits"
"""Journal entries: a batch's rewards by problem and generator, as they decide later visits."""


class Visits:
    """What the finished batches of a run showed of its problems.

    A batch is decided by the batches that were committed when it began. What they showed is
    journalled before their commit, and a resumed or replayed run reads it there: units that failed
    then may succeed now, and the course must stay the one that was taken.

    Args:
        k: Size of a full group; None where all groups are full and all problems visited.
        generators: How many there are.
        memory: The run's journal; None remembers nothing.
    """

    def __init__(self, k: int | None, generators: int, memory: Memory | None) -> None:
        self._k = k
        self._generators = generators
        self._memory = memory
        self._newest: dict[str, Standing] = {}
        self._before: dict[str, Standing] = {}

    async def restore(self, batches: Sequence[Batch]) -> None:
        """Read what an earlier session's batches showed.

        Raises:
            DataError: The journal lacks one of them.
        """
        for batch in batches if self._k is not None else ():
            kept = None if self._memory is None else await self._memory.get(_KIND, _key(batch))
            if kept is None:
                message = f"the journal lacks what batch {_key(batch)} showed"
                hint = "begin a new run from its experiences with --fork"
                raise DataError(message, hint=hint)
            self._add(batch, kept)

    def narrow(self, batch: Batch, *, stale: bool) -> Batch:
        """The batch without the problems that rest, and with what is known of the others.

        Args:
            batch: As scheduled.
            stale: Whether it began before the newest commit, in the session that began it.
        """
        if self._k is None:
            return batch
        standings = self._before if stale else self._newest
        due, resting, known = [], [], {}
        for problem in batch.problems:
            standing = standings.get(problem.id, Standing())
            if batch.epoch < standing.due:
                resting.append(problem.id)
                continue
            due.append(problem)
            right = standing.known(self._k)
            if right is not None:
                known[problem.id] = right
        return evolve(batch, problems=tuple(due), resting=tuple(resting), known=known)

    async def take(self, batch: Batch, learned: Sequence[Learned]) -> None:
        """Note what a batch showed, before it is committed."""
        if self._k is None:
            return
        rewards = _rewards(learned)
        if self._memory is not None:
            kept = await self._memory.get(_KIND, _key(batch))
            if kept is None:
                await self._memory.put(_KIND, _key(batch), rewards)
            else:
                rewards = kept
        self._add(batch, rewards)

    def _add(self, batch: Batch, rewards: Mapping[str, Mapping[Owner, Sequence[float]]]) -> None:
        self._before = dict(self._newest)
        for problem, groups in rewards.items():
            standing = self._newest.get(problem, Standing())
            self._newest[problem] = visited(standing, groups, self._generators, batch.epoch)


def _key(batch: Batch) -> str:
    return f"{batch.epoch}/{batch.number}"


def _rewards(learned: Sequence[Learned]) -> dict[str, dict[Owner, list[Any]]]:
    """Problem → generator → rewards of its judged rollouts."""
    found: dict[str, dict[Owner, list[Any]]] = {}
    for answer in (answer for lane in learned for answer in lane.answers):
        if isinstance(answer, Rollout):
            groups = found.setdefault(answer.unit.problem, {})
            groups.setdefault(answer.unit.owner, []).append(answer.reward)
    return found
