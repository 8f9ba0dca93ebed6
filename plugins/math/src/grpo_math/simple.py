"""Reads simple answers by patterns: numbers, quantities, products of roots, tuples, sets."""

from __future__ import annotations

from grpo_math.arithmetic import evaluate
from grpo_math.patterns import Pattern
from grpo_math.phrases import read_phrase
from grpo_math.plain import GLUED, LONG, NUMBER, Plain, read_number
from grpo_math.reading.numerals import NUMBER_WORDS, read_number_words
from grpo_math.reading.special import sum_amounts
from grpo_math.units import Unit, read_unit
from grpo_math.values import Num

Simple = tuple[str, tuple[Plain, ...], Unit | None]
"""How it is bracketed, its numbers, and the unit of a single one.

A product of roots and π has the bracket `√`; its numbers are its signed square and power of π.
"""

_REPEATING = Pattern(
    r"([+-]?)([0-9]{0,12})\.([0-9]{0,12})(?:\\overline\s*\{\s*([0-9]{1,12})\s*\}|\(([0-9]{1,12})\))\s*"
)
_FENCED = Pattern(r"(?:\\left\s*)?(\(|\[|\\\{|\\langle)(.*?)(?:\\right\s*)?(\)|\]|\\\}|\\rangle)")
_THOUSANDS = Pattern(r"[0-9](?:,|\{,\}|,\\!)[0-9]{3}(?![0-9])")
_MONEY = {"$": "$", "€": "€", "£": "£"}
_BEHIND_MONEY = Pattern(
    r"(?:/ ?|per |an? )[a-zA-Z]{2,12}\.?|thousand|million|billion|dollars?|euros?|USD|cash|total"
)
_CLOSING = frozenset(")]}")
_WRAPPED = Pattern(
    r"\\(?:text|textbf|mathrm|mathbf|boldsymbol|bm|mathit|mathsf)\s*\{([^{}]+)\}|\*\*([^*]+)\*\*"
)
_WRAPPING_ENDS = frozenset("}*")
_BEHIND = Pattern(r"[0-9}] \([^()]*\)\Z")
"""Brackets behind a number, which may say it once more or be a factor."""
_BASED = Pattern(r"(-?)([0-9][0-9A-F]{0,39})_(?:\{\s*)?([0-9]{1,2})\s*\}?")
_SIGNS = frozenset({"", "+", "-"})
_MATRIX = Pattern(
    r"\s*\$?\s*\\begin\s*\{([pbB]?matrix)\}([^{}\[\]]*(?:\\[dt]?frac\s*\{[^{}]*\}\s*\{[^{}]*\}[^{}\[\]]*)*)"
    r"\\end\s*\{\1\}\s*\$?\s*"
)
_JOINED = Pattern(
    r"\s*;\s*|,?\s*(?:\b(?:and|or)\s+|\\text\s*\{\s*(?:and|or)\s*\}\s*)"
    r"(?!\s*(?:[0-9]+\s*/|\\[dt]?frac))"
)
_OPERATORS = frozenset("\\√π^+-−*/×·÷!(|")
_ANGLES = "\\langle\\rangle"
_FENCES = frozenset({"()", "[]", "{}", "(]", "[)", "<>"})


def read_simple(text: str) -> Simple | None:
    """Read a simple answer."""
    text = text.strip()
    if text[:1] == "$" and text[-1:] == "$" and text.count("$") == 2:
        text = text[1:-1].strip()
    elif text[:2] == "\\(" and text[-2:] == "\\)":
        text = text[2:-2].strip()
    elif text[:7] == "\\boxed{" and text[-1:] == "}" and text.count("{") == 1:
        text = text[7:-1].strip()
    if text[-1:] in _WRAPPING_ENDS and (wrapped := _WRAPPED.fullmatch(text)) is not None:
        text = (wrapped[1] or wrapped[2]).strip()
    if text[-1:] == "." and (text[-2:-1].isdigit() or text[-2:-1] in _CLOSING):
        text = text[:-1]
    if not text or (text[-1] == ")" and _BEHIND.search(text)):
        return None
    first = text[0]
    if first.isalpha() and first != "π":
        return None
    if text.startswith("\\pm"):
        return _read_both(text[3:])
    if first == "{" and text[-1] == "}" and "," in text and text.count("{") == 1:
        text = f"\\{text[:-1]}\\}}"
    if first in "([" or text[:2] == "\\{" or text.startswith(("\\left", "\\langle")):
        return _read_fenced(text)
    if "_" in text:
        return _read_based(text)
    unit = None
    if first == "-" and text[1:2] in _MONEY and text[2:3].isdigit():
        text = text[1] + "-" + text[2:]
        first = text[0]
    if first in _MONEY or text[:2] == "\\$":
        money = read_unit(_MONEY.get(first, "$"))
        unit = None if money is None else money.unit
        text = text[2:] if first == "\\" else text[1:]
    return _read_quantity(text, unit)


def _read_both(text: str) -> Simple | None:
    """Read the number behind ± as two values."""
    match = NUMBER.fullmatch(text)
    signed = text.strip().startswith(("+", "-"))
    number = read_number(match) if match is not None and not signed else None
    if number is None or not number[0]:
        return None
    high, low, long = number
    return ",", (number, (-high, low, long)), None


