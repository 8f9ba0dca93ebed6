"""Experiences, libraries, and the pure rules by which a library changes.

A language model proposes `Operation`s; `plan` judges each by the table `RULES` and records what it
refuses and why; `apply` makes the next version. Nothing here does I/O or reads a clock.
"""

from grpo_framework.experience.cleaning import clean
from grpo_framework.experience.counting import Count, count, join
from grpo_framework.experience.credit import LEAST_CELLS, Credit
from grpo_framework.experience.crediting import Credited, credited, credits_of, of_same_text
from grpo_framework.experience.leaks import Guards
from grpo_framework.experience.limits import Limits, estimate_tokens, injected_tokens, tokens_of
from grpo_framework.experience.planning import Plan, Refusal, apply, plan
from grpo_framework.experience.promotion import (
    PROMOTED,
    Promotion,
    find_held_twice,
    find_promotions,
)
from grpo_framework.experience.rules import RULES
from grpo_framework.experience.rulings import Edit, Finding, Ruling
from grpo_framework.experience.similarity import (
    Alike,
    find_twin,
    near_duplicate,
    normalise,
    texts_of,
)
from grpo_framework.experience.untrusted import UNTRUSTED, Hygiene
from grpo_framework.experience.usefulness import HARMFUL, ROOM, describe, find_harmful, least_useful
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
    Trial,
    generator_owner,
    id_prefix,
)
from grpo_framework.experience.versions import Change, Version, compare_versions, restore

__all__ = [
    "CRITIC",
    "HARMFUL",
    "LEAST_CELLS",
    "PROMOTED",
    "ROOM",
    "RULES",
    "SHARED",
    "UNTRUSTED",
    "Add",
    "Alike",
    "Change",
    "Count",
    "Credit",
    "Credited",
    "Delete",
    "Edit",
    "Experience",
    "Finding",
    "Guards",
    "Hygiene",
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
    "Ruling",
    "Trial",
    "Version",
    "apply",
    "clean",
    "compare_versions",
    "count",
    "credited",
    "credits_of",
    "describe",
    "estimate_tokens",
    "find_harmful",
    "find_held_twice",
    "find_promotions",
    "find_twin",
    "generator_owner",
    "id_prefix",
    "injected_tokens",
    "join",
    "least_useful",
    "near_duplicate",
    "normalise",
    "of_same_text",
    "plan",
    "restore",
    "texts_of",
    "tokens_of",
]
