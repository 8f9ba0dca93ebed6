"""Reads lists of named numbers, such as ``a = 3, b = 4``, without the reader."""

from __future__ import annotations

from fractions import Fraction

from grpo_math.arithmetic import evaluate
from grpo_math.patterns import Pattern

_JOINT = Pattern(
    r"\s*(?:[,;]|,?\s*(?:and(?![a-z])|\\text\s*\{\s*,?\s*and\s*\}))\s*|\s*,?\s*\\q?quad\s*"
)
_ASSIGNED = Pattern(r"([a-df-hj-zA-Z])\s*=\s*([^=]+)")
_LONG = Pattern(r"[0-9.]{12}|[0-9][,]")
_MAX_PARTS = 8


def read_assignments(text: str) -> dict[str, Fraction] | None:
    """Read numbers with a single letter each; None for anything else, or where a letter is twice.

    Args:
        text: The answer.

    Returns:
        Two values or more by their letters.
    """
    text = text.strip().removesuffix(".").strip("$").strip()
    parts = _JOINT.split(text, _MAX_PARTS) if text.count("=") > 1 else []
    values: dict[str, Fraction] = {}
    for part in parts:
        match = _ASSIGNED.fullmatch(part)
        value = evaluate(match[2]) if match is not None and not _LONG.search(part) else None
        if match is None or value is None or value[2] != 1 or value[3] or match[1] in values:
            return None
        values[match[1]] = Fraction(value[0], value[1])
    return values if len(values) > 1 else None
