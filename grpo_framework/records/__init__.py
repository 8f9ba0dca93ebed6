"""Frozen values of a rollout: what is asked, tried, judged, and what failed."""

from grpo_framework.records.chat import (
    ChatReply,
    ChatRequest,
    Message,
    Price,
    Usage,
)
from grpo_framework.records.diagnosis import (
    Diagnosis,
    Measured,
    Outcome,
    Outcomes,
    Past,
    Rejected,
    Shown,
)
from grpo_framework.records.outcomes import diagnose, measure, outcome_of
from grpo_framework.records.results import (
    SUCCESS_REWARD,
    Attempt,
    Contrast,
    FinalAnswer,
    GroupResult,
    Rollout,
    Sample,
    Verdict,
    rewards_differ,
)
from grpo_framework.records.work import (
    Failure,
    Owner,
    Problem,
    Question,
    Stage,
    Unit,
)

__all__ = [
    "SUCCESS_REWARD",
    "Attempt",
    "ChatReply",
    "ChatRequest",
    "Contrast",
    "Diagnosis",
    "Failure",
    "FinalAnswer",
    "GroupResult",
    "Measured",
    "Message",
    "Outcome",
    "Outcomes",
    "Owner",
    "Past",
    "Price",
    "Problem",
    "Question",
    "Rejected",
    "Rollout",
    "Sample",
    "Shown",
    "Stage",
    "Unit",
    "Usage",
    "Verdict",
    "diagnose",
    "measure",
    "outcome_of",
    "rewards_differ",
]
