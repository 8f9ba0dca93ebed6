"""The hooks of the plugin `scripted`: every noun, offline and deterministic."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from grpo_framework.component import Component, Wiring, free
from grpo_framework.hookspecs import hookimpl
from grpo_framework.protocols import (
    Advisor,
    ChatModel,
    Comparator,
    Critic,
    ExperienceStore,
    Generator,
    Observer,
    ProblemSource,
)
from grpo_scripted import options
from grpo_scripted.advising import Noise
from grpo_scripted.chat import Faults, ScriptedChatModel
from grpo_scripted.components import (
    JsonLinesObserver,
    ScriptedAdvisor,
    ScriptedComparator,
    ScriptedCritic,
    ScriptedGenerator,
)
from grpo_scripted.lookup import index_answers
from grpo_scripted.memory import MemoryStore
from grpo_scripted.problems import ArithmeticProblems
from grpo_scripted.student import read_ability


@asynccontextmanager
async def _open_generator(wiring: Wiring) -> AsyncIterator[Generator]:
    answers = index_answers(wiring.answer_key)
    latency = wiring.options.get("latency", 0.0)
    yield ScriptedGenerator(answers, read_ability(wiring.options), latency=latency)


@asynccontextmanager
async def _open_critic(wiring: Wiring) -> AsyncIterator[Critic]:
    answers = index_answers(wiring.answer_key)
    latency = wiring.options.get("latency", 0.0)
    yield ScriptedCritic(answers, read_ability(wiring.options), latency=latency)


@asynccontextmanager
async def _open_comparator(wiring: Wiring) -> AsyncIterator[Comparator]:  # noqa: ARG001 - a factory's signature
    yield ScriptedComparator()


@asynccontextmanager
async def _open_store(wiring: Wiring) -> AsyncIterator[ExperienceStore]:  # noqa: ARG001 - a factory's signature
    yield MemoryStore()


@asynccontextmanager
async def _open_advisor(wiring: Wiring) -> AsyncIterator[Advisor]:
    yield ScriptedAdvisor(Noise(**wiring.options))


@asynccontextmanager
async def _open_chat_model(wiring: Wiring) -> AsyncIterator[ChatModel]:
    chosen = dict(wiring.options)
    ability = read_ability(chosen)
    names = ("latency", "fail_rate", "fail_kinds", "retry_after", "truncation_rate")
    faults = Faults(**{name: chosen[name] for name in names if name in chosen})
    answers = index_answers(wiring.answer_key)
    yield ScriptedChatModel(answers, ability, faults, name=f"scripted/{wiring.name}")


@asynccontextmanager
async def _open_problems(wiring: Wiring) -> AsyncIterator[ProblemSource]:
    yield ArithmeticProblems(**wiring.options)


@asynccontextmanager
async def _open_observer(wiring: Wiring) -> AsyncIterator[Observer]:
    yield JsonLinesObserver(Path(wiring.options.get("path", "scripted-events.jsonl")))


@hookimpl
def grpo_generators() -> Iterable[Component[Generator]]:
    """Offer the simulated student."""
    yield Component(
        "default",
        _open_generator,
        summary="Simulated student: right by chance, better with the right lessons",
        options=options.GENERATOR_OPTIONS,
        simulation=True,
    )


@hookimpl
def grpo_critics() -> Iterable[Component[Critic]]:
    """Offer the simulated critic."""
    yield Component(
        "default",
        _open_critic,
        summary="Simulated critic: the majority, better with the right lessons",
        options=options.CRITIC_OPTIONS,
        simulation=True,
    )


@hookimpl
def grpo_comparators() -> Iterable[Component[Comparator]]:
    """Offer a plain comparator."""
    yield Component(
        "default", _open_comparator, summary="The last box or line, compared as plain text"
    )


@hookimpl
def grpo_experience_stores() -> Iterable[Component[ExperienceStore]]:
    """Offer a store in memory."""
    yield Component("default", _open_store, summary="In memory: gone when the run ends")


@hookimpl
def grpo_advisors() -> Iterable[Component[Advisor]]:
    """Offer the simulated advisor."""
    yield Component(
        "default",
        _open_advisor,
        summary="Proposes the tactics that good attempts name and bad ones do not",
        options=options.ADVISOR_OPTIONS,
    )


@hookimpl
def grpo_chat_models() -> Iterable[Component[ChatModel]]:
    """Offer the simulated student, critic and advisor as one chat model."""
    yield Component(
        "default",
        _open_chat_model,
        summary="Simulated student, critic and advisor behind prompts, with faults on demand",
        options=options.CHAT_OPTIONS,
        simulation=True,
        price=free,
    )


@hookimpl
def grpo_problem_sources() -> Iterable[Component[ProblemSource]]:
    """Offer arithmetic problems made by a seed."""
    yield Component(
        "problems",
        _open_problems,
        summary="Arithmetic word problems made by a seed, in three splits",
        options=options.PROBLEM_OPTIONS,
    )


@hookimpl
def grpo_observers() -> Iterable[Component[Observer]]:
    """Offer an observer that writes events to a file."""
    yield Component(
        "default",
        _open_observer,
        summary="Appends every event to a JSON Lines file",
        options=options.OBSERVER_OPTIONS,
    )
