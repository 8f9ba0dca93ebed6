"""Compares sums of roots, constants, functions and letters without the reader.

What is not surely bare notation, or not surely different, is left to the reader.
"""

from __future__ import annotations

import math

from grpo_math.functions import INVERTED, TURNED, Functions
from grpo_math.grammar import MINUS, POWER, TOKEN, Grammar, OtherError
from grpo_math.patterns import Pattern
from grpo_math.reading.bare import is_sure
from grpo_math.surds import ONE, VARIABLES, Sum, as_rational, lowest_terms, weigh

_CONSTANTS = {"e": "e", "i": "i", "\\pi": "π", "π": "π"}
_NAMES = {
    **{f"\\{name}": name for name in (*TURNED, "sinh", "cosh", "ln", "exp", "log", "lg")},
    **{f"\\arc{name}": f"a{name}" for name in INVERTED},
}
_ROOTS = frozenset({"\\sqrt", "√"})
_WRITTEN = Pattern(
    r"(?<![a-zA-Z\\])(?:(?:arcsin|arccos|arctan|sin|cos|tan|ln|exp|sqrt)(?=\s*\()|pi(?![a-zA-Z]))"
)
_LONG = Pattern(r"[0-9.]{12}")
_MAX_TOKENS = 60
_FAR = 1e-6


def compare_sums(gold: str, pred: str) -> tuple[bool, str, str] | None:
    """Compare two texts of bare notation.

    Args:
        gold: One text.
        pred: The other.

    Returns:
        Whether they are equal, and the types of both; None where only the reader can tell.
    """
    if _LONG.search(gold) or _LONG.search(pred):
        return None  # a long decimal may round the exact value
    field = Functions()
    first = _read(gold, field)
    second = _read(pred, field) if first is not None else None
    if first is None or second is None:
        return None
    (a, a_type), (b, b_type) = first, second
    if lowest_terms(a) == lowest_terms(b):
        return True, a_type, b_type
    try:
        (value, size), (other, other_size) = weigh(a, field.values), weigh(b, field.values)
    except (OverflowError, ZeroDivisionError):
        return None
    far = abs(value - other) > _FAR * (size + other_size)
    return (False, a_type, b_type) if far else None


def _read(text: str, field: Functions) -> tuple[Sum, str] | None:
    text = _WRITTEN.sub(lambda match: "\\" + match[0], text.strip())
    if not is_sure(text):
        return None
    tokens = TOKEN.findall(text)
    if len(tokens) > _MAX_TOKENS:
        return None
    reader = _Sums(tokens, field)
    try:
        value = reader.read_sum()
    except (OtherError, IndexError, OverflowError, ZeroDivisionError, ValueError):
        return None
    if not reader.is_read():
        return None
    return value, "number" if VARIABLES.isdisjoint(tokens) else "expression"


