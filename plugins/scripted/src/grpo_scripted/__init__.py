"""A simulated student whose learning can be seen; its tables of tactics are public."""

from __future__ import annotations

from grpo_scripted.tactics import (
    ALL_TACTICS,
    FUSION_TACTICS,
    HARMFUL_TACTICS,
    SKILLS,
    USELESS_TACTICS,
    Tactic,
    find_tactics,
    needed_fusion,
    needed_skill,
)

__all__ = [
    "ALL_TACTICS",
    "FUSION_TACTICS",
    "HARMFUL_TACTICS",
    "SKILLS",
    "USELESS_TACTICS",
    "Tactic",
    "find_tactics",
    "needed_fusion",
    "needed_skill",
]
