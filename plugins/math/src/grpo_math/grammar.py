"""The grammar of plain arithmetic, for whatever kind of value is computed with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from grpo_math.patterns import Pattern

V = TypeVar("V")

TOKEN = Pattern(r"\\[a-zA-Z]+|\*\*|[0-9]+(?:\.[0-9]+)?|\.[0-9]+|\S")
FRACTIONS = frozenset({"\\frac", "\\dfrac", "\\tfrac"})
POWER = frozenset({"^", "**"})
MINUS = frozenset({"-", "−"})
_TIMES = frozenset({"\\cdot", "\\times", "*", "×", "·"})
_OVER = frozenset({"/", "\\div", "÷"})
_BRACKETS = {"(": ")", "{": "}"}
_SILENT = frozenset({"\\left", "\\right", "\\displaystyle"})
_SIGNS = MINUS | {"+"}
_MAX_DIGITS = 11


class OtherError(Exception):
    """The text is more than plain arithmetic, or may mean two things."""


class Grammar(ABC, Generic[V]):
    """Reads sums of products of powers as one value.

    Attributes:
        tokens: The tokens, and an empty one behind them.
        at: The next token.
    """

    beside: frozenset[str]
    """What multiplies when it stands beside a factor without a sign."""

    def __init__(self, tokens: list[str]) -> None:
        if not _SILENT.isdisjoint(tokens):
            tokens = [sign for sign in tokens if sign not in _SILENT]
        self.tokens = [*tokens, ""]
        self.at = 0

    @abstractmethod
    def make(self, high: int, low: int) -> V:
        """Make a value of a fraction."""

    @abstractmethod
    def negate(self, value: V) -> V:
        """Take the negative."""

    @abstractmethod
    def add(self, a: V, b: V) -> V:
        """Add two values."""

    @abstractmethod
    def multiply(self, a: V, b: V) -> V:
        """Multiply two values."""

    @abstractmethod
    def invert(self, value: V) -> V:
        """Take the reciprocal."""

    @abstractmethod
    def read_other(self, sign: str) -> V:
        """Read an atom that is no number, bracket or fraction; its sign is behind."""

    @abstractmethod
    def read_power(self, base: V) -> V:
        """Read the exponent here, and raise a value to it."""

    def read_postfix(self, value: V) -> V:
        """Read what stands behind an atom."""
        return value

    def is_read(self) -> bool:
        """Tell whether every token is read."""
        return self.at == len(self.tokens) - 1

    def read_sum(self) -> V:
        """Read terms up to what is no sign."""
        tokens = self.tokens
        negative = False
        if tokens[self.at] in _SIGNS:
            negative = tokens[self.at] in MINUS
            self.at += 1
            if tokens[self.at] in _SIGNS:
                raise OtherError  # +- stands for ±
        total = self._read_product()
        if negative:
            total = self.negate(total)
        while tokens[self.at] in _SIGNS:
            negative = tokens[self.at] in MINUS
            self.at += 1
            term = self._read_product()
            total = self.add(total, self.negate(term) if negative else term)
        return total

    def _read_product(self) -> V:
        tokens = self.tokens
        value = self._read_factor()
        while True:
            sign = tokens[self.at]
            if sign in _TIMES:
                self.at += 1
                value = self.multiply(value, self._read_factor())
            elif sign in _OVER:
                self.at += 1
                value = self.multiply(value, self.invert(self._read_factor()))
            elif sign in self.beside:
                if sign == "(" and "." in tokens[self.at - 1]:
                    raise OtherError  # 0.1(6) repeats
                value = self.multiply(value, self._read_factor())
            else:
                return value

    def _read_factor(self) -> V:
        negative = False
        if self.tokens[self.at] in MINUS:
            negative = True
            self.at += 1
        value = self.read_postfix(self.read_atom())
        if self.tokens[self.at] in POWER:
            self.at += 1
            value = self.read_power(value)
            if self.tokens[self.at] in POWER or self.tokens[self.at] == "!":
                raise OtherError
        return self.negate(value) if negative else value

    def read_atom(self) -> V:
        """Read a number, a bracket, a fraction, or what the kind of value has besides."""
        sign = self.tokens[self.at]
        self.at += 1
        if sign[-1:].isdecimal():
            return self._read_number(sign)
        if sign in _BRACKETS:
            return self.read_bracket(_BRACKETS[sign])
        if sign in FRACTIONS:
            top, bottom = self.read_pair()
            return self.multiply(top, self.invert(bottom))
        return self.read_other(sign)

    def _read_number(self, numeral: str) -> V:
        if self.tokens[self.at][:1].isdecimal() or self.tokens[self.at][:1] == ".":
            raise OtherError
        whole, _, decimals = numeral.partition(".")
        if not numeral.isascii() or (decimals and len(whole) + len(decimals) > _MAX_DIGITS):
            raise OtherError
        return self.make(int(whole + decimals), 10 ** len(decimals))

    def read_bracket(self, closing: str) -> V:
        """Read up to a closing bracket."""
        value = self.read_sum()
        if self.tokens[self.at] != closing:
            raise OtherError
        self.at += 1
        return value

    def read_pair(self) -> tuple[V, V]:
        r"""Read the two arguments of a fraction or binomial; those of ``\frac12`` are one token."""
        sign = self.tokens[self.at]
        if sign.isdecimal() and sign.isascii() and len(sign) == 2:
            self.at += 1
            return self.make(int(sign[0]), 1), self.make(int(sign[1]), 1)
        return self._read_argument(), self._read_argument()

    def _read_argument(self) -> V:
        sign = self.tokens[self.at]
        if sign != "{" and not (len(sign) == 1 and sign.isdecimal()):
            raise OtherError
        return self.read_atom()
