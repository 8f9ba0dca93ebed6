"""Writes out the numbers that dots in a list stand for."""

from __future__ import annotations

from fractions import Fraction

from grpo_math.values import Num, Text, Value

_DOTS = Text("...")
_MOST = 200


def fill_dots(items: list[Value]) -> tuple[Value, ...]:
    """Write out the whole numbers that dots stand for: ``1, 3, ..., 9``."""
    at = items.index(_DOTS) if _DOTS in items else 0
    around = items[at - 2 : at] + items[at + 1 :]
    if at < 2 or len(around) != 3 or not all(isinstance(item, Num) for item in around):
        return tuple(items)
    first, second, last = (item.value for item in around if isinstance(item, Num))
    step = second - first
    count = (last - second) / step if step else Fraction(0)
    if {first.denominator, step.denominator, count.denominator} != {1} or not 0 < count <= _MOST:
        return tuple(items)
    between = (Num(second + step * number) for number in range(1, int(count)))
    return (*items[:at], *between, *items[at + 1 :])
