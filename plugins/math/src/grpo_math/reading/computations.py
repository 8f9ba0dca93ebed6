"""Tells a computation with units or counted things, ``44 stamps ÷ 4``, from an equation."""

from __future__ import annotations

from grpo_math.limits import UnreadableError
from grpo_math.reading.amounts import OPERATORS, Amount, Calculator, is_times
from grpo_math.reading.quantities import FRACTIONS, MONEY, UNIT_SIGNS, spell
from grpo_math.reading.tokens import Token
from grpo_math.units import PLAIN, read_unit
from grpo_math.values import Num, Quantity, Value

_SHORT_WORD = 3
"""Letters of a word that may as well be a product of variables."""


def drop_computations(tokens: list[Token], sides: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Leave the computations out of a chain of equalities, but for its last side.

    Raises:
        UnreadableError: A side has words in its sums that may be unknowns: ``3 width + 2 = 5``.
    """
    last = sides[-1]
    kept: list[tuple[int, int]] = []
    for side in sides[:-1]:
        if not is_computation(tokens, *side):
            kept += [] if _has_value_of(tokens, side, last) else [side]
        elif not _leads_to(tokens, side, last):
            raise UnreadableError("words stand where an unknown may be meant")
    return [*kept, last]


def _has_value_of(tokens: list[Token], side: tuple[int, int], last: tuple[int, int]) -> bool:
    """Tell whether a side has the last one's value where its letters are units: 3 m × 4 m."""
    if tokens[side[0]].kind != "num" or not _has_words(tokens[slice(*side)]):
        return False
    try:
        value, result = Calculator(tokens, *side).read(), Calculator(tokens, *last).read()
    except UnreadableError:
        return False
    surely = not (value.things or result.things or value.mixed)
    same = bool(result.unit.dims) and value.unit.dims == result.unit.dims
    return surely and same and _equals(value, result)


def read_computation(tokens: list[Token], start: int, end: int) -> Value | None:
    """Read a product or quotient of quantities or counted things: ``5 boxes × 6 apples/box``.

    Returns:
        Its value, in a unit where it has one; None for what is no such computation, and where
        only the last number has a unit, as in ``1/2 km``.
    """
    if tokens[start].text in FRACTIONS:
        tokens = _flatten_fraction(tokens[start:end])
        start, end = 0, len(tokens)
    first = next((at for at in range(start, end) if _has_words(tokens[at : at + 1])), end)
    wordy = any(
        tokens[at].text in MONEY or (tokens[at].kind == "num" and at > first)
        for at in range(start + 1, end)
        if _follows_sign(tokens, at)
    )
    if not wordy or not is_computation(tokens, start, end):
        return None
    try:
        value = Calculator(tokens, start, end).read()
    except UnreadableError:
        return None
    sums = value.mixed or value.adds_things or value.unlike
    if sums or any(len(thing) <= _SHORT_WORD for thing, _ in value.things):
        return None
    number = Num(value.number)
    return number if value.unit == PLAIN else Quantity(number, value.unit)


def _follows_sign(tokens: list[Token], at: int) -> bool:
    """Tell whether a token stands behind a sign of calculation, or the bracket behind one."""
    before = tokens[at - 1].text
    if before == "(" and at > 1:
        before = tokens[at - 2].text
    return before in OPERATORS - {"(", ")"}


def _flatten_fraction(tokens: list[Token]) -> list[Token]:
    r"""Write ``\frac{a}{b}`` as ``(a)/(b)``; what is more than a fraction stays as it is."""
    braces = [at for at, token in enumerate(tokens) if token.text in {"{", "}"}]
    texts = [tokens[at].text for at in braces]
    if texts != ["{", "}", "{", "}"] or braces[::3] != [1, len(tokens) - 1]:
        return tokens
    (_, close, reopen, _), sign = braces, tokens[0]
    if reopen != close + 1:
        return tokens
    opening, closing, over = (sign._replace(text=text, kind="op") for text in "()/")
    above, below = tokens[2:close], tokens[reopen + 1 : -1]
    return [opening, *above, closing, over, opening, *below, closing]


def _leads_to(tokens: list[Token], side: tuple[int, int], last: tuple[int, int]) -> bool:
    """Tell whether a computation surely names no unknown.

    It has the value of the last side, in its unit; or all its words are units, and the chain
    counts by its last value, even where that is false.
    """
    try:
        value = Calculator(tokens, *side).read()
    except UnreadableError:
        return False
    try:
        result = Calculator(tokens, *last).read()
    except UnreadableError:
        return not value.things and not value.mixed
    if value.adds_things and result.is_bare():
        return False  # as in `2 rate + 3 = 5`
    if value.unlike:  # 3 boys + 4 girls = 7 children
        return bool(result.things) and not value.mixed and _equals(value, result)
    if not _agree(value, result):
        return False
    named = not value.things or bool(result.things)
    surely = named and not value.mixed and not value.adds_things
    return surely or _equals(value, result)


def _agree(value: Amount, result: Amount) -> bool:
    """Tell whether a result names what a computation names, a factor of it, or nothing."""
    if not set(result.things) <= set(value.things):
        return False
    if result.unit.dims:
        return not value.unit.dims or dict(result.unit.dims).keys() <= dict(value.unit.dims).keys()
    return sum(power > 0 for _, power in value.unit.dims) < 2  # 2 kg · 3 m is no bare 6


def _equals(value: Amount, result: Amount) -> bool:
    """Tell whether a computation has a value, up to the rounding of its decimals."""
    scaled = value.number
    if result.unit.dims and value.unit.dims == result.unit.dims:
        if value.unit.pi != result.unit.pi:
            return False
        scaled = value.number * value.unit.factor / result.unit.factor
    return abs(scaled - result.number) <= result.ulp / 2


def is_computation(tokens: list[Token], start: int, end: int) -> bool:
    """Tell whether tokens look like a computation with quantities or counted things.

    Args:
        tokens: The tokens of an answer.
        start: Where a side of an equation begins.
        end: Where it ends.

    Returns:
        True where operators stand between numbers and words of which every one is a unit or may
        count something.
    """
    if not _has_words(tokens[start:end]):
        return False
    parts: list[list[Token]] = [[]]
    for at in range(start, end):
        if tokens[at].text in OPERATORS or is_times(tokens, at, end):
            parts.append([])
        else:
            parts[-1].append(tokens[at])
    parts = [part for part in parts if part and part[0].text != "^"]  # the power of a bracket
    numbers = sum(any(t.kind == "num" for t in part) for part in parts)
    if numbers < 2 or len(parts) < 2 or parts[0][0].kind in {"word", "text"}:
        return False
    counted = [_names_units(part) for part in parts]
    return None not in counted and True in counted


def _has_words(tokens: list[Token]) -> bool:
    return any(token.kind in {"word", "text"} or token.text in UNIT_SIGNS for token in tokens)


def _names_units(part: list[Token]) -> bool | None:
    """Tell whether a part names a unit or a thing; None where it is something else."""
    money = part[0].text in MONEY
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
