"""Experiences, libraries, and the pure rules by which a library changes.

A language model proposes `Operation`s; `plan` judges each by the table `RULES` and records what it
refuses and why; `apply` makes the next version. Nothing here does I/O or reads a clock.
"""

from grpo_framework.experience.counting import Count, count, join
from grpo_framework.experience.planning import RULES, Limits, Plan, Refusal, apply, plan
from grpo_framework.experience.promotion import Promotion, find_promotions
from grpo_framework.experience.similarity import near_duplicate, normalise
from grpo_framework.experience.values import (
    CRITIC,
    SHARED,
    Add,
    Delete,
    Experience,
    Keep,
    Library,
    Malformed,
    Merge,
    Modify,
    Operation,
    generator_owner,
    id_prefix,
)

__all__ = [
    "CRITIC",
    "RULES",
    "SHARED",
    "Add",
    "Count",
    "Delete",
    "Experience",
    "Keep",
    "Library",
    "Limits",
    "Malformed",
    "Merge",
    "Modify",
    "Operation",
    "Plan",
    "Promotion",
    "Refusal",
    "apply",
    "count",
    "find_promotions",
    "generator_owner",
    "id_prefix",
    "join",
    "near_duplicate",
    "normalise",
    "plan",
]
