"""Computes with sums of products of roots, π, e, i, logarithms, angles and letters.

A sum is a polynomial over the rationals in symbols: primes with fractional powers, π, e, i,
letters, and functions of such sums that have no simpler form. Equal polynomials are equal; whether
unequal ones are different is told by their values in floating point, letters standing for fixed
positive numbers. What has no real value there (a root of 1 - x) has no symbol.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from fractions import Fraction

from grpo_math.grammar import OtherError
from grpo_math.reading.bare import LETTERS

Monomial = tuple[tuple[str, int], ...]
"""Symbols in order and their powers in sixtieths; a prime is a symbol with a power below one."""
Sum = tuple[dict[Monomial, int], int]
"""The coefficients above a common denominator, which is positive."""


ONE = 60
_GREEK = ("\\alpha", "\\beta", "\\theta", "\\phi")
VALUES: dict[str, complex] = {
    "π": math.pi,
    "e": math.e,
    "i": 1j,
    **{sign: 1.1 + 0.618034 * (k * k % 7) + 0.0137 * k for k, sign in enumerate(LETTERS)},
    **{sign: 0.37 + 0.211 * k for k, sign in enumerate(_GREEK)},
}
VARIABLES = frozenset({*LETTERS, *_GREEK})
FUNCTIONS: dict[str, Callable[[complex], complex]] = {
    "sin": cmath.sin, "cos": cmath.cos, "asin": cmath.asin,
    "acos": cmath.acos, "atan": cmath.atan, "ln": cmath.log, "exp": cmath.exp,
    "1/": lambda value: 1 / value, "abs": abs,
}  # fmt: skip
_MAX_TERMS = 16
_MAX_POWER = 12
_MAX_BITS = 200
_MAX_SIZE = 10_000
_MAX_SYMBOL = 400
_CANCELLED = 1e-3
_MAX_PRIME = 1000
_LOST = 1e-6
_SIZE = 1e9


class Field:
    """Arithmetic of sums, with the values of the symbols that it makes.

    Every method raises `OtherError` for what has no value, is too large or is not certain.
    """

    def __init__(self) -> None:
        self.values = dict(VALUES)

    def make(self, high: int, low: int) -> Sum:
        """Make a sum of a fraction."""
        if high.bit_length() > _MAX_BITS:
            raise OtherError
        return ({(): high} if high else {}), low

    def negate(self, value: Sum) -> Sum:
        """Take the negative."""
        return {mono: -high for mono, high in value[0].items()}, value[1]

    def add(self, a: Sum, b: Sum) -> Sum:
        """Add two sums."""
        (a_terms, a_low), (b_terms, b_low) = a, b
        if a_low != b_low:
            a_terms = {mono: high * b_low for mono, high in a_terms.items()}
            b_terms = {mono: high * a_low for mono, high in b_terms.items()}
            a_low *= b_low
        total = dict(a_terms)
        for mono, high in b_terms.items():
            total[mono] = total.get(mono, 0) + high
        return check({mono: high for mono, high in total.items() if high}, a_low)

    def multiply(self, a: Sum, b: Sum) -> Sum:
        """Multiply two sums."""
        total: dict[Monomial, int] = {}
        for mono, high in a[0].items():
            for other, by in b[0].items():
                scale, joined = 1, mono or other
                if mono and other:
                    scale, _, joined = _settle([*mono, *other])
                total[joined] = total.get(joined, 0) + high * by * scale
        return check({mono: high for mono, high in total.items() if high}, a[1] * b[1])

    def invert(self, value: Sum) -> Sum:
        """Take the reciprocal; of two square roots it has a rational denominator."""
        terms, low = value
        if not terms:
            raise OtherError
        if len(terms) == 1:
            ((mono, high),) = terms.items()
            above, below, mono = _settle([(sign, -power) for sign, power in mono])
            below, above = below * abs(high), above * low * (1 if high > 0 else -1)
            return check({mono: above}, below)
        if len(terms) == 2 and all(map(_is_square_root, terms)):
            first, second = ({mono: high} for mono, high in terms.items())
            other = self.add((first, low), self.negate((second, low)))
            norm = self.multiply(value, other)
            if len(norm[0]) != 1:
                raise OtherError
            return self.multiply(other, self.invert(norm))
        shared = math.gcd(*terms.values()) * (1 if next(iter(terms.values())) > 0 else -1)
        inner = {mono: high // shared for mono, high in terms.items()}
        scale = Fraction(low, shared)
        return self.multiply(
            ({(): scale.numerator}, scale.denominator), self.make_symbol("1/", (inner, 1))
        )

    def power(self, base: Sum, exponent: Sum) -> Sum:
        """Raise to a power."""
        number = as_rational(exponent)
        if number is None:
            return self.exponential(base, exponent)
        if number.denominator != 1:
            return self._take_root(base, number)
        size = abs(int(number))
        if not base[0]:
            if number <= 0:
                raise OtherError
            return self.make(0, 1)
        if size > _MAX_POWER and len(base[0]) > 1:
            raise OtherError
        power = self.make(1, 1)
        if len(base[0]) == 1:
            ((mono, high),) = base[0].items()
            bits = 0 if abs(high) == base[1] == 1 else high.bit_length() + base[1].bit_length()
            if size * bits > _MAX_BITS or size > _MAX_SIZE:
                raise OtherError
            above, below, mono = _settle([(sign, each * size) for sign, each in mono])
            power = check({mono: high**size * above}, base[1] ** size * below)
        else:
            for _ in range(size):
                power = self.multiply(power, base)
        return power if number >= 0 else self.invert(power)

    def exponential(self, base: Sum, exponent: Sum) -> Sum:
        """Raise to a power that is no rational number."""
        return self.make_symbol("pow", base, exponent)

    def _take_root(self, base: Sum, exponent: Fraction) -> Sum:
        """Raise to a fractional power; of a negative number only the square root is certain."""
        if not base[0]:
            raise OtherError
        powers = factorise_term(base)
        if powers is not None and ONE % exponent.denominator == 0:
            sign, factors = powers
            if sign < 0 and exponent != Fraction(1, 2):
                raise OtherError
            scaled = [(name, Fraction(power) * exponent) for name, power in factors]
            if all(power.denominator == 1 for _, power in scaled):
                above, below, mono = _settle([(name, int(power)) for name, power in scaled])
                root = check({mono: above}, below)
                return self.multiply(root, ({(("i", ONE),): 1}, 1)) if sign < 0 else root
        return self.make_symbol("pow", base, ({(): exponent.numerator}, exponent.denominator))

    def fraction(self, number: Fraction) -> Sum:
        """Make a sum of a rational number."""
        return self.make(number.numerator, number.denominator)

    def make_symbol(self, name: str, *arguments: Sum) -> Sum:
        """Make a symbol for a function of arguments that has no simpler form."""
        parts = [lowest_terms(each) for each in arguments]
        symbol = f"{name} {[(sorted(terms.items()), low) for terms, low in parts]}"
        if len(symbol) > _MAX_SYMBOL:
            raise OtherError  # each nesting doubles its quotes
        if symbol not in self.values:
            values = []
            for each in arguments:
                value, size = weigh(each, self.values)
                if abs(value) < _CANCELLED * size:
                    raise OtherError
                values.append(value)
            self.values[symbol] = _evaluate(name, values)
        return {((symbol, ONE),): 1}, 1


def _evaluate(name: str, values: list[complex]) -> complex:
    value = values[0]
    if max(map(abs, values)) > 60 or abs(value) < 1e-4:
        raise OtherError
    if name in {"asin", "acos"} and (value.imag or abs(value) > 0.999):
        raise OtherError
    if name in {"ln", "atan"} and (value.imag or (name == "ln" and value.real < 0)):
        raise OtherError
    if name == "pow" and (value.imag or value.real < 0):
        raise OtherError  # outside the real domain another branch may count
    result = value ** values[1] if name == "pow" else FUNCTIONS[name](value)
    if not 1e-4 < abs(result) < _SIZE:
        raise OtherError
    return result


def check(terms: dict[Monomial, int], low: int) -> Sum:
    """Refuse a sum that is too large."""
    if len(terms) > _MAX_TERMS or low.bit_length() > _MAX_BITS:
        raise OtherError
    if any(high.bit_length() > _MAX_BITS for high in terms.values()):
        raise OtherError
    return terms, low


def lowest_terms(value: Sum) -> Sum:
    """Cancel what coefficients and denominator share: equal sums are then the same."""
    terms, low = value
    shared = math.gcd(low, *terms.values())
    return {mono: high // shared for mono, high in terms.items()}, low // shared


def _settle(powers: list[tuple[str, int]]) -> tuple[int, int, Monomial]:
    """Join powers of symbols: the whole powers of primes and of i go to the coefficient."""
    joined: dict[str, int] = {}
    for sign, power in powers:
        joined[sign] = joined.get(sign, 0) + power
    above = below = 1
    for sign, power in joined.items():
        if sign.isdigit():
            whole, joined[sign] = divmod(power, ONE)
            if abs(whole) > _MAX_BITS:
                raise OtherError
            above *= int(sign) ** max(whole, 0)
            below *= int(sign) ** max(-whole, 0)
        elif sign == "i":
            if power % ONE:
                raise OtherError
            turns = power // ONE % 4
            above = -above if turns >= 2 else above
            joined[sign] = turns % 2 * ONE
    return above, below, tuple(sorted((sign, power) for sign, power in joined.items() if power))


def weigh(value: Sum, values: dict[str, complex]) -> tuple[complex, float]:
    """Evaluate a sum in floating point: its value, and the sum of the sizes of its terms."""
    total, size = 0j, 0.0
    for mono, high in value[0].items():
        term: complex = high / value[1]
        for sign, power in mono:
            base = float(sign) if sign.isdigit() else values[sign]
            term *= base ** (power // ONE) if power % ONE == 0 else base ** (power / ONE)
        total += term
        size += abs(term)
    if size > _SIZE or (size and abs(total) < _LOST * size):
        raise OverflowError
    return (total.real if abs(total.imag) < 1e-12 * size else total), size


def as_rational(value: Sum) -> Fraction | None:
    """Return the number that a sum without symbols is."""
    terms, low = value
    if not terms:
        return Fraction(0)
    return Fraction(terms[()], low) if len(terms) == 1 and () in terms else None


def _is_square_root(mono: Monomial) -> bool:
    return all((sign.isdigit() and power == ONE // 2) or sign == "i" for sign, power in mono)


def factorise_term(value: Sum) -> tuple[int, list[tuple[str, int]]] | None:
    """Write a single term without letters as a sign and powers of primes, π and e."""
    if len(value[0]) != 1:
        return None
    ((mono, high),) = value[0].items()
    if any(not (sign.isdigit() or sign in "πe") for sign, _ in mono):
        return None
    powers = dict(mono)
    for number, by in ((abs(high), ONE), (value[1], -ONE)):
        rest, prime = number, 2
        while rest > 1:
            if prime * prime > rest:
                prime = rest
            if prime > _MAX_PRIME and prime != rest:
                return None
            while rest % prime == 0:
                rest //= prime
                powers[str(prime)] = powers.get(str(prime), 0) + by
            prime += 1 if prime == 2 else 2
    return (1 if high > 0 else -1), [(sign, power) for sign, power in powers.items() if power]
