"""One problem's way through a batch: roll out, judge, fuse, advise; lanes overlap freely."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NoReturn

from attrs import field, frozen

from grpo_framework.advantage import advise, critic_contrast, generator_contrast
from grpo_framework.batch_advice import advise_on_batch
from grpo_framework.events import GroupFinished
from grpo_framework.experience import (
    CRITIC,
    SHARED,
    Credit,
    Library,
    Operation,
    credits_of,
    of_same_text,
)
from grpo_framework.fusion import fuse
from grpo_framework.grouping import Group, start_group
from grpo_framework.records import (
    Contrast,
    Failure,
    FinalAnswer,
    GroupResult,
    Owner,
    Problem,
    Question,
    Rollout,
)
from grpo_framework.rollouts import EndsProcess, Stages


@frozen
class Learned:
    """What one problem gave.

    Attributes:
        answers: All judged answers, of generators and critic.
        proposals: Owner → what the advisor proposed, generators first, then the critic.
        seen: The libraries that the answers were made with.
    """

    answers: tuple[Rollout | FinalAnswer, ...]
    proposals: tuple[tuple[Owner, tuple[Operation, ...]], ...]
    seen: Mapping[Owner, Library] = field(factory=dict)


def evidence_of(
    learned: Sequence[Learned], newest: Mapping[Owner, Library]
) -> Mapping[str, Credit]:
    """What a batch's answers say of the effects of the experiences, by id.

    Args:
        learned: Of the batch.
        newest: The libraries that its commit follows on.
    """
    evidence = credits_of([answer for lane in learned for answer in lane.answers])
    seen = {owner: library for lane in learned for owner, library in lane.seen.items()}
    return of_same_text(evidence, seen.values(), newest.values())


def answers_of(learned: Sequence[Learned], owner: Owner) -> tuple[Rollout | FinalAnswer, ...]:
    """A batch's judged answers by an owner; a fusion is the critic's, whoever was fused."""
    answers = (answer for lane in learned for answer in lane.answers)
    return tuple(
        answer
        for answer in answers
        if (CRITIC if isinstance(answer, FinalAnswer) else answer.unit.owner) == owner
    )


async def gather_proposals(
    stages: Stages, libraries: Mapping[Owner, Library], learned: Sequence[Learned]
) -> dict[Owner, tuple[Operation, ...]]:
    """All proposals of a batch by owner: those for its groups, then those for it as a whole."""
    proposed: dict[Owner, tuple[Operation, ...]] = {}
    for owner, operations in (row for lane in learned for row in lane.proposals):
        proposed[owner] = proposed.get(owner, ()) + operations
    # What a fusion came to depends on its attempts: of the critic only contrasts say something.
    for owner in (each for each in stages.engine.owners if each != CRITIC):
        answers = answers_of(learned, owner)
        further = await advise_on_batch(stages, owner, answers, libraries[owner])
        if further:
            proposed[owner] = proposed.get(owner, ()) + further
    return proposed


async def learn(
    stages: Stages,
    tasks: asyncio.TaskGroup,
    libraries: Mapping[Owner, Library],
    problem: Problem,
    *,
    serial: bool,
) -> Learned:
    """Take one problem through all stages.

    Args:
        stages: Of the batch.
        tasks: Holds the work, so that an end of the run ends it too.
        libraries: The batch's snapshot, by owner, with the shared one.
        problem: With its reference, which only the comparator sees.
        serial: Whether its generators run one after the other.
    """
    lane = _Lane(stages, tasks, libraries)
    owners = [owner for owner in stages.engine.owners if owner != CRITIC]
    if serial:
        groups = [await lane.generate(problem, owner) for owner in owners]
    else:
        running = [tasks.create_task(lane.generate(problem, owner)) for owner in owners]
        groups = [await task for task in running]
    await lane.criticise(problem.question, groups)
    answers = [
        answer
        for group in groups
        for answer in (*group.rollouts, *((group.final,) if group.final else ()))
    ]
    return Learned(tuple(answers), await lane.proposals(), libraries)


class _Lane:
    """The work of one problem; advice runs beside it and is collected at the end."""

    def __init__(
        self, stages: Stages, tasks: asyncio.TaskGroup, libraries: Mapping[Owner, Library]
    ) -> None:
        self._stages = stages
        self._tasks = tasks
        self._libraries = libraries
        self._advice: dict[Owner, asyncio.Task[tuple[Operation, ...] | Failure]] = {}

    async def generate(self, problem: Problem, owner: Owner) -> GroupResult:
        """One generator's group; the advisor reads it while the critic still fuses it."""
        stages = self._stages
        own, shared = self._libraries[owner], self._libraries[SHARED]
        group = start_group(stages, self._tasks, problem, own, shared)
        fusing = self._tasks.create_task(self._fuse(problem, owner, group))
        tried = await group.tried
        rollouts = tuple(one.rollout for one in tried if isinstance(one.rollout, Rollout))
        failures = [one.rollout for one in tried if isinstance(one.rollout, Failure)]
        seed = stages.unit(problem.id, owner, "advice").seed(stages.run_seed)
        judged = GroupResult(problem.question, owner, rollouts)
        self._ask(generator_contrast(judged, seed=seed))
        final = await fusing
        failures += [final] if isinstance(final, Failure) else []
        fused = final if isinstance(final, FinalAnswer) else None
        await stages.announce(
            GroupFinished(
                epoch=stages.epoch,
                batch=stages.batch,
                problem=problem.id,
                owner=owner,
                rewards=tuple(rollout.reward for rollout in rollouts),
                failures=len(failures),
                fused=None if fused is None else fused.reward,
                spared=stages.rollouts - len(tried),
            )
        )
        return GroupResult(problem.question, owner, rollouts, fused, tuple(failures))

    async def _fuse(
        self, problem: Problem, owner: Owner, group: Group
    ) -> FinalAnswer | Failure | None:
        attempts = await group.attempts
        own, shared = self._libraries[CRITIC], self._libraries[SHARED]
        return await fuse(self._stages, problem, owner, attempts, own, shared)

    async def criticise(self, question: Question, groups: Sequence[GroupResult]) -> None:
        """The N fusions of the problem are the critic's own group."""
        stages = self._stages
        rewards = tuple(group.final.reward for group in groups if group.final is not None)
        await stages.announce(
            GroupFinished(stages.epoch, stages.batch, question.id, CRITIC, rewards)
        )
        seed = stages.unit(question.id, CRITIC, "advice").seed(stages.run_seed)
        self._ask(critic_contrast(question, groups, seed=seed))

    def _ask(self, contrast: Contrast | None) -> None:
        if contrast is not None:
            own, shared = self._libraries[contrast.owner], self._libraries[SHARED]
            advising = advise(self._stages, contrast, own, shared)
            self._advice[contrast.owner] = self._tasks.create_task(advising)

    async def proposals(self) -> tuple[tuple[Owner, tuple[Operation, ...]], ...]:
        """What came of all advice, in the owners' order, whichever was ready first."""
        found = []
        for owner in self._stages.engine.owners:
            if owner in self._advice:
                operations = await self._advice[owner]
                if not isinstance(operations, Failure):
                    found.append((owner, operations))
        return tuple(found)


def raise_first(error: BaseException) -> NoReturn:
    """A task group wraps what stopped the run; the caller gets the cause itself."""
    first = error
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, EndsProcess) and first.__cause__ is not None:
        first = first.__cause__
    if first is error:
        raise first
    raise first from None
