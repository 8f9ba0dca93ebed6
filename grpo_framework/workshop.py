"""Makes components from a configuration: one place for wiring, options and problems."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

from attrs import field, fields_dict, frozen

from grpo_framework.component import Wiring
from grpo_framework.config import ComponentConfig, RunConfig
from grpo_framework.errors import (
    ConfigError,
    GrpoError,
    PluginError,
    UnknownComponent,
    ValidationFailed,
)
from grpo_framework.mentioning import mention
from grpo_framework.plugins import (
    ADVISOR,
    CHAT_MODEL,
    COMPARATOR,
    CRITIC,
    EMBEDDER,
    GENERATOR,
    OBSERVER,
    PROBLEM_SOURCE,
    STORE,
    Noun,
    Offer,
    Plugins,
)
from grpo_framework.protocols import ChatModel, ExperienceStore
from grpo_framework.records import Owner, Problem
from grpo_framework.splitting import choose, choose_validation, split_problems
from grpo_framework.validation import validate_with

T = TypeVar("T")


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
        try:
            offer = self.plugins.find(noun, use.use)
        except UnknownComponent as error:
            hint = _hint_at_file(use.use, error.known) if noun is PROBLEM_SOURCE else ""
            if not hint:
                raise
            raise UnknownComponent(noun.name, use.use, error.known, hint=hint) from error
        try:
            validate_with(f"options of {offer.reference}", offer.component.options, use.options)
        except ValidationFailed as error:
            place = f"{_place(self.config, use)}/options{error.pointer}"
            message = f"{noun.name} '{use.use}': configuration at {place}: {error.reason}"
            raise ConfigError(message, pointer=place) from error
        return offer

    def find_all(self) -> None:
        """Resolve everything that a training run names, and validate all options.

        Raises:
            ConfigError: Unknown reference, or wrong options with their JSON pointer.
            PluginError: A plugin cannot be used.
        """
        config = self.config
        named: tuple[tuple[Noun[Any], tuple[ComponentConfig, ...]], ...] = (
            (GENERATOR, config.generators),
            (CRITIC, (config.critic,)),
            (COMPARATOR, (config.comparator,)),
            (ADVISOR, config.advisor),
            (STORE, (config.store,)),
            (PROBLEM_SOURCE, config.datasets),
            (OBSERVER, config.observers),
            (EMBEDDER, () if config.embedder is None else (config.embedder,)),
        )
        for noun, uses in named:
            for use in uses:
                self.find(noun, use)
        for _, use in self.chat_models():
            self.find(CHAT_MODEL, use)

    def chat_models(self) -> tuple[tuple[Owner, ComponentConfig], ...]:
        """The chat models that a training run calls, each with the first role that calls it.

        Raises:
            ConfigError: Unknown reference of a component.
            PluginError: A plugin cannot be used.
        """
        config = self.config
        roles: list[tuple[Owner, Noun[Any], ComponentConfig, ComponentConfig | None]] = [
            (owner, GENERATOR, use, use.model)
            for owner, use in zip(config.owners, config.generators, strict=False)
        ]
        roles += [
            ("critic", CRITIC, config.critic, config.critic_model),
            ("comparator", COMPARATOR, config.comparator, None),
        ]
        roles += [
            ("advisor", ADVISOR, use, use.model or config.advisor_model) for use in config.advisor
        ]
        found: list[tuple[Owner, ComponentConfig]] = []
        for role, noun, use, own in roles:
            model = own or config.model
            known = any((each.use, each.options) == (model.use, model.options) for _, each in found)
            if not known and self.find(noun, use).component.uses_chat_model:
                found.append((role, model))
        return tuple(found)

    @asynccontextmanager
    async def open(
        self,
        noun: Noun[T],
        use: ComponentConfig,
        *,
        owner: Owner = "",
        chat_model: ChatModel | None = None,
        answer_key: Mapping[str, str] | None = None,
    ) -> AsyncIterator[T]:
        """Open one component, and close it on exit.

        Raises:
            ConfigError: As `find`; the factory may raise more.
            PluginError: The factory failed in a way that it does not explain.
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
        async with AsyncExitStack() as stack:
            try:
                made = await stack.enter_async_context(offer.component.factory(wiring))
            except GrpoError:
                raise
            # A factory is foreign code; what it does not explain is at least put down to it.
            except Exception as error:
                distribution = self.plugins.record(offer.plugin).distribution
                text = " ".join(str(error).split())
                message = (
                    f"{noun.name} '{offer.reference}' ({distribution}) cannot be opened: "
                    f"{type(error).__name__}: {text}"
                )
                raise PluginError(
                    message, plugin=offer.plugin, distribution=distribution
                ) from error
            yield made

    async def problems(self) -> tuple[Problem, ...]:
        """Read the problems that the configuration names, of its split, in their order.

        Raises:
            ProblemError: A source cannot be used, or two problems have one id.
        """
        found = await self._read()
        return choose(found, split_problems(found, self.config.splits), self.config)

    async def training_problems(self) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
        """Read what a training run learns from, and what judges its edits.

        Raises:
            ProblemError: A source cannot be used, or two problems have one id.
        """
        found = await self._read()
        splits = split_problems(found, self.config.splits)
        if splits.repeated:
            some = ", ".join(problem.id for problem in splits.repeated[:3])
            more = f" and {len(splits.repeated) - 3} more" if len(splits.repeated) > 3 else ""
            mention(f"note: left out, since a held-out split has their texts: {some}{more}")
        return choose(found, splits, self.config), choose_validation(splits, self.config)

    async def _read(self) -> tuple[Problem, ...]:
        """All problems of the sources that the configuration names, of every split."""
        found: list[Problem] = []
        for use in self.config.datasets:
            async with self.open(PROBLEM_SOURCE, use) as source:
                found.extend(await source.problems())
        return tuple(found)


def _hint_at_file(reference: str, known: Sequence[str]) -> str:
    """What file may be meant by a reference that nobody offers, or why that one is none."""
    patterns = [each.partition("/")[2] for each in known if "*" in each]
    if Path(reference).is_file():
        endings = sorted(pattern[1:] for pattern in patterns if pattern.startswith("*."))
        return f"the file is there, but what is in one is told by its ending: {' '.join(endings)}"
    names = {
        spelling: path.name
        for path in sorted(Path().iterdir())
        if any(fnmatchcase(path.name, pattern) for pattern in patterns)
        for spelling in (path.name, path.stem)
    }
    near = get_close_matches(reference, names, n=1, cutoff=0.7)
    return f"did you mean the file {names[near[0]]}?" if near else ""


def _place(config: RunConfig, use: ComponentConfig) -> str:
    """JSON pointer of a component within the configuration; empty where it is not part of it."""
    for key in fields_dict(RunConfig):
        value = getattr(config, key)
        if value is use:
            return f"/{key}"
        if isinstance(value, tuple):
            for number, item in enumerate(value):
                if item is use:
                    return f"/{key}/{number}"
                if isinstance(item, ComponentConfig) and item.model is use:
                    return f"/{key}/{number}/model"
    return ""


@asynccontextmanager
async def open_store(config: RunConfig, plugins: Plugins) -> AsyncIterator[ExperienceStore]:
    """Open the experience store that a configuration names."""
    async with Workshop(config, plugins).open(STORE, config.store) as store:
        yield store
