"""Evaluates plain arithmetic exactly, without the reader: products of a rational, a root and π.

What is no such product at some step (a sum of two roots, a variable, a function) is left to the
reader; so is notation that has two readings, such as two numbers side by side.
"""

from __future__ import annotations

import math

from grpo_math.patterns import Pattern

Product = tuple[int, int, int, int]
"""Numerator, positive denominator, positive number under a square root, and power of π."""

_TOKEN = Pattern(r"\\[a-zA-Z]+|\*\*|[0-9]+(?:\.[0-9]+)?|\.[0-9]+|\S")
_FRACTIONS = frozenset({"\\frac", "\\dfrac", "\\tfrac"})
_BINOMIALS = frozenset({"\\binom", "\\dbinom", "\\tbinom"})
_ROOTS = frozenset({"\\sqrt", "√"})
_PI = frozenset({"\\pi", "π"})
_TIMES = frozenset({"\\cdot", "\\times", "*", "×", "·"})
_OVER = frozenset({"/", "\\div", "÷"})
_BARS = {"|": "|", "\\lvert": "\\rvert"}
_ROUNDING = {"\\lfloor": "\\rfloor", "\\lceil": "\\rceil"}
_BRACKETS = {"(": ")", "{": "}"}
_BESIDE = _BINOMIALS | _ROOTS | _PI | {"("}
_DATE = Pattern(
    r"[0-9]{4} *[-/−]|[-/−] *[0-9]{4}(?![0-9])|[-/−] *[0-9]{1,2}\.[0-9]{4}"
    r"|[0-9]{4}\.[0-9]{1,2} *[-/−.]"
)
_POWER = frozenset({"^", "**"})
_INDICES = frozenset("3456")
_SILENT = frozenset({"\\left", "\\right", "\\displaystyle"})
_RAISED = Pattern("⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_MINUS = frozenset({"-", "−"})
_SIGNS = _MINUS | {"+"}
_MAX_TOKENS = 60
_MAX_BITS = 6000
_MAX_POWER = 3000
_MAX_ROOT = 10**12
_MAX_DIGITS = 11


class _OtherError(Exception):
    """The text is more than plain arithmetic."""


def evaluate(text: str) -> Product | None:
    r"""Evaluate plain arithmetic such as ``2^{10} - 1``, ``\\frac{3\\sqrt{2}}{4}`` or ``5!``.

    Returns:
        The value; None where only the reader can tell.
    """
    if not text.isascii():
        text = _RAISED.sub(lambda match: "^{" + match[0].translate(_DIGITS) + "}", text)
    tokens = _TOKEN.findall(text)
    if len(tokens) > _MAX_TOKENS or not tokens or _DATE.search(text):
        return None
    try:
        reader = _Reader(tokens)
        value = reader.read_sum()
    except (_OtherError, IndexError):
        return None
    return value if reader.at == len(reader.tokens) - 1 else None


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        if not _SILENT.isdisjoint(tokens):
            tokens = [sign for sign in tokens if sign not in _SILENT]
        self.tokens = [*tokens, ""]
        self.at = 0

    def read_sum(self) -> Product:
        tokens = self.tokens
        negative = False
        if tokens[self.at] in _SIGNS:
            negative = tokens[self.at] in _MINUS
            self.at += 1
            if tokens[self.at] in _SIGNS:
                raise _OtherError  # +- stands for ±
        total = self._read_product()
        if negative:
            total = (-total[0], *total[1:])
        while tokens[self.at] in _SIGNS:
            negative = tokens[self.at] in _MINUS
            self.at += 1
            total = _add(total, self._read_product(), negative=negative)
        return total

    def _read_product(self) -> Product:
        tokens = self.tokens
        value = self._read_factor()
        while True:
            sign = tokens[self.at]
            if sign in _TIMES:
                self.at += 1
                value = _multiply(value, self._read_factor())
            elif sign in _OVER:
                self.at += 1
                value = _multiply(value, _power(self._read_factor(), -1))
            elif sign in _BESIDE:
                if sign == "(" and "." in tokens[self.at - 1]:
                    raise _OtherError  # 0.1(6) repeats
                value = _multiply(value, self._read_factor())
            else:
                return value

    def _read_factor(self) -> Product:
        negative = False
        if self.tokens[self.at] in _MINUS:
            negative = True
            self.at += 1
        value = self._read_factorial(self._read_atom())
        if self.tokens[self.at] in _POWER:
            self.at += 1
            value = self._read_power(value)
            if self.tokens[self.at] in _POWER or self.tokens[self.at] == "!":
                raise _OtherError
        return (-value[0], *value[1:]) if negative else value

    def _read_power(self, base: Product) -> Product:
        negative = self.tokens[self.at] in _MINUS
        self.at += negative
        high, low, under, pi = self._read_factorial(self._read_atom())
        if self.tokens[self.at] in _POWER or pi or under != 1:
            raise _OtherError
        divisor = math.gcd(high, low)
        high, low = high // divisor, low // divisor
        if low != 1:
            base = _root(base, low)
        return _power(base, -high if negative else high)

    def _read_factorial(self, value: Product) -> Product:
        if self.tokens[self.at] != "!":
            return value
        self.at += 1
        n = _natural(value)
        if self.tokens[self.at] == "!" or n > 200:
            raise _OtherError
        return math.factorial(n), 1, 1, 0

    def _read_atom(self) -> Product:
        sign = self.tokens[self.at]
        self.at += 1
        if sign[-1:].isdecimal():
            return self._read_number(sign)
        if sign in _BRACKETS:
            return self._read_bracket(_BRACKETS[sign])
        if sign in _FRACTIONS:
            top, bottom = self._read_pair()
            return _multiply(top, _power(bottom, -1))
        if sign in _ROOTS:
            return self._read_root()
        if sign in _PI:
            return 1, 1, 1, 1
        if sign in _BINOMIALS:
            n, k = map(_natural, self._read_pair())
            if n > 200:
                raise _OtherError
            return math.comb(n, k), 1, 1, 0
        if sign in _BARS:
            value = self._read_bracket(_BARS[sign])
            return (abs(value[0]), *value[1:])
        if sign in _ROUNDING:
            high, low, under, pi = self._read_bracket(_ROUNDING[sign])
            if under != 1 or pi:
                raise _OtherError
            return (high // low if sign == "\\lfloor" else -(-high // low)), 1, 1, 0
        raise _OtherError

    def _read_root(self) -> Product:
        index = 2
        if self.tokens[self.at] == "[":
            index = int(self.tokens[self.at + 1]) if self.tokens[self.at + 1] in _INDICES else 0
            if self.tokens[self.at + 2] != "]":
                raise _OtherError
            self.at += 3
        return _root(self._read_atom(), index)

    def _read_number(self, sign: str) -> Product:
        if self.tokens[self.at][:1].isdecimal() or self.tokens[self.at][:1] == ".":
            raise _OtherError
        whole, _, decimals = sign.partition(".")
        if not sign.isascii() or (decimals and len(whole) + len(decimals) > _MAX_DIGITS):
            raise _OtherError
        return int(whole + decimals), 10 ** len(decimals), 1, 0

    def _read_bracket(self, closing: str) -> Product:
        value = self.read_sum()
        if self.tokens[self.at] != closing:
            raise _OtherError
        self.at += 1
        return value

    def _read_pair(self) -> tuple[Product, Product]:
        r"""Read the two arguments of a fraction or binomial; those of ``\\frac12`` are one sign."""
        sign = self.tokens[self.at]
        if sign.isdecimal() and sign.isascii() and len(sign) == 2:
            self.at += 1
            return (int(sign[0]), 1, 1, 0), (int(sign[1]), 1, 1, 0)
        return self._read_argument(), self._read_argument()

    def _read_argument(self) -> Product:
        sign = self.tokens[self.at]
        if sign != "{" and not (len(sign) == 1 and sign.isdecimal()):
            raise _OtherError
        return self._read_atom()


def _natural(value: Product) -> int:
    high, low, under, pi = value
    if pi or under != 1 or high % low or high < 0:
        raise _OtherError
    return high // low


def _add(a: Product, b: Product, *, negative: bool) -> Product:
    if a[2:] != b[2:]:
        raise _OtherError
    second = -b[0] if negative else b[0]
    return a[0] * b[1] + second * a[1], a[1] * b[1], a[2], a[3]


def _multiply(a: Product, b: Product) -> Product:
    high, low, under = a[0] * b[0], a[1] * b[1], a[2] * b[2]
    if a[2] == b[2] != 1:
        high, under = high * a[2], 1
    if high.bit_length() + low.bit_length() + under.bit_length() > _MAX_BITS:
        raise _OtherError
    return high, low, under, a[3] + b[3]


def _power(base: Product, exponent: int) -> Product:
    high, low, under, pi = base
    if exponent < 0:
        if not high:
            raise _OtherError
        high, low = (low, high * under) if high > 0 else (-low, -high * under)
    elif not (exponent or high):
        raise _OtherError
    size = abs(exponent)
    bits = high.bit_length() + low.bit_length() + under.bit_length()
    if size > _MAX_POWER or bits * size > _MAX_BITS:
        raise _OtherError
    return high**size * under ** (size // 2), low**size, under if size % 2 else 1, pi * exponent


def _root(value: Product, index: int) -> Product:
    """Take a root: a square root, or one that is rational, of a number that is not negative."""
    high, low, under, pi = value
    if high < 0 or under != 1 or pi or index not in {2, 3, 4, 5, 6}:
        raise _OtherError
    if index == 2:
        under = high * low
        whole = math.isqrt(under)
        return (whole, low, 1, 0) if whole * whole == under else (1, low, under, 0)
    divisor = math.gcd(high, low)
    roots = [round((part // divisor) ** (1 / index)) for part in (high, low) if part < _MAX_ROOT]
    if len(roots) != 2 or [root**index for root in roots] != [high // divisor, low // divisor]:
        raise _OtherError
    return roots[0], roots[1], 1, 0
