"""Reads plain numbers without the reader: digits, decimals, fractions, powers of ten, percent."""

from __future__ import annotations

import re

from grpo_math.patterns import Pattern

_NUMERAL = Pattern(r"\s*([+-]?)0*([0-9]+)(?:\.([0-9]+))?\s*")
_DECIMAL = r"(?:([0-9]{1,3}(?:(?:,|\{,\}|,\\!)[0-9]{3})+|[0-9]{1,30})?(?:\.([0-9]{1,30}))?)"
_FRACTION = (
    r"(?:\\[dtc]?frac\s*(?:\{\s*(-?[0-9]{1,18})\s*\}\s*\{\s*(-?[0-9]{1,18})\s*\}|([0-9])([0-9]))"
    r"|\s*([0-9]{1,18})\s*/\s*([0-9]{1,18}))"
)
_SCALED = (
    r"(?:[eE]([+-]?[0-9]{1,3})|\s*(?:\\times|\\cdot|×|·|\*)\s*10\s*\^\s*"
    r"(?:\{\s*([+-]?[0-9]{1,3})\s*\}|([+-]?[0-9]{1,3})))"
)
# A fraction, alone or behind a whole number; or a whole number or decimal, then a power of ten.
NUMBER = Pattern(
    r"\s*([+-]?)\s*"
    rf"(?:([0-9]{{1,18}}(?=[^\S\n]*\\|[^\S\n]))?\s*{_FRACTION}|{_DECIMAL}{_SCALED}?)"
    r"(\s*\\?%)?(?![0-9a-zA-Z._!/:(\[|'])\s*"
)
_NEVER = r"((?!))?"
GLUED = Pattern(rf"([+-]?){_NEVER * 7}{_DECIMAL}{_NEVER * 4}(?=[a-zA-Z°€¢元/])")
"""A decimal with a unit right behind it, as in `5km`; groups as in `NUMBER`."""
LONG = 12
"""Significant digits from which on a decimal may round another number."""
_MAX_EXPONENT = 400
_SEPARATORS = str.maketrans("", "", ",{}\\!")

Plain = tuple[int, int, bool]
"""Numerator, denominator, and whether it is a decimal of `LONG` digits or more."""


def compare_numerals(gold: str, pred: str) -> bool | None:
    """Compare two numerals of any length, digit by digit; None where one is something else."""
    first = _NUMERAL.fullmatch(gold)
    second = _NUMERAL.fullmatch(pred) if first else None
    if first is None or second is None:
        return None
    return _normalise(first) == _normalise(second)


def _normalise(match: re.Match[str]) -> tuple[str, str, str]:
    sign, whole, decimals = match.groups()
    decimals = (decimals or "").rstrip("0")
    zero = not whole.strip("0") and not decimals
    return ("" if sign != "-" or zero else "-", whole, decimals)


def read_number(match: re.Match[str]) -> Plain | None:
    """Read a match of `NUMBER` or `GLUED`; None where it is no number after all."""
    (sign, mixed, top, bottom, one, two, over, under, whole, decimals, e, braced, bare,
     percent) = match.groups()  # fmt: skip
    numerator, denominator = top or one or over, bottom or two or under
    long = False
    if numerator is not None:
        low = int(denominator)
        high = int(numerator)
        if not low or (mixed is not None and not 0 < high < low):
            return None
        high += int(mixed) * low if mixed is not None else 0
    elif whole is None and decimals is None:
        return None
    else:
        digits = (whole or "").translate(_SEPARATORS) + (decimals or "")
        high, low = int(digits), 10 ** len(decimals or "")
        exponent = int(e or braced or bare or 0)
        long = len(digits) >= LONG and (decimals is not None or exponent != 0)
        if abs(exponent) > _MAX_EXPONENT:
            return None
        if exponent > 0:
            high *= 10**exponent
        elif exponent:
            low *= 10**-exponent
    if percent:
        low *= 100
    return (-high if sign == "-" else high), low, long
