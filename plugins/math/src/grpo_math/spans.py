"""Reads unions of intervals and inequalities between rational numbers without the reader."""

from __future__ import annotations

from fractions import Fraction

from grpo_math.arithmetic import evaluate
from grpo_math.patterns import Pattern

Span = tuple[Fraction | None, bool, Fraction | None, bool]
"""Both ends, None where infinite, and whether each belongs to it."""
Spans = tuple[str, str, tuple[Span, ...]]
"""The type of the answer, the name of its variable or nothing, and its parts in order."""

_UNION = Pattern(r"\s*(?:\\cup(?![a-zA-Z])|(?<=[)\]])\s*U(?=\s*[(\[]))\s*")
_INTERVAL = Pattern(r"(?:\\left\s*)?([(\[])([^()\[\],]+),([^()\[\],]+?)(?:\\right\s*)?([)\]])")
_SIGN = Pattern(r"(<=|>=|<|>|\\leqslant|\\geqslant|\\leq?|\\geq?|\\lt|\\gt)(?![a-zA-Z=])")
_NAME = Pattern(r"[a-z]")
_LESS = frozenset({"<", "<=", "\\le", "\\leq", "\\leqslant", "\\lt"})
_CLOSED = frozenset({"<=", ">=", "\\le", "\\leq", "\\leqslant", "\\ge", "\\geq", "\\geqslant"})
_MAX_PARTS = 6


def read_spans(text: str) -> Spans | None:
    """Read a union of intervals, or an inequality in one letter; None for anything else."""
    text = text.strip().strip("$").strip()
    if text[:1] in {"(", "["} or text.startswith("\\left"):
        parts = [_read_interval(part) for part in _UNION.split(text, _MAX_PARTS)]
        found = [part for part in parts if part is not None]
        if len(found) != len(parts):
            return None
        return ("pair or interval" if len(found) == 1 else "set"), "", _join(found)
    return _read_inequality(text)


def _read_interval(text: str) -> Span | None:
    match = _INTERVAL.fullmatch(text.strip())
    if match is None:
        return None
    low, high = _read_end(match[2]), _read_end(match[3])
    if low is None or high is None or low == "+" or high == "-":
        return None
    first, last = (end if isinstance(end, Fraction) else None for end in (low, high))
    if first is not None and last is not None and first >= last:
        return None
    return first, match[1] == "[" and first is not None, last, match[4] == "]" and last is not None


def _read_end(text: str) -> Fraction | str | None:
    text = text.strip()
    if text.endswith("\\infty"):
        return {"": "+", "+": "+", "-": "-"}.get(text[:-6].strip())
    value = evaluate(text)
    if value is None or value[2] != 1 or value[3]:
        return None
    return Fraction(value[0], value[1])


def _read_inequality(text: str) -> Spans | None:
    sides = _SIGN.split(text)
    if len(sides) == 3:
        left, sign, right = (side.strip() for side in sides)
        turned = _NAME.fullmatch(left) is None
        name, bound = (right, _read_end(left)) if turned else (left, _read_end(right))
        if _NAME.fullmatch(name) is None or not isinstance(bound, Fraction):
            return None
        closed = sign in _CLOSED
        below = (sign in _LESS) != turned
        span = (None, False, bound, closed) if below else (bound, closed, None, False)
        return "relation", name, (span,)
    if len(sides) != 5 or (sides[1] in _LESS) != (sides[3] in _LESS):
        return None
    ends, name = [_read_end(sides[0]), _read_end(sides[4])], sides[2].strip()
    shut = [sides[1] in _CLOSED, sides[3] in _CLOSED]
    if sides[1] not in _LESS:
        ends.reverse()
        shut.reverse()
    low, high = ends
    if not (isinstance(low, Fraction) and isinstance(high, Fraction) and low < high):
        return None
    if _NAME.fullmatch(name) is None:
        return None
    return "relation", name, ((low, shut[0], high, shut[1]),)


def _join(spans: list[Span]) -> tuple[Span, ...]:
    """Put parts in order, and those that touch together."""
    ordered = sorted(spans, key=lambda s: (s[0] is not None, s[0] or 0, not s[1]))
    joined: list[Span] = []
    for low, low_closed, high, high_closed in ordered:
        if joined:
            start, start_closed, end, end_closed = joined[-1]
            touch = end is None or low is None or low < end or (
                low == end and (low_closed or end_closed)
            )  # fmt: skip
            if touch:
                if end is None or (high is not None and high < end):
                    continue
                closed = high_closed or (high == end and end_closed)
                joined[-1] = (start, start_closed, high, closed and high is not None)
                continue
        joined.append((low, low_closed, high, high_closed))
    return tuple(joined)
