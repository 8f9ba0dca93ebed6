"""A/B tests: the same problems, seeds and models with two sets of experiences, pair by pair."""

from grpo_framework.abtest.comparing import compare_pairs
from grpo_framework.abtest.running import Answered, Plan, run_arms
from grpo_framework.abtest.values import (
    SIDES,
    Arm,
    Changes,
    Comparison,
    Difference,
    OwnerComparison,
    Pair,
    Side,
    Statistics,
)

__all__ = [
    "SIDES",
    "Answered",
    "Arm",
    "Changes",
    "Comparison",
    "Difference",
    "OwnerComparison",
    "Pair",
    "Plan",
    "Side",
    "Statistics",
    "compare_pairs",
    "run_arms",
]
