"""Opens what a `RunConfig` names: the `Engine` of a run, and the libraries over a store."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from attrs import field, frozen

from grpo_framework.calls import Brake, CallRules, GuardedModel, probe
from grpo_framework.component import Wiring
from grpo_framework.config import ComponentConfig, RunConfig
from grpo_framework.errors import ConfigError, ValidationFailed
from grpo_framework.experience import CRITIC, generator_owner
from grpo_framework.plugins import (
    ADVISOR,
    CHAT_MODEL,
    COMPARATOR,
    GENERATOR,
    OBSERVER,
    PROBLEM_SOURCE,
    STORE,
    Noun,
    Offer,
    Plugins,
)
from grpo_framework.plugins import (
    CRITIC as CRITIC_NOUN,
)
from grpo_framework.protocols import (
    Advisor,
    ChatModel,
    Comparator,
    Critic,
    ExperienceStore,
    Generator,
    Observer,
)
from grpo_framework.records import Owner, Problem
from grpo_framework.validation import validate_with

T = TypeVar("T")


@frozen
class Engine:
    """The opened components of a run.

    Attributes:
        generators: One per learning generator, in order; the n-th is owner ``generator_<n>``.
        critic: Fuses each generator's rollouts.
        comparator: Judges answers.
        advisor: Proposes operations; None learns nothing, as in an evaluation.
        observers: See every event.
        concurrency: Most attempts under way at once, whatever a generator is made of.
        simulation: Whether a component only plays a model.
        fingerprint: Of the configuration; empty for an engine made by hand.
        brake: Stops the run: its chat models' guards pull it, every stage sees it.
    """

    generators: tuple[Generator, ...]
    critic: Critic
    comparator: Comparator
    advisor: Advisor | None = None
    observers: tuple[Observer, ...] = ()
    concurrency: int = 8
    simulation: bool = False
    fingerprint: str = ""
    brake: Brake = field(factory=Brake, eq=False)

    @property
    def owners(self) -> tuple[Owner, ...]:
        """Who learns on its own evidence: the generators, then the critic."""
        count = len(self.generators)
        return (*(generator_owner(number) for number in range(1, count + 1)), CRITIC)

    @asynccontextmanager
    async def open(self, problems: tuple[Problem, ...]) -> AsyncIterator[Engine]:  # noqa: ARG002
        """An engine made by hand is open already; closing its parts is their owner's business."""
        yield self


class CausalEngine(Protocol):
    """What a trainer takes: an `Engine`, or what opens one, such as `ConfiguredEngine`."""

    def open(self, problems: tuple[Problem, ...]) -> AbstractAsyncContextManager[Engine]:
        """Open the components for these problems, and close them on exit."""
        ...


@frozen
class Workshop:
    """Makes components from a configuration: one place for wiring, options and chat models."""

    config: RunConfig
    plugins: Plugins
    environment: Mapping[str, str] = field(factory=lambda: dict(os.environ), repr=False)

    def find(self, noun: Noun[T], use: ComponentConfig) -> Offer[T]:
        """Resolve a component and validate its options, without opening anything.

        Raises:
            ConfigError: Unknown reference, or wrong options with their JSON pointer.
            PluginError: The plugin cannot be used.
        """
        offer = self.plugins.find(noun, use.use)
        try:
            validate_with(f"options of {offer.reference}", offer.component.options, use.options)
        except ValidationFailed as error:
            message = f"{noun.name} '{use.use}': options{error.pointer}: {error.reason}"
            raise ConfigError(message, pointer=f"/options{error.pointer}") from error
        return offer

    def open(
        self,
        noun: Noun[T],
        use: ComponentConfig,
        *,
        owner: Owner = "",
        chat_model: ChatModel | None = None,
        answer_key: Mapping[str, str] | None = None,
    ) -> AbstractAsyncContextManager[T]:
        """Open one component.

        Raises:
            ConfigError: As `find`; the factory may raise more.
        """
        offer = self.find(noun, use)
        config = self.config
        wiring = Wiring(
            name=offer.name,
            owner=owner,
            options=use.options,
            data_dir=None if config.data_dir is None else Path(config.data_dir),
            experience_dir=Path(config.experience_dir),
            environment=self.environment,
            answer_key=(answer_key or {}) if offer.component.simulation else {},
            chat_model=chat_model,
        )
        return offer.component.factory(wiring)

    async def problems(self) -> tuple[Problem, ...]:
        """Read the problems that the configuration names, of its split, in their order.

        Raises:
            ProblemError: A source cannot be used, or two problems have one id.
        """
        found: list[Problem] = []
        for use in self.config.datasets:
            async with self.open(PROBLEM_SOURCE, use) as source:
                found.extend(await source.problems())
        return select(tuple(found), self.config)


def select(problems: tuple[Problem, ...], config: RunConfig) -> tuple[Problem, ...]:
    """The problems of the configured split, at most `max_problems` of them.

    Raises:
        ConfigError: None are left, or two have the same id.
    """
    wanted = tuple(
        problem
        for problem in problems
        if config.split == "all" or problem.split in ("", config.split)
    )
    if not wanted:
        splits = sorted({problem.split for problem in problems})
        message = f"no problem is in the split '{config.split}'"
        raise ConfigError(message, pointer="/split", hint=f"splits found: {', '.join(splits)}")
    seen: dict[str, Problem] = {}
    for problem in wanted:
        if problem.id in seen:
            other = seen[problem.id]
            message = f"two problems have the id '{problem.id}': {other.source}, {problem.source}"
            raise ConfigError(message, pointer="/datasets", hint="give each problem its own id")
        seen[problem.id] = problem
    return wanted[: config.max_problems]


