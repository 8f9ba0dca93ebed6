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


def are_opposite(gold: str, pred: str) -> bool:
    """Tell whether words beside two equal numbers say the contrary."""
    said = [set(_OPPOSITES.findall(text.lower())) for text in (gold, pred)]
    if not (said[0] and said[1]) or said[0] & said[1]:
        return False
    return any(said[0] & group and said[1] & group for group in _OPPOSITE)
