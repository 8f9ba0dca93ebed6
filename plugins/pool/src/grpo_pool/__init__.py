"""An advisor that proposes from a list of general tactics, without any model call."""

from grpo_pool.tactics import SHIPPED, Tactic, read_tactics

__all__ = ["SHIPPED", "Tactic", "read_tactics"]
