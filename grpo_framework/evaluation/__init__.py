"""Evaluation: what generators and critic score, with given libraries; nothing is learned."""

from grpo_framework.evaluation.estimators import Estimate, estimate, majority_at_k, pass_at_k
from grpo_framework.evaluation.groups import INTERRUPT
from grpo_framework.evaluation.measures import ALL, AtK, Evaluation, Held, Measured, Scores
from grpo_framework.evaluation.running import evaluate
from grpo_framework.evaluation.voting import compare_answer, count_votes

__all__ = [
    "ALL",
    "INTERRUPT",
    "AtK",
    "Estimate",
    "Evaluation",
    "Held",
    "Measured",
    "Scores",
    "compare_answer",
    "count_votes",
    "estimate",
    "evaluate",
    "majority_at_k",
    "pass_at_k",
]
