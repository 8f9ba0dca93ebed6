"""Reads points with a name, multiples of tuples, and letters applied to names."""

from __future__ import annotations

from grpo_math.reading.atoms import multiply
from grpo_math.reading.expressions import ExpressionReader
from grpo_math.reading.vocabulary import FUNCTIONS, TIMES
from grpo_math.values import NUMBER_TYPES, Group, Value, collect_variables

_POINT_NAMES = frozenset("ABDEMOQRSTVXYZ")  # N and U are distributions


class PointReader(ExpressionReader):
    """Reads what stands in front of brackets that hold several values."""

    def _read_brackets(self, start: int, end: int) -> Value | None:
        raise NotImplementedError

    def _is_point(self, start: int, end: int) -> bool:
        """Tell whether the tokens are a point with its name in front: ``A(1, 2)``."""
        if self.pairs.get(start + 1) != end - 1 or self.tokens[start + 1].text != "(":
            return False
        name = self.tokens[start]
        several = any(self.tokens[i].text == "," for i in range(start + 2, end - 1))
        if not several or name.kind != "word":
            return False
        inside = self.tokens[start + 2 : end - 1]
        counts = len(inside) == 3 and all(t.kind == "num" for t in inside[::2])
        if name.text in {"C", "P"}:  # what C(5, 2) counts is a number
            return not (counts and inside[0].value >= inside[2].value)
        return name.text in _POINT_NAMES

    def _read_multiple(self, start: int, end: int) -> Value | None:
        """Read a multiple of a tuple: ``2(1, 3)``."""
        opening = next((i for i in range(start + 1, end) if self.pairs.get(i) == end - 1), None)
        if opening is None or self.tokens[opening].text not in {"(", "\\langle"}:
            return None
        if not any(self.tokens[i].text == "," for i in range(opening, end)):
            return None
        last = opening - (self.tokens[opening - 1].text in TIMES)
        if last <= start or self.tokens[last - 1].text.lstrip("\\") in FUNCTIONS:
            return None
        tuple_ = self._read_brackets(opening, end)
        if not isinstance(tuple_, Group):
            return None
        factor = self.read(start, last)
        if collect_variables(factor):
            return None
        parts = [item for item in tuple_.items if isinstance(item, NUMBER_TYPES)]
        if len(parts) != len(tuple_.items):
            return None
        return Group(tuple_.fence, tuple(multiply([factor, part]) for part in parts))

    def _is_applied(self, start: int, end: int) -> bool:
        """Tell whether a side is a letter applied to names: ``p(x)``, ``u(x, t)``."""
        name, inside = self.tokens[start], self.tokens[start + 2 : end - 1]
        return (
            name.kind == "word" and len(name.text) == 1 and not self.tokens[start + 1].spaced
            and all(t.kind in {"word", "num"} for t in inside[::2])
            and all(t.text == "," for t in inside[1::2]) and len(inside) % 2 == 1
        )  # fmt: skip

    def _find_bar(self, start: int, end: int) -> int:
        at = start
        while at < end:
            if at in self.pairs:
                at = self.pairs[at] + 1
                continue
            if self.tokens[at].text in {"|", ":", "\\mid", "\\vert", "\\colon"} and at > start:
                return at
            at += 1
        return -1
