"""Calculates with amounts: numbers with units or counted things, ``9 boxes × 10 stamps/box``."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from grpo_math.limits import UnreadableError
from grpo_math.reading.quantities import MONEY, spell
from grpo_math.reading.tokens import Token
from grpo_math.units import PLAIN, Unit, read_unit

_TIMES = frozenset({"*", "\\times", "\\cdot"})
_OVER = frozenset({"/", "\\div"})
_SUMS = frozenset({"+", "-"})
OPERATORS = _TIMES | _OVER | _SUMS | frozenset({"(", ")"})
_MAX_EXPONENT = 8
_MAX_DEPTH = 20

Things = tuple[tuple[str, int], ...]
"""What is counted and its power, sorted: the stamps of ``stamps/box`` to 1, the box to -1."""


class Amount(NamedTuple):
    """A number of units, or of things that are counted.

    Attributes:
        number: The number.
        unit: Its unit.
        things: What is counted, other than in units.
        mixed: Whether a bare number was added to one with a unit or thing.
        unlike: Whether different things were added up, as boys and girls are to children.
        adds_things: Whether counted things were added up.
        ulp: The weight of the last digit of a decimal.
    """

    number: Fraction
    unit: Unit = PLAIN
    things: Things = ()
    mixed: bool = False
    unlike: bool = False
    adds_things: bool = False
    ulp: Fraction = Fraction(0)

    def is_bare(self) -> bool:
        """Tell whether it is a number alone."""
        return not self.unit.dims and not self.things


class Calculator:
    """Calculates the value of a side of an equation."""

    def __init__(self, tokens: list[Token], start: int, end: int) -> None:
        self._tokens = tokens
        self._at = start
        self._end = end
        self._depth = 0

    def read(self) -> Amount:
        """Calculate the whole side.

        Raises:
            UnreadableError: It is no computation, or it adds different units up.
        """
        value = self._read_sum()
        if self._at < self._end:
            raise UnreadableError("no computation")
        return value

    def _peek(self) -> str:
        if self._at >= self._end:
            return ""
        return "*" if is_times(self._tokens, self._at, self._end) else self._tokens[self._at].text

    def _read_sum(self) -> Amount:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise UnreadableError("too deep a computation")
        sign = self._peek()
        self._at += sign in _SUMS
        value = self._read_product()
        value = value._replace(number=-value.number) if sign == "-" else value
        while (sign := self._peek()) in _SUMS:
            self._at += 1
            value = _add(value, self._read_product(), -1 if sign == "-" else 1)
        self._depth -= 1
        return value

    def _read_product(self) -> Amount:
        value = self._read_factor()
        while (sign := self._peek()) in _TIMES | _OVER | {"("}:
            self._at += sign != "("
            value = _multiply(value, self._read_factor(), -1 if sign in _OVER else 1)
        return value

    def _read_factor(self) -> Amount:
        if self._peek() != "(":
            return self._read_term()
        self._at += 1
        value = self._read_sum()
        if self._peek() != ")":
            raise UnreadableError("a bracket is open")
        self._at += 1
        if self._peek() != "^":
            return value
        exponent = self._tokens[self._at + 1].value if self._at + 1 < self._end else None
        if exponent is None or exponent not in range(1, _MAX_EXPONENT + 1):
            raise UnreadableError("no power of a bracket")
        self._at += 2
        result = value
        for _ in range(int(exponent) - 1):
            result = _multiply(result, value, 1)
        return result

    def _read_term(self) -> Amount:
        """Read a number with what it counts, or the words of ``stamps/box`` alone."""
        start = self._at
        while self._at < self._end and self._peek() not in OPERATORS:
            self._at += 1
        part = self._tokens[start : self._at]
        money = part[0] if part and part[0].text in MONEY else None
        part = part[1:] if money else part
        number, ulp = Fraction(1), Fraction(0)
        if part and part[0].kind == "num":
            number, ulp = part[0].value, part[0].ulp
            part = part[1:]
        elif money or not part:
            raise UnreadableError("a number is missing")
        unit = PLAIN
        things: Things = ()
        if money:
            unit, things, _ = _read_words(money.text)
        if part:
            behind, things, scale = _read_words(spell(part))
            unit = unit if behind.dims == unit.dims else unit.times(behind)
            number, ulp = number * scale, ulp * scale
        return Amount(number, unit, things, ulp=ulp)


def is_times(tokens: list[Token], at: int, end: int) -> bool:
    """Tell the letter x between two numbers from a variable."""
    token = tokens[at]
    if token.text not in {"x", "X"} or not token.spaced or at + 1 >= end:
        return False
    return tokens[at + 1].kind == "num" or tokens[at + 1].text in MONEY


def _read_words(text: str) -> tuple[Unit, Things, Fraction]:
    """Read a unit, or the name of what is counted."""
    reading = read_unit(text)
    if reading is None:
        raise UnreadableError("words that count nothing")
    if reading.known:
        return reading.unit, (), reading.scale
    top, _, bottom = text.lower().partition(" per ")
    powers = [(_singular(top), 1), (_singular(bottom), -1)] if bottom else [(_singular(top), 1)]
    return PLAIN, tuple(sorted(powers)), Fraction(1)


def _singular(word: str) -> str:
    word = word.strip()
    return word.removesuffix("es") if word.endswith(("xes", "ches", "shes")) else word.rstrip("s")


def _add(a: Amount, b: Amount, sign: int) -> Amount:
    bare = a.is_bare() != b.is_bare()
    unlike = a.things != b.things and not bare
    if not bare and a.unit.dims != b.unit.dims:
        raise UnreadableError("different units are added")
    if unlike and (a.unit.dims or sign < 0):
        raise UnreadableError("different things are added")
    if a.unit.pi != b.unit.pi and not bare:
        raise UnreadableError("angles in two units")
    number = b.number if bare else b.number * b.unit.factor / a.unit.factor
    kept = b if a.is_bare() else a
    return Amount(
        a.number + sign * number, kept.unit, kept.things,
        mixed=bare or a.mixed or b.mixed, unlike=unlike or a.unlike or b.unlike,
        adds_things=bool(kept.things) or a.adds_things,
    )  # fmt: skip


def _multiply(a: Amount, b: Amount, sign: int) -> Amount:
    if sign < 0 and not b.number:
        raise UnreadableError("a division by zero")
    powers = dict(a.things)
    for thing, power in b.things:
        powers[thing] = powers.get(thing, 0) + sign * power
    return Amount(
        a.number * (b.number if sign > 0 else 1 / b.number),
        a.unit.times(b.unit.power(sign)),
        tuple(sorted((thing, power) for thing, power in powers.items() if power)),
        mixed=a.mixed or b.mixed,
        unlike=a.unlike or b.unlike,
        adds_things=a.adds_things or b.adds_things,
    )
