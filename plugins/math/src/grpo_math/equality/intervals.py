"""Unions of intervals, and what is done with them."""

from __future__ import annotations

from typing import Any, NamedTuple

from grpo_math.equality.numeric import NumericEvaluator
from grpo_math.limits import Deadline, OverLimitError

_DIGITS = 50
_MAX_PIECES = 400


class Piece(NamedTuple):
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


class RealSet(NamedTuple):
    """A union of intervals, and the name of the variable it was given for, if any."""

    pieces: tuple[Piece, ...]
    variable: str | None = None


ALL = RealSet((Piece(None, False, None, False),))
EMPTY = RealSet(())


class SetAlgebra:
    """Joins, cuts and tidies sets of reals.

    Attributes:
        numbers: Evaluates the ends.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.numbers = NumericEvaluator(_DIGITS, deadline, real=True)

    def _same(self, x: Any, y: Any) -> bool:
        if x is None or y is None:
            return x is y
        return bool(abs(x - y) <= max(abs(x), abs(y)) * self.numbers.context.mpf(10) ** -35)

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
        return result._replace(variable=a.variable)

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
