"""Sets of real numbers, from intervals, inequalities, set operations and builders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grpo_math.equality.exact import UndefinedError
from grpo_math.equality.inequalities import InequalitySolver, infinite_sign
from grpo_math.equality.intervals import ALL, EMPTY, Piece, RealSet
from grpo_math.equality.numeric import NotRealError
from grpo_math.limits import OverLimitError, UndecidableError
from grpo_math.values import (
    Builder,
    Group,
    Listing,
    NamedSet,
    Relation,
    SetOperation,
    Value,
    Var,
)

_LEAST = {"N": 1, "N0": 0}  # the natural numbers begin at 1
_MOST = {"Z-": -1}
_INTEGERS = frozenset({"N", "N0", "Z", "Z-", "Z*"})
_MAX_PIECES = 400


class SetReader(InequalitySolver):
    """Turns values into sets of reals."""

    def read(self, value: Value) -> RealSet | None:
        """Read a value as a set of reals; None where it is none, or one with parameters."""
        try:
            found = self._read(value)
        except (NotRealError, UndefinedError, UndecidableError, OverLimitError):
            return None
        return None if found is None else found._replace(pieces=self._tidy(found.pieces))

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
        # x = 0 or x > 1: a point beside a ray; values alone are no set.
        bounded = value.joiner == "or" and any(
            isinstance(item, Relation) and "=" not in item.signs for item in value.items
        )
        read = self._read_condition if bounded else self._read
        parts = [read(item) for item in value.items]
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
            found = self._read_condition(condition)
        if found is None or found.variable not in {name, None}:
            return None
        found = self.intersect(found, domain) if domain is not None else found
        return found._replace(variable=None)

    def _read_integers(self, value: Builder, name: str, kind: str) -> RealSet | None:
        found = self._read_condition(value.conditions[0]) if value.conditions else None
        if found is None or found.variable != name or kind not in _INTEGERS:
            return None
        context = self.numbers.context
        points: list[Any] = []
        for piece in self._tidy(found.pieces):
            low = piece.low if piece.low is not None else _LEAST.get(kind)
            high = piece.high if piece.high is not None else _MOST.get(kind)
            if low is None or high is None or high - low > _MAX_PIECES:
                return None
            for n in range(int(context.ceil(low)), int(context.floor(high)) + 1):
                open_end = (n == piece.low and not piece.low_closed) or (
                    n == piece.high and not piece.high_closed
                )
                inside = _LEAST.get(kind, n) <= n <= _MOST.get(kind, n) and (n or kind != "Z*")
                if inside and not open_end:
                    points.append(context.mpf(n))
        return RealSet(tuple(Piece(n, True, n, True) for n in points))

    def _read_condition(self, condition: Value) -> RealSet | None:
        """Read what holds for the members of a set; an equation names its roots."""
        if isinstance(condition, Relation) and condition.signs == ("=",):
            return self._read_roots(*condition.sides)
        return self._read(condition)

    def _read_relation(self, value: Relation) -> RealSet | None:
        if value.signs == ("in",) and isinstance(value.sides[0], Var):
            found = self._read(value.sides[1])
            return None if found is None else found._replace(variable=value.sides[0].name)
        result: RealSet | None = None
        for left, sign, right in zip(value.sides, value.signs, value.sides[1:], strict=False):
            part = self._read_inequality(left, sign, right)
            if part is None:
                return None
            result = part if result is None else self.intersect(result, part)
        return result


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
