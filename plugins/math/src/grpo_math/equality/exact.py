"""Exact arithmetic on rationals; sizes are estimated before anything large is computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from grpo_math.limits import Deadline, OverLimitError
from grpo_math.values import Call, Const, Expr, Num, Var

Bindings = Mapping[str, Fraction]
_MAX_TERMS = 20_000
_MAX_NESTED = 100_000  # what the deadline does not end first


class NotRationalError(Exception):
    """The value is not a rational number, or not one that exact arithmetic finds."""


class UndefinedError(Exception):
    """The expression has no value here, such as a division by zero."""


class ExactEvaluator:
    """Evaluates expressions over the rationals.

    Attributes:
        max_bits: Largest numerator or denominator that is computed.
        deadline: When to give up.
    """

    def __init__(self, max_digits: int, deadline: Deadline) -> None:
        self.max_bits = int(max_digits * 3.33)
        self.deadline = deadline
        self._work = 0
        self._terms = 1

    def evaluate(self, expr: Expr, bindings: Bindings | None = None) -> Fraction:
        """Evaluate an expression exactly.

        Args:
            expr: The expression.
            bindings: Values of its variables.

        Raises:
            NotRationalError: It is irrational, infinite, complex, or has a free variable.
            UndefinedError: It has no value.
            OverLimitError: It is too large to compute.
        """
        if isinstance(expr, Num):
            return expr.value
        if isinstance(expr, Var):
            if bindings is None or expr.name not in bindings:
                raise NotRationalError
            return bindings[expr.name]
        if isinstance(expr, Const):
            raise NotRationalError
        if expr.op in {"sum", "prod"}:
            return self._series(expr, bindings)
        rule = _RULES.get(expr.op)
        if rule is None:
            raise NotRationalError
        self._work += 1
        if self._work % 64 == 0:
            self.deadline.check()
        return rule(self, [self.evaluate(arg, bindings) for arg in expr.args])

    def check_bits(self, bits: float) -> None:
        """Stop before a number of this many bits is computed."""
        if bits > self.max_bits:
            raise OverLimitError("an exact value is too large to compute")

    def add(self, args: list[Fraction]) -> Fraction:
        """Add, sizes checked as they grow."""
        if all(arg.denominator == 1 for arg in args):
            return Fraction(sum(arg.numerator for arg in args))
        total = Fraction(0)
        for arg in args:
            total += arg
            self.check_bits(total.denominator.bit_length())
        return total

    def multiply(self, args: list[Fraction]) -> Fraction:
        """Multiply, sizes checked before."""
        self.check_bits(
            sum(max(a.numerator.bit_length(), a.denominator.bit_length()) - 1 for a in args)
        )
        return math.prod(args, start=Fraction(1))

    def invert(self, args: list[Fraction]) -> Fraction:
        """Take the reciprocal."""
        if not args[0]:
            raise UndefinedError
        return 1 / args[0]

    def power(self, args: list[Fraction]) -> Fraction:
        """Raise to a rational power that has a rational value."""
        base, exponent = args
        if exponent.denominator != 1:
            if exponent.denominator > 64:
                raise NotRationalError
            base = take_root(base, exponent.denominator)
        power = exponent.numerator
        if not base:
            if power < 0:
                raise UndefinedError
            return Fraction(int(power == 0))
        if abs(base) == 1:
            return base if power % 2 else Fraction(1)
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if power.bit_length() > 40:
            raise OverLimitError("a power is too large to compute")
        self.check_bits((bits - 1) * abs(power) or bits)
        return base**power

    def root(self, args: list[Fraction]) -> Fraction:
        """Take a square root, or the root whose index is the second argument."""
        index = args[1] if len(args) > 1 else Fraction(2)
        if index.denominator != 1 or not 1 <= index <= 64:
            raise NotRationalError
        return take_root(args[0], int(index))

    def factorial(self, args: list[Fraction]) -> Fraction:
        """Take the factorial of a natural number."""
        n = self._natural(args[0])
        self.check_bits(n * max(1, n.bit_length() - 2))
        return Fraction(math.factorial(n))

    def factorial2(self, args: list[Fraction]) -> Fraction:
        """Take the double factorial of a natural number."""
        n = self._natural(args[0])
        self.check_bits(n * n.bit_length() / 2)
        return Fraction(math.prod(range(n, 0, -2)))

    def binomial(self, args: list[Fraction]) -> Fraction:
        """Choose k of n."""
        n, k = self._natural(args[0]), self._natural(args[1])
        k = min(k, n - k) if k <= n else k
        self.check_bits(k * max(1, n.bit_length()))
        return Fraction(math.comb(n, k))

    def remainder(self, args: list[Fraction]) -> Fraction:
        """Take the remainder of a division, never negative for a positive divisor."""
        if not args[1]:
            raise UndefinedError
        return args[0] % args[1]

    @staticmethod
    def _natural(value: Fraction) -> int:
        if value.denominator != 1:
            raise NotRationalError
        if value < 0:
            raise UndefinedError
        if value > 10**9:
            raise OverLimitError("a factorial is too large to compute")
        return value.numerator

    def _series(self, expr: Call, bindings: Bindings | None) -> Fraction:
        index, low, high, body = expr.args
        first, last = self.evaluate(low, bindings), self.evaluate(high, bindings)
        if not isinstance(index, Var) or first.denominator != 1 or last.denominator != 1:
            raise NotRationalError
        terms_here = max(1, int(last - first) + 1)
        outer, self._terms = self._terms, self._terms * terms_here
        if terms_here > _MAX_TERMS or self._terms > _MAX_NESTED:
            self._terms = outer
            raise OverLimitError("a sum has too many terms")
        inner = dict(bindings or {})
        terms: list[Fraction] = []
        try:
            for n in range(int(first), int(last) + 1):
                inner[index.name] = Fraction(n)
                terms.append(self.evaluate(body, inner))
                self.deadline.check()
        finally:
            self._terms = outer
        return self.add(terms) if expr.op == "sum" else self.multiply(terms)


def take_root(value: Fraction, index: int) -> Fraction:
    """Take a root that is rational; odd roots of negative numbers are negative.

    Raises:
        NotRationalError: The root is irrational or not real.
    """
    if value < 0:
        if index % 2 == 0:
            raise NotRationalError
        return -take_root(-value, index)
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > 20_000:
        raise NotRationalError
    top, bottom = _root_integer(value.numerator, index), _root_integer(value.denominator, index)
    return Fraction(top, bottom)


def _root_integer(number: int, index: int) -> int:
    if index == 2:
        root = math.isqrt(number)
    else:
        root = 1 << (-(-number.bit_length() // index))
        while number:
            better = ((index - 1) * root + number // root ** (index - 1)) // index
            if better >= root:
                break
            root = better
        root = root if number else 0
    if root**index != number:
        raise NotRationalError
    return root


def _whole(rule: Callable[..., int]) -> Callable[[ExactEvaluator, list[Fraction]], Fraction]:
    def apply(_: ExactEvaluator, args: list[Fraction]) -> Fraction:
        if any(arg.denominator != 1 for arg in args):
            raise NotRationalError
        return Fraction(rule(*(arg.numerator for arg in args)))

    return apply


_RULES: dict[str, Callable[[ExactEvaluator, list[Fraction]], Fraction]] = {
    "add": ExactEvaluator.add,
    "mul": ExactEvaluator.multiply,
    "inv": ExactEvaluator.invert,
    "pow": ExactEvaluator.power,
    "sqrt": ExactEvaluator.root,
    "nroot": ExactEvaluator.root,
    "factorial": ExactEvaluator.factorial,
    "factorial2": ExactEvaluator.factorial2,
    "binom": ExactEvaluator.binomial,
    "abs": lambda _, args: abs(args[0]),
    "floor": lambda _, args: Fraction(math.floor(args[0])),
    "ceil": lambda _, args: Fraction(math.ceil(args[0])),
    "sign": lambda _, args: Fraction((args[0] > 0) - (args[0] < 0)),
    "mod": ExactEvaluator.remainder,
    "percent": lambda _, args: args[0] / 100,
    "max": lambda _, args: max(args),
    "min": lambda _, args: min(args),
    "gcd": _whole(math.gcd),
    "lcm": _whole(math.lcm),
    "re": lambda _, args: args[0],
    "conj": lambda _, args: args[0],
}
