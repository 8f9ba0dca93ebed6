"""Reads simple answers by patterns: numbers, quantities, products of roots, tuples, sets."""

from __future__ import annotations

import math

from grpo_math.patterns import Pattern
from grpo_math.plain import NUMBER, Plain, read_number
from grpo_math.units import Unit, read_unit

Simple = tuple[str, tuple[Plain, ...], Unit | None]
"""How it is bracketed, its numbers, and the unit of a single one.

A product of roots and π has the bracket `√`; its numbers are its signed square and power of π.
"""

_UNIT = Pattern(
    r"(\\[,; ]|~|\s)*(?:\\(?:text|mathrm|textrm|mbox)\s*\{[\s~]*)?"
    r"((?:square |cubic )?[a-zA-Z]{1,20}(?:\^[23]|\^\{[23]\})?"
    r"(?:/[a-zA-Z]{1,12}(?:\^[23]|\^\{[23]\})?)?)\.?\s*\}?"
    r"(\s*\^\s*(?:\{\s*)?[2-4](?:\s*\})?)?"
)
_COMPUTED = Pattern(
    r"([+-]?)\s*(?:([0-9]{1,6})\s*\^\s*(?:\{\s*(-?[0-9]{1,2})\s*\}|([0-9]{1,2}))"
    r"|([0-9]{0,12})\.([0-9]{0,12})(?:\\overline\s*\{\s*([0-9]{1,12})\s*\}|\(([0-9]{1,12})\))"
    r"|([0-9]{1,2})!|\\[dt]?binom\s*\{\s*([0-9]{1,2})\s*\}\s*\{\s*([0-9]{1,2})\s*\})\s*"
)
_ROOTED = (
    r"([0-9]{1,9}(?:\.[0-9]{1,9})?)?\s*(?:\\sqrt\s*(?:\{\s*([0-9]{1,9})\s*\}|([0-9]))|√([0-9]{1,9}))?"
    r"\s*(\\pi(?![a-zA-Z])|π)?"
)
_MONOMIAL = Pattern(
    rf"([+-]?)\s*(?:\\[dt]?frac\s*\{{\s*{_ROOTED}\s*\}}\s*\{{\s*{_ROOTED}\s*\}}|{_ROOTED})\s*"
)
_FENCED = Pattern(r"(?:\\left\s*)?(\(|\[|\\\{)(.*?)(?:\\right\s*)?(\)|\]|\\\})")
_THOUSANDS = Pattern(r"[0-9](?:,|\{,\}|,\\!)[0-9]{3}(?![0-9])")
_DEGREE = Pattern(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ)|°")
_GENERIC = frozenset({"units", "square units", "cubic units"})
# These stand for something else too, which the reader knows.
_AMBIGUOUS = frozenset({"pound", "pounds", "ms", "am", "pm", "AM", "PM", "noon", "midnight"})
_SURE_LETTERS = frozenset("msgLNJWVK")
_MONEY = {"$": "$", "€": "€", "£": "£"}
_FENCES = frozenset({"()", "[]", "{}", "(]", "[)"})


def read_simple(text: str) -> Simple | None:
    """Read a simple answer."""
    text = text.strip()
    if text[:1] == "$" and text[-1:] == "$" and text.count("$") == 2:
        text = text[1:-1].strip()
    elif text[:2] == "\\(" and text[-2:] == "\\)":
        text = text[2:-2].strip()
    elif text[:7] == "\\boxed{" and text[-1:] == "}" and text.count("{") == 1:
        text = text[7:-1].strip()
    if text[-1:] == "." and text[-2:-1].isdigit():
        text = text[:-1]
    if not text:
        return None
    first = text[0]
    if first in "([" or text[:2] == "\\{" or text[:5] == "\\left":
        fenced = _FENCED.fullmatch(text)
        if fenced is None:
            return None
        fence = fenced[1][-1] + fenced[3][-1]
        numbers = _read_numbers(fenced[2]) if fence in _FENCES else None
        return None if numbers is None or len(numbers) < 2 else (fence, numbers, None)
    unit = None
    if first in _MONEY or text[:2] == "\\$":
        money = read_unit(_MONEY.get(first, "$"))
        unit = None if money is None else money.unit
        text = text[2:] if first == "\\" else text[1:]
    return _read_quantity(text, unit)


