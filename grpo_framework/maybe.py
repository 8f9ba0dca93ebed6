"""A set in constant memory that may say yes wrongly, and never no."""

from __future__ import annotations

from collections.abc import Hashable

_BITS = 1 << 23


class MaybeSet:
    """Values that may have been added; of 250,000, one in 300 others is taken for one of them.

    Source: Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 13(7), 1970.
    """

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)

    def add(self, value: Hashable) -> None:
        """Add a value."""
        for place in _places(value):
            self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, value: Hashable) -> bool:
        """Whether the value may have been added; False is certain."""
        first, second = _places(value)
        bits = self._bits
        return bool(bits[first >> 3] >> (first & 7) & bits[second >> 3] >> (second & 7) & 1)


def _places(value: Hashable) -> tuple[int, int]:
    number = hash(value)
    return number & (_BITS - 1), number >> 23 & (_BITS - 1)
