"""Solves inequalities in one variable: quotients of polynomials, and with an absolute value."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

from grpo_math.equality.intervals import ALL, Piece, RealSet, SetAlgebra
from grpo_math.equality.points import has_op, infinity_sign
from grpo_math.equality.polynomials import (
    NotPolynomialError,
    find_roots,
    read_quotient,
    take_out,
)
from grpo_math.limits import UndecidableError
from grpo_math.reading.atoms import add, multiply, negate
from grpo_math.values import (
    NUMBER_TYPES,
    Call,
    Expr,
    Value,
    Var,
    collect_variables,
)
from grpo_math.wording import words

_ORDER = frozenset({"<", "<=", ">", ">="})
# Far apart and of both signs, so that the bend of an absolute value lies between two of them.
_PROBES = tuple(Fraction(x) for x in words("0 1 2 -17/3 2003/7 -30011/13 1000000000 -1000000000"))
_BENDING = frozenset({"abs", "floor", "ceil", "sign", "max", "min", "mod"})
_DIVIDING = frozenset({"inv"})
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


class InequalitySolver(SetAlgebra):
    """Turns inequalities into sets of reals."""

    def _end(self, expr: Value) -> Any:
        if not isinstance(expr, NUMBER_TYPES) or collect_variables(expr):
            raise UndecidableError("an end that is no number")
        value, error = self.numbers.evaluate(expr, {})
        return self.numbers.context.mpf(0) if abs(value) <= error * 8 else value

    def _read_inequality(self, left: Value, sign: str, right: Value) -> RealSet | None:
        """Solve a linear inequality in one variable."""
        if infinite_sign(left) < 0 or infinite_sign(right) > 0:
            other = right if infinite_sign(left) < 0 else left
            if sign in {"<", "<="} and isinstance(other, Var):
                return ALL._replace(variable=other.name)
            return None
        if not isinstance(left, NUMBER_TYPES) or not isinstance(right, NUMBER_TYPES):
            return None
        gap = add([left, negate(right)])
        names = collect_variables(gap)
        if len(names) != 1 or (sign not in _ORDER and sign != "!="):
            return None
        (name,) = names
        if has_op(gap, _DIVIDING) and (found := self._read_quotient(gap, name, sign)) is not None:
            return found
        # A polynomial bends between close points too; only an absolute value needs far ones.
        probes = _PROBES if has_op(gap, _BENDING) else _PROBES[:4]
        at = {x: self._value_at(gap, name, x) for x in probes}
        slope = at[_PROBES[1]] - at[_PROBES[0]]
        tiny = max(abs(y) for y in at.values()) * self.numbers.context.mpf(10) ** -35
        if any(
            abs(at[_PROBES[0]] + slope * self.numbers.convert(x) - y) > tiny for x, y in at.items()
        ):
            return (
                self._read_quadratic(gap, name, sign)
                or self._read_distance(left, sign, right)
                or self._read_quotient(gap, name, sign)
            )
        if abs(slope) <= tiny:
            return None
        root = -at[_PROBES[0]] / slope
        if abs(root) < self.numbers.context.mpf(10) ** -40:
            root = self.numbers.context.mpf(0)
        if sign == "!=":
            pieces = (Piece(None, False, root, False), Piece(root, False, None, False))
            return RealSet(pieces, name)
        below = (sign in {"<", "<="}) == (slope > 0)
        closed = "=" in sign
        piece = Piece(None, False, root, closed) if below else Piece(root, closed, None, False)
        return RealSet((piece,), name)

    def _read_roots(self, left: Value, right: Value) -> RealSet | None:
        """Solve an equation in one variable."""
        if not isinstance(left, NUMBER_TYPES) or not isinstance(right, NUMBER_TYPES):
            return None
        gap = add([left, negate(right)])
        names = collect_variables(gap)
        if len(names) != 1:
            return None
        (name,) = names
        return (
            self._read_quadratic(gap, name, "=")
            or self._read_distance(left, "=", right)
            or self._read_quotient(gap, name, "=")
        )

    def _read_distance(self, left: Value, sign: str, right: Value) -> RealSet | None:
        """Solve ``|x - 1| < 2`` by squaring both sides, where the bound is not negative."""
        for value, other, order in ((left, right, sign), (right, left, _MIRRORED.get(sign, sign))):
            bound = (
                isinstance(value, Call) and value.op == "abs" and isinstance(other, NUMBER_TYPES)
            )
            if bound and isinstance(value, Call) and not collect_variables(other):
                if self._end(other) < 0:
                    return None
                inner = value.args[0]
                names = collect_variables(inner)
                if len(names) != 1 or not isinstance(other, NUMBER_TYPES):
                    return None
                gap = add([multiply([inner, inner]), negate(multiply([other, other]))])
                return self._read_quadratic(gap, next(iter(names)), order)
        return None

    def _read_quadratic(self, gap: Expr, name: str, sign: str) -> RealSet | None:
        """Solve a quadratic inequality ``gap sign 0`` in one variable."""
        context = self.numbers.context
        at = {x: self._value_at(gap, name, Fraction(x)) for x in (-1, 0, 1, 3, -7, 1009, -100003)}
        a = (at[1] + at[-1]) / 2 - at[0]
        b = (at[1] - at[-1]) / 2
        tiny = max(abs(y) for y in at.values()) * context.mpf(10) ** -35
        fits = all(abs(a * x * x + b * x + at[0] - y) <= tiny for x, y in at.items())
        if not fits or abs(a) <= tiny or sign not in {*_ORDER, "="}:
            return None
        discriminant = b * b - 4 * a * at[0]
        closed = "=" in sign
        inside = (sign in {"<", "<="}) == (a > 0)
        if abs(discriminant) <= tiny:
            discriminant = context.mpf(0)
        if sign == "=":
            steps = (1, -1) if discriminant > 0 else (1,) if discriminant == 0 else ()
            points = [(-b + s * context.sqrt(discriminant)) / (2 * a) for s in steps]
            points = [context.mpf(0) if abs(r) < tiny else r for r in points]
            return RealSet(tuple(Piece(r, True, r, True) for r in points), name)
        if discriminant < 0:
            return RealSet((), name) if inside else ALL._replace(variable=name)
        roots = sorted((-b + s * context.sqrt(discriminant)) / (2 * a) for s in (1, -1))
        low, high = (context.mpf(0) if abs(r) < tiny else r for r in roots)
        if inside:
            return RealSet((Piece(low, closed, high, closed),), name)
        return RealSet((Piece(None, False, low, closed), Piece(high, closed, None, False)), name)

    def _read_quotient(self, gap: Expr, name: str, sign: str) -> RealSet | None:
        """Solve ``gap sign 0`` for a quotient of polynomials with rational numbers."""
        try:
            top, bottom = read_quotient(gap, name)
            if not top:
                return None
            context, deadline = self.numbers.context, self.numbers.deadline
            undefined = find_roots(bottom, context, deadline)
            zeros = find_roots(take_out(top, bottom), context, deadline)
        except NotPolynomialError:
            return None
        points = sorted([*undefined, *zeros])
        inside = [Piece(x, False, y, False) for x, y in pairwise([None, *points, None])]
        if sign not in {"=", "!="}:
            above = sign in {">", ">="}
            inside = [p for p in inside if (self._value_at(gap, name, _within(p)) > 0) == above]
        ends = [Piece(x, True, x, True) for x in zeros] if "=" in sign and sign != "!=" else []
        return RealSet((*(inside if sign != "=" else ()), *ends), name)

    def _value_at(self, expr: Expr, name: str, x: Any) -> Any:
        number = self.numbers.convert(Fraction(x)) if isinstance(x, (int, Fraction)) else x
        return self.numbers.evaluate(expr, {name: number})[0]


def _within(piece: Piece) -> Any:
    """Give a number inside an open interval."""
    if piece.low is None:
        return piece.high - 1 if piece.high is not None else 0
    return piece.low + 1 if piece.high is None else (piece.low + piece.high) / 2


def infinite_sign(value: Value) -> int:
    """Tell the sign of an infinite value; 0 for finite ones."""
    return infinity_sign(value) if isinstance(value, NUMBER_TYPES) else 0
