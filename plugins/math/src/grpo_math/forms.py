"""Compares answers of fixed forms without the reader: letters, ratios, times, days, matrices.

Each form tells itself from all others by a pattern; what it decides is decided as the reader would.
"""

from __future__ import annotations

import math
import re

from grpo_math.assigned import read_assignments
from grpo_math.equality.scalars import same_time
from grpo_math.options import DEFAULT
from grpo_math.patterns import Pattern
from grpo_math.plain import Plain
from grpo_math.reading.calendar import read_clock, read_date
from grpo_math.reading.special import read_choice
from grpo_math.simple import read_matrix, read_simple
from grpo_math.spans import read_spans
from grpo_math.values import Choice

Decision = tuple[bool, str, str, str]
"""Whether two answers are equal, the types of both, and the rule."""

_LETTER = Pattern(
    r"\s*(?:\\(?:text|textbf|mathrm|mathbf)\s*\{)?\s*\(?([A-DF-HJ])\)?\.?\s*\}?\.?\s*"
)
# No time of day: its minutes are two digits below 60.
_RATIO = Pattern(
    r"\s*[1-9][0-9]{0,5}\s*:\s*(?:[1-9]|[6-9][0-9]|[1-9][0-9]{2,5})(?:\s*:\s*[1-9][0-9]{0,5})?\s*"
)
_CLOCK = Pattern(
    r"\s*[0-9]{1,2}(?::[0-9]{2}(?::[0-9]{2})?(?:\s*[ap]\.?m\.?)?|\s*[ap]\.?m\.?|\s*o'clock)\s*",
    re.IGNORECASE,
)
_DATED = Pattern(
    r"\s*(?:[A-Z][a-z]{2,8}\.? [0-9]{1,2}(?:st|nd|rd|th)?(?:,? [0-9]{4})?"
    r"|[0-9]{1,2}(?:st|nd|rd|th)? [A-Z][a-z]{2,8}(?:,? [0-9]{4})?|[0-9]{4}-[0-9]{2}-[0-9]{2})\.?\s*"
)
_SPAN = Pattern(r"[<>]|\\[lg](?:e(?:q|qslant)?|t)(?![a-zA-Z])|\\cup|[)\]]\s*U")
_INFINITE = {
    "\\infty": 1, "+\\infty": 1, "-\\infty": -1, "infinity": 1, "-infinity": -1, "+infinity": 1,
    "positive infinity": 1, "negative infinity": -1,
}  # fmt: skip


def compare_forms(gold: str, pred: str) -> tuple[Decision | None, bool]:
    """Compare two answers where a form is found.

    Args:
        gold: One text, in ASCII where its signs have such a form.
        pred: The other.

    Returns:
        The decision, or None; and whether no other way can decide.
    """
    letter, other = _LETTER.fullmatch(gold), _LETTER.fullmatch(pred)
    if letter or other:
        letters = letter[1] if letter else "", other[1] if other else ""
        return _compare_letters(*letters, gold, pred), True
    if _CLOCK.fullmatch(gold) and _CLOCK.fullmatch(pred):
        return _compare_clocks(gold, pred), True
    if ":" in gold:
        return _compare_ratios(gold, pred), True
    if "\\begin" in gold:
        return _compare_matrices(gold, pred), True
    if gold.count("=") > 1 and pred.count("=") > 1:
        found = _compare_assignments(gold, pred)
        return found, found is not None
    found = (
        _compare_dates(gold, pred) or _compare_spans(gold, pred) or _compare_infinities(gold, pred)
    )
    return found, found is not None


def _compare_letters(letter: str, other: str, gold: str, pred: str) -> Decision | None:
    """Compare the letter of a choice with another one, or with what surely names letters."""
    if not (letter and other):
        found = read_choice((gold if other else pred).strip(" $*"))
        choice = found[0] if found else None
        if not isinstance(choice, Choice) or not choice.sure or len(found) == 1:
            return None
        letter, other = (letter or choice.letters), (other or choice.letters)
    return letter == other, "choice", "choice", "letters"


def _compare_ratios(gold: str, pred: str) -> Decision | None:
    """Compare ratios of two whole numbers that are no times of day."""
    if not (_RATIO.fullmatch(gold) and _RATIO.fullmatch(pred)):
        return None
    first, second = ([int(term) for term in side.split(":")] for side in (gold, pred))
    if len(first) != len(second):
        return False, "ratio", "ratio", "ratios of different lengths"
    equal = all(a * second[0] == b * first[0] for a, b in zip(first, second, strict=True))
    return equal, "ratio", "ratio", "ratio by proportion"


def _compare_clocks(gold: str, pred: str) -> Decision | None:
    """Compare times of day."""
    first, second = read_clock(gold.strip()), read_clock(pred.strip())
    if first is None or second is None:
        return None
    return same_time(first, second), "time", "time", "time of day"


def _compare_matrices(gold: str, pred: str) -> Decision | None:
    """Compare matrices of numbers."""
    first, second = read_matrix(gold), read_matrix(pred)
    if first is None or second is None or any(not low for _, low, _ in first[1] + second[1]):
        return None
    equal = first[0] == second[0] and list(map(lowest, first[1])) == list(map(lowest, second[1]))
    if not equal and any(number[2] for number in first[1] + second[1]):
        return None
    return equal, "matrix", "matrix", "matrix"


def _compare_dates(gold: str, pred: str) -> Decision | None:
    """Compare days, where both sides are one."""
    if not (_DATED.fullmatch(gold) and _DATED.fullmatch(pred)):
        return None
    first, second = (read_date(text.strip().rstrip("."), DEFAULT) for text in (gold, pred))
    if first is None or second is None:
        return None
    return first == second, "date", "date", "same day"


def _compare_spans(gold: str, pred: str) -> Decision | None:
    """Compare unions of intervals and inequalities; two mere intervals may be pairs."""
    if not (_SPAN.search(gold) or _SPAN.search(pred)):
        return None
    first = read_spans(gold)
    second = read_spans(pred) if first is not None else None
    if first is None or second is None or (first[1] and second[1] and first[1] != second[1]):
        return None
    return first[2] == second[2], first[0], second[0], "set of reals"


def _compare_assignments(gold: str, pred: str) -> Decision | None:
    """Compare numbers by their letters; chains of equalities have none or one."""
    first = read_assignments(gold)
    second = read_assignments(pred) if first is not None else None
    if first is None or second is None:
        return None
    return first == second, "values", "values", "values by their labels"


def _compare_infinities(gold: str, pred: str) -> Decision | None:
    """Compare infinity with itself or with a number."""
    first, second = (
        _INFINITE.get(text.strip().removesuffix(".").strip("$ ")) for text in (gold, pred)
    )
    if first is None and second is None:
        return None
    if first is None or second is None:
        other = read_simple(pred if second is None else gold)
        if other is None or other[0] or other[2] is not None:
            return None
    return first == second, "number", "number", "infinity"


def lowest(number: Plain) -> tuple[int, int]:
    """Bring a number to lowest terms, with a positive denominator."""
    high, low, _ = number
    divisor = math.gcd(high, low)
    if low < 0:
        divisor = -divisor
    return high // divisor, low // divisor
