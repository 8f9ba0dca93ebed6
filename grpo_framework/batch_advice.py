"""Advice on a batch as a whole, from what was measured of it: it needs no contrast."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from grpo_framework.advantage import Proposals, tell_past
from grpo_framework.combining import CombinedAdvisor
from grpo_framework.experience import Library, Operation
from grpo_framework.protocols import Advisor, BatchAdvisor
from grpo_framework.records import (
    Diagnosis,
    Failure,
    FinalAnswer,
    Owner,
    Past,
    Rollout,
    diagnose_batch,
)
from grpo_framework.rollouts import Stages

MOST_ADVISORS = 1000
"""Bound of the advisors of a run, so that batch and advisor make one index of a unit."""


async def advise_on_batch(
    stages: Stages, owner: Owner, answers: Sequence[Rollout | FinalAnswer], library: Library
) -> tuple[Operation, ...]:
    """Let advisors that can propose from what was measured of a batch, whatever its contrasts.

    An advisor's failure is announced; what the others proposed stands.

    Args:
        stages: Of the batch.
        owner: Whose batch.
        answers: All its judged answers.
        library: Its own, as the batch saw it.
    """
    advisor = stages.engine.advisor
    if all(answer.verdict.success for answer in answers):
        return ()
    diagnosis = tell_past(diagnose_batch(answers), library, stages.past.get(owner, Past()))
    if not isinstance(advisor, CombinedAdvisor):
        return await _ask_batch(stages, advisor, owner, diagnosis, library, 0)
    parts = enumerate(part for _, part in advisor.parts)
    asked = [_ask_batch(stages, part, owner, diagnosis, library, index) for index, part in parts]
    return advisor.merge(await asyncio.gather(*asked))


def part_of(key: str) -> int:
    """Which of several advisors an entry of the journal is of, by the entry's key."""
    return int(key.split("/")[-3]) % MOST_ADVISORS


async def _ask_batch(
    stages: Stages,
    advisor: Advisor | None,
    owner: Owner,
    diagnosis: Diagnosis,
    library: Library,
    index: int,
) -> tuple[Operation, ...]:
    if not isinstance(advisor, BatchAdvisor):
        return ()
    unit = stages.unit("", owner, "batch_advice", stages.batch * MOST_ADVISORS + index)
    seed = unit.seed(stages.run_seed)
    advice = await stages.do(
        unit,
        Proposals,
        lambda: _propose_for_batch(advisor, diagnosis, library, seed),
        version=library.version,
        inputs=diagnosis,
    )
    return () if isinstance(advice, Failure) else advice.operations


async def _propose_for_batch(
    advisor: BatchAdvisor, diagnosis: Diagnosis, library: Library, seed: int
) -> Proposals:
    return Proposals(await advisor.advise_batch(diagnosis, library, seed=seed))
