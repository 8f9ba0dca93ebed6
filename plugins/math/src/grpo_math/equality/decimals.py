"""What decimals are written for: with a power of ten, and as a program prints a number."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from grpo_math.values import Call, Expr, Num

_DOUBLE_DIGITS = (16, 17)
_MAX_EXPONENT = 400


def fold_powers_of_ten(expr: Expr) -> Expr:
    """Write ``2.31 * 10^-3`` as one decimal, which keeps its number of significant digits."""
    if not isinstance(expr, Call) or expr.op != "mul" or len(expr.args) != 2:
        return expr
    decimal, power = expr.args
    if not (isinstance(decimal, Num) and decimal.digits and isinstance(power, Call)):
        return expr
    if (
        power.op != "pow"
        or power.args[0] != Num(Fraction(10))
        or not isinstance(power.args[1], Num)
    ):
        return expr
    exponent = power.args[1].value
    if exponent.denominator != 1 or abs(exponent) > _MAX_EXPONENT:
        return expr
    scale = Fraction(10) ** int(exponent)
    return Num(decimal.value * scale, decimal.digits, decimal.ulp * scale)


def is_same_double(decimal: Num, value: Any) -> bool:
    """Tell whether a decimal is how a program prints a value: 2/3 as ``0.6666666666666666``."""
    if not _DOUBLE_DIGITS[0] <= decimal.digits <= _DOUBLE_DIGITS[1]:
        return False
    try:
        return float(decimal.value) == float(value)
    except OverflowError:
        return False
