"""Evaluates plain arithmetic exactly, without the reader: products of a rational, a root and π.

What is no such product at some step (a sum of two roots, a variable, a function) is left to the
reader; so is notation that has two readings, such as two numbers side by side.
"""

from __future__ import annotations

import math

from grpo_math.grammar import MINUS, POWER, TOKEN, Grammar, OtherError
from grpo_math.patterns import Pattern

Product = tuple[int, int, int, int]
"""Numerator, positive denominator, positive number under a square root, and power of π."""

_BINOMIALS = frozenset({"\\binom", "\\dbinom", "\\tbinom"})
_ROOTS = frozenset({"\\sqrt", "√"})
_PI = frozenset({"\\pi", "π"})
_BARS = {"|": "|", "\\lvert": "\\rvert"}
_ROUNDING = {"\\lfloor": "\\rfloor", "\\lceil": "\\rceil"}
_DATE = Pattern(
    r"[0-9]{4} *[-/−]|[-/−] *[0-9]{4}(?![0-9])|[-/−] *[0-9]{1,2}\.[0-9]{4}"
    r"|[0-9]{4}\.[0-9]{1,2} *[-/−.]"
)
_INDICES = frozenset("3456")
_RAISED = Pattern("⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_MAX_TOKENS = 60
_MAX_BITS = 6000
_MAX_POWER = 3000
_MAX_ROOT = 10**12


def evaluate(text: str) -> Product | None:
    r"""Evaluate plain arithmetic such as ``2^{10} - 1``, ``\frac{3\sqrt{2}}{4}`` or ``5!``.

    Returns:
        The value; None where only the reader can tell.
    """
    if not text.isascii():
        text = _RAISED.sub(lambda match: "^{" + match[0].translate(_DIGITS) + "}", text)
    tokens = TOKEN.findall(text)
    if len(tokens) > _MAX_TOKENS or not tokens or _DATE.search(text):
        return None
    try:
        reader = _Products(tokens)
        value = reader.read_sum()
    except (OtherError, IndexError):
        return None
    return value if reader.is_read() else None


class _Products(Grammar[Product]):
    beside = _BINOMIALS | _ROOTS | _PI | {"("}

    def make(self, high: int, low: int) -> Product:
        return high, low, 1, 0

    def negate(self, value: Product) -> Product:
        return (-value[0], *value[1:])

    def add(self, a: Product, b: Product) -> Product:
        if a[2:] != b[2:]:
            raise OtherError
        return a[0] * b[1] + b[0] * a[1], a[1] * b[1], a[2], a[3]

    def multiply(self, a: Product, b: Product) -> Product:
        high, low, under = a[0] * b[0], a[1] * b[1], a[2] * b[2]
        if a[2] == b[2] != 1:
            high, under = high * a[2], 1
        if high.bit_length() + low.bit_length() + under.bit_length() > _MAX_BITS:
            raise OtherError
        return high, low, under, a[3] + b[3]

    def invert(self, value: Product) -> Product:
        return _power(value, -1)

    def read_power(self, base: Product) -> Product:
        negative = self.tokens[self.at] in MINUS
        self.at += negative
        high, low, under, pi = self.read_postfix(self.read_atom())
        if self.tokens[self.at] in POWER or pi or under != 1:
            raise OtherError
        divisor = math.gcd(high, low)
        high, low = high // divisor, low // divisor
        if low != 1:
            base = _root(base, low)
        return _power(base, -high if negative else high)

    def read_postfix(self, value: Product) -> Product:
        if self.tokens[self.at] != "!":
            return value
        self.at += 1
        n = _natural(value)
        if self.tokens[self.at] == "!" or n > 200:
            raise OtherError
        return math.factorial(n), 1, 1, 0

    def read_other(self, sign: str) -> Product:
        if sign in _ROOTS:
            return self._read_root()
        if sign in _PI:
            return 1, 1, 1, 1
        if sign in _BINOMIALS:
            n, k = map(_natural, self.read_pair())
            if n > 200:
                raise OtherError
            return math.comb(n, k), 1, 1, 0
        if sign in _BARS:
            value = self.read_bracket(_BARS[sign])
            return (abs(value[0]), *value[1:])
        if sign in _ROUNDING:
            high, low, under, pi = self.read_bracket(_ROUNDING[sign])
            if under != 1 or pi:
                raise OtherError
            return (high // low if sign == "\\lfloor" else -(-high // low)), 1, 1, 0
        raise OtherError

    def _read_root(self) -> Product:
        index = 2
        if self.tokens[self.at] == "[":
            index = int(self.tokens[self.at + 1]) if self.tokens[self.at + 1] in _INDICES else 0
            if self.tokens[self.at + 2] != "]":
                raise OtherError
            self.at += 3
        return _root(self.read_atom(), index)


def _natural(value: Product) -> int:
    high, low, under, pi = value
    if pi or under != 1 or high % low or high < 0:
        raise OtherError
    return high // low


def _power(base: Product, exponent: int) -> Product:
    high, low, under, pi = base
    if exponent < 0:
        if not high:
            raise OtherError
        high, low = (low, high * under) if high > 0 else (-low, -high * under)
    elif not (exponent or high):
        raise OtherError
    size = abs(exponent)
    bits = high.bit_length() + low.bit_length() + under.bit_length()
    if size > _MAX_POWER or bits * size > _MAX_BITS:
        raise OtherError
    return high**size * under ** (size // 2), low**size, under if size % 2 else 1, pi * exponent


def _root(value: Product, index: int) -> Product:
    """Take a root: a square root, or one that is rational, of a number that is not negative."""
    high, low, under, pi = value
    if high < 0 or under != 1 or pi or index not in {2, 3, 4, 5, 6}:
        raise OtherError
    if index == 2:
        under = high * low
        whole = math.isqrt(under)
        return (whole, low, 1, 0) if whole * whole == under else (1, low, under, 0)
    divisor = math.gcd(high, low)
    roots = [round((part // divisor) ** (1 / index)) for part in (high, low) if part < _MAX_ROOT]
    if len(roots) != 2 or [root**index for root in roots] != [high // divisor, low // divisor]:
        raise OtherError
    return roots[0], roots[1], 1, 0
