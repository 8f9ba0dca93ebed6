"""Equality of two expressions: structure, exact values, numeric fingerprints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from grpo_math.equality.decimals import fold_powers_of_ten, is_same_double
from grpo_math.equality.exact import ExactEvaluator, NotRationalError, UndefinedError
from grpo_math.equality.modular import equal_modulo, read_monomial
from grpo_math.equality.numeric import NotRealError, NumericEvaluator
from grpo_math.equality.points import bind, has_op, infinity_sign
from grpo_math.limits import Deadline, OverLimitError, UndecidableError
from grpo_math.options import Options
from grpo_math.values import Expr, Num, collect_variables

_DIGITS = (50, 90, 200)
_MORE_DIGITS = (800, 2_000)
_WANTED_DIGITS = 30
_WANTED = 5
_INTEGER_OPS = frozenset({"factorial", "factorial2", "binom", "sum", "prod", "gcd", "lcm"})


class ExpressionJudge:
    """Decides whether expressions are equal.

    Attributes:
        options: Tolerances and limits.
        deadline: When to give up.
        rule: The rule that decided last.
    """

    def __init__(self, options: Options, deadline: Deadline) -> None:
        self.options = options
        self.deadline = deadline
        self.rule = ""
        self._exact = ExactEvaluator(options.max_digits, deadline)

    def equal(self, a: Expr, b: Expr) -> bool:
        """Tell whether two expressions have the same value wherever both are defined.

        Raises:
            UndecidableError: Numerics cannot tell.
            OverLimitError: A value is too large to compute.
            DeadlineError: The time is used up.
        """
        if a == b:
            self.rule = "same structure"
            return True
        if isinstance(a, Num) and isinstance(b, Num):
            return self._equal_rationals(a, b)
        a, b = fold_powers_of_ten(a), fold_powers_of_ten(b)
        infinite = self._equal_infinities(a, b)
        if infinite is not None:
            return infinite
        variables = sorted(collect_variables(a) | collect_variables(b))
        if variables:
            return self._equal_functions(a, b, variables)
        return self._equal_numbers(a, b)

    def _equal_rationals(self, a: Num, b: Num) -> bool:
        self.rule = "exact value"
        if a.value == b.value:
            return True
        return self._rounds(a, b, b.value) or self._rounds(b, a, a.value) or (
            self._is_close(a.value, b.value)
        )  # fmt: skip

    def _equal_infinities(self, a: Expr, b: Expr) -> bool | None:
        signs = [infinity_sign(expr) for expr in (a, b)]
        if signs == [0, 0]:
            return None
        self.rule = "infinity"
        return signs[0] == signs[1]

    def _equal_numbers(self, a: Expr, b: Expr) -> bool:
        first_monomial = read_monomial(a)
        second_monomial = read_monomial(b) if first_monomial is not None else None
        if second_monomial is not None and not self.options.relative_tolerance:
            self.rule = "exact value"
            if first_monomial == second_monomial:
                return True
            least = self.options.rounded_digits or math.inf
            if not any(isinstance(x, Num) and x.digits >= least for x in (a, b)):
                return False
        try:
            first, second = self._find_exact(a), self._find_exact(b)
        except OverLimitError:
            if self._differ_clearly(a, b):
                return False
            raise
        if isinstance(first, UndefinedError) or isinstance(second, UndefinedError):
            self.rule = "undefined value"
            return False  # equal texts are told before; of other values without one, nobody can say
        if first is not None and second is not None:
            self.rule = "exact value"
            if first == second:
                return True
            return self._rounds(a, b, second) or self._rounds(b, a, first) or (
                self._is_close(first, second)
            )  # fmt: skip
        return self._equal_numerically(a, b)

    def _differ_clearly(self, a: Expr, b: Expr) -> bool:
        """Tell whether two values too large to compute exactly differ in their leading digits."""
        self.rule = "leading digits"
        evaluator = NumericEvaluator(_DIGITS[1], self.deadline, real=False)
        return self._compare_at(evaluator, a, b, {}) is False

    def _find_exact(self, expr: Expr) -> Fraction | UndefinedError | None:
        try:
            return self._exact.evaluate(expr)
        except NotRationalError:
            return None
        except UndefinedError as undefined:
            return undefined

    def _rounds(self, decimal: Expr, other: Expr, value: Fraction) -> bool:
        """Tell whether a long decimal is the rounded form of another number."""
        if not isinstance(decimal, Num) or not 0 < self.options.rounded_digits <= decimal.digits:
            return False
        if isinstance(other, Num) and other.digits:
            return False
        if abs(decimal.value - value) * 2 <= decimal.ulp or is_same_double(decimal, value):
            self.rule = "long decimal rounds the exact value"
            return True
        return False

    def _is_close(self, first: Any, second: Any) -> bool:
        tolerance = self.options.relative_tolerance
        if not tolerance:
            return False
        if isinstance(first, Fraction):
            close = abs(first - second) <= Fraction(tolerance) * max(abs(first), abs(second))
        else:
            close = abs(first - second) <= tolerance * max(abs(first), abs(second))
        if close:
            self.rule = "relative tolerance"
        return bool(close)

    def _equal_numerically(self, a: Expr, b: Expr) -> bool:
        self.rule = "numeric value"
        for digits in (*_DIGITS, *_MORE_DIGITS):
            evaluator = NumericEvaluator(digits, self.deadline, real=False)
            verdict = self._compare_at(evaluator, a, b, {})
            if verdict is not None:
                return verdict
            if digits >= _DIGITS[-1] and _wanted(evaluator) < digits:
                break
        raise UndecidableError("the values agree to all digits computed, but not surely")

    def _compare_at(
        self, evaluator: NumericEvaluator, a: Expr, b: Expr, bindings: dict[str, Any]
    ) -> bool | None:
        evaluator.span = 0.0
        try:
            first, first_error = evaluator.evaluate(a, bindings)
        except UndefinedError:
            return self._compare_undefined(evaluator, b, bindings)
        try:
            second, second_error = evaluator.evaluate(b, bindings)
        except UndefinedError:
            return False
        difference = abs(first - second)
        error = first_error + second_error
        if difference > error * 1000:
            for decimal, value in ((a, second), (b, first)):
                other = b if decimal is a else a
                real = isinstance(decimal, Num) and not evaluator.context.im(value)
                if real and self._rounds_number(evaluator, decimal, other, value):
                    return True
            return self._is_close(first, second)
        size = max(abs(first), abs(second))
        wanted = _wanted(evaluator)
        if error <= size * evaluator.context.mpf(10) ** -wanted:
            return True
        if error < evaluator.context.mpf(10) ** -max(60, wanted):
            return True
        return None

    @staticmethod
    def _compare_undefined(
        evaluator: NumericEvaluator, b: Expr, bindings: dict[str, Any]
    ) -> bool | None:
        try:
            evaluator.evaluate(b, bindings)
        except UndefinedError:
            return None if bindings else True
        return False

    def _rounds_number(
        self, evaluator: NumericEvaluator, decimal: Expr, other: Expr, value: Any
    ) -> bool:
        if not isinstance(decimal, Num) or not 0 < self.options.rounded_digits <= decimal.digits:
            return False
        if isinstance(other, Num):
            return False
        half = evaluator.convert(decimal.ulp) / 2
        near = abs(evaluator.convert(decimal.value) - value) <= half
        if near or is_same_double(decimal, value):
            self.rule = "long decimal rounds the exact value"
            return True
        return False

    def _equal_functions(self, a: Expr, b: Expr, variables: list[str]) -> bool:
        if not self.options.relative_tolerance:
            self.rule = "exact fingerprint"
            same = equal_modulo(a, b, variables)
            if same is not None:
                return same
        integers = has_op(a, _INTEGER_OPS) or has_op(b, _INTEGER_OPS)
        exact = self._fingerprint_exactly(a, b, variables, integers=integers)
        if exact is not None:
            self.rule = "exact fingerprint"
            return exact
        self.rule = "numeric fingerprint"
        if not integers:
            verdict = self._fingerprint(a, b, variables, real=True, integers=False)
            if verdict is not None:
                return verdict
        verdict = self._fingerprint(a, b, variables, real=False, integers=integers)
        if verdict is None:
            verdict = self._fingerprint(a, b, variables, real=False, integers=True)
        if verdict is None:
            verdict = self._fingerprint(
                a, b, variables, real=False, integers=integers, precisions=_MORE_DIGITS
            )
        if verdict is None:
            raise UndecidableError("no point where both expressions have a value")
        return verdict

    def _fingerprint_exactly(
        self, a: Expr, b: Expr, variables: list[str], *, integers: bool
    ) -> bool | None:
        agreed = 0
        for bindings in bind(variables, integers=integers):
            try:
                first = self._exact.evaluate(a, bindings)
                second = self._exact.evaluate(b, bindings)
            except UndefinedError:
                continue
            except (NotRationalError, OverLimitError):
                return None
            if first != second and not self._is_close(first, second):
                return False
            agreed += 1
            if agreed == _WANTED:
                return True
        return None

    def _fingerprint(
        self,
        a: Expr,
        b: Expr,
        variables: list[str],
        *,
        real: bool,
        integers: bool,
        precisions: Sequence[int] = _DIGITS[:2],
    ) -> bool | None:
        """Compare at several points; None where too few points can be compared."""
        agreed = 0
        evaluators = [NumericEvaluator(digits, self.deadline, real=real) for digits in precisions]
        for exact in bind(variables, integers=integers):
            verdict: bool | None = None
            for evaluator in evaluators:
                bindings: dict[str, Any] = {n: evaluator.convert(v) for n, v in exact.items()}
                if not real and not integers:
                    bindings = {
                        n: v + evaluator.context.mpc(0, v / 3 + 1) for n, v in bindings.items()
                    }
                try:
                    verdict = self._compare_at(evaluator, a, b, bindings)
                except (NotRealError, OverLimitError):
                    verdict = None
                    break
                if verdict is not None:
                    break
            if verdict is False:
                return False
            agreed += verdict is True
            if agreed == _WANTED:
                return True
        return True if agreed >= 2 else None


def _wanted(evaluator: NumericEvaluator) -> float:
    """To how many digits two values must agree to be equal, by the sizes that were met in them."""
    return 15 if evaluator.approximated else max(_WANTED_DIGITS, 20 + 2 * evaluator.span)
