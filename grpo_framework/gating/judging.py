"""Runs the gate: pairs of validation rollouts in waves, until every edit is decided or paid out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import fmean

from attrs import evolve, field, frozen

from grpo_framework.experience import (
    CRITIC,
    SHARED,
    Edit,
    Finding,
    Library,
    Limits,
    Operation,
    Plan,
    Ruling,
    apply,
    join,
)
from grpo_framework.fusion import fuse
from grpo_framework.gating.design import (
    TOGETHER,
    WAITING,
    Look,
    Pair,
    draw_problem,
    draw_signs,
    order_edits,
    pick_soloists,
    promise,
)
from grpo_framework.gating.evidence import describe, is_hopeless, weigh
from grpo_framework.gating.fitting import Size, growth, pick_fitting, size_of
from grpo_framework.grouping import start_group
from grpo_framework.records import FinalAnswer, Owner, Problem, Rollout
from grpo_framework.rollouts import Stages, Tried, try_once

WAVE = 8
"""Pairs that run at once for one owner: what they say decides which edits the next ones try."""


@frozen
class Gate:
    """How edits are judged.

    Attributes:
        problems: Validation problems, at least one.
        budget: Most pairs for one owner's edits in one batch.
        tries: Batches in which an undecided edit is tried before it is given up; one whose evidence
            grows goes on.
        limits: Of every library, also as it stands in the prompts of a pair.
    """

    problems: tuple[Problem, ...]
    budget: int = 48
    tries: int = 3
    limits: Limits = field(factory=Limits)


@frozen
class Judgement:
    """The rulings on an owner's edits, in their order, and the judged answers that they took."""

    rulings: tuple[Ruling, ...]
    units: int = 0


async def judge_edits(
    gate: Gate, stages: Stages, libraries: Mapping[Owner, Library], edits: Sequence[Edit]
) -> Judgement:
    """Measure the edits of one owner, all of them together.

    Args:
        gate: How.
        stages: Of the batch, with the purpose ``gate``.
        libraries: What the edits are made to, by owner, the shared one among them.
        edits: Of one owner, at least one.

    Raises:
        GrpoError: What stops the run: an exhausted budget, a model that is down.
    """
    return await _Court(gate, stages, libraries, tuple(edits)).run()