@frozen
class ConfiguredEngine:
    """The engine that a configuration describes; opened by the trainer, closed after the run.

    Attributes:
        config: What to open.
        plugins: Where to find it.
        learning: Whether an advisor is needed.
    """

    config: RunConfig
    plugins: Plugins = field(factory=Plugins.discover)
    learning: bool = True

    @asynccontextmanager
    async def open(self, problems: tuple[Problem, ...]) -> AsyncIterator[Engine]:
        """Open all components, and make one small call to each chat model.

        Raises:
            ConfigError: A wrong reference or option, before anything is opened.
            ModelError: A chat model does not answer.
        """
        async with AsyncExitStack() as stack:
            yield await _Opening(self, stack, problems).engine()


class _Opening:
    """The making of one engine: every chat model is opened once, whoever uses it."""

    def __init__(
        self, spec: ConfiguredEngine, stack: AsyncExitStack, problems: tuple[Problem, ...]
    ) -> None:
        self._config = spec.config
        self._learning = spec.learning
        self._workshop = Workshop(spec.config, spec.plugins)
        self._stack = stack
        self._key = {problem.question.text: problem.answer for problem in problems}
        self._models: dict[str, GuardedModel] = {}
        self._brake = Brake()

    async def engine(self) -> Engine:
        """Find everything first, so that a wrong name costs nothing; then open it."""
        config = self._config
        parts = self._parts()
        offers = [self._workshop.find(noun, use) for noun, use, _, _ in parts]
        opened = [
            await self._open(noun, use, owner, model)
            for (noun, use, owner, _), model in zip(parts, await self._used(parts), strict=True)
        ]
        count = len(config.generators)
        models_simulate = any(
            self._workshop.find(CHAT_MODEL, use).component.simulation
            for offer, (_, _, _, use) in zip(offers, parts, strict=True)
            if use is not None and offer.component.uses_chat_model
        )
        rest = count + (3 if self._learning else 2)
        return Engine(
            generators=tuple(opened[:count]),
            critic=opened[count],
            comparator=opened[count + 1],
            advisor=opened[count + 2] if self._learning else None,
            observers=tuple(opened[rest:]),
            concurrency=config.concurrency,
            simulation=models_simulate or any(offer.component.simulation for offer in offers),
            fingerprint=config.fingerprint,
            brake=self._brake,
        )

    def _parts(self) -> list[tuple[Noun[Any], ComponentConfig, Owner, ComponentConfig | None]]:
        """Noun, component, owner and chat model of each part, in a fixed order."""
        config = self._config
        parts: list[tuple[Noun[Any], ComponentConfig, Owner, ComponentConfig | None]] = [
            (GENERATOR, use, generator_owner(number), use.model or config.model)
            for number, use in enumerate(config.generators, 1)
        ]
        parts.append((CRITIC_NOUN, config.critic, CRITIC, config.critic_model or config.model))
        parts.append((COMPARATOR, config.comparator, "", config.model))
        if self._learning:
            parts.append((ADVISOR, config.advisor, "", config.advisor_model or config.model))
        parts.extend((OBSERVER, use, "", None) for use in config.observers)
        return parts

    async def _used(
        self, parts: list[tuple[Noun[Any], ComponentConfig, Owner, ComponentConfig | None]]
    ) -> list[ChatModel | None]:
        """The chat models of the parts that use one; the others' are not even opened."""
        used = [
            model if self._workshop.find(noun, use).component.uses_chat_model else None
            for noun, use, _, model in parts
        ]
        for model in used:
            if model is not None:
                self._workshop.find(CHAT_MODEL, model)
        return [None if model is None else await self._model(model) for model in used]

    async def _model(self, use: ComponentConfig) -> ChatModel:
        key = repr((use.use, sorted(use.options.items(), key=str)))
        if key not in self._models:
            opening = self._workshop.open(CHAT_MODEL, use, answer_key=self._key)
            model = GuardedModel(
                await self._stack.enter_async_context(opening),
                name=use.use,
                rules=CallRules(
                    concurrency=self._config.concurrency,
                    timeout=self._config.calls.timeout,
                    tries=self._config.calls.tries,
                ),
                brake=self._brake,
            )
            await probe(model)
            self._models[key] = model
        return self._models[key]

    async def _open(
        self, noun: Noun[T], use: ComponentConfig, owner: Owner, model: ChatModel | None
    ) -> T:
        opening = self._workshop.open(
            noun, use, owner=owner, chat_model=model, answer_key=self._key
        )
        return await self._stack.enter_async_context(opening)


@asynccontextmanager
async def open_store(config: RunConfig, plugins: Plugins) -> AsyncIterator[ExperienceStore]:
    """Open the experience store that a configuration names."""
    async with Workshop(config, plugins).open(STORE, config.store) as store:
        yield store
