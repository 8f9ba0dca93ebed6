"""What a comparison says, and why."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """The three verdicts there are."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Why a verdict is ``unknown``."""

    TIMEOUT = "timeout"
    UNPARSED_REFERENCE = "unparsed reference"
    UNPARSED_ANSWER = "unparsed answer"
    NO_ANSWER = "no answer found"
    OVER_LIMIT = "over a limit"


class Result(NamedTuple):
    """The verdict of one comparison.

    Attributes:
        verdict: ``equal``, ``different`` or ``unknown``.
        reason: Why, in words; for ``unknown`` it starts with the text of one `Cause`.
        extracted: The answer that was compared, as text; None where none was found.
        gold_type: How the reference was read, for example ``number`` or ``interval``.
        pred_type: How the answer was read.
        rule: The rule that decided.
        options: The options that were not at their defaults, as (name, value).
        cause: Set exactly when the verdict is ``unknown``.
    """

    verdict: Verdict
    reason: str
    extracted: str | None
    gold_type: str = ""
    pred_type: str = ""
    rule: str = ""
    options: tuple[tuple[str, object], ...] = ()
    cause: Cause | None = None

    @property
    def reward(self) -> float | None:
        """1.0 for equal, 0.0 for different, None for unknown."""
        if self.verdict is Verdict.UNKNOWN:
            return None
        return 1.0 if self.verdict is Verdict.EQUAL else 0.0
