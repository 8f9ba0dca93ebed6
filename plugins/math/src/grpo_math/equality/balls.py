"""Arithmetic on numbers with a bound on their error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from grpo_math.equality.exact import UndefinedError
from grpo_math.limits import Deadline, OverLimitError, UndecidableError
from grpo_math.values import Call, Expr, Num
from grpo_math.wording import words

Ball = tuple[Any, Any]
_MAX_MAGNITUDE = 10**9
_MAX_ANGLE = 2_000
_VANISHING = 10_000
_SIMPLE = frozenset(
    words(
        "sin cos tan cot sec csc asin acos atan acot asec acsc sinh cosh tanh coth sech csch asinh "
        "acosh atanh asech acsch acoth ln erf gamma zeta"
    )
)
PLACES_PER_BIT = 0.30103
_SATURATED: dict[str, Callable[[Any], Any]] = {
    "tanh": lambda size: size * 0.87,
    "coth": lambda size: size * 0.87,
    "erf": lambda size: size**2 * 0.44,
    "zeta": lambda size: size * 0.31,
}
"""Functions that come close to a limit without a large or small value to be seen: how close."""
_REAL_DOMAIN = {"asin": 1, "acos": 1, "ln": 0, "acosh": 2, "atanh": 1}


class NotRealError(Exception):
    """A value leaves the real numbers where only real ones were asked for."""


class _Contexts(threading.local):
    """The mpmath contexts of one thread, by precision: they are dear to make, unsafe to share."""

    def __init__(self) -> None:
        self.by_digits: dict[int, Any] = {}


_contexts = _Contexts()


def _take_context(digits: int) -> Any:
    context = _contexts.by_digits.get(digits)
    if context is None:
        from mpmath import MPContext

        context = _contexts.by_digits[digits] = MPContext()
        context.dps = digits
    return context


class BallArithmetic:
    """Evaluates expressions at one precision, in an mpmath context of its thread.

    Attributes:
        context: An mpmath context of this thread and precision.
        span: Decimal places between one and the largest or smallest value that was met: as far off
            may be what makes a difference (1 + 10^-50, cos(10^-50), 2^(10^-50)).
        approximated: Whether an infinite sum, an integral or a limit was among what it evaluated;
            then 15 digits must do.
        real: Refuse to leave the real numbers.
        deadline: When to give up.
    """

    def __init__(self, digits: int, deadline: Deadline, *, real: bool) -> None:
        self.context: Any = _take_context(digits)
        self.eps = self.context.mpf(10) ** (-digits)
        self.real = real
        self.deadline = deadline
        self._work = 0
        self._terms = 1
        self._vanishing = False
        self.approximated = False
        self.span = 0.0

    def note_span(self, ball: Ball) -> Ball:
        """Note how large or small a value is, unless it may be 0."""
        value, error = ball
        if value and abs(value) > error * 1000:
            places = abs(self.context.mag(value)) * PLACES_PER_BIT
            self.span = max(self.span, float(places))
        return ball

    def convert(self, value: Fraction) -> Any:
        """Convert a rational number, rounded once."""
        size = value.numerator.bit_length() - value.denominator.bit_length()
        if abs(size) > _MAX_MAGNITUDE:
            raise OverLimitError("a value is too large or too small for numerics")
        return self.context.mpf(value.numerator) / value.denominator

    def evaluate(self, expr: Expr, bindings: Mapping[str, Any]) -> Ball:
        """Evaluate an expression."""
        raise NotImplementedError

    def _constant(self, name: str) -> Ball:
        if name == "pi":
            return +self.context.pi, self.eps * 4
        if name == "e":
            return +self.context.e, self.eps * 3
        if name == "i":
            if self.real:
                raise NotRealError
            return self.context.mpc(0, 1), self.context.mpf(0)
        raise UndecidableError(name)

    def _apply(self, op: str, args: list[Ball]) -> Ball:
        if op == "add":
            value = self.context.mpf(0)
            error = self.context.mpf(0)
            for term, wrong in args:
                value += term
                error += wrong
            return value, error + abs(value) * self.eps
        if op == "mul":
            value, error = args[0]
            for factor, wrong in args[1:]:
                error = abs(value) * wrong + abs(factor) * error + error * wrong
                value = value * factor
            self._check_size(value)
            return value, error + abs(value) * self.eps
        value, error = args[0]
        if op == "inv":
            if abs(value) <= error * 16:
                raise UndefinedError
            return 1 / value, error / abs(value) ** 2 * 2 + self.eps / abs(value)
        if op in {"sqrt", "nroot"}:
            return self._root(args)
        return self._function(op, args)

    def _root(self, args: list[Ball]) -> Ball:
        value, error = args[0]
        index = 2
        if len(args) > 1:
            index = int(self.context.nint(args[1][0].real))
            if abs(args[1][0] - index) > args[1][1] * 4 or not 1 <= index <= 1000:
                raise UndecidableError("a root with such an index")
        if self.context.im(value) == 0:
            value = self.context.re(value)
            if value < 0 and abs(value) <= error * 16:
                value = self.context.mpf(0)
            if value < 0 and index % 2:
                root = -self.context.root(-value, index)
            elif value < 0:
                if self.real:
                    raise NotRealError
                root = self.context.root(self.context.mpc(value), index)
            else:
                root = self.context.root(value, index)
        else:
            root = self.context.root(value, index)
        if abs(value) <= error * 16:
            return root, self.context.root(error * 17 + self.eps**2, index)
        return root, abs(root) * (error / abs(value) + self.eps)

    def _power(self, expr: Call, bindings: Mapping[str, Any]) -> Ball:
        context = self.context
        base, base_error = self.evaluate(expr.args[0], bindings)
        node = expr.args[1]
        exponent, exponent_error = self.evaluate(node, bindings)
        if abs(base) <= base_error * 4:
            if context.re(exponent) > 0:
                return context.mpf(0), base_error ** context.re(exponent) + self.eps
            if exponent == 0:
                return context.mpf(1), self.eps
            raise UndefinedError
        log_base = context.ln(base)
        if self._vanishing and context.re(exponent * log_base) < -_VANISHING:
            return context.mpf(0), self.eps**2
        if abs(exponent * log_base) > _MAX_MAGNITUDE:
            raise OverLimitError("a power is too large for numerics")
        negative = context.im(base) == 0 and context.re(base) < 0
        rational = node.value if isinstance(node, Num) else None
        whole = context.im(exponent) == 0 and exponent == context.nint(context.re(exponent))
        if negative and not whole:
            if rational is not None and rational.denominator % 2:
                value = context.power(-base, exponent) * (-1 if rational.numerator % 2 else 1)
            elif self.real:
                raise NotRealError
            else:
                value = context.power(base, exponent)
        else:
            value = context.power(base, exponent)
        relative = abs(exponent) * base_error / abs(base) + abs(log_base) * exponent_error
        return value, abs(value) * (relative + self.eps * 4)

    def _function(self, op: str, args: list[Ball]) -> Ball:
        context = self.context
        value, error = args[0]
        if op == "abs":
            return abs(value), error
        if op == "percent":
            return value / 100, error / 100
        if op == "degree":
            return value * context.pi / 180, (error + abs(value) * self.eps) / 50
        if op in {"re", "im", "conj"}:
            return getattr(context, op)(value), error
        if op in {"floor", "ceil", "sign"}:
            return self._step(op, value, error)
        if op in {"max", "min"}:
            if any(context.im(v) for v, _ in args):
                raise UndecidableError(op)
            pick = max if op == "max" else min
            return pick((v for v, _ in args)), max(e for _, e in args)
        if op == "arg":
            return context.arg(value), error / abs(value) + self.eps
        if op in {"factorial", "binom", "factorial2"}:
            return self._combinatorial(op, args)
        if op not in _SIMPLE or len(args) != 1:
            raise UndecidableError(op)
        if self.real:
            self._check_domain(op, value)
        if op == "ln" and abs(value) <= error * 4:
            raise UndefinedError
        if op in {"gamma", "zeta", "erf"} and abs(value) > 10_000:
            raise OverLimitError("the argument of a function is too large for numerics")
        limit = _MAX_ANGLE if op != "ln" else 10 * _MAX_MAGNITUDE
        if context.mag(value) > limit or (op.endswith("h") and abs(value) > _MAX_MAGNITUDE):
            raise OverLimitError("the argument of a function is too large for numerics")
        if op in _SATURATED:
            self.span = max(self.span, float(_SATURATED[op](abs(value))))
        try:
            result = getattr(context, op)(value)
            step = max(error, abs(value) * self.eps, self.eps) * 2
            slope = abs(getattr(context, op)(value + step) - result) if error else 0
        except (ZeroDivisionError, ValueError) as problem:
            raise UndefinedError from problem
        if abs(result) * self.eps * 1e10 > 1e10 and op in {"tan", "cot", "sec", "csc"}:
            raise UndefinedError
        if self.real and context.im(result):
            raise NotRealError
        return result, slope + (abs(result) + 1) * self.eps * 4

    def _check_domain(self, op: str, value: Any) -> None:
        rule = _REAL_DOMAIN.get(op)
        if rule is None:
            return
        outside = (op == "ln" and value < 0) or (op == "acosh" and value < 1) or (
            rule == 1 and abs(value) > 1
        )  # fmt: skip
        if outside:
            raise NotRealError

    def _step(self, op: str, value: Any, error: Any) -> Ball:
        if self.context.im(value):
            raise UndecidableError(op)
        nearest = self.context.nint(value) if op != "sign" else self.context.mpf(0)
        if abs(value - nearest) <= error * 16:
            raise UndecidableError(f"{op} at a step")
        return getattr(self.context, op)(value), self.context.mpf(0)

    def _combinatorial(self, op: str, args: list[Ball]) -> Ball:
        if any(self.context.mag(v) > 40 or self.context.im(v) for v, _ in args):
            raise OverLimitError("a factorial is too large for numerics")
        if abs(args[0][0]) > 10_000:
            raise OverLimitError("a factorial is too large for numerics")
        names = {"factorial": "factorial", "binom": "binomial", "factorial2": "fac2"}
        try:
            value = getattr(self.context, names[op])(*(v for v, _ in args))
        except ValueError as pole:  # of a negative whole number: no place to compare functions at
            raise NotRealError from pole
        worst = sum(e for _, e in args)
        return value, abs(value) * (worst * 20 + self.eps * 16)

    def _check_size(self, value: Any) -> None:
        if value and abs(self.context.mag(value)) > 4 * _MAX_MAGNITUDE:
            raise OverLimitError("a value is too large for numerics")
