"""Tells a computation with units or counted things, ``44 stamps ÷ 4``, from an expression."""

from __future__ import annotations

from grpo_math.reading.quantities import UNIT_SIGNS, spell
from grpo_math.reading.tokens import Token
from grpo_math.units import read_unit

_OPERATORS = frozenset({"+", "-", "*", "/", "(", ")", "\\times", "\\cdot", "\\div"})
_MONEY = frozenset("$€£¥₹")


def drop_computations(tokens: list[Token], sides: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Leave the computations out of a chain of equalities, but for its last side."""
    return [side for side in sides[:-1] if not is_computation(tokens, *side)] + sides[-1:]


def is_computation(tokens: list[Token], start: int, end: int) -> bool:
    """Tell whether tokens compute with quantities or counted things.

    Args:
        tokens: The tokens of an answer.
        start: Where a side of an equation begins.
        end: Where it ends.

    Returns:
        True where operators stand between numbers and words of which every one is a unit or
        counts something: then the side names no unknown, and a chain counts by its last value.
    """
    if not any(t.kind in {"word", "text"} or t.text in UNIT_SIGNS for t in tokens[start:end]):
        return False
    parts: list[list[Token]] = [[]]
    for at in range(start, end):
        if tokens[at].text in _OPERATORS or _is_times(tokens, at, end):
            parts.append([])
        else:
            parts[-1].append(tokens[at])
    parts = [part for part in parts if part and part[0].text != "^"]  # the power of a bracket
    numbers = sum(any(t.kind == "num" for t in part) for part in parts)
    if numbers < 2 or len(parts) < 2 or parts[0][0].kind == "word":
        return False
    counted = [_names_units(part) for part in parts]
    return None not in counted and True in counted


def _is_times(tokens: list[Token], at: int, end: int) -> bool:
    """Tell the letter x between two numbers from a variable."""
    token = tokens[at]
    if token.text not in {"x", "X"} or not token.spaced or at + 1 >= end:
        return False
    return tokens[at + 1].kind == "num" or tokens[at + 1].text in _MONEY


def _names_units(part: list[Token]) -> bool | None:
    """Tell whether a part names a unit or a thing; None where it is something else."""
    money = part[0].text in _MONEY
    rest = part[1:] if money else part
    numeral = bool(rest) and rest[0].kind == "num"
    rest = rest[1:] if numeral else rest
    if not rest:
        return money if numeral else None
    reading = read_unit(spell(rest))
    if reading is None or any(token.kind in {"num", "cmd"} for token in rest):
        return None
    if not reading.known and numeral and not rest[0].spaced and rest[0].kind == "word":
        return None  # a product of letters
    return money or len(rest) > 1 or len(rest[0].text.strip()) > 1
