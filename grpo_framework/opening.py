"""`ConfiguredEngine`: opens what a `RunConfig` names, with every chat model behind its guard."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from typing import Any, TypeVar

from attrs import field, frozen

from grpo_framework.calls import (
    Account,
    Brake,
    Budget,
    CallRules,
    GuardedEmbedder,
    GuardedModel,
)
from grpo_framework.combining import combine
from grpo_framework.config import ComponentConfig, RunConfig
from grpo_framework.engine import Engine
from grpo_framework.errors import ConfigError, ProblemError
from grpo_framework.experience import CRITIC, generator_owner
from grpo_framework.injection import Injection
from grpo_framework.meaning import Meaning
from grpo_framework.plugins import (
    ADVISOR,
    CHAT_MODEL,
    COMPARATOR,
    EMBEDDER,
    GENERATOR,
    OBSERVER,
    Noun,
    Plugins,
)
from grpo_framework.plugins import (
    CRITIC as CRITIC_NOUN,
)
from grpo_framework.protocols import ChatModel, Comparator, ReferenceChecker
from grpo_framework.records import Owner, Price, Problem
from grpo_framework.workshop import Workshop

T = TypeVar("T")

_HEAD_START = 0.02
"""Seconds in which a preflight call gets under way."""


@frozen
class ConfiguredEngine:
    """The engine that a configuration describes; opened by the trainer, closed after the run.

    Attributes:
        config: What to open.
        plugins: Where to find it.
        learning: Whether an advisor is needed.
        preflight: Whether each chat model has to answer one small call first.
        account: What earlier sessions of the run used up: the preflight is held against it.
        instead: Makes what takes the place of a chat model; the model itself is not opened.
    """

    config: RunConfig
    plugins: Plugins = field(factory=Plugins.discover)
    learning: bool = True
    preflight: bool = True
    account: Account = field(factory=Account)
    instead: Callable[[ComponentConfig], ChatModel] | None = None

    @asynccontextmanager
    async def open(self, problems: tuple[Problem, ...]) -> AsyncIterator[Engine]:
        """Open all components, and make one small call to each chat model.

        Raises:
            ConfigError: A wrong reference or option, before anything is opened.
            ProblemError: A reference answer that the comparator cannot read.
            ModelError: A chat model does not answer.
        """
        async with AsyncExitStack() as stack:
            yield await _Opening(self, stack, problems).engine()


async def _beside(work: Callable[[], T]) -> T:
    """Work in a thread that a process which stops does not wait for."""
    done: Future[T] = Future()

    def run() -> None:
        if done.set_running_or_notify_cancel():
            try:
                done.set_result(work())
            # Whatever it is belongs to who waits.
            except BaseException as error:
                done.set_exception(error)

    threading.Thread(target=run, name="grpo-beside", daemon=True).start()
    return await asyncio.wrap_future(done)


class _Opening:
    """The making of one engine: every chat model is opened once, whoever uses it."""

    def __init__(
        self, spec: ConfiguredEngine, stack: AsyncExitStack, problems: tuple[Problem, ...]
    ) -> None:
        self._config = spec.config
        self._learning = spec.learning
        self._preflight = spec.preflight
        self._instead = spec.instead
        self._workshop = Workshop(spec.config, spec.plugins)
        self._stack = stack
        self._problems = problems
        self._key = {problem.question.text: problem.answer for problem in problems}
        self._models: dict[str, ChatModel] = {}
        self._answering: list[asyncio.Task[Any]] = []
        self._brake = Brake()
        self._budget = Budget(spec.config.budget, self._brake)
        self._budget.go_on(spec.account)

    async def engine(self) -> Engine:
        """Find everything first, so that a wrong name costs nothing; then open it.

        The models' preflight calls are under way while the rest is opened.
        """
        try:
            engine = await self._assemble()
            for answering in self._answering:
                await answering
            return engine
        finally:
            for answering in self._answering:
                answering.cancel()
            await asyncio.gather(*self._answering, return_exceptions=True)

    async def _assemble(self) -> Engine:
        config = self._config
        parts = self._parts()
        offers = [self._workshop.find(noun, use) for noun, use, _, _ in parts]
        if config.embedder is not None:
            self._workshop.find(EMBEDDER, config.embedder)
        opened = [
            await self._open(noun, use, owner, model)
            for (noun, use, owner, _), model in zip(parts, await self._used(parts), strict=True)
        ]
        meaning = await self._meaning()
        count = len(config.generators)
        await asyncio.to_thread(check_references, opened[count + 1], self._problems)
        models_simulate = any(
            self._workshop.find(CHAT_MODEL, use).component.simulation
            for offer, (_, _, _, use) in zip(offers, parts, strict=True)
            if use is not None and offer.component.uses_chat_model
        )
        rest = count + 2 + (len(config.advisor) if self._learning else 0)
        return Engine(
            generators=tuple(opened[:count]),
            critic=opened[count],
            comparator=opened[count + 1],
            advisor=combine([use.use for use in config.advisor], opened[count + 2 : rest]),
            observers=tuple(opened[rest:]),
            concurrency=config.concurrency,
            simulation=models_simulate or any(offer.component.simulation for offer in offers),
            fingerprint=config.fingerprint,
            injection=Injection(config.inject_top, meaning),
            meaning=meaning,
            brake=self._brake,
            budget=self._budget,
        )

    async def _meaning(self) -> Meaning | None:
        """The embedder behind its guard; in a rehearsal there is none, as there is no model."""
        use = self._config.embedder
        if use is None or self._instead is not None:
            return None
        price = known_price(self._workshop, use, EMBEDDER)
        embedder = GuardedEmbedder(
            await self._stack.enter_async_context(self._workshop.open(EMBEDDER, use)),
            name=use.use,
            rules=self._rules(),
            brake=self._brake,
            budget=self._budget,
            price=price,
        )
        if self._preflight:
            await embedder.probe()
        return Meaning(embedder, self._config.limits.near_meaning)

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
            shared = config.advisor_model or config.model
            parts += [(ADVISOR, use, "", use.model or shared) for use in config.advisor]
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
        if key not in self._models and self._instead is not None:
            self._models[key] = self._instead(use)
        elif key not in self._models:
            # A price takes 0.2 s or more to look up: only a limit has to know them before any call.
            limited = self._config.budget.max_cost is not None
            price = known_price(self._workshop, use) if limited else None
            opening = self._workshop.open(CHAT_MODEL, use, answer_key=self._key)
            model = GuardedModel(
                await self._stack.enter_async_context(opening),
                name=use.use,
                rules=self._rules(),
                brake=self._brake,
                budget=self._budget,
                price=price,
            )
            self._models[key] = model
            await self._prepare(model, use, priced=limited)
        return self._models[key]

    async def _prepare(self, model: GuardedModel, use: ComponentConfig, *, priced: bool) -> None:
        """Begin to find out whether a model answers, and what it costs."""
        if self._preflight:
            probing: asyncio.Task[object] = asyncio.create_task(model.probe())
            self._answering.append(probing)
            # What follows holds the loop up with imports; the call has left by then.
            await asyncio.wait((probing,), timeout=_HEAD_START)
        if not priced:
            self._answering.append(asyncio.create_task(self._find_price(model, use)))

    async def _find_price(self, model: GuardedModel, use: ComponentConfig) -> None:
        price = await _beside(lambda: known_price(self._workshop, use))
        model.price = Price() if price is None else price

    def _rules(self) -> CallRules:
        calls = self._config.calls
        return CallRules(
            concurrency=self._config.concurrency,
            timeout=calls.timeout,
            timeout_floor=calls.timeout_floor,
            tries=calls.tries,
            hedge=calls.hedge,
            breaker=calls.breaker,
        )

    async def _open(
        self, noun: Noun[T], use: ComponentConfig, owner: Owner, model: ChatModel | None
    ) -> T:
        opening = self._workshop.open(
            noun, use, owner=owner, chat_model=model, answer_key=self._key
        )
        return await self._stack.enter_async_context(opening)


def check_references(comparator: Comparator, problems: Iterable[Problem]) -> None:
    """Check that a comparator can read every reference; one that cannot tell accepts them all.

    Args:
        comparator: The comparator that is to judge.
        problems: What is to be judged.

    Raises:
        ProblemError: A reference cannot be read; it names the first such problem and its place.
    """
    if not isinstance(comparator, ReferenceChecker):
        return
    found = (
        (problem, reason)
        for problem in problems
        if (reason := comparator.check_reference(problem)) is not None
    )
    first = next(found, None)
    if first is None:
        return
    problem, reason = first
    more = sum(1 for _ in found)
    others = f" (and {more} more)" if more else ""
    place = problem.source or f"problem '{problem.id}'"
    raise ProblemError(
        f"{place}: the reference answer {problem.answer[:60]!r} cannot be read: {reason}{others}",
        hint="correct the answer or take the problem out",
    )


def known_price(
    workshop: Workshop, use: ComponentConfig, noun: Noun[Any] = CHAT_MODEL
) -> Price | None:
    """What a chat model or embedder costs: the user's price, or what its component says, or None.

    Raises:
        ConfigError: A cost limit is set and the price is not known.
    """
    config = workshop.config
    own = config.prices.get(use.use)
    if own is not None:
        return Price(Decimal(str(own.input)), Decimal(str(own.output)))
    offer = workshop.find(noun, use)
    known = offer.component.price(offer.name)
    if known is None and config.budget.max_cost is not None:
        message = f"the price of {use.use} is not known, so max_cost cannot be kept"
        hint = f"--set 'prices.\"{use.use}\"={{input=…, output=…}}' in dollars per million tokens"
        raise ConfigError(message, pointer="/budget/max_cost", hint=hint)
    return known
