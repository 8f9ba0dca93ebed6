"""Exact quotients of polynomials in one variable, and where they are zero or undefined."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

from grpo_math.limits import Deadline
from grpo_math.values import Call, Expr, Num, Var

Polynomial = tuple[Fraction, ...]
"""Coefficients, that of the lowest power first; the last one is not zero."""

_ONE: Polynomial = (Fraction(1),)
_MAX_DEGREE = 20
_MAX_BITS = 1200
_NEAR = 16
"""Binary places to which a root is enclosed before it is refined."""


class NotPolynomialError(Exception):
    """An expression is no quotient of polynomials, or one of too high a degree."""


def read_quotient(expr: Expr, name: str) -> tuple[Polynomial, Polynomial]:
    """Read an expression as a quotient of polynomials with rational coefficients.

    Args:
        expr: The expression.
        name: Its variable.

    Returns:
        What stands above and below the line, as written: nothing is cancelled.

    Raises:
        NotPolynomialError: It is none, or a degree or coefficient is too large.
    """
    if isinstance(expr, Num):
        return _trim([expr.value]), _ONE
    if isinstance(expr, Var) and expr.name == name:
        return (Fraction(0), Fraction(1)), _ONE
    if not isinstance(expr, Call):
        raise NotPolynomialError
    if expr.op == "inv":
        top, bottom = read_quotient(expr.args[0], name)
        if not top:
            raise NotPolynomialError
        return bottom, top
    if expr.op == "pow":
        base, exponent = expr.args
        return _raise(base, exponent, name)
    if expr.op not in {"add", "mul"}:
        raise NotPolynomialError
    parts = [read_quotient(arg, name) for arg in expr.args]
    top, bottom = parts[0]
    for above, below in parts[1:]:
        if expr.op == "mul":
            top = _multiply(top, above)
        else:
            top = _add(_multiply(top, below), _multiply(above, bottom))
        bottom = _multiply(bottom, below)
    return top, bottom


def _raise(base: Expr, exponent: Expr, name: str) -> tuple[Polynomial, Polynomial]:
    if not isinstance(exponent, Num) or exponent.value.denominator != 1:
        raise NotPolynomialError
    if abs(exponent.value) > _MAX_DEGREE:
        raise NotPolynomialError
    top, bottom = read_quotient(base, name)
    if exponent.value < 0:
        top, bottom = bottom, top
    if not bottom:
        raise NotPolynomialError
    above = below = _ONE
    for _ in range(abs(int(exponent.value))):
        above, below = _multiply(above, top), _multiply(below, bottom)
    return above, below


def _trim(coefficients: list[Fraction]) -> Polynomial:
    while coefficients and not coefficients[-1]:
        coefficients.pop()
    if len(coefficients) > _MAX_DEGREE + 1:
        raise NotPolynomialError
    if any(max(c.numerator.bit_length(), c.denominator.bit_length()) > _MAX_BITS
           for c in coefficients):  # fmt: skip
        raise NotPolynomialError
    return tuple(coefficients)


def _add(a: Polynomial, b: Polynomial) -> Polynomial:
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    total = list(longer)
    for power, coefficient in enumerate(shorter):
        total[power] += coefficient
    return _trim(total)


def _multiply(a: Polynomial, b: Polynomial) -> Polynomial:
    if not a or not b:
        return ()
    product = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            product[i + j] += x * y
    return _trim(product)


def _divide(a: Polynomial, b: Polynomial) -> tuple[Polynomial, Polynomial]:
    """Divide with remainder."""
    rest = list(a)
    quotient = [Fraction(0)] * max(len(a) - len(b) + 1, 0)
    for power in reversed(range(len(quotient))):
        quotient[power] = factor = rest[power + len(b) - 1] / b[-1]
        for index, coefficient in enumerate(b):
            rest[power + index] -= factor * coefficient
    return _trim(quotient), _trim(rest)


def _monic(a: Polynomial) -> Polynomial:
    return tuple(coefficient / a[-1] for coefficient in a)


def find_common(a: Polynomial, b: Polynomial) -> Polynomial:
    """Find the greatest common divisor, with the leading coefficient 1."""
    while b:
        a, b = b, _divide(a, _monic(b))[1]
    return _monic(a)


def take_out(a: Polynomial, b: Polynomial) -> Polynomial:
    """Divide by what is common to both."""
    return _divide(a, find_common(a, b))[0]


def find_roots(a: Polynomial, context: Any, deadline: Deadline) -> list[Any]:
    """Find the real roots, each once, in ascending order.

    They are told apart by Sturm's theorem, in exact arithmetic, and then refined.

    Args:
        a: A polynomial that is not zero.
        context: An mpmath context, whose precision the roots have.
        deadline: Looked at while they are told apart.
    """
    slope = _derive(a)
    single = _monic(take_out(a, slope) if slope else a)
    if len(single) < 2:
        return []
    chain = _list_chain(single, deadline)
    edge = 1 + max(map(abs, single))
    waiting, roots = [(-edge, edge)], []
    while waiting:
        deadline.check()
        low, high = waiting.pop()
        count = _count_changes(chain, low) - _count_changes(chain, high)
        near = high - low < max(abs(low), _ONE[0]) / 2**_NEAR
        if count == 1 and not _sign_at(chain[0], high):
            roots.append(context.mpf(high.numerator) / high.denominator)
        elif count == 1 and near and _sign_at(chain[0], low):
            roots.append(_refine(single, low, high, context))
        elif count:
            middle = (low + high) / 2
            waiting += [(middle, high), (low, middle)]
    return roots


def _derive(a: Polynomial) -> Polynomial:
    return tuple(power * coefficient for power, coefficient in enumerate(a))[1:]


def _list_chain(a: Polynomial, deadline: Deadline) -> list[tuple[int, ...]]:
    """List the polynomials of Sturm's theorem, in whole numbers, for one without multiple roots."""
    chain = [a, _derive(a)]
    while len(chain[-1]) > 1:
        deadline.check()
        rest = _divide(chain[-2], chain[-1])[1]
        chain.append(tuple(-coefficient / abs(rest[-1]) for coefficient in rest))
    scales = (math.lcm(*(c.denominator for c in p)) for p in chain)
    return [tuple(int(c * scale) for c in p) for p, scale in zip(chain, scales, strict=True)]


def _count_changes(chain: list[tuple[int, ...]], x: Fraction) -> int:
    signs = [sign for a in chain if (sign := _sign_at(a, x))]
    return sum(one != other for one, other in pairwise(signs))


def _sign_at(a: tuple[int, ...], x: Fraction) -> int:
    """Tell the sign of the value at a point."""
    high, low = x.as_integer_ratio()
    value, scale = 0, 1
    for coefficient in reversed(a):
        value = value * high + coefficient * scale
        scale *= low
    return (value > 0) - (value < 0)


def _refine(a: Polynomial, low: Fraction, high: Fraction, context: Any) -> Any:
    """Refine the one root between two numbers."""
    numbers = [context.mpf(c.numerator) / c.denominator for c in reversed(a)]

    def value(x: Any) -> Any:
        total = context.zero
        for number in numbers:
            total = total * x + number
        return total

    ends = tuple(context.mpf(x.numerator) / x.denominator for x in (low, high))
    with context.extradps(20):
        root = context.findroot(value, ends, solver="anderson", maxsteps=400, verify=False)
    return context.zero if abs(root) < context.mpf(10) ** -45 else +root
