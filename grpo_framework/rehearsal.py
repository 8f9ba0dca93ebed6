"""What a training run will ask for, before anything is spent: its calls, tokens and price.

The configured components are opened over chat models that only write down what they are asked,
and are led through the stages with a sample of the real problems: once with short answers and the
present library, once with what is likely, once with answers of full length and a full library. The
counts follow from the schedule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from attrs import evolve

from grpo_framework.config import ComponentConfig, RunConfig
from grpo_framework.experience import Experience, Library, id_prefix, injected_tokens
from grpo_framework.forecast import (
    Forecast,
    Range,
    cost_of,
    count_batches,
    exactly,
    learning_times,
    measuring_times,
)
from grpo_framework.listening import (
    LEAST,
    LIKELY,
    MOST,
    Heard,
    Listener,
    Notes,
    forecast_embeddings,
)
from grpo_framework.manager import ExperienceManager
from grpo_framework.opening import ConfiguredEngine, known_price
from grpo_framework.plugins import Plugins
from grpo_framework.protocols import ChatModel
from grpo_framework.records import Owner, Price, Problem, Stage
from grpo_framework.reports.fold import ROLES
from grpo_framework.splitting import is_gated
from grpo_framework.walkthrough import (
    EXPERIENCE,
    OPERATIONS_A_GROUP,
    SAMPLE,
    Walkthrough,
    pick_sample,
)
from grpo_framework.workshop import Workshop

KEPT, KEPT_GATED = 2.0, 0.25
"""Experiences that an owner is likely to keep of each batch, without a gate and with it."""

Works: TypeAlias = Callable[[Stage, Owner], Sequence[tuple[str, Range]]]
"""For which roles, and how often in all, a stage of an owner is done."""


class _Rehearsal:
    """One configuration led through its stages without a model."""

    def __init__(self, config: RunConfig, plugins: Plugins) -> None:
        self.config = evolve(config, observers=())
        self.plugins = plugins
        self.workshop = Workshop(self.config, plugins)
        self.notes = Notes(LEAST)
        self.models: dict[str, Price | None] = {}

    def listen(self, use: ComponentConfig) -> ChatModel:
        self.models[use.use] = known_price(self.workshop, use)
        return Listener(use, lambda: self.notes)

    async def train(self) -> tuple[Forecast, ...]:
        """A whole training run, whose libraries may grow to their limits."""
        problems, validation = await self.workshop.training_problems()
        self.workshop.find_all()
        manager = ExperienceManager.from_config(self.config, self.plugins)
        async with manager.open() as opened:
            libraries = await opened.load(self.config.owners)
        gating = is_gated(self.config.gate.kind, len(validation))
        kept = KEPT_GATED if gating else KEPT
        # On average over a run, half of what is kept in it stands in the prompts.
        likely = math.ceil(kept * count_batches(self.config, len(problems)) / 2)
        growths = (0, likely, OPERATIONS_A_GROUP * len(problems) * self.config.epochs)
        held = tuple(
            {each.owner: self._fill(each, more) for each in libraries.values()} for more in growths
        )
        learning = learning_times(self.config, len(problems), min(len(problems), SAMPLE))
        measured = len(validation) if gating else 0
        measuring = measuring_times(self.config, len(problems), measured)

        def works(stage: Stage, _: Owner) -> list[tuple[str, Range]]:
            learned = (ROLES[stage], learning[stage])
            return [
                learned,
                *((role, row[stage]) for role, row in measuring.items() if stage in row),
            ]

        return await self.forecast(problems, held, works)

    async def forecast(
        self,
        problems: Sequence[Problem],
        held: Sequence[Mapping[Owner, Library]],
        works: Works,
        *,
        learning: bool = True,
    ) -> tuple[Forecast, ...]:
        """Lead three passes through the stages: the least, what is likely, and the most.

        Args:
            problems: What is asked.
            held: The libraries of each pass.
            works: For which roles, and how often, a stage is done.
            learning: Whether advisors are opened.
        """
        spec = ConfiguredEngine(self.config, self.plugins, learning=learning, instead=self.listen)
        passes = []
        async with spec.open(tuple(problems)) as engine:
            for assumed, libraries in zip((LEAST, LIKELY, MOST), held, strict=True):
                self.notes = Notes(assumed)
                walk = Walkthrough(self.config, self.workshop, engine, libraries, assumed)
                await walk.run(pick_sample(problems, assumed))
                passes.append(self.notes)
        found = self._forecasts(passes, len(problems), works)
        return (*found, *forecast_embeddings(self.workshop, problems, held))

    def _fill(self, library: Library, growth: int) -> Library:
        """The library with so many more experiences, as far as its limits allow."""
        limits = self.config.limits
        content = EXPERIENCE[: limits.max_chars]
        room = limits.max_tokens - injected_tokens(item.content for item in library.experiences)
        more = min(
            limits.capacity - len(library),
            growth,
            max(0, room // injected_tokens([content])),
        )
        prefix = id_prefix(library.owner)
        added = tuple(Experience(f"{prefix}-{9000 + n}", content) for n in range(more))
        return evolve(library, experiences=(*library.experiences, *added))

    def _forecasts(
        self, passes: Sequence[Notes], problems: int, works: Works
    ) -> tuple[Forecast, ...]:
        found: dict[tuple[str, str], Forecast] = {}
        for stage, owner, model in passes[-1].heard:
            heard = [notes.heard.get((stage, owner, model), Heard()) for notes in passes]
            for role, times in works(stage, owner):
                new = self._forecast(role, model, heard, times * (1 / min(problems, SAMPLE)))
                known = found.get((role, model))
                found[role, model] = new if known is None else known + new
        probes = [Heard(1, 12, 4)] * 3
        preflights = [
            self._forecast("preflight", model, probes, exactly(1)) for model in self.models
        ]
        return (*preflights, *(found[key] for key in sorted(found)))

    def _forecast(self, role: str, model: str, heard: Sequence[Heard], factor: Range) -> Forecast:
        calls = _scale([each.calls for each in heard], factor)
        inputs = _scale([each.input_tokens for each in heard], factor)
        outputs = _scale([each.output_tokens for each in heard], factor)
        cost = cost_of(self.models[model], inputs, outputs)
        return Forecast(role, model, calls, inputs, outputs, cost)


def _scale(heard: Sequence[float], factor: Range) -> Range:
    low, likely, high = heard
    return Range(round(low * factor.low), round(likely * factor.likely), round(high * factor.high))


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
    return await rehearsal.forecast(problems, (libraries,) * 3, works, learning=False)
