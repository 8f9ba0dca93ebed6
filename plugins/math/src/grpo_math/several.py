"""Compares several numbers, listed or behind ±, without the reader."""

from __future__ import annotations

from grpo_math.patterns import Pattern
from grpo_math.sums import compare_sums

_JOINT = Pattern(
    r"[,;]\s*(?:(?:and|or)(?![a-z]))?|(?:and|or)(?![a-z])|\\text\s*\{\s*,?\s*(?:and|or)\s*\}"
)
_OTHER = Pattern(r"[=<>:|]|\\[{}]|[0-9],[0-9]{3}")
_MAX_VALUES = 8


def compare_several(gold: str, pred: str) -> bool | None:
    """Tell whether two lists of numbers hold the same, in any order.

    Args:
        gold: One text.
        pred: The other.

    Returns:
        None where one is no such list, both hold one value only, or only the reader can tell.
    """
    first = _list_values(gold)
    second = _list_values(pred) if first else []
    if len(first) != len(second) or len(first) < 2:
        return None
    equal = True
    for value in first:
        found = [compare_sums(value, other) for other in second]
        if any(each is None or each[1:] != ("number", "number") for each in found):
            return None
        same = [at for at, each in enumerate(found) if each is not None and each[0]]
        if same:
            del second[same[0]]
        equal = equal and bool(same)
    return equal


def _list_values(text: str) -> list[str]:
    """List the values of a text, each with one sign in place of ±; nothing where it is no list."""
    text = text.strip().removesuffix(".").strip("$").strip()
    if _OTHER.search(text):
        return []
    values: list[str] = []
    for part in _JOINT.split(text, _MAX_VALUES):
        signs = part.count("\\pm")
        if signs > 1 or part.count("(") != part.count(")") or not part.strip():
            return []
        values += [part.replace("\\pm", sign) for sign in "+-"] if signs else [part]
    return values if len(values) <= _MAX_VALUES else []
