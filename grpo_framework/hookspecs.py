"""The hook specs: one shape, one noun each, no logic.

A plugin implements the hooks of the nouns it offers, each a plain function that returns
declarations; it is called once. Everything heavy belongs into the component's factory.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from grpo_framework.component import Component
from grpo_framework.protocols import (
    Advisor,
    ChatModel,
    Comparator,
    Critic,
    Embedder,
    ExperienceStore,
    Generator,
    Observer,
    ProblemSource,
)

ENTRY_POINT_GROUP = "grpo_framework"
"""The entry-point group of plugins; an entry point names a module, its name is the plugin's."""

hookspec = pluggy.HookspecMarker("grpo_framework")
hookimpl = pluggy.HookimplMarker("grpo_framework")


@hookspec
def grpo_generators() -> Iterable[Component[Generator]]:  # type: ignore[empty-body]
    """Offer generators: what makes rollouts."""


@hookspec
def grpo_critics() -> Iterable[Component[Critic]]:  # type: ignore[empty-body]
    """Offer critics: what fuses one generator's rollouts into a final answer."""


@hookspec
def grpo_comparators() -> Iterable[Component[Comparator]]:  # type: ignore[empty-body]
    """Offer comparators: what judges an answer against the reference."""


@hookspec
def grpo_experience_stores() -> Iterable[Component[ExperienceStore]]:  # type: ignore[empty-body]
    """Offer experience stores: where the libraries live."""


@hookspec
def grpo_advisors() -> Iterable[Component[Advisor]]:  # type: ignore[empty-body]
    """Offer advisors: the semantic advantage; some also consolidate, or advise on a batch."""


@hookspec
def grpo_chat_models() -> Iterable[Component[ChatModel]]:  # type: ignore[empty-body]
    """Offer chat models, so that no generator carries its own HTTP, retry or limits."""


@hookspec
def grpo_problem_sources() -> Iterable[Component[ProblemSource]]:  # type: ignore[empty-body]
    """Offer problem sources: files, hub data sets, generated problems."""


@hookspec
def grpo_observers() -> Iterable[Component[Observer]]:  # type: ignore[empty-body]
    """Offer observers: what sees every event and cannot change a run."""


@hookspec
def grpo_embedders() -> Iterable[Component[Embedder]]:  # type: ignore[empty-body]
    """Offer embedders: vectors of texts, for relevance and for near duplicates."""
