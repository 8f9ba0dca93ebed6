"""One guard around every chat model: limit, timeout, retry, budget; itself a ChatModel."""

from grpo_framework.calls.brake import Brake
from grpo_framework.calls.budget import Account, Budget, Spending
from grpo_framework.calls.embedding import GuardedEmbedder
from grpo_framework.calls.guard import CallRules, GuardedModel
from grpo_framework.calls.limiter import Limiter
from grpo_framework.calls.scope import Announce, Memory, Scope, within

__all__ = [
    "Account",
    "Announce",
    "Brake",
    "Budget",
    "CallRules",
    "GuardedEmbedder",
    "GuardedModel",
    "Limiter",
    "Memory",
    "Scope",
    "Spending",
    "within",
]
