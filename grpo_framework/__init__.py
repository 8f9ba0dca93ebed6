"""Training-Free GRPO: a frozen model gets better by experiences in text, learned and measured.

The public names below are loaded when they are first used, so that importing this package costs
nothing (PEP 562).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grpo_framework.component import Component, Wiring
    from grpo_framework.config import ComponentConfig, RunConfig, load_config
    from grpo_framework.engine import CausalEngine, Engine
    from grpo_framework.errors import (
        BudgetExhausted,
        ComparatorError,
        ConfigError,
        DataError,
        GrpoError,
        ModelError,
        PluginError,
        ProblemError,
        ReplyRefused,
        RunFailed,
        StoreError,
        UnknownComponent,
        ValidationFailed,
        VersionConflict,
    )
    from grpo_framework.evaluation import Evaluation, evaluate
    from grpo_framework.experience import (
        Add,
        Delete,
        Experience,
        Keep,
        Library,
        Limits,
        Merge,
        Modify,
        Operation,
        Plan,
        Version,
        apply,
        plan,
    )
    from grpo_framework.hookspecs import hookimpl
    from grpo_framework.manager import ExperienceManager
    from grpo_framework.opening import ConfiguredEngine
    from grpo_framework.plugins import Plugins, Source
    from grpo_framework.protocols import (
        Advisor,
        AnswerComparator,
        BatchAdvisor,
        ChatModel,
        Comparator,
        Consolidator,
        Critic,
        Embedder,
        ExperienceStore,
        Generator,
        Observer,
        ProbedStore,
        ProblemSource,
        ReferenceChecker,
        VersionedStore,
    )
    from grpo_framework.records import (
        Attempt,
        ChatReply,
        ChatRequest,
        Contrast,
        Diagnosis,
        EmbedReply,
        Failure,
        FinalAnswer,
        GroupResult,
        Message,
        Owner,
        Problem,
        Question,
        Rollout,
        Sample,
        Unit,
        Usage,
        Verdict,
    )
    from grpo_framework.trainer import TrainingFreeGRPOTrainer

_EXPORTS: dict[str, tuple[str, ...]] = {
    "component": ("Component", "Wiring"),
    "config": ("ComponentConfig", "RunConfig", "load_config"),
    "engine": ("CausalEngine", "Engine"),
    "opening": ("ConfiguredEngine",),
    "errors": (
        "BudgetExhausted",
        "ComparatorError",
        "ConfigError",
        "DataError",
        "GrpoError",
        "ModelError",
        "PluginError",
        "ProblemError",
        "ReplyRefused",
        "RunFailed",
        "StoreError",
        "UnknownComponent",
        "ValidationFailed",
        "VersionConflict",
    ),
    "evaluation": ("Evaluation", "evaluate"),
    "experience": (
        "Add",
        "Delete",
        "Experience",
        "Keep",
        "Library",
        "Limits",
        "Merge",
        "Modify",
        "Operation",
        "Plan",
        "Version",
        "apply",
        "plan",
    ),
    "hookspecs": ("hookimpl",),
    "manager": ("ExperienceManager",),
    "plugins": ("Plugins", "Source"),
    "protocols": (
        "Advisor",
        "AnswerComparator",
        "BatchAdvisor",
        "ChatModel",
        "Comparator",
        "Consolidator",
        "Critic",
        "Embedder",
        "ExperienceStore",
        "Generator",
        "Observer",
        "ProbedStore",
        "ProblemSource",
        "ReferenceChecker",
        "VersionedStore",
    ),
    "records": (
        "Attempt",
        "ChatReply",
        "ChatRequest",
        "Contrast",
        "Diagnosis",
        "EmbedReply",
        "Failure",
        "FinalAnswer",
        "GroupResult",
        "Message",
        "Owner",
        "Problem",
        "Question",
        "Rollout",
        "Sample",
        "Unit",
        "Usage",
        "Verdict",
    ),
    "trainer": ("TrainingFreeGRPOTrainer",),
}
"""Module → the public names it holds; a test holds it against `__all__` and the imports above."""

_HOMES = {name: module for module, names in _EXPORTS.items() for name in names}

__all__ = [
    "Add",
    "Advisor",
    "AnswerComparator",
    "Attempt",
    "BatchAdvisor",
    "BudgetExhausted",
    "CausalEngine",
    "ChatModel",
    "ChatReply",
    "ChatRequest",
    "Comparator",
    "ComparatorError",
    "Component",
    "ComponentConfig",
    "ConfigError",
    "ConfiguredEngine",
    "Consolidator",
    "Contrast",
    "Critic",
    "DataError",
    "Delete",
    "Diagnosis",
    "EmbedReply",
    "Embedder",
    "Engine",
    "Evaluation",
    "Experience",
    "ExperienceManager",
    "ExperienceStore",
    "Failure",
    "FinalAnswer",
    "Generator",
    "GroupResult",
    "GrpoError",
    "Keep",
    "Library",
    "Limits",
    "Merge",
    "Message",
    "ModelError",
    "Modify",
    "Observer",
    "Operation",
    "Owner",
    "Plan",
    "PluginError",
    "Plugins",
    "ProbedStore",
    "Problem",
    "ProblemError",
    "ProblemSource",
    "Question",
    "ReferenceChecker",
    "ReplyRefused",
    "Rollout",
    "RunConfig",
    "RunFailed",
    "Sample",
    "Source",
    "StoreError",
    "TrainingFreeGRPOTrainer",
    "Unit",
    "UnknownComponent",
    "Usage",
    "ValidationFailed",
    "Verdict",
    "Version",
    "VersionConflict",
    "VersionedStore",
    "Wiring",
    "apply",
    "evaluate",
    "hookimpl",
    "load_config",
    "plan",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name in _HOMES:
        value = getattr(importlib.import_module(f"grpo_framework.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    if name.endswith("V2"):
        plain = name.removesuffix("V2")
        instead = plain if plain in _HOMES else "TrainingFreeGRPOTrainer"
        message = (
            f"grpo_framework has no {name}: the V2 suffix is gone, there is one architecture; "
            f"write: from grpo_framework import {instead}"
        )
        raise ImportError(message, name=name)
    message = f"module 'grpo_framework' has no attribute '{name}'"
    raise AttributeError(message)


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted({*globals(), *__all__})
