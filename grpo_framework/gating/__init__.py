"""The gate: which of a batch's edits are kept, measured on paired validation rollouts.

The edits of an owner are tried together, and the one that leads so far also alone, as edits against
the same failure hide each other. Both rollouts of a pair answer the same problem with the same
seed; a fair coin for each edit says which of the two prompts holds it. So a pair is evidence about
several edits, and the difference a coin's side makes is the effect of its edit.
"""

from grpo_framework.gating.evidence import Weight, weigh
from grpo_framework.gating.judging import Gate, Judgement, judge_edits

__all__ = ["Gate", "Judgement", "Weight", "judge_edits", "weigh"]
