"""Compare mathematical answers, safely and fast: ``from grpo_math import compare``."""

from __future__ import annotations

from grpo_math.options import DEFAULT, Options
from grpo_math.results import Cause, Result, Verdict

__all__ = ["DEFAULT", "Cause", "Options", "Result", "Verdict"]
