"""Sets of real numbers as unions of intervals, from intervals, inequalities and builders."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import attrs

from grpo_math.equality.exact import UndefinedError
from grpo_math.equality.expressions import infinity_sign
from grpo_math.equality.numeric import NotRealError, NumericEvaluator
from grpo_math.limits import Deadline, OverLimitError, UndecidableError
from grpo_math.reading.atoms import add, multiply, negate
from grpo_math.values import (
    NUMBER_TYPES,
    Builder,
    Call,
    Expr,
    Group,
    Listing,
    NamedSet,
    Relation,
    SetOperation,
    Value,
    Var,
    collect_variables,
)

_DIGITS = 50
_ORDER = frozenset({"<", "<=", ">", ">="})
_MAX_PIECES = 400
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


@attrs.frozen
class Piece:
    """An interval; an end of None is infinite.

    Attributes:
        low: Lower end, a number of an mpmath context.
        low_closed: Whether the lower end belongs to it.
        high: Upper end.
        high_closed: Whether the upper end belongs to it.
    """

    low: Any
    low_closed: bool
    high: Any
    high_closed: bool


@attrs.frozen
class RealSet:
    """A union of intervals, and the name of the variable it was given for, if any."""

    pieces: tuple[Piece, ...]
    variable: str | None = None


ALL = RealSet((Piece(None, False, None, False),))
EMPTY = RealSet(())


class SetReader:
    """Turns values into sets of reals.

    Attributes:
        numbers: Evaluates the ends.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.numbers = NumericEvaluator(_DIGITS, deadline, real=True)

    def read(self, value: Value) -> RealSet | None:
        """Read a value as a set of reals; None where it is none, or one with parameters."""
        try:
            found = self._read(value)
        except (NotRealError, UndefinedError, UndecidableError, OverLimitError):
            return None
        return None if found is None else attrs.evolve(found, pieces=self._tidy(found.pieces))

    def equal(self, a: RealSet, b: RealSet) -> bool:
        """Tell whether two sets have the same members and no different names."""
        if a.variable and b.variable and a.variable != b.variable:
            return False
        if len(a.pieces) != len(b.pieces):
            return False
        return all(
            p.low_closed == q.low_closed and p.high_closed == q.high_closed
            and self._same(p.low, q.low) and self._same(p.high, q.high)
            for p, q in zip(a.pieces, b.pieces, strict=True)
        )  # fmt: skip

    def _same(self, x: Any, y: Any) -> bool:
        if x is None or y is None:
            return x is y
        return bool(abs(x - y) <= max(abs(x), abs(y)) * self.numbers.context.mpf(10) ** -35)

    def _end(self, expr: Value) -> Any:
        if not isinstance(expr, NUMBER_TYPES) or collect_variables(expr):
            raise UndecidableError("an end that is no number")
        value, error = self.numbers.evaluate(expr, {})
        return self.numbers.context.mpf(0) if abs(value) <= error * 8 else value

    def _read(self, value: Value) -> RealSet | None:
        if isinstance(value, NamedSet):
            return self._read_named(value.name)
        if isinstance(value, Group):
            return self._read_group(value)
        if isinstance(value, SetOperation):
            return self._read_operation(value)
        if isinstance(value, Relation):
            return self._read_relation(value)
        if isinstance(value, Listing):
            return self._read_list(value)
        if isinstance(value, Builder):
            return self._read_builder(value)
        return None

    def _read_named(self, name: str) -> RealSet | None:
        zero = self.numbers.context.mpf(0)
        if name == "empty":
            return EMPTY
        if name == "R":
            return ALL
        if name in {"R+", "R>0"}:
            return RealSet((Piece(zero, False, None, False),))
        if name == "R-":
            return RealSet((Piece(None, False, zero, False),))
        return None

    def _read_group(self, value: Group) -> RealSet | None:
        if value.fence == "{}":
            ends = [self._end(item) for item in value.items]
            return RealSet(tuple(Piece(x, True, x, True) for x in ends))
        if len(value.items) != 2 or value.fence == "<>":
            return None
        low, high = value.items
        from_below = infinite_sign(low) < 0
        to_above = infinite_sign(high) > 0
        if infinite_sign(low) > 0 or infinite_sign(high) < 0:
            return None
        piece = Piece(
            None if from_below else self._end(low), value.fence[0] == "[" and not from_below,
            None if to_above else self._end(high), value.fence[1] == "]" and not to_above,
        )  # fmt: skip
        return None if self._is_empty(piece) else RealSet((piece,))

    def _read_operation(self, value: SetOperation) -> RealSet | None:
        parts = [self._read(part) for part in value.parts]
        found = [part for part in parts if part is not None]
        if len(found) != len(parts):
            return None
        if value.op not in {"union", "meet", "minus"}:
            return None
        join = {"union": self.unite, "meet": self.intersect, "minus": self._subtract}[value.op]
        return _fold(found, join)

    def _read_list(self, value: Listing) -> RealSet | None:
        if not any(_is_surely_a_set(item) for item in value.items):
            return None
        parts = [self._read(item) for item in value.items]
        found = [part for part in parts if part is not None]
        if len(found) != len(parts) or len({part.variable for part in found}) != 1:
            return None
        if value.joiner == "or":
            return _fold(found, self.unite)
        common = _fold(found, self.intersect)
        if value.joiner == "," and not self._tidy(common.pieces):
            return _fold(found, self.unite)
        return common

    def _read_builder(self, value: Builder) -> RealSet | None:
        head = value.head
        domain: RealSet | None = None
        if isinstance(head, Relation) and head.signs == ("in",) and isinstance(head.sides[0], Var):
            kind = head.sides[1]
            if isinstance(kind, NamedSet) and kind.name[0] in "ZN":
                return self._read_integers(value, head.sides[0].name, kind.name)
            domain = self._read(kind)
            if domain is None:
                return None
            name = head.sides[0].name
        elif isinstance(head, Var):
            name = head.name
        else:
            return None
        found: RealSet | None = None
        for condition in value.conditions:
            found = self._read(condition)
        if found is None or found.variable not in {name, None}:
            return None
        found = self.intersect(found, domain) if domain is not None else found
        return attrs.evolve(found, variable=None)

    def _read_integers(self, value: Builder, name: str, kind: str) -> RealSet | None:
        found = self._read(value.conditions[0]) if value.conditions else None
        if found is None or found.variable != name:
            return None
        context = self.numbers.context
        points: list[Any] = []
        for piece in self._tidy(found.pieces):
            low = piece.low if piece.low is not None else (1 if kind in {"N", "Z+", "N+"} else None)
            if low is None or piece.high is None or piece.high - low > _MAX_PIECES:
                return None
            for n in range(int(context.ceil(low)), int(context.floor(piece.high)) + 1):
                open_end = (n == piece.low and not piece.low_closed) or (
                    n == piece.high and not piece.high_closed
                )
                if not open_end and (kind[0] == "Z" or n >= 0):
                    points.append(context.mpf(n))
        return RealSet(tuple(Piece(n, True, n, True) for n in points))

    def _read_relation(self, value: Relation) -> RealSet | None:
        if value.signs == ("in",) and isinstance(value.sides[0], Var):
            found = self._read(value.sides[1])
            return None if found is None else attrs.evolve(found, variable=value.sides[0].name)
        result: RealSet | None = None
        for left, sign, right in zip(value.sides, value.signs, value.sides[1:], strict=False):
            part = self._read_inequality(left, sign, right)
            if part is None:
                return None
            result = part if result is None else self.intersect(result, part)
        return result

    def _read_inequality(self, left: Value, sign: str, right: Value) -> RealSet | None:
        """Solve a linear inequality in one variable."""
        if infinite_sign(left) < 0 or infinite_sign(right) > 0:
            other = right if infinite_sign(left) < 0 else left
            if sign in {"<", "<="} and isinstance(other, Var):
                return attrs.evolve(ALL, variable=other.name)
            return None
        if not isinstance(left, NUMBER_TYPES) or not isinstance(right, NUMBER_TYPES):
            return None
        gap = add([left, negate(right)])
        names = collect_variables(gap)
        if len(names) != 1 or (sign not in _ORDER and sign != "!="):
            return None
        (name,) = names
        at = [self._value_at(gap, name, x) for x in (0, 1, 2, Fraction(-17, 3))]
        slope = at[1] - at[0]
        tiny = max(abs(x) for x in at) * self.numbers.context.mpf(10) ** -35
        far = at[0] - slope * 17 / 3
        if abs(at[2] - at[1] - slope) > tiny or abs(at[3] - far) > tiny:
            return self._read_quadratic(gap, name, sign) or self._read_distance(left, sign, right)
        if abs(slope) <= tiny:
            return None
        root = -at[0] / slope
        if abs(root) < self.numbers.context.mpf(10) ** -40:
            root = self.numbers.context.mpf(0)
        if sign == "!=":
            pieces = (Piece(None, False, root, False), Piece(root, False, None, False))
            return RealSet(pieces, name)
        below = (sign in {"<", "<="}) == (slope > 0)
        closed = "=" in sign
        piece = Piece(None, False, root, closed) if below else Piece(root, closed, None, False)
        return RealSet((piece,), name)

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
        at = {x: self._value_at(gap, name, Fraction(x)) for x in (-1, 0, 1, 3, -7)}
        a = (at[1] + at[-1]) / 2 - at[0]
        b = (at[1] - at[-1]) / 2
        tiny = max(abs(y) for y in at.values()) * context.mpf(10) ** -35
        fits = all(abs(a * x * x + b * x + at[0] - y) <= tiny for x, y in at.items())
        if not fits or abs(a) <= tiny or sign not in _ORDER:
            return None
        discriminant = b * b - 4 * a * at[0]
        closed = "=" in sign
        inside = (sign in {"<", "<="}) == (a > 0)
        if abs(discriminant) <= tiny:
            discriminant = context.mpf(0)
        if discriminant < 0:
            return RealSet((), name) if inside else attrs.evolve(ALL, variable=name)
        roots = sorted((-b + s * context.sqrt(discriminant)) / (2 * a) for s in (1, -1))
        low, high = (context.mpf(0) if abs(r) < tiny else r for r in roots)
        if inside:
            return RealSet((Piece(low, closed, high, closed),), name)
        return RealSet((Piece(None, False, low, closed), Piece(high, closed, None, False)), name)

    def _value_at(self, expr: Expr, name: str, x: Fraction | int) -> Any:
        value, _ = self.numbers.evaluate(expr, {name: self.numbers.convert(Fraction(x))})
        return value

    def unite(self, a: RealSet, b: RealSet) -> RealSet:
        """Unite two sets."""
        return RealSet(a.pieces + b.pieces, a.variable or b.variable)

    def intersect(self, a: RealSet, b: RealSet) -> RealSet:
        """Intersect two sets."""
        if len(a.pieces) * len(b.pieces) > _MAX_PIECES**2:
            raise OverLimitError("a set of too many pieces")
        pieces = [self._meet(p, q) for p in a.pieces for q in b.pieces]
        return RealSet(tuple(p for p in pieces if p is not None), a.variable or b.variable)

    def _subtract(self, a: RealSet, b: RealSet) -> RealSet:
        result = a
        for piece in b.pieces:
            rest: list[Piece] = []
            if piece.low is not None:
                rest.append(Piece(None, False, piece.low, not piece.low_closed))
            if piece.high is not None:
                rest.append(Piece(piece.high, not piece.high_closed, None, False))
            result = self.intersect(result, RealSet(tuple(rest)))
        return attrs.evolve(result, variable=a.variable)

    def _meet(self, p: Piece, q: Piece) -> Piece | None:
        low, low_closed = p.low, p.low_closed
        if low is None or (q.low is not None and q.low > low and not self._same(q.low, low)):
            low, low_closed = q.low, q.low_closed
        elif q.low is not None and self._same(q.low, low):
            low_closed = low_closed and q.low_closed
        high, high_closed = p.high, p.high_closed
        if high is None or (q.high is not None and q.high < high and not self._same(q.high, high)):
            high, high_closed = q.high, q.high_closed
        elif q.high is not None and self._same(q.high, high):
            high_closed = high_closed and q.high_closed
        piece = Piece(low, low_closed, high, high_closed)
        return None if self._is_empty(piece) else piece

    def _is_empty(self, piece: Piece) -> bool:
        if piece.low is None or piece.high is None:
            return False
        if self._same(piece.low, piece.high):
            return not (piece.low_closed and piece.high_closed)
        return bool(piece.low > piece.high)

    def _tidy(self, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
        """Sort pieces, drop empty ones, and join those that touch."""
        if len(pieces) > _MAX_PIECES:
            raise OverLimitError("a set of too many pieces")
        bottom = self.numbers.context.mpf("-inf")
        left = sorted(
            (p for p in pieces if not self._is_empty(p)),
            key=lambda p: (bottom if p.low is None else p.low, not p.low_closed),
        )
        result: list[Piece] = []
        for piece in left:
            if result and self._touch(result[-1], piece):
                result[-1] = self._join(result[-1], piece)
            else:
                result.append(piece)
        return tuple(result)

    def _touch(self, first: Piece, second: Piece) -> bool:
        if first.high is None or second.low is None:
            return True
        if self._same(first.high, second.low):
            return first.high_closed or second.low_closed
        return bool(first.high > second.low)

    def _join(self, first: Piece, second: Piece) -> Piece:
        low_closed = first.low_closed or (
            second.low_closed and first.low is not None and second.low is not None
            and self._same(first.low, second.low)
        )  # fmt: skip
        if first.high is None or second.high is None:
            return Piece(first.low, low_closed, None, False)
        if self._same(first.high, second.high):
            closed = first.high_closed or second.high_closed
            return Piece(first.low, low_closed, first.high, closed)
        top = first if first.high > second.high else second
        return Piece(first.low, low_closed, top.high, top.high_closed)


def _fold(sets: list[RealSet], join: Callable[[RealSet, RealSet], RealSet]) -> RealSet:
    result = sets[0]
    for part in sets[1:]:
        result = join(result, part)
    return result


def _is_surely_a_set(item: Value) -> bool:
    """Tell an interval or inequality from a point or tuple."""
    if isinstance(item, Group):
        return item.fence in {"(]", "[)"} or any(infinite_sign(end) for end in item.items)
    return isinstance(item, (Relation, SetOperation, Builder, NamedSet))


def infinite_sign(value: Value) -> int:
    """Tell the sign of an infinite value; 0 for finite ones."""
    return infinity_sign(value) if isinstance(value, NUMBER_TYPES) else 0