def _read_based(text: str) -> Simple | None:
    """Read a number in another base, such as ``1011_2``."""
    match = _BASED.fullmatch(text)
    base = 0 if match is None else int(match[3])
    if match is None or not 2 <= base <= 16 or any(int(c, 16) >= base for c in match[2]):
        return None
    return "", ((int(match[1] + match[2], base), 1, False),), None


def _read_fenced(text: str) -> Simple | None:
    fenced = _FENCED.fullmatch(text)
    numbers = None
    if fenced is not None:
        fence = "<>" if fenced[1] + fenced[3] == _ANGLES else fenced[1][-1] + fenced[3][-1]
        numbers = _read_numbers(fenced[2]) if fence in _FENCES else None
    if numbers is not None and len(numbers) > 1:
        return fence, numbers, None
    return _read_computed(text) if text[0] in "(\\" else None


def _read_quantity(text: str, unit: Unit | None) -> Simple | None:
    match = NUMBER.match(text) or GLUED.match(text)
    if match is None or not match.group().strip(" +-"):
        return None if unit is not None else _read_computed(text)
    rest = text[match.end() :]
    if unit is None and (rest[:1] == "," or _JOINED.match(rest)):
        numbers = _read_numbers(_JOINED.sub(", ", text))
        return None if numbers is None else (",", numbers, None)
    number = read_number(match)
    if number is None:
        return None
    if not rest:
        return "", (number,), unit
    if match[14]:
        return None
    if rest[0] in _OPERATORS and (computed := _read_computed(text)) is not None:
        return None if unit is not None else computed
    if unit is None and rest[0].isalpha() and (compound := sum_amounts(text)) is not None:
        amount, unit = compound
        return "", ((*amount.as_integer_ratio(), False),), unit
    spaced = text[match.end() - 1] in " \\" or rest[0] in "\\~"
    return _attach(number, rest, unit, spaced=spaced)


def _attach(number: Plain, rest: str, unit: Unit | None, *, spaced: bool) -> Simple | None:
    """Attach what stands behind a number, and the sign of money in front of it."""
    if unit is None:
        reading = None if rest[0] == "/" else read_phrase(rest, spaced=spaced)
    else:
        reading = read_phrase(rest, spaced=spaced) if _BEHIND_MONEY.fullmatch(rest) else None
    if reading is None:
        return None
    high, low, long = number
    if reading.scale != 1:
        if long:
            return None
        high, low = high * reading.scale.numerator, low * reading.scale.denominator
    behind = reading.unit if reading.unit.dims or reading.unit.factor != 1 else None
    if behind is None and reading.unit.pi:
        return None
    if unit is not None and behind is not None and unit.dims != behind.dims:
        unit = unit.times(behind)
    return "", ((high, low, long),), unit or behind


def _read_computed(text: str) -> Simple | None:
    """Read arithmetic whose value is a rational, or a product of one with a root and π."""
    value = evaluate(text)
    if value is None:
        return _read_repeating(text) if "." in text else None
    high, low, under, pi = value
    if under == 1 and not pi:
        return "", ((high, low, False),), None
    square = high * abs(high) * under, low * low, False
    return "√", (square, (pi, 1, False)), None


def _read_repeating(text: str) -> Simple | None:
    match = _REPEATING.fullmatch(text)
    if match is None:
        return None
    sign, whole, fixed, period, bracketed = match.groups()
    digits = period or bracketed
    nines = 10 ** len(digits) - 1
    high = int((whole + fixed) or "0") * nines + int(digits)
    return "", ((-high if sign == "-" else high, nines * 10 ** len(fixed), False),), None


def _read_numbers(text: str) -> tuple[Plain, ...] | None:
    """Read numbers between commas."""
    if _THOUSANDS.search(text):
        return None
    return _read_each(text.split(","))


def _read_each(parts: list[str]) -> tuple[Plain, ...] | None:
    numbers: list[Plain] = []
    for part in parts:
        match = NUMBER.fullmatch(part)
        number = read_number(match) if match is not None else _read_entry(part)
        if number is None:
            return None
        numbers.append(number)
    return tuple(numbers)


def _read_entry(text: str) -> Plain | None:
    """Read arithmetic with a rational value, or infinity, whose denominator is 0."""
    text = text.strip()
    if text.endswith("\\infty"):
        sign = text[:-6].rstrip()
        return ((-1 if sign == "-" else 1), 0, False) if sign in _SIGNS else None
    value = evaluate(text)
    return (value[0], value[1], False) if value and value[2] == 1 and not value[3] else None


def read_matrix(text: str) -> tuple[int, tuple[Plain, ...]] | None:
    """Read a matrix of numbers: its columns and its entries, row by row."""
    match = _MATRIX.fullmatch(text)
    if match is None:
        return None
    rows = [row.split("&") for row in match[2].rstrip(" \n\\").split("\\\\")]
    numbers = _read_each([entry for row in rows for entry in row])
    if numbers is None or len({len(row) for row in rows}) != 1:
        return None
    return len(rows[0]), numbers


def read_words(text: str) -> Simple | None:
    """Read a number in words and nothing else, such as ``twenty-five``."""
    lower = text.lower()
    if not lower[:1].isalpha() or not NUMBER_WORDS.issuperset(lower.replace("-", " ").split(" ")):
        return None
    number = read_number_words(text)
    if not isinstance(number, Num):
        return None
    return "", ((*number.value.as_integer_ratio(), number.digits >= LONG),), None
