"""Critic answer and verdict: one generator's attempts at one problem become one final answer."""

from __future__ import annotations

from attrs import evolve

from grpo_framework.events import AnswerFused
from grpo_framework.experience import Library, join
from grpo_framework.injection import draw_lots, note_shown
from grpo_framework.records import Attempt, Failure, FinalAnswer, Owner, Problem, Verdict
from grpo_framework.rollouts import Stages, judge


async def fuse(
    stages: Stages,
    problem: Problem,
    owner: Owner,
    attempts: tuple[Attempt, ...],
    own: Library,
    shared: Library,
    index: int = 0,
) -> FinalAnswer | Failure | None:
    """Let the critic fuse one generator's attempts, and judge what it says.

    Args:
        stages: Of the batch.
        problem: With its reference, which only the comparator sees.
        owner: The generator whose attempts they are.
        attempts: Those that were made; without any there is nothing to fuse and nothing to say.
        own: The critic's library.
        shared: Everybody's.
        index: Which fusion of these attempts it is, where there are several.

    Returns:
        None where there was no attempt.
    """
    if not attempts:
        return None
    library = join(own, shared)
    unit = stages.unit(problem.id, owner, "fusion", index)
    seed = unit.seed(stages.run_seed)
    critic = stages.engine.critic

    # A critic may give one of them back; what was in their prompts was not in its own.
    bare = tuple(evolve(attempt, experiences=None, mask=None) for attempt in attempts)

    async def work() -> Attempt:
        chosen = await stages.engine.injection.choose(problem.question, library)
        shown, mask = draw_lots(chosen, stages.credit_dropout, seed)
        attempt = await critic.fuse(problem.question, bare, shown, seed=seed)
        return note_shown(attempt, shown, library, mask)

    texts = [*stages.about(library), *(attempt.text for attempt in attempts)]
    fused = await stages.do(unit, Attempt, work, version=library.version, inputs=texts)
    if isinstance(fused, Failure):
        return fused
    judging = stages.unit(problem.id, owner, "fusion_verdict", index)
    comparator = stages.engine.comparator
    verdict = await stages.do(
        judging,
        Verdict,
        lambda: judge(comparator, problem, fused),
        version=library.version,
        inputs=texts,
    )
    if isinstance(verdict, Failure):
        return verdict
    final = FinalAnswer(
        unit=unit,
        attempt=fused,
        verdict=verdict,
        seed=seed,
        experiences=library.ids if fused.experiences is None else fused.experiences,
        library_version=library.version,
    )
    await stages.announce(AnswerFused(final))
    return final
