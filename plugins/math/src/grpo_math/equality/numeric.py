"""Numeric values with a bound on their error, to any precision, by mpmath.

Every value carries a first-order estimate of its error, so that a difference lost to cancellation
is told from one that is really there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grpo_math.equality.balls import PLACES_PER_BIT, Ball, BallArithmetic, NotRealError
from grpo_math.equality.exact import UndefinedError
from grpo_math.limits import OverLimitError, UndecidableError
from grpo_math.values import Call, Const, Expr, Num, Var

__all__ = ["NotRealError", "NumericEvaluator"]

_MAX_SERIES = 2_000
_MAX_NESTED = 10_000
_MAX_CALLS = 1_500
_LIMIT_DIGITS = (16, 26)


class NumericEvaluator(BallArithmetic):
    """Evaluates expressions, infinite sums, integrals and limits at one precision."""

    def evaluate(self, expr: Expr, bindings: Mapping[str, Any]) -> Ball:
        """Evaluate an expression.

        Args:
            expr: The expression.
            bindings: Values of its variables, as numbers of this context.

        Returns:
            The value and a bound on its absolute error.

        Raises:
            NotRealError: It leaves the real numbers, and only those were asked for.
            UndefinedError: It has no value.
            UndecidableError: It has a part numerics cannot evaluate.
            OverLimitError: It is too large.
        """
        if isinstance(expr, Num):
            value = self.convert(expr.value)
            bits = max(expr.value.numerator.bit_length(), expr.value.denominator.bit_length())
            self.span = max(self.span, bits * PLACES_PER_BIT)
            return value, abs(value) * self.eps
        if isinstance(expr, Var):
            if expr.name not in bindings:
                raise UndecidableError(expr.name)
            value = bindings[expr.name]
            return value, abs(value) * self.eps
        if isinstance(expr, Const):
            return self._constant(expr.name)
        self._work += 1
        if self._work % 32 == 0:
            self.deadline.check()
        if expr.op in {"sum", "prod"}:
            return self._series(expr, bindings)
        if expr.op in {"integral", "limit"}:
            return self._limit_process(expr, bindings)
        try:
            if expr.op == "pow":
                return self.note_span(self._power(expr, bindings))
            args = [self.evaluate(arg, bindings) for arg in expr.args]
            return self.note_span(self._apply(expr.op, args))
        except (ValueError, ArithmeticError) as problem:
            raise UndefinedError from problem

    def _limit_process(self, expr: Call, bindings: Mapping[str, Any]) -> Ball:
        """Approximate an infinite sum, an integral or a limit; the deadline is kept inside."""
        context = self.context
        index, body = expr.args[0], expr.args[-1]
        if not isinstance(index, Var):
            raise UndecidableError("no variable to sum or integrate over")
        inner = dict(bindings)

        self.approximated = True
        calls = 0

        def at(x: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > _MAX_CALLS:
                raise UndecidableError(f"the {expr.op} converges too slowly")
            self.deadline.check()
            inner[index.name] = x
            return self.evaluate(body, inner)[0]

        ends = [self._bound(bound, bindings) for bound in expr.args[1:-1]]
        before = context.dps
        outside, self._vanishing = self._vanishing, True
        rough = None
        try:
            for digits in _LIMIT_DIGITS:
                context.dps = digits
                if expr.op == "sum":
                    value = context.nsum(at, ends)
                elif expr.op == "integral":
                    value = context.quad(at, ends)
                else:
                    value = context.limit(at, ends[0])
                rough = value if rough is None else rough
        except (ValueError, ZeroDivisionError, UndefinedError, TypeError) as problem:
            raise UndecidableError(f"the {expr.op} does not converge") from problem
        finally:
            context.dps = before
            self._vanishing = outside
        if abs(value - rough) > (abs(value) + 1) * context.mpf(10) ** -12:
            raise UndecidableError(f"the {expr.op} does not converge")
        if context.isnan(value) or context.isinf(value):
            raise UndecidableError(f"the {expr.op} does not converge")
        return value, (abs(value) + 1) * context.mpf(10) ** -20

    def _bound(self, bound: Expr, bindings: Mapping[str, Any]) -> Any:
        if bound == Const("oo"):
            return self.context.inf
        if isinstance(bound, Call) and Const("oo") in bound.args:
            return -self.context.inf
        return self.evaluate(bound, bindings)[0]

    def _series(self, expr: Call, bindings: Mapping[str, Any]) -> Ball:
        index, low, high, body = expr.args
        if not isinstance(index, Var):
            raise UndecidableError("a sum without an index")
        if high == Const("oo") and expr.op == "sum":
            return self._limit_process(expr, bindings)
        first, last = (self.evaluate(bound, bindings)[0] for bound in (low, high))
        if first != self.context.nint(first) or last != self.context.nint(last):
            raise UndecidableError("a sum with such bounds")
        outer, count = self._terms, max(1, int(last) - int(first) + 1)
        if last - first > _MAX_SERIES or outer * count > _MAX_NESTED:
            raise OverLimitError("a sum has too many terms")
        inner = dict(bindings)
        terms: list[Ball] = [self._apply("add", [])] if expr.op == "sum" else []
        self._terms = outer * count
        try:
            for n in range(int(first), int(last) + 1):
                inner[index.name] = self.context.mpf(n)
                terms.append(self.evaluate(body, inner))
        finally:
            self._terms = outer
        if not terms:
            return self.context.mpf(1), self.context.mpf(0)
        return self._apply("add" if expr.op == "sum" else "mul", terms)
