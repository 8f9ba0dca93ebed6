"""Derivatives of expressions, by the rules of calculus."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from grpo_math.limits import UnreadableError
from grpo_math.reading.atoms import add, divide, multiply, negate
from grpo_math.values import Call, Const, Expr, Num, Var, collect_variables

_ZERO = Num(Fraction(0))
_ONE = Num(Fraction(1))
_TWO = Num(Fraction(2))
_MAX_NODES = 200


def _power(base: Expr, exponent: Expr) -> Expr:
    return Call("pow", (base, exponent))


_OUTER: dict[str, Callable[[Expr], Expr]] = {
    "sin": lambda u: Call("cos", (u,)),
    "cos": lambda u: negate(Call("sin", (u,))),
    "tan": lambda u: divide(_ONE, _power(Call("cos", (u,)), _TWO)),
    "ln": lambda u: divide(_ONE, u),
    "sqrt": lambda u: divide(_ONE, multiply([_TWO, Call("sqrt", (u,))])),
    "asin": lambda u: divide(_ONE, Call("sqrt", (add([_ONE, negate(_power(u, _TWO))]),))),
    "atan": lambda u: divide(_ONE, add([_ONE, _power(u, _TWO)])),
    "sinh": lambda u: Call("cosh", (u,)),
    "cosh": lambda u: Call("sinh", (u,)),
    "inv": lambda u: negate(divide(_ONE, _power(u, _TWO))),
}


def differentiate(expr: Expr, name: str) -> Expr:
    """Differentiate an expression with respect to one of its variables.

    Raises:
        UnreadableError: It holds a function whose derivative is not known here, or is too large.
    """
    if _count(expr) > _MAX_NODES:
        raise UnreadableError("a derivative of too large an expression")
    return _differentiate(expr, name)


def _count(expr: Expr) -> int:
    return 1 + sum(map(_count, expr.args)) if isinstance(expr, Call) else 1


def _differentiate(expr: Expr, name: str) -> Expr:
    if name not in collect_variables(expr):
        return _ZERO
    if not isinstance(expr, Call):
        return _ONE if expr == Var(name) else _ZERO
    args = expr.args
    if expr.op == "add":
        return add([_differentiate(arg, name) for arg in args])
    if expr.op == "mul":
        return add(
            [
                multiply([*args[:at], _differentiate(arg, name), *args[at + 1 :]])
                for at, arg in enumerate(args)
            ]
        )
    if expr.op == "pow":
        base, exponent = args
        if name not in collect_variables(exponent):
            lower = _power(base, add([exponent, Num(Fraction(-1))]))
            return multiply([exponent, lower, _differentiate(base, name)])
        growth = _ONE if base == Const("e") else Call("ln", (base,))
        inner = _differentiate(multiply([exponent, growth]), name)
        return multiply([expr, inner])
    if expr.op in _OUTER:
        return multiply([_OUTER[expr.op](args[0]), _differentiate(args[0], name)])
    raise UnreadableError(f"the derivative of '{expr.op}' is not known")
