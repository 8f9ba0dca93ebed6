"""The `Engine`: the opened components of a run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cached_property
from typing import Protocol

from attrs import field, frozen

from grpo_framework.calls import Brake, Budget
from grpo_framework.config import BudgetLimits
from grpo_framework.experience import CRITIC, generator_owner
from grpo_framework.injection import Injection
from grpo_framework.meaning import Meaning
from grpo_framework.protocols import (
    Advisor,
    Comparator,
    Critic,
    Generator,
    Observer,
)
from grpo_framework.records import Owner, Problem


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
        injection: Which experiences go into a prompt.
        meaning: Finds texts that mean the same; None goes by words alone.
        brake: Stops the run: its chat models' guards pull it, every stage sees it.
        budget: What the run's chat models may still spend.
    """

    generators: tuple[Generator, ...]
    critic: Critic
    comparator: Comparator
    advisor: Advisor | None = None
    observers: tuple[Observer, ...] = ()
    concurrency: int = 8
    simulation: bool = False
    fingerprint: str = ""
    injection: Injection = field(factory=Injection)
    meaning: Meaning | None = None
    brake: Brake = field(factory=Brake, eq=False)
    budget: Budget = field(factory=lambda: Budget(BudgetLimits(), Brake()), eq=False)

    @cached_property
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
