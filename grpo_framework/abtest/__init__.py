"""A/B tests: the same problems, seeds and models with two sets of experiences, pair by pair."""

from grpo_framework.abtest.ablation import Target, ablate, most_work
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
from grpo_framework.abtest.worth import Ablated, Ablation

__all__ = [
    "SIDES",
    "Ablated",
    "Ablation",
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
    "Target",
    "ablate",
    "compare_pairs",
    "most_work",
    "run_arms",
]
