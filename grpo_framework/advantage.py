"""Contrasts → operations: the group-relative advantage, numeric and semantic."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean, pstdev

from attrs import evolve, frozen

from grpo_framework.combining import CombinedAdvisor
from grpo_framework.events import ContrastFound
from grpo_framework.experience import (
    CRITIC,
    SHARED,
    Alike,
    Count,
    Experience,
    Library,
    Operation,
    join,
)
from grpo_framework.protocols import Advisor, Consolidator
from grpo_framework.records import (
    SUCCESS_REWARD,
    Contrast,
    Diagnosis,
    Failure,
    FinalAnswer,
    GroupResult,
    Owner,
    Past,
    Question,
    Rollout,
    Sample,
    Shown,
    diagnose,
    rewards_differ,
)
from grpo_framework.rollouts import Stages


@frozen
class Proposals:
    """What an advisor proposed, as it is remembered."""

    operations: tuple[Operation, ...]


def advantages(rewards: Sequence[float]) -> tuple[float, ...]:
    """Group-relative advantages (r − mean) / std, with the population standard deviation.

    Args:
        rewards: Of one group, any length.

    Returns:
        As many numbers, in the same order; all 0 where the rewards do not differ.

    Source: Shao et al., DeepSeekMath, arXiv 2402.03300, section 4.1.
    """
    if not rewards_differ(rewards):
        return (0.0,) * len(rewards)
    mean, std = fmean(rewards), pstdev(rewards)
    return tuple((reward - mean) / std for reward in rewards)


def samples(answers: Sequence[Rollout | FinalAnswer]) -> tuple[Sample, ...]:
    """The members of a group with their advantages, best first."""
    rows = zip(answers, advantages([answer.reward for answer in answers]), strict=True)
    return tuple(
        sorted(
            (
                Sample(
                    attempt=answer.attempt,
                    reward=answer.reward,
                    advantage=advantage,
                    reason=answer.verdict.reason,
                    extracted=answer.verdict.extracted,
                )
                for answer, advantage in rows
            ),
            key=lambda sample: -sample.reward,
        )
    )


def generator_contrast(group: GroupResult, *, seed: int) -> Contrast | None:
    """What a generator can learn from its group: None where all rewards are the same."""
    if not rewards_differ([rollout.reward for rollout in group.rollouts]):
        return None
    return Contrast(
        group.owner,
        group.question,
        samples(group.rollouts),
        seed=seed,
        diagnosis=diagnose(group.rollouts),
    )


def critic_contrast(
    question: Question, groups: Sequence[GroupResult], *, seed: int
) -> Contrast | None:
    """What the critic can learn from the fusions of one problem.

    There is a contrast where the fusions differ in reward, where a right attempt was fused away, or
    where a wrong majority was overruled rightly: there the critic's answer differs in reward from
    the attempts it was made of.

    Args:
        question: What was asked.
        groups: Of all generators; those without a fusion are passed over.
        seed: For the advisor.
    """
    fused = [(group, group.final) for group in groups if group.final is not None]
    notes = [note for group, final in fused for note in _notes(group, final)]
    if not rewards_differ([final.reward for _, final in fused]) and not notes:
        return None
    ranked = sorted(fused, key=lambda pair: -pair[1].reward)
    members = samples([final for _, final in ranked])
    rows = tuple(
        evolve(sample, inputs=samples(group.rollouts))
        for sample, (group, _) in zip(members, ranked, strict=True)
    )
    diagnosis = diagnose([final for _, final in fused])
    return Contrast(CRITIC, question, rows, tuple(notes), seed, diagnosis)


def _notes(group: GroupResult, final: FinalAnswer) -> list[str]:
    """What happened between a group's attempts and their fusion, if it can teach anything."""
    rewards = [rollout.reward for rollout in group.rollouts]
    if not rewards:
        return []
    right = sum(reward >= SUCCESS_REWARD for reward in rewards)
    if final.reward < SUCCESS_REWARD and right:
        share = f"{right} of {len(rewards)} attempts were right"
        return [f"{group.owner}: a right attempt was fused away ({share}, the fused answer wrong)"]
    if final.reward >= SUCCESS_REWARD and right and 2 * right < len(rewards):
        share = f"only {right} of {len(rewards)} attempts was right"
        return [f"{group.owner}: a wrong majority was overruled rightly ({share})"]
    return []


def with_past(contrast: Contrast, library: Library, past: Past) -> Contrast:
    """The contrast with what earlier batches say: use and effect of what was shown, refusals.

    Args:
        contrast: Of a group.
        library: The owner's own, or that and the shared one.
        past: The owner's.
    """
    if contrast.diagnosis is None:
        return contrast
    return evolve(contrast, diagnosis=tell_past(contrast.diagnosis, library, past))


