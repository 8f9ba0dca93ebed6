"""One way through the stages of a run with a sample of its problems, over models that listen."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from attrs import evolve, frozen

from grpo_framework.adaptive import FIRST, adapts
from grpo_framework.advantage import samples
from grpo_framework.calls import within
from grpo_framework.combining import CombinedAdvisor
from grpo_framework.config import ComponentConfig, RunConfig
from grpo_framework.engine import Engine
from grpo_framework.events import Event
from grpo_framework.experience import CRITIC, SHARED, Add, Library, estimate_tokens, join
from grpo_framework.listening import LEAST, LONGEST_ANSWER, MOST, Assumption, filler
from grpo_framework.plugins import ADVISOR, COMPARATOR, GENERATOR
from grpo_framework.plugins import CRITIC as CRITIC_NOUN
from grpo_framework.protocols import Advisor, BatchAdvisor, Consolidator
from grpo_framework.records import (
    Attempt,
    Contrast,
    Owner,
    Problem,
    Rollout,
    Unit,
    Verdict,
    diagnose_batch,
)
from grpo_framework.workshop import Workshop

SAMPLE = 12
"""Most problems whose prompts are rendered."""
EXPERIENCE = "When something like this is asked, do what is said here. " * 4
OPERATIONS_A_GROUP = 2
"""Proposals of one group that a consolidation is taken to read, and by which a library may grow."""

T = TypeVar("T")


def pick_sample(problems: Sequence[Problem], assumed: Assumption) -> tuple[Problem, ...]:
    """A sample over all lengths: of each portion the shortest, the middle or the longest problem.

    Args:
        problems: Of the run.
        assumed: `LEAST` takes the shortest, `MOST` the longest, so that the bounds hold for all.
    """
    count = min(len(problems), SAMPLE)
    place = {LEAST: 0.0, MOST: 1.0}.get(assumed, 0.5)
    ranked = sorted(problems, key=lambda problem: estimate_tokens(problem.question.text))
    edges = [len(ranked) * number // count for number in range(count + 1)]
    portions = itertools.pairwise(edges)
    return tuple(ranked[first + int((last - 1 - first) * place)] for first, last in portions)


async def _silent(_: Event) -> None:
    """Tell nobody."""


@frozen
class Walkthrough:
    """One configuration led through its stages without a model.

    Attributes:
        config: Of the run.
        workshop: Finds its components.
        engine: Opened over models that listen.
        libraries: What stands in the prompts.
        assumed: Of the answers.
    """

    config: RunConfig
    workshop: Workshop
    engine: Engine
    libraries: Mapping[Owner, Library]
    assumed: Assumption

    async def run(self, problems: Sequence[Problem]) -> None:
        """Do every stage once with every problem, and once what comes once a batch."""
        for problem in problems:
            attempt = Attempt(filler(min(self.assumed.answer, LONGEST_ANSWER)))
            for number, owner in enumerate(self.engine.owners[:-1]):
                attempt = await self._answer(problem, owner, number) or attempt
            if self.assumed.learns:
                for owner in self.engine.owners:
                    await self._advise(self._contrast(problem, owner, attempt))
        if self.assumed.learns:
            for owner in self.engine.owners:
                await self._finish(problems[-1], owner)

    def _calls(self, noun: Any, use: ComponentConfig) -> bool:
        """Whether a component calls a chat model; any other is not touched in a rehearsal."""
        return self.workshop.find(noun, use).component.uses_chat_model

    def _library(self, owner: Owner) -> Library:
        return join(self.libraries[owner], self.libraries[SHARED])

    async def _do(self, unit: Unit, work: Callable[[], Awaitable[T]]) -> T | None:
        # The filler is no answer that a component must understand: what it asked for is known.
        with within(unit, _silent), suppress(Exception):
            return await work()
        return None

    async def _answer(self, problem: Problem, owner: Owner, number: int) -> Attempt | None:
        """One attempt of a generator, the fusion of its attempts, and their verdicts."""
        config, engine = self.config, self.engine
        unit = Unit(1, 1, problem.id, owner, "attempt")
        attempt = None
        if self._calls(GENERATOR, config.generators[number]):
            generator, library = engine.generators[number], self._library(owner)
            attempt = await self._do(
                unit, lambda: generator.attempt(problem.question, library, seed=0)
            )
        answer = attempt or Attempt(filler(min(self.assumed.answer, LONGEST_ANSWER)))
        if self._calls(CRITIC_NOUN, config.critic):
            own, attempts = self._library(CRITIC), (answer,) * self._group
            fusion = evolve(unit, stage="fusion")
            fuse = engine.critic.fuse
            await self._do(fusion, lambda: fuse(problem.question, attempts, own, seed=0))
        if self._calls(COMPARATOR, config.comparator):
            for stage in ("verdict", "fusion_verdict"):
                judging = evolve(unit, stage=stage)
                compare = engine.comparator.compare
                await self._do(judging, partial(compare, problem, answer.text))
        return attempt

    @property
    def _group(self) -> int:
        """Rollouts of a group."""
        count = self.config.rollouts_per_generator
        fewest = adapts(self.config.adaptive_groups, count) and self.assumed is LEAST
        return FIRST if fewest else count

    def _rollouts(self, problem: Problem, owner: Owner, attempt: Attempt) -> list[Rollout]:
        """A group of which the first answer alone is right."""
        unit = Unit(1, 1, problem.id, owner, "attempt")
        size = len(self.engine.generators) if owner == CRITIC else self._group
        return [
            Rollout(evolve(unit, index=place), attempt, Verdict(float(place == 0)))
            for place in range(max(2, size))
        ]

    def _contrast(self, problem: Problem, owner: Owner, attempt: Attempt) -> Contrast:
        rollouts = self._rollouts(problem, owner, attempt)
        group = samples(rollouts)
        if owner == CRITIC:
            group = tuple(evolve(sample, inputs=samples(rollouts)) for sample in group)
        return Contrast(owner, problem.question, group)

    @property
    def _advisors(self) -> list[Advisor]:
        """The advisors that ask a model, one or several."""
        advisor = self.engine.advisor
        if advisor is None:
            return []
        parts = advisor.parts if isinstance(advisor, CombinedAdvisor) else (("", advisor),)
        return [
            part
            for (_, part), use in zip(parts, self.config.advisor, strict=True)
            if self._calls(ADVISOR, use)
        ]

    async def _advise(self, contrast: Contrast) -> None:
        owner = contrast.owner
        unit = Unit(1, 1, contrast.question.id, owner, "advice")
        library = self.libraries[owner]
        for advisor in self._advisors:
            await self._do(unit, partial(advisor.advise, (contrast,), library))

    async def _finish(self, problem: Problem, owner: Owner) -> None:
        """What each advisor does once a batch: it advises on the whole, and consolidates."""
        library = self.libraries[owner]
        attempt = Attempt(filler(min(self.assumed.answer, LONGEST_ANSWER)))
        diagnosis = diagnose_batch(self._rollouts(problem, owner, attempt))
        proposals = tuple(
            Add(f"{EXPERIENCE[:200]} {number}", "general", "", "")
            for number in range(OPERATIONS_A_GROUP * self.config.batch_size)
        )
        for advisor in self._advisors:
            # What a fusion came to depends on its attempts: the critic's batches are not asked of.
            if isinstance(advisor, BatchAdvisor) and owner != CRITIC:
                advise = partial(advisor.advise_batch, diagnosis, library, seed=0)
                await self._do(Unit(1, 1, "", owner, "batch_advice"), advise)
            if isinstance(advisor, Consolidator):
                merge = partial(advisor.consolidate, proposals, library, seed=0)
                await self._do(Unit(1, 1, "", owner, "consolidation"), merge)
