"""Decides pairs of plain numbers without reading them: most answers are plain numbers."""

from __future__ import annotations

import re

from grpo_math.patterns import Pattern

_NUMERAL = Pattern(r"\s*([+-]?)0*([0-9]+)(?:\.([0-9]+))?\s*")
_DECIMAL = r"(?:([0-9]{1,3}(?:(?:,|\{,\}|,\\!)[0-9]{3})+|[0-9]{1,30})?(?:\.([0-9]{1,30}))?)"
_FRACTION = (
    r"(?:\\[dtc]?frac\s*(?:\{\s*([0-9]{1,18})\s*\}\s*\{\s*([0-9]{1,18})\s*\}|([0-9])([0-9]))"
    r"|\s*([0-9]{1,18})\s*/\s*([0-9]{1,18}))"
)
_SCALED = (
    r"(?:[eE]([+-]?[0-9]{1,3})|\s*(?:\\times|\\cdot|×|·|\*)\s*10\s*\^\s*"
    r"(?:\{\s*([+-]?[0-9]{1,3})\s*\}|([+-]?[0-9]{1,3})))"
)
# A whole number or decimal, then a power of ten; or a fraction, alone or behind a whole number.
_SCALAR = Pattern(
    r"\s*(\$|\\\(|\\boxed\{)?\s*([+-]?)\s*"
    rf"(?:{_DECIMAL}{_SCALED}?|([0-9]{{1,18}}(?=\s*\\|\s))?\s*{_FRACTION})"
    r"(\s*\\?%)?\s*\.?\s*(\$|\\\)|\})?\s*"
)
_CLOSING = {None: None, "$": "$", "\\(": "\\)", "\\boxed{": "}"}
_MAX_EXPONENT = 400


def compare_plain(gold: str, pred: str) -> bool | None:
    """Compare two plain numbers.

    Args:
        gold: One text.
        pred: The other.

    Returns:
        Whether they are the same number: numerals of any length; or decimals, fractions, mixed
        numbers, powers of ten and percentages of moderate size, also between dollars or boxed.
        None where one of them is anything else.
    """
    first = _NUMERAL.fullmatch(gold)
    second = _NUMERAL.fullmatch(pred) if first else None
    if first is not None and second is not None:
        return _normalise(first) == _normalise(second)
    simple = _SCALAR.fullmatch(gold)
    other = _SCALAR.fullmatch(pred) if simple else None
    if simple is None or other is None:
        return None
    left, right = _read(simple), _read(other)
    if left is None or right is None:
        return None
    equal = left[0] * right[1] == right[0] * left[1]
    if not equal and left[2] != right[2]:
        return None  # a decimal may round the other number, as the options say
    return equal


def _normalise(match: re.Match[str]) -> tuple[str, str, str]:
    sign, whole, decimals = match.groups()
    decimals = (decimals or "").rstrip("0")
    zero = not whole.strip("0") and not decimals
    return ("" if sign != "-" or zero else "-", whole, decimals)


def _read(match: re.Match[str]) -> tuple[int, int, bool] | None:
    """Read a match as a numerator, a denominator, and whether it is a decimal."""
    (opening, sign, whole, decimals, e, braced, bare, mixed, top, bottom, one, two, over, under,
     percent, closing) = match.groups()  # fmt: skip
    if _CLOSING[opening] != closing:
        return None
    numerator, denominator = top or one or over, bottom or two or under
    if numerator is not None:
        low = int(denominator)
        high = int(numerator)
        if not low or (mixed is not None and high >= low):
            return None
        high += int(mixed) * low if mixed is not None else 0
    elif whole is None and decimals is None:
        return None
    else:
        digits = (whole or "").translate(_SEPARATORS) + (decimals or "")
        high, low = int(digits), 10 ** len(decimals or "")
        exponent = int(e or braced or bare or 0)
        decimals = decimals or e or braced or bare
        if abs(exponent) > _MAX_EXPONENT:
            return None
        if exponent > 0:
            high *= 10**exponent
        elif exponent:
            low *= 10**-exponent
    if percent:
        low *= 100
    return (-high if sign == "-" else high), low, decimals is not None


_SEPARATORS = str.maketrans("", "", ",{}\\!")
