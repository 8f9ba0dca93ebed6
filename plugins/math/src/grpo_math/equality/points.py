"""The points at which expressions are compared, and what their structure tells before."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from grpo_math.values import Call, Const, Expr, Num
from grpo_math.wording import words

_POINTS = tuple(
    Fraction(text)
    for text in words(
        "37/100 -291/101 53/31 -43/100 791/100 13/111 -1139/103 2311/97 7/1000 6131/59"
    )
)
_NATURALS = tuple(Fraction(n) for n in (7, 5, 11, 8, 13, 6, 10, 4, 9, 15))


def has_op(expr: Expr, ops: frozenset[str]) -> bool:
    """Tell whether one of some operations stands in an expression."""
    return isinstance(expr, Call) and (expr.op in ops or any(has_op(a, ops) for a in expr.args))


def bind(variables: list[str], *, integers: bool) -> Iterator[dict[str, Fraction]]:
    """Bind variables to test points: all natural, or rationals of both signs and many sizes."""
    for start in range(len(_POINTS)):
        point = {}
        for place, name in enumerate(variables):
            points = _NATURALS if integers or name.startswith("∈") else _POINTS
            point[name] = points[(start + 3 * place) % len(points)] + place // len(points)
        yield point


def infinity_sign(expr: Expr) -> int:
    """Tell the sign of an infinite expression; 0 for finite ones."""
    if expr == Const("oo"):
        return 1
    if isinstance(expr, Call) and expr.op == "mul" and Const("oo") in expr.args:
        sign = 1
        for arg in expr.args:
            if isinstance(arg, Num):
                sign = sign if arg.value > 0 else -sign
            elif arg != Const("oo"):
                return 0
        return sign
    if isinstance(expr, Call) and expr.op == "add":
        signs = {infinity_sign(arg) for arg in expr.args} - {0}
        return signs.pop() if len(signs) == 1 else 0
    return 0
