"""Builds expression nodes in one flat form, and splits runs of letters into names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from fractions import Fraction

from grpo_math.limits import UnreadableError
from grpo_math.patterns import Pattern
from grpo_math.reading.vocabulary import CONSTANTS, FUNCTIONS, GREEK
from grpo_math.values import Call, Const, Expr, Num

_LONG_NAMES = sorted(
    {name for name in FUNCTIONS if len(name) > 2 or name in {"ln", "lg"}}
    | {name for name in GREEK if len(name) > 3}
    | {"pi", "infty", "infinity"},
    key=len,
    reverse=True,
)
_NAMES = Pattern("|".join(map(re.escape, _LONG_NAMES)) + "|.", re.DOTALL)
_MINUS_ONE = Num(Fraction(-1))


def split_word(word: str) -> list[str]:
    """Split a run of letters into known names and single letters: ``xsin`` → x, sin."""
    if word in FUNCTIONS or word in CONSTANTS or len(word) < 2:
        return [word]
    return _NAMES.findall(word)


def is_letters(word: str) -> bool:
    """Tell whether a run of two or more letters holds no known name."""
    return len(word) > 1 and len(split_word(word)) == len(word)


def add(terms: Iterable[Expr]) -> Expr:
    """Build a flat sum."""
    flat: list[Expr] = []
    for term in terms:
        if isinstance(term, Call) and term.op == "add":
            flat += term.args
        else:
            flat.append(term)
    if all(isinstance(t, Num) and not t.digits for t in flat):
        return Num(sum((t.value for t in flat if isinstance(t, Num)), Fraction(0)))
    return Call("add", tuple(flat))


def multiply(factors: Iterable[Expr]) -> Expr:
    """Build a flat product."""
    flat: list[Expr] = []
    for factor in factors:
        if isinstance(factor, Call) and factor.op == "mul":
            flat += factor.args
        else:
            flat.append(factor)
    if len(flat) == 1:
        return flat[0]
    numbers = [f.value for f in flat if isinstance(f, Num)]
    if len(numbers) == len(flat) and sum(n.numerator.bit_length() for n in numbers) < 4000:
        return Num(math.prod(numbers, start=Fraction(1)))
    return Call("mul", tuple(flat))


def negate(expr: Expr) -> Expr:
    """Build the negative of an expression."""
    if isinstance(expr, Num):
        return Num(-expr.value, expr.digits, expr.ulp)
    return multiply([_MINUS_ONE, expr])


def divide(top: Expr, bottom: Expr) -> Expr:
    """Build a quotient; one of whole numbers becomes a number."""
    if isinstance(top, Num) and isinstance(bottom, Num) and bottom.value:
        size = top.value.numerator.bit_length() + bottom.value.numerator.bit_length()
        if size < 4000:
            return Num(top.value / bottom.value)
    inverse = Call("inv", (bottom,))
    if isinstance(top, Num) and top.value == 1:
        return inverse
    return multiply([top, inverse])


def is_number(factors: list[Expr]) -> bool:
    """Tell whether every factor is a plain number."""
    return all(isinstance(f, Num) for f in factors)


def make_log(op: str, base: Expr | None, args: tuple[Expr, ...]) -> Expr:
    """Build a logarithm as a quotient of natural ones; ``log`` without a base is to base 10.

    Raises:
        UnreadableError: A number of arguments that no logarithm has.
    """
    if len(args) == 2 and base is None and op == "log":
        base, args = args[1], args[:1]
    if len(args) != 1:
        raise UnreadableError("a logarithm with several arguments")
    natural = Call("ln", args)
    if base is None:
        if op == "ln":
            return natural
        base = Num(Fraction(2 if op == "lb" else 10))
    if base == Const("e"):
        return natural
    return multiply([natural, Call("inv", (Call("ln", (base,)),))])