class _Court:
    """The edits of one owner while they are measured."""

    def __init__(
        self,
        gate: Gate,
        stages: Stages,
        libraries: Mapping[Owner, Library],
        edits: tuple[Edit, ...],
    ) -> None:
        self._gate = gate
        self._stages = evolve(stages, case=edits[0].owner)
        self._libraries = dict(libraries)
        self._edits = edits
        self._owner = edits[0].owner
        ranked = order_edits(edits)
        self._queue = ranked[: TOGETHER + WAITING]
        self._dropped = ranked[TOGETHER + WAITING :]
        self._open: set[int] = set()
        self._aside: set[int] = set()
        self._new: dict[int, list[float]] = {}
        self._looks: dict[int, Look] = {}
        self._soloists: tuple[int, ...] = ()
        self._drawn: Counter[int] = Counter()
        self._findings: dict[int, tuple[Finding, str]] = {}
        self._groups: dict[tuple[str, Owner], asyncio.Task[tuple[Tried, ...]]] = {}
        self._units = 0
        self._size = size_of(libraries[self._owner])
        self._growths = {number: self._growth(number) for number in ranked}
        self._seed = f"{stages.run_seed}/{stages.epoch}/{stages.batch}/{self._owner}"

    async def run(self) -> Judgement:
        self._admit()
        spent = 0
        while self._open - self._aside and spent < self._gate.budget:
            count = min(WAVE, self._gate.budget - spent)
            self._soloists = self._next_soloists()
            wave = [pair for place in range(count) if (pair := self._draw(spent + place))]
            if not wave:
                break
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(self._difference(tasks, pair)) for pair in wave]
            self._stages.engine.brake.check()
            spent += count
            for pair, task in zip(wave, running, strict=True):
                self._note(pair, task.result())
            self._decide()
            self._admit()
        rulings = tuple(self._rule(number) for number in range(len(self._edits)))
        return Judgement(rulings, self._units)

    def _admit(self) -> None:
        """Take edits from the queue, as many as can be measured together."""
        while self._queue and len(self._open - self._aside) < TOGETHER:
            number = self._queue.pop(0)
            self._new[number] = []
            self._looks[number] = Look()
            self._open.add(number)
            if not any(self._concerns(number, owner) for owner in self._answering):
                # A text that all generators hold moves to the shared library.
                self._close(number, "accepted", "it changes no prompt")

    def _next_soloists(self) -> tuple[int, ...]:
        live = sorted(self._open - self._aside)
        if len(self._open) == 1:
            return ()
        gains = {number: promise(self._evidence(number)) for number in live}
        unseen = filter(self._is_unseen, live)
        return pick_soloists(self._looks, gains, unseen, rested=not self._soloists)

    def _is_unseen(self, number: int) -> bool:
        """Whether a new edit has shown nothing beside others, and may show something alone."""
        known = self._edits[number].differences
        return not known and len(self._open) > 1 and self._looks[number].tells_nothing

    @property
    def _answering(self) -> tuple[Owner, ...]:
        """Whose rewards say something of the edits: the owner's own, or all generators'."""
        generators = tuple(owner for owner in self._stages.engine.owners if owner != CRITIC)
        return generators if self._owner in (SHARED, CRITIC) else (self._owner,)

    def _concerns(self, number: int, generator: Owner) -> bool:
        edit = self._edits[number]
        return generator not in {owner for owner, _ in edit.deletes if owner != edit.owner}

    def _draw(self, number: int) -> Pair | None:
        """The pair of a number: its problem, generator and edits follow from the seed."""
        answering = self._answering
        for turn in range(len(answering)):
            place = (number + turn) % len(answering)
            alone = self._soloists
            tried = {alone[number % len(alone)]} if alone else self._open
            concerned = [edit for edit in tried if self._concerns(edit, answering[place])]
            if concerned:
                seed = f"{self._seed}/pair {number}"
                fit = partial(
                    pick_fitting, growths=self._growths, base=self._size, limits=self._gate.limits
                )
                signs = draw_signs(concerned, self._drawn, seed, aside=self._aside, fit=fit)
                if not signs:
                    continue
                self._drawn.update(signs.keys())
                problem = draw_problem(self._gate.problems, number, self._seed)
                return Pair(number, problem, place, signs)
        return None

    def _note(self, pair: Pair, difference: float | None) -> None:
        if difference is None:
            return
        for edit, sign in pair.signs.items():
            value = sign * difference or 0.0
            self._new[edit].append(value)
            look = self._looks[edit]
            (look.alone if self._soloists else look.beside).append(value)

    def _evidence(self, number: int) -> tuple[float, ...]:
        return (*self._edits[number].differences, *self._new.get(number, ()))

    def _decide(self) -> None:
        for number in sorted(self._open):
            found, edit = self._evidence(number), self._edits[number]
            weight = weigh(found)
            measured = describe(found)
            if weight.better:
                self._close(number, "accepted", f"better: {measured}")
            elif weight.worse:
                self._close(number, "rejected", f"worse: {measured}")
            elif edit.shortens and weight.harmless:
                self._close(number, "accepted", f"shorter and not worse: {measured}")
            elif weight.small and not edit.shortens:
                self._close(number, "rejected", f"no gain worth having: {measured}")
            else:
                self._lay_aside(number, hopeless=is_hopeless(found, shortens=edit.shortens))

    def _lay_aside(self, number: int, *, hopeless: bool) -> None:
        """What shows no gain goes on in pairs made for others, as long as there are any."""
        if hopeless and self._drawn[number] >= WAVE and not self._is_unseen(number):
            self._aside.add(number)
        else:
            self._aside.discard(number)

    def _close(self, number: int, finding: Finding, reason: str) -> None:
        self._findings[number] = finding, reason
        self._open.discard(number)
        self._aside.discard(number)
        if finding == "accepted":
            # What is decided stands in both prompts of the pairs to come.
            self._libraries = self._with([number])
            self._size += self._growths[number]

    def _growth(self, number: int) -> Size:
        return growth(self._libraries[self._owner], self._with([number])[self._owner])

    def _with(self, numbers: Sequence[int]) -> dict[Owner, Library]:
        """The libraries with some of the edits."""
        wanted: dict[Owner, list[Operation]] = {}
        for edit in (self._edits[number] for number in numbers):
            wanted.setdefault(edit.owner, []).append(edit.operation)
            for owner, delete in edit.deletes:
                wanted.setdefault(owner, []).append(delete)
        changed = dict(self._libraries)
        for owner, operations in wanted.items():
            held = changed[owner]
            changed[owner] = apply(held, Plan(owner, held.version, tuple(operations)), now="")
        return changed

    async def _difference(self, tasks: asyncio.TaskGroup, pair: Pair) -> float | None:
        """First reward − second, 0 for one that failed alone; None where both did."""
        arms = [self._with(pair.held(side)) for side in (1, -1)]
        if self._owner == CRITIC:
            work = [self._fuse(tasks, pair, arm) for arm in arms]
        else:
            owner = self._answering[pair.generator]
            work = [self._answer(pair, join(arm[owner], arm[SHARED])) for arm in arms]
        first, second = await asyncio.gather(*work)
        return None if first is None and second is None else (first or 0.0) - (second or 0.0)

    async def _answer(self, pair: Pair, library: Library) -> float | None:
        tried = await try_once(self._stages, pair.problem, library, pair.number)
        return self._reward(tried.rollout)

    def _reward(self, answer: object) -> float | None:
        if not isinstance(answer, (Rollout, FinalAnswer)):
            return None
        self._units += 1
        return answer.reward

    async def _fuse(
        self, tasks: asyncio.TaskGroup, pair: Pair, arm: Mapping[Owner, Library]
    ) -> float | None:
        """The critic's answer over attempts that both of its libraries read alike."""
        owner = self._answering[pair.generator]
        key = pair.problem.id, owner
        if key not in self._groups:
            own, shared = self._libraries[owner], self._libraries[SHARED]
            group = start_group(self._stages, tasks, pair.problem, own, shared)
            self._groups[key] = group.tried
        tried = await self._groups[key]
        attempts = tuple(one.rollout.attempt for one in tried if isinstance(one.rollout, Rollout))
        final = await fuse(
            self._stages, pair.problem, owner, attempts, arm[CRITIC], arm[SHARED], pair.number
        )
        return self._reward(final)

    def _rule(self, number: int) -> Ruling:
        edit, found = self._edits[number], self._evidence(number)
        # What came in for the last few pairs was not tried.
        tries = edit.tries + (self._drawn[number] >= min(WAVE, self._gate.budget))
        if number in self._findings:
            finding, reason = self._findings[number]
        elif number in self._dropped:
            finding, reason = "rejected", f"not tried: {WAITING} others wait before it"
        elif tries >= self._gate.tries and edit.shortens and found and fmean(found) >= 0:
            # Of two libraries that do equally well the shorter one is better.
            finding, reason = "accepted", f"shorter and not worse: {describe(found)}"
        elif tries >= self._gate.tries and not weigh(found).promising:
            finding, reason = "rejected", f"no gain in {tries} tries: {describe(found)}"
        else:
            finding, reason = "provisional", f"undecided: {describe(found)}"
        return Ruling(
            owner=edit.owner,
            operation=edit.operation,
            finding=finding,
            reason=reason,
            pairs=len(found),
            mean=sum(found) / len(found) if found else None,
            tries=tries,
            differences=found if finding == "provisional" else (),
        )
