"""How a version of the libraries does on the validation problems; the best one is the result."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from statistics import fmean

from attrs import frozen

from grpo_framework.evaluation.groups import Judged, run_group
from grpo_framework.events import VersionRestored, VersionScored
from grpo_framework.experience import CRITIC, SHARED, Library, credited
from grpo_framework.measuring import measure_once
from grpo_framework.recording import Recording
from grpo_framework.records import FinalAnswer, Owner, OwnerScore, Problem, Rollout
from grpo_framework.rollouts import Stages


@frozen
class Scored:
    """The scores of one version, each problem's reward, and how many judged answers they took."""

    scores: tuple[OwnerScore, ...]
    rewards: tuple[float | None, ...]
    units: int


async def score_epoch(
    stages: Stages,
    problems: Sequence[Problem],
    libraries: Mapping[Owner, Library],
    known: VersionScored | None,
    record: Recording | None,
    epoch: int,
) -> VersionScored:
    """Score the libraries as an epoch left them, or take their scores from the journal.

    Args:
        stages: Of the batch that was committed last.
        problems: Validation problems.
        libraries: By owner, the shared one among them.
        known: The version before; None before the first.
        record: Of the run.
        epoch: Counted from 1; 0 is before the first.
    """

    async def work(quiet: Stages) -> Scored:
        return await score_version(quiet, problems, libraries, known)

    found = await measure_once(stages, "validation", str(epoch), work, kind=Scored, record=record)
    versions = tuple((owner, library.version) for owner, library in libraries.items())
    return VersionScored(epoch, found.scores, versions, found.rewards, found.units)


def tell_restored(epoch: int, libraries: Mapping[Owner, Library]) -> VersionRestored:
    """The event that an epoch's libraries are the newest again."""
    rows = libraries.items()
    versions = tuple((owner, library.version) for owner, library in rows)
    return VersionRestored(
        epoch,
        versions,
        tuple((owner, len(library)) for owner, library in rows),
        tuple((owner, credited(library)) for owner, library in rows),
    )


async def score_version(
    stages: Stages,
    problems: Sequence[Problem],
    libraries: Mapping[Owner, Library],
    known: VersionScored | None = None,
) -> Scored:
    """Try the libraries on all validation problems, k rollouts and a fusion for each generator.

    Args:
        stages: With the purpose ``validation``, so that all versions get the same seeds.
        problems: Validation problems.
        libraries: Of the version, by owner, the shared one among them.
        known: The version before: where all prompts are the same, nothing is tried again.

    Raises:
        GrpoError: What stops the run.
    """
    owners = stages.engine.owners
    wording = _wordings(libraries, owners)
    if known is not None and all(wording[row.owner] == row.wording for row in known.scores):
        return Scored(known.scores, known.rewards, 0)
    generators = [owner for owner in owners if owner != CRITIC]
    async with asyncio.TaskGroup() as tasks:
        running = {
            (problem.id, owner): tasks.create_task(
                run_group(stages, problem, owner, libraries, with_critic=True)
            )
            for problem in problems
            for owner in generators
        }
    stages.engine.brake.check()
    groups = {place: task.result() for place, task in running.items()}
    scores = []
    for owner in owners:
        means = [
            mean
            for problem in problems
            if (mean := _mean(owner, [groups[problem.id, each] for each in generators], generators))
            is not None
        ]
        scores.append(
            OwnerScore(owner, fmean(means) if means else None, len(means), wording[owner])
        )
    rewards = [
        _overall([_mean(owner, row, generators) for owner in generators])
        for row in ([groups[problem.id, each] for each in generators] for problem in problems)
    ]
    return Scored(tuple(scores), tuple(rewards), sum(_judged(group) for group in groups.values()))


def _wordings(libraries: Mapping[Owner, Library], owners: Sequence[Owner]) -> dict[Owner, str]:
    """Owner → what its prompts are made of; a fusion also reads the generators' attempts."""
    own = {owner: f"{libraries[owner].wording[:16]}" for owner in owners}
    shared = libraries[SHARED].wording[:16]
    everything = "-".join((*own.values(), shared))
    return {owner: everything if owner == CRITIC else f"{own[owner]}-{shared}" for owner in owners}


def _mean(owner: Owner, groups: Sequence[Judged], generators: Sequence[Owner]) -> float | None:
    if owner == CRITIC:
        rewards = [group.final.reward for group in groups if isinstance(group.final, FinalAnswer)]
    else:
        tried = groups[generators.index(owner)].tried
        rewards = [one.rollout.reward for one in tried if isinstance(one.rollout, Rollout)]
    return fmean(rewards) if rewards else None


def _overall(means: Sequence[float | None]) -> float | None:
    known = [mean for mean in means if mean is not None]
    return fmean(known) if len(known) == len(means) else None


def _judged(group: Judged) -> int:
    rollouts = sum(isinstance(one.rollout, Rollout) for one in group.tried)
    return rollouts + isinstance(group.final, FinalAnswer)