def _read_quantity(text: str, unit: Unit | None) -> Simple | None:
    match = NUMBER.match(text)
    if match is None or not match.group().strip(" +-"):
        return None if unit is not None else _read_computed(text)
    rest = text[match.end() :]
    if rest[:1] == "," and unit is None:
        numbers = _read_numbers(text)
        return None if numbers is None else (",", numbers, None)
    number = read_number(match)
    if number is None:
        return None
    if not rest:
        return "", (number,), unit
    if unit is not None or match[14]:
        return None
    if rest[0] in "\\√π^" and (computed := _read_computed(text)) is not None:
        return computed
    if _DEGREE.fullmatch(rest):
        degree = read_unit("°")
        return None if degree is None else ("", (number,), degree.unit)
    named = _UNIT.fullmatch(rest.replace("²", "^2").replace("³", "^3"))
    if named is None or named[2] in _AMBIGUOUS:
        return None
    if named[2] in _GENERIC:
        return None if named[3] else ("", (number,), None)
    spaced = text[match.end() - 1] in " \\" or rest[0] in "\\~"
    if len(named[2]) == 1 and not (spaced and named[2] in _SURE_LETTERS):
        return None
    reading = read_unit(named[2] + (named[3] or "").replace(" ", ""))
    if reading is None or not reading.known or reading.scale != 1 or not reading.unit.dims:
        return None
    return "", (number,), reading.unit


def _read_computed(text: str) -> Simple | None:
    """Read a power, a repeating decimal, a factorial, a binomial, or a product of roots and π."""
    match = _COMPUTED.fullmatch(text)
    if match is None:
        return _read_monomial(text)
    (sign, base, braced, bare, whole, fixed, period, bracketed, n, top, bottom) = match.groups()
    high, low = 1, 1
    if base is not None:
        exponent = int(braced or bare)
        if not int(base) and exponent <= 0:
            return None
        power = int(base) ** abs(exponent)
        high, low = (power, 1) if exponent >= 0 else (1, power)
    elif n is not None:
        high = math.factorial(int(n))
    elif top is not None:
        high = math.comb(int(top), int(bottom))
    else:
        digits = period or bracketed
        nines = 10 ** len(digits) - 1
        high = int((whole + fixed) or "0") * nines + int(digits)
        low = nines * 10 ** len(fixed)
    return "", ((-high if sign == "-" else high, low, False),), None


def _read_monomial(text: str) -> Simple | None:
    match = _MONOMIAL.fullmatch(text)
    if match is None:
        return None
    groups = match.groups()
    parts = (groups[1:6], groups[6:11]) if groups[1:6] != _NOTHING else (groups[11:16], None)
    if parts[0] == _NOTHING or parts[1] == _NOTHING:
        return None
    high, low, power = _multiply_out(parts[0])
    if parts[1] is not None:
        under, over, below = _multiply_out(parts[1])
        high, low, power = high * over, low * under, power - below
    if not low:
        return None
    return "√", ((-high if groups[0] == "-" else high, low, False), (power, 1, False)), None


_NOTHING = (None,) * 5


def _multiply_out(part: tuple[str | None, ...]) -> tuple[int, int, int]:
    """Return the square of a product as a fraction, and its power of π."""
    factor, braced, digit, sign_root, pi = part
    whole, _, decimals = (factor or "1").partition(".")
    high = int(whole + decimals) ** 2 * int(braced or digit or sign_root or 1)
    return high, 100 ** len(decimals), int(pi is not None)


def _read_numbers(text: str) -> tuple[Plain, ...] | None:
    """Read numbers between commas."""
    if _THOUSANDS.search(text):
        return None
    numbers: list[Plain] = []
    for part in text.split(","):
        match = NUMBER.fullmatch(part)
        number = None if match is None else read_number(match)
        if number is None:
            return None
        numbers.append(number)
    return tuple(numbers)
