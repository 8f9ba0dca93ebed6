"""Decides pairs of plain numbers without reading them: digits, decimals and simple fractions."""

from __future__ import annotations

import re

from grpo_math.patterns import Pattern

_NUMERAL = Pattern(r"\s*([+-]?)0*([0-9]+)(?:\.([0-9]+))?\s*")
_SIMPLE = Pattern(
    r"\s*\$?\s*(?:\\boxed\{)?(-?)(?:(\d{1,18})(?:\.(\d{1,9}))?"
    r"|(\d{1,18})/(\d{1,18})|\\[dt]?frac\{(-?\d{1,18})\}\{(\d{1,18})\})\}?\s*\$?\s*",
    re.ASCII,
)


def compare_plain(gold: str, pred: str) -> bool | None:
    """Compare two plain numbers.

    Args:
        gold: One text.
        pred: The other.

    Returns:
        Whether they are the same number: numerals of any length, or numerals and fractions of
        moderate size, also in dollars or boxed; None where one of them is anything else.
    """
    first = _NUMERAL.fullmatch(gold)
    second = _NUMERAL.fullmatch(pred) if first else None
    if first is not None and second is not None:
        return _normalise(first) == _normalise(second)
    simple = _SIMPLE.fullmatch(gold)
    other = _SIMPLE.fullmatch(pred) if simple else None
    if simple is None or other is None:
        return None
    top, bottom = _read(simple)
    over, under = _read(other)
    if not bottom or not under:
        return None
    equal = top * under == over * bottom
    if not equal and (simple[3] is None) != (other[3] is None):
        return None  # a decimal may round the other number, as the options say
    return equal


def _normalise(match: re.Match[str]) -> tuple[str, str, str]:
    sign, whole, decimals = match.groups()
    decimals = (decimals or "").rstrip("0")
    zero = not whole.strip("0") and not decimals
    return ("" if sign != "-" or zero else "-", whole, decimals)


def _read(match: re.Match[str]) -> tuple[int, int]:
    """Read a match as a numerator and a denominator, which may be zero."""
    sign, whole, decimals, top, bottom, upper, lower = match.groups()
    if whole is not None:
        decimals = decimals or ""
        number = int(whole + decimals)
        return (-number if sign else number), 10 ** len(decimals)
    number = int(top if top is not None else upper)
    return (-number if sign else number), int(bottom if bottom is not None else lower)
