"""One guard around every chat model: limit, timeout, retry, account; itself a ChatModel."""

from grpo_framework.calls.guard import Announce, GuardedModel, probe, within

__all__ = ["Announce", "GuardedModel", "probe", "within"]
