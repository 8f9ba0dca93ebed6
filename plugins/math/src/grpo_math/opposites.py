"""Words that say the contrary of each other: ``5 m/s east``, ``5 m/s west``."""

from __future__ import annotations

from grpo_math.patterns import Pattern

_OPPOSITE = tuple(
    frozenset(group.split())
    for group in (
        (
            "north south east west northeast northwest southeast southwest northward southward "
            "eastward westward northern southern eastern western"
        ),
        "up down upward downward upwards downwards",
        "left right leftward rightward",
        "clockwise counterclockwise anticlockwise counter-clockwise",
        "early late earlier later before after ago",
        "profit loss gain gained lost",
        "increase decrease increased decreased rise fall drop",
        "above below over under",
        "more less fewer",
        "inward outward inwards outwards",
        "older younger taller shorter faster slower",
    )
)
OPPOSITE_WORDS = frozenset.union(*_OPPOSITE)
_OPPOSITES = Pattern(r"\b(?:" + "|".join(sorted(OPPOSITE_WORDS, key=len)[::-1]) + r")\b")

_COUNTED = Pattern(r"(\d+(?:\.\d+)?)\s+([a-zA-Z]{3,})")


def are_opposite(gold: str, pred: str) -> bool:
    """Tell whether words beside two equal numbers say the contrary."""
    first, second = (set(_OPPOSITES.findall(text.lower())) for text in (gold, pred))
    only_first, only_second = first - second, second - first
    if not (only_first and only_second):
        return False
    return any(only_first & group and only_second & group for group in _OPPOSITE)


def count_otherwise(gold: str, pred: str) -> bool:
    """Tell whether two lists count the same things and give them other numbers.

    ``7 boys and 5 girls`` is not ``5 boys and 7 girls``, though both list 5 and 7.
    """
    first, second = (
        sorted((thing.lower(), number) for number, thing in _COUNTED.findall(text))
        for text in (gold, pred)
    )
    things = [[thing for thing, _ in counted] for counted in (first, second)]
    return len(first) > 1 and things[0] == things[1] and first != second
