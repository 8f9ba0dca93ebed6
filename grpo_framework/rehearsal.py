"""What a training run will ask for, before anything is spent: its calls, tokens and price.

The configured components are opened over chat models that only write down what they are asked, and
are led through the stages with the real problems: once with short answers and the present library,
once with answers of full length and a full one. The counts follow from the schedule.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeAlias

from attrs import evolve, frozen

from grpo_framework.adaptive import FIRST, adapts
from grpo_framework.advantage import samples
from grpo_framework.calls import within
from grpo_framework.config import ComponentConfig, RunConfig
from grpo_framework.engine import Engine
from grpo_framework.events import Event
from grpo_framework.experience import (
    CRITIC,
    SHARED,
    Add,
    Experience,
    Library,
    id_prefix,
    injected_tokens,
    join,
)
from grpo_framework.forecast import Forecast, Range, cost_of, learning_times, measuring_times
from grpo_framework.listening import (
    LONGEST_ANSWER,
    SHORTEST_ANSWER,
    Heard,
    Listener,
    Notes,
    filler,
    forecast_embeddings,
)
from grpo_framework.manager import ExperienceManager
from grpo_framework.opening import ConfiguredEngine, known_price
from grpo_framework.plugins import ADVISOR, COMPARATOR, GENERATOR, Plugins
from grpo_framework.plugins import CRITIC as CRITIC_NOUN
from grpo_framework.protocols import ChatModel, Consolidator
from grpo_framework.records import (
    Attempt,
    Contrast,
    Owner,
    Price,
    Problem,
    Rollout,
    Stage,
    Unit,
    Verdict,
)
from grpo_framework.reports.fold import ROLES
from grpo_framework.splitting import choose, choose_validation, is_gated
from grpo_framework.workshop import Workshop

SAMPLE = 100
"""Problems whose prompts are rendered; of more, so many are taken at even distances."""
_EXPERIENCE = "When something like this is asked, do what is said here. " * 4
_OPERATIONS_A_GROUP = 2
"""Proposals of one group that a consolidation is taken to read, and that a library may grow by."""

Works: TypeAlias = Callable[[Stage, Owner], Sequence[tuple[str, Range]]]
"""For which roles, and how often in all, a stage of an owner is done."""


class _Rehearsal:
    """One configuration led through its stages without a model."""

    def __init__(self, config: RunConfig, plugins: Plugins) -> None:
        self.config = evolve(config, observers=())
        self.plugins = plugins
        self.workshop = Workshop(self.config, plugins)
        self.notes = Notes(full=False)
        self.models: dict[str, Price | None] = {}

    def listen(self, use: ComponentConfig) -> ChatModel:
        self.models[use.use] = known_price(self.workshop, use)
        return Listener(use, lambda: self.notes)

    async def train(self) -> tuple[Forecast, ...]:
        """A whole training run, whose libraries may grow to their limits."""
        found = await self.workshop.read()
        problems = choose(found, self.config)
        validation = choose_validation(found, self.config)
        self.workshop.find_all()
        manager = ExperienceManager.from_config(self.config, self.plugins)
        async with manager.open() as opened:
            libraries = await opened.load(self.config.owners)
        grown = {each.owner: self._fill(each, len(problems)) for each in libraries.values()}
        gating = is_gated(self.config.gate.kind, len(validation))
        learning = learning_times(self.config, len(problems), SAMPLE)
        measured = len(validation) if gating else 0
        measuring = measuring_times(self.config, len(problems), measured)

        def works(stage: Stage, _: Owner) -> list[tuple[str, Range]]:
            learned = (ROLES[stage], learning[stage])
            return [
                learned,
                *((role, row[stage]) for role, row in measuring.items() if stage in row),
            ]

        return await self.forecast(problems, (libraries, grown), works)

    async def forecast(
        self,
        problems: Sequence[Problem],
        held: tuple[Mapping[Owner, Library], Mapping[Owner, Library]],
        works: Works,
        *,
        learning: bool = True,
    ) -> tuple[Forecast, ...]:
        """Lead both passes through the stages; the second is over the larger libraries."""
        spec = ConfiguredEngine(self.config, self.plugins, learning=learning, instead=self.listen)
        passes = []
        async with spec.open(tuple(problems)) as engine:
            for full, libraries in zip((False, True), held, strict=True):
                self.notes = Notes(full=full)
                await _Pass(self, engine, libraries).run(_sample(problems))
                passes.append(self.notes)
        found = self._forecasts(passes[0], passes[1], len(problems), works)
        return (*found, *forecast_embeddings(self.workshop, problems, held[1].values()))

    def _fill(self, library: Library, problems: int) -> Library:
        """The library as large as it can become in the run."""
        limits = self.config.limits
        content = _EXPERIENCE[: limits.max_chars]
        room = limits.max_tokens - injected_tokens(item.content for item in library.experiences)
        more = min(
            limits.capacity - len(library),
            _OPERATIONS_A_GROUP * problems * self.config.epochs,
            max(0, room // injected_tokens([content])),
        )
        prefix = id_prefix(library.owner)
        added = tuple(Experience(f"{prefix}-{9000 + n}", content) for n in range(more))
        return evolve(library, experiences=(*library.experiences, *added))

    def _forecasts(
        self, low: Notes, high: Notes, problems: int, works: Works
    ) -> tuple[Forecast, ...]:
        found: dict[tuple[str, str], Forecast] = {}
        nothing = Heard()
        for (stage, owner, model), most in high.heard.items():
            # How many groups teach something is not known before: it may be none.
            ends = low.heard.get((stage, owner, model), nothing), most
            for role, times in works(stage, owner):
                each = min(problems, SAMPLE)
                factors = times.low / each, times.high / each
                new = self._forecast(role, model, ends, factors)
                known = found.get((role, model))
                found[role, model] = new if known is None else known + new
        probe = Heard(1, 12, 4)
        preflights = [
            self._forecast("preflight", model, (probe, probe), (1.0, 1.0)) for model in self.models
        ]
        return (*preflights, *(found[key] for key in sorted(found)))

    def _forecast(
        self, role: str, model: str, heard: tuple[Heard, Heard], factors: tuple[float, float]
    ) -> Forecast:
        low, high = heard
        least, most = factors
        calls = Range(round(low.calls * least), round(high.calls * most))
        inputs = Range(round(low.input_tokens * least), round(high.input_tokens * most))
        outputs = Range(round(low.output_tokens * least), round(high.output_tokens * most))
        cost = cost_of(self.models[model], inputs, outputs)
        return Forecast(role, model, calls, inputs, outputs, cost)


def _sample(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    count = min(len(problems), SAMPLE)
    return tuple(problems[len(problems) * place // count] for place in range(count))


async def _silent(_: Event) -> None:
    """Tell nobody."""


@frozen
class _Pass:
    """One way through all stages, with every answer short or every answer long."""

    rehearsal: _Rehearsal
    engine: Engine
    libraries: Mapping[Owner, Library]

    async def run(self, problems: Sequence[Problem]) -> None:
        for problem in problems:
            for number, owner in enumerate(self.engine.owners[:-1]):
                await self._answer(problem, owner, number)
            if self.rehearsal.notes.full:
                await self._advise(problem)
        if self.rehearsal.notes.full:
            await self._consolidate()

    def _calls(self, noun: Any, use: ComponentConfig) -> bool:
        """Whether a component calls a chat model; any other is not touched in a rehearsal."""
        return self.rehearsal.workshop.find(noun, use).component.uses_chat_model

    def _library(self, owner: Owner) -> Library:
        return join(self.libraries[owner], self.libraries[SHARED])

    async def _do(self, unit: Unit, work: Callable[[], Awaitable[object]]) -> None:
        # The filler is no answer that a component must understand: what it asked for is known.
        with within(unit, _silent), suppress(Exception):
            await work()

    async def _answer(self, problem: Problem, owner: Owner, number: int) -> None:
        """One attempt of a generator, the fusion of its attempts, and their verdicts."""
        config, engine = self.rehearsal.config, self.engine
        unit = Unit(1, 1, problem.id, owner, "attempt")
        answer = self._attempts[0]
        if self._calls(GENERATOR, config.generators[number]):
            generator, library = engine.generators[number], self._library(owner)
            await self._do(unit, lambda: generator.attempt(problem.question, library, seed=0))
        if self._calls(CRITIC_NOUN, config.critic):
            own = self._library(CRITIC)
            fusion = evolve(unit, stage="fusion")
            fuse = engine.critic.fuse
            await self._do(fusion, lambda: fuse(problem.question, self._attempts, own, seed=0))
        if self._calls(COMPARATOR, config.comparator):
            for stage in ("verdict", "fusion_verdict"):
                judging = evolve(unit, stage=stage)
                compare = engine.comparator.compare
                await self._do(judging, partial(compare, problem, answer.text))

    @property
    def _attempts(self) -> tuple[Attempt, ...]:
        config, full = self.rehearsal.config, self.rehearsal.notes.full
        count = config.rollouts_per_generator
        if adapts(config.adaptive_groups, count) and not full:
            count = FIRST
        return (Attempt(filler(LONGEST_ANSWER if full else SHORTEST_ANSWER)),) * count

    def _contrast(self, problem: Problem, owner: Owner) -> Contrast:
        """A group of which the first answer alone is right."""
        unit = Unit(1, 1, problem.id, owner, "attempt")
        size = len(self.engine.generators) if owner == CRITIC else len(self._attempts)
        attempt = self._attempts[0]
        rollouts = [
            Rollout(evolve(unit, index=place), attempt, Verdict(float(place == 0)))
            for place in range(max(2, size))
        ]
        group = samples(rollouts)
        if owner == CRITIC:
            group = tuple(evolve(sample, inputs=samples(rollouts)) for sample in group)
        return Contrast(owner, problem.question, group)

    @property
    def _advisor_calls(self) -> bool:
        return any(self._calls(ADVISOR, use) for use in self.rehearsal.config.advisor)

    async def _advise(self, problem: Problem) -> None:
        advisor = self.engine.advisor
        if advisor is None or not self._advisor_calls:
            return
        for owner in self.engine.owners:
            contrast, library = self._contrast(problem, owner), self.libraries[owner]
            unit = Unit(1, 1, problem.id, owner, "advice")
            await self._do(unit, partial(advisor.advise, (contrast,), library))

    async def _consolidate(self) -> None:
        advisor, config = self.engine.advisor, self.rehearsal.config
        if not isinstance(advisor, Consolidator) or not self._advisor_calls:
            return
        adds = tuple(
            Add(f"{_EXPERIENCE[:200]} {number}", "general", "", "")
            for number in range(_OPERATIONS_A_GROUP * config.batch_size)
        )
        for owner in self.engine.owners:
            unit, library = Unit(1, 1, "", owner, "consolidation"), self.libraries[owner]
            await self._do(unit, partial(advisor.consolidate, adds, library, seed=0))


async def rehearse(config: RunConfig, plugins: Plugins) -> tuple[Forecast, ...]:
    """Forecast a training run's calls, tokens and price by role; no model is called.

    Raises:
        ConfigError: A wrong reference or option, or `max_cost` with a price that is not known.
    """
    return await _Rehearsal(config, plugins).train()


async def rehearse_answers(
    config: RunConfig,
    plugins: Plugins,
    problems: Sequence[Problem],
    libraries: Mapping[Owner, Library],
    works: Works,
) -> tuple[Forecast, ...]:
    """Forecast what attempts, fusions and verdicts cost that learn nothing; no model is called.

    Args:
        config: Its `rollouts_per_generator` is how many attempts a fusion reads.
        plugins: Where its components are found.
        problems: What is asked.
        libraries: What stands in the prompts.
        works: Stage and owner (of a fusion, whose attempts are fused) → role and how often in all.

    Raises:
        ConfigError: As `rehearse`.
    """
    rehearsal = _Rehearsal(evolve(config, adaptive_groups=False), plugins)
    return await rehearsal.forecast(problems, (libraries, libraries), works, learning=False)
