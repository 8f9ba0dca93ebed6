"""Two quick and exact tests before the thorough ones: monomials in roots and π, and residues.

A polynomial or rational identity holds modulo a prime wherever it holds; one that fails at a
point modulo a prime fails. Three fixed points modulo two primes of 61 bits leave no room for
chance, as long as no constant of the difference can be a multiple of both primes.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction

from grpo_math.values import Call, Const, Expr, Num, Var, collect_variables

Monomial = tuple[int, Fraction, int]
"""Sign, square and power of π of a number."""

_PRIMES = ((1 << 61) - 1, (1 << 61) - 31)
POINTS = ((_PRIMES[0], 1_000_003), (_PRIMES[1], 15_485_863), (_PRIMES[0], 982_451_653))
"""A prime and the number that the residues of a point are drawn from."""
SURE = 2.0**118
"""A constant below it is no multiple of both primes."""
Height = tuple[float, float]
"""Bounds of the sums of the sizes of the coefficients above and below the line."""
_MAX_BITS = 40
_MAX_EXPONENT = 10_000
_MAX_POWER = 4
_SCATTER = 65_537
_PI = Const("pi")
_HALF = Fraction(1, 2)


class _NotModularError(Exception):
    """The expression is no rational one with small constants, or has no value at the point."""


def read_monomial(expr: Expr) -> Monomial | None:
    """Read a product of rationals, square roots of rationals and powers of π.

    Returns:
        Its sign, square and power of π, which tell it from every other such number; None for
        what is no such product.
    """
    if isinstance(expr, Num):
        value = expr.value
        return (value > 0) - (value < 0), value * value, 0
    if expr == _PI:
        return 1, Fraction(1), 1
    if not isinstance(expr, Call):
        return None
    if expr.op == "mul":
        return _multiply(expr.args)
    inner = read_monomial(expr.args[0])
    if inner is None:
        return None
    sign, square, power = inner
    if expr.op == "inv":
        return (sign, 1 / square, -power) if square else None
    if expr.op == "sqrt":
        return _root(inner)
    if expr.op == "pow" and isinstance(expr.args[1], Num):
        exponent = expr.args[1].value
        if exponent == _HALF:
            return _root(inner)
        if exponent.denominator != 1 or abs(exponent) > 8 or (not square and exponent <= 0):
            return None
        n = int(exponent)
        return (sign if n % 2 else abs(sign)), square**n, power * n
    return None


def _root(inner: Monomial) -> Monomial | None:
    sign, square, power = inner
    if sign <= 0 or power or square.numerator.bit_length() > 200:
        return None
    top, bottom = math.isqrt(square.numerator), math.isqrt(square.denominator)
    if top * top != square.numerator or bottom * bottom != square.denominator:
        return None  # a root of a root
    return 1, Fraction(top, bottom), 0


def _multiply(factors: tuple[Expr, ...]) -> Monomial | None:
    sign, square, power = 1, Fraction(1), 0
    for factor in factors:
        read = read_monomial(factor)
        if read is None or square.numerator.bit_length() > 2_000:
            return None
        sign *= read[0]
        square *= read[1]
        power += read[2]
    return sign, square, power if sign else 0


@functools.cache
def draw(prime: int, seed: int, place: int) -> int:
    """Draw the residue of one variable at a point.

    The power scatters them: no simple relation holds between the variables of a point, as
    between evenly spaced ones, where ``a + c`` is ``2b``.

    Args:
        prime: The modulus.
        seed: What tells one point from another.
        place: Which of the variables.
    """
    return pow(seed + place, _SCATTER, prime)


def equal_modulo(a: Expr, b: Expr, variables: list[str]) -> bool | None:
    """Tell whether two rational expressions with small constants are the same function.

    Returns:
        None where they are something else, or have no value at a point.
    """
    try:
        for prime, seed in POINTS:
            point = {name: draw(prime, seed, place) for place, name in enumerate(variables)}
            if _evaluate(a, point, prime) != _evaluate(b, point, prime):
                return False
        high, _ = add_heights(_measure(a), _measure(b))
    except (_NotModularError, OverflowError):
        return None
    return True if high < SURE else None


def add_heights(a: Height, b: Height) -> Height:
    """Bound the coefficients of a sum, or a difference, of two rational expressions."""
    return a[0] * b[1] + b[0] * a[1], a[1] * b[1]


def _measure(expr: Expr) -> Height:
    """Bound the coefficients of an expression that has residues."""
    if isinstance(expr, Num):
        return float(abs(expr.value.numerator)), float(expr.value.denominator)
    if not isinstance(expr, Call):
        return 1.0, 1.0
    if expr.op == "pow" and isinstance(expr.args[1], Num):
        top, bottom = _measure(expr.args[0])
        exponent = int(expr.args[1].value)
        size = abs(exponent)
        return (top**size, bottom**size) if exponent >= 0 else (bottom**size, top**size)
    parts = [_measure(arg) for arg in expr.args]
    if expr.op == "inv":
        return parts[0][::-1]
    if expr.op == "add":
        return functools.reduce(add_heights, parts)
    return math.prod(top for top, _ in parts), math.prod(bottom for _, bottom in parts)


def proportional_modulo(a: Expr, b: Expr, variables: list[str]) -> bool | None:
    """Tell whether two rational expressions are 0 at the same points: equal up to a factor.

    The factor is constant, or a power of variables by which one side is divided: ``E - m c^2`` is
    ``(m - E/c^2)`` times ``-c^2``, and says the same. But ``x^2 = x`` is not ``x = 1``.

    Returns:
        None where they are no rational expressions, or have no value at a point.
    """
    below = _name_divisors(a), _name_divisors(b)
    try:
        for prime, _ in POINTS[:2]:
            points = [
                {name: draw(prime, seed, place) for place, name in enumerate(variables)}
                for _, seed in POINTS
            ]
            values = [(_evaluate(a, at, prime), _evaluate(b, at, prime)) for at in points]
            if not values[0][0] or not values[0][1]:
                return None
            if below[0] or below[1]:
                powers = _find_powers(a, b, points[0], prime, below)
                values = [
                    (first, second * _raise(at, powers, prime) % prime)
                    for at, (first, second) in zip(points, values, strict=True)
                ]
            reference = values[0]
            for first, second in values[1:]:
                if (first * reference[1] - second * reference[0]) % prime:
                    return False
        high = 2 * math.prod(_measure(a)) * math.prod(_measure(b))
    except (_NotModularError, OverflowError):
        return None
    return True if high < SURE else None


def _name_divisors(expr: Expr) -> frozenset[str]:
    """Collect the variables by which something in an expression is divided."""
    if not isinstance(expr, Call):
        return frozenset()
    found = frozenset[str]().union(*map(_name_divisors, expr.args))
    exponent = expr.args[1] if expr.op == "pow" else None
    divides = isinstance(exponent, Num) and exponent.value < 0
    return found | collect_variables(expr.args[0]) if divides or expr.op == "inv" else found


def _find_powers(
    a: Expr, b: Expr, point: dict[str, int], prime: int, below: tuple[frozenset[str], ...]
) -> dict[str, int]:
    """Find by which powers of its divisors the quotient a ÷ b grows where each is doubled."""
    quotient = _evaluate(a, point, prime) * pow(_evaluate(b, point, prime), -1, prime) % prime
    grown = {pow(2, power, prime): power for power in range(-_MAX_POWER, _MAX_POWER + 1)}
    powers = {}
    for name in below[0] | below[1]:
        other = {**point, name: 2 * point[name] % prime}
        bottom = _evaluate(b, other, prime)
        if not bottom:
            raise _NotModularError
        power = grown.get(_evaluate(a, other, prime) * pow(bottom * quotient, -1, prime) % prime, 0)
        if name in below[power > 0]:
            powers[name] = power
    return powers


def _raise(point: dict[str, int], powers: dict[str, int], prime: int) -> int:
    return math.prod(pow(point[name], power, prime) for name, power in powers.items())


def _evaluate(expr: Expr, point: dict[str, int], prime: int) -> int:
    if isinstance(expr, Num):
        value = expr.value
        if value.denominator == 1:
            if value.numerator.bit_length() > _MAX_BITS:
                raise _NotModularError
            return value.numerator % prime
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS:
            raise _NotModularError
        return value.numerator * pow(value.denominator, -1, prime) % prime
    if isinstance(expr, Var):
        return point[expr.name]
    if not isinstance(expr, Call):
        raise _NotModularError
    op, args = expr.op, expr.args
    if op == "add":
        return sum(_evaluate(arg, point, prime) for arg in args) % prime
    if op == "mul":
        product = 1
        for arg in args:
            product = product * _evaluate(arg, point, prime) % prime
        return product
    if op == "inv":
        bottom = _evaluate(args[0], point, prime)
        if not bottom:
            raise _NotModularError
        return pow(bottom, -1, prime)
    if op == "pow" and isinstance(args[1], Num):
        exponent = args[1].value
        base = _evaluate(args[0], point, prime)
        if exponent.denominator != 1 or abs(exponent) > _MAX_EXPONENT or not base:
            raise _NotModularError
        return pow(base, int(exponent), prime)
    raise _NotModularError