def tell_past(diagnosis: Diagnosis, library: Library, past: Past) -> Diagnosis:
    """`with_past` of a diagnosis alone."""
    held = {item.id: item for item in library.experiences}
    shown = tuple(
        _with_credit(row, held[row.id]) if row.id in held else row for row in diagnosis.shown
    )
    return evolve(diagnosis, shown=shown, past=past)


def _with_credit(row: Shown, experience: Experience) -> Shown:
    """An effect that rests on next to nothing is not told."""
    credit = experience.credit
    return evolve(
        row,
        uses=experience.usage_count,
        successes=experience.success_count,
        effect=credit.effect if credit.measured else None,
        weight=credit.weight if credit.measured else 0.0,
        status=credit.status,
    )


async def advise(
    stages: Stages, contrast: Contrast, library: Library, shared: Library | None = None
) -> tuple[Operation, ...] | Failure:
    """Let the advisor read one contrast and propose operations on its owner's library.

    Args:
        stages: Of the batch.
        contrast: Of a group.
        library: The owner's own.
        shared: Everybody's, whose experiences were in the prompts too.
    """
    advisor = stages.engine.advisor
    if advisor is None:
        return ()
    await stages.announce(ContrastFound(stages.epoch, stages.batch, contrast))
    held = library if shared is None else join(library, shared)
    told = with_past(contrast, held, stages.past.get(contrast.owner, Past()))
    if not isinstance(advisor, CombinedAdvisor):
        advice = await _ask(stages, advisor, told, library, 0)
        return advice if isinstance(advice, Failure) else advice.operations
    async with asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(_ask(stages, part, told, library, index))
            for index, (_, part) in enumerate(advisor.parts)
        ]
    given = [task.result() for task in asked]
    failures = [one for one in given if isinstance(one, Failure)]
    if len(failures) == len(given):
        return failures[0]
    # Each failure is announced; what the other advisors proposed stands.
    return advisor.merge([() if isinstance(one, Failure) else one.operations for one in given])


async def _ask(
    stages: Stages, advisor: Advisor, contrast: Contrast, library: Library, index: int
) -> Proposals | Failure:
    """One advisor's proposals, as a unit of work of its own."""
    unit = stages.unit(contrast.question.id, contrast.owner, "advice", index)
    return await stages.do(
        unit,
        Proposals,
        lambda: _propose(advisor, contrast, library),
        version=library.version,
        inputs=[(sample.attempt.text, sample.reward) for sample in contrast.samples],
    )


async def consolidate(
    stages: Stages, owner: Owner, proposals: tuple[Operation, ...], library: Library
) -> tuple[Operation, ...]:
    """Let the advisor merge a batch's proposals for one owner.

    Where it cannot, or where that fails, the proposals are planned as they are: nothing that was
    paid for is lost, and the failure is in the report.
    """
    advisor = stages.engine.advisor
    if not proposals or not isinstance(advisor, Consolidator):
        return proposals
    unit = stages.unit("", owner, "consolidation", stages.batch)
    seed = unit.seed(stages.run_seed)
    merged = await stages.do(
        unit,
        Proposals,
        lambda: _merge(advisor, proposals, library, seed),
        version=library.version,
        inputs=proposals,
    )
    return proposals if isinstance(merged, Failure) else merged.operations


async def _propose(advisor: Advisor, contrast: Contrast, library: Library) -> Proposals:
    return Proposals(await advisor.advise((contrast,), library))


async def _merge(
    advisor: Consolidator, proposals: tuple[Operation, ...], library: Library, seed: int
) -> Proposals:
    return Proposals(await advisor.consolidate(proposals, library, seed=seed))


def counts_of(answers: Sequence[Rollout | FinalAnswer]) -> dict[str, Count]:
    """Use and success of experiences in judged answers, by id."""
    used, succeeded = tally(answers)
    return {id_: Count(number, succeeded[id_]) for id_, number in used.items()}


def tally(answers: Sequence[Rollout | FinalAnswer]) -> tuple[Counter[str], Counter[str]]:
    """Use and success of experiences in judged answers, by id."""
    used: Counter[str] = Counter()
    succeeded: Counter[str] = Counter()
    for answer in answers:
        used.update(set(answer.experiences))
        if answer.verdict.success:
            succeeded.update(set(answer.experiences))
    return used, succeeded


async def find_alike(
    stages: Stages,
    libraries: Mapping[Owner, Library],
    proposals: Mapping[Owner, Sequence[Operation]],
) -> Alike:
    """Which proposed and held texts mean the same, by the engine's embedder; without one, none.

    Where the embedder fails, that is told as a unit's failure, and words alone decide.

    Args:
        stages: Of the batch.
        libraries: The newest, by owner.
        proposals: Consolidated, by owner.
    """
    meaning = stages.engine.meaning
    if meaning is None:
        return Alike()
    found = await stages.do(
        stages.unit("", SHARED, "likeness"),
        Alike,
        lambda: meaning.find_alike(libraries, proposals),
        version=libraries[SHARED].version,
        inputs=sorted(proposals.items()),
    )
    return found if isinstance(found, Alike) else Alike()