class _Sums(Grammar[Sum]):
    beside = VARIABLES | _ROOTS | frozenset({"(", *_CONSTANTS, *_NAMES})
    turned = False
    """Whether this is the argument of a function of angles."""

    def __init__(self, tokens: list[str], field: Functions) -> None:
        super().__init__(tokens)
        self.field = field

    def make(self, high: int, low: int) -> Sum:
        return self.field.make(high, low)

    def negate(self, value: Sum) -> Sum:
        return self.field.negate(value)

    def add(self, a: Sum, b: Sum) -> Sum:
        return self.field.add(a, b)

    def multiply(self, a: Sum, b: Sum) -> Sum:
        return self.field.multiply(a, b)

    def invert(self, value: Sum) -> Sum:
        return self.field.invert(value)

    def read_power(self, base: Sum) -> Sum:
        if "\\circ" in self.tokens[self.at : self.at + 2]:
            return self.multiply(base, self._read_degrees())
        negative = self.tokens[self.at] in MINUS
        self.at += negative
        braced = self.tokens[self.at] == "{"
        exponent = self.read_postfix(self.read_atom())
        if not braced and self.tokens[self.at] in {"(", *POWER}:
            raise OtherError
        return self.field.power(base, self.negate(exponent) if negative else exponent)

    def _read_degrees(self) -> Sum:
        if not self.turned:
            raise OtherError
        braced = self.tokens[self.at] == "{"
        if braced and self.tokens[self.at + 2] != "}":
            raise OtherError
        self.at += 3 if braced else 1
        return {(("π", ONE),): 1}, 180

    def read_postfix(self, value: Sum) -> Sum:
        if self.tokens[self.at] == "°":
            return self.multiply(value, self._read_degrees())
        if self.tokens[self.at] != "!":
            return value
        self.at += 1
        number = as_rational(value)
        if number is None or number.denominator != 1 or not 0 <= number <= 20:
            raise OtherError
        if self.tokens[self.at] == "!":
            raise OtherError
        return self.make(math.factorial(int(number)), 1)

    def read_other(self, sign: str) -> Sum:
        if sign in VARIABLES:
            if self.tokens[self.at] == "(":
                raise OtherError  # n(x) may be a function
            return {((sign, ONE),): 1}, 1
        if sign in _CONSTANTS:
            return {((_CONSTANTS[sign], ONE),): 1}, 1
        if sign in _ROOTS:
            return self._read_root()
        if sign in _NAMES:
            return self._read_function(_NAMES[sign])
        if sign == "|":
            value = self.read_bracket("|")
            return self.field.apply("abs", value)
        raise OtherError

    def _read_root(self) -> Sum:
        index = 2
        if self.tokens[self.at] == "[":
            index = int(self.tokens[self.at + 1])
            if self.tokens[self.at + 2] != "]" or not 2 <= index <= 6:
                raise OtherError
            self.at += 3
        return self.field.power(self.read_atom(), self.make(1, index))

    def _read_function(self, name: str) -> Sum:
        exponent = base = None
        if self.tokens[self.at] == "_" and name == "log":
            base = self._read_base()
        if self.tokens[self.at] == "^":
            self.at += 1
            negative = self.tokens[self.at : self.at + 2] == ["{", "-"]
            exponent = as_rational(self._read_argument())
            if exponent is None or (negative and exponent != -1):
                raise OtherError
            if exponent == -1:
                if name not in INVERTED:
                    raise OtherError
                name, exponent = f"a{name}", None
        turned, self.turned = self.turned, self.turned or name in TURNED
        argument = self._read_operand()
        self.turned = turned
        if name in {"log", "lg"}:
            value = self.field.log(argument, base or self.make(10, 1))
        else:
            value = self.field.apply(name, argument)
        return value if exponent is None else self.field.power(value, self.field.fraction(exponent))

    def _read_base(self) -> Sum:
        sign = self.tokens[self.at + 1]
        self.at += 2
        if sign == "{":
            return self.read_bracket("}")
        if not sign.isdecimal():
            raise OtherError
        return self.make(int(sign), 1)

    def _read_operand(self) -> Sum:
        """Read what a function is applied to: brackets, or factors up to another function."""
        sign = self.tokens[self.at]
        if sign in {"(", "{"}:
            self.at += 1
            return self.read_bracket(")" if sign == "(" else "}")
        negative = sign in MINUS
        self.at += negative
        value: Sum | None = None
        while True:
            sign = self.tokens[self.at]
            factor = self.read_postfix(self.read_atom())
            if self.tokens[self.at] in POWER:
                self.at += 1
                factor = self.read_power(factor)
            value = factor if value is None else self.multiply(value, factor)
            sign = self.tokens[self.at]
            if sign not in VARIABLES and sign not in _CONSTANTS and sign not in _ROOTS:
                break
        if sign in {"/", "|", "["} or sign == "(":
            raise OtherError
        return self.negate(value) if negative else value
