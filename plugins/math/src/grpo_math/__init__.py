"""Compare mathematical answers, safely and fast: ``from grpo_math import compare``."""

from __future__ import annotations

from grpo_math.batch import compare_many
from grpo_math.comparing import check_reference, compare, compare_response
from grpo_math.options import DEFAULT, Options
from grpo_math.results import Cause, Result, Verdict

__all__ = [
    "DEFAULT",
    "Cause",
    "Options",
    "Result",
    "Verdict",
    "check_reference",
    "compare",
    "compare_many",
    "compare_response",
]
