"""Frozen values of a rollout: what is asked, tried, judged, and what failed."""

from grpo_framework.records.chat import (
    ChatReply,
    ChatRequest,
    Message,
    Price,
    Usage,
)
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
    "Failure",
    "FinalAnswer",
    "GroupResult",
    "Message",
    "Owner",
    "Price",
    "Problem",
    "Question",
    "Rollout",
    "Sample",
    "Stage",
    "Unit",
    "Usage",
    "Verdict",
    "rewards_differ",
]
