"""An engine that does the same work once: equal question, experiences and seed, equal answer.

Leave-one-out arms differ in one experience, so most of their prompts are the same: those of the
full store in every item's comparison, and those that an item does not get into. Such work is done
by who asks first, and paid for once. What differs in anything that a component sees is not shared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from attrs import evolve

from grpo_framework.engine import Engine
from grpo_framework.experience import Library
from grpo_framework.protocols import Comparator, Critic, Generator
from grpo_framework.records import Attempt, Problem, Question, Verdict

T = TypeVar("T")


class _Once(Generic[T]):
    """Remembers what came of work by what it was made from; a failure is not remembered."""

    def __init__(self) -> None:
        self._made: dict[Hashable, T] = {}
        self._locks: dict[Hashable, asyncio.Lock] = {}

    async def do(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work, unless it was done; who comes while it is under way waits."""
        if key not in self._made:
            async with self._locks.setdefault(key, asyncio.Lock()):
                if key not in self._made:
                    self._made[key] = await work()
        return self._made[key]


def _held(library: Library) -> Hashable:
    return library.owner, library.experiences


class _SharedGenerator:
    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._once: _Once[Attempt] = _Once()

    async def attempt(self, question: Question, library: Library, /, *, seed: int) -> Attempt:
        key = (question, _held(library), seed)
        return await self._once.do(
            key, lambda: self._generator.attempt(question, library, seed=seed)
        )


class _SharedCritic:
    def __init__(self, critic: Critic) -> None:
        self._critic = critic
        self._once: _Once[Attempt] = _Once()

    async def fuse(
        self, question: Question, attempts: tuple[Attempt, ...], library: Library, /, *, seed: int
    ) -> Attempt:
        seen = tuple((each.text, each.answer, each.finish) for each in attempts)
        key = (question, seen, _held(library), seed)
        return await self._once.do(
            key, lambda: self._critic.fuse(question, attempts, library, seed=seed)
        )


class _SharedComparator:
    def __init__(self, comparator: Comparator) -> None:
        self._comparator = comparator
        self._once: _Once[Verdict] = _Once()

    async def compare(self, problem: Problem, answer: str | None, /) -> Verdict:
        key = (problem, answer)
        return await self._once.do(key, lambda: self._comparator.compare(problem, answer))


def share_work(engine: Engine) -> Engine:
    """The engine, doing the same work once for as long as the new one is used."""
    return evolve(
        engine,
        generators=tuple(_SharedGenerator(each) for each in engine.generators),
        critic=_SharedCritic(engine.critic),
        comparator=_SharedComparator(engine.comparator),
    )
