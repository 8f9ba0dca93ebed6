"""Pairs the values of two lists that are labelled with words: ``boys = 3, girls = 4``."""

from __future__ import annotations

from grpo_math.patterns import Pattern
from grpo_math.values import Listing, Relation, Text, Value

_WORD = Pattern(r"[^\W_]+")


def pair_labels(a: Listing, b: Listing) -> list[tuple[Value, Value]]:
    """Pair the values of two lists whose labels are words that name the same things.

    Words that stand in every label of a list, as the first of ``num_boys`` and ``num_girls``, tell
    nothing apart.

    Args:
        a: A list of equations.
        b: Another one.

    Returns:
        The pairs; none where a value has no label of words, or the labels are no pairs.
    """
    first, second = _list_labels(a), _list_labels(b)
    if len(first) < 2 or len(first) != len(second):
        return []
    found: list[tuple[Value, Value]] = []
    taken: set[int] = set()
    for words, value in first:
        at = [i for i, (others, _) in enumerate(second) if words & others]
        if len(at) != 1 or at[0] in taken:
            return []
        taken.add(at[0])
        found.append((value, second[at[0]][1]))
    return found


def _list_labels(values: Listing) -> list[tuple[frozenset[str], Value]]:
    """List the words of each label, without those of all labels, and its value."""
    found: list[tuple[frozenset[str], Value]] = []
    for item in values.items:
        if not isinstance(item, Relation):
            return []
        label = item.sides[0]
        words = _WORD.findall(label.words) if isinstance(label, Text) else [str(label)]
        found.append((frozenset(words), item.sides[1]))
    common = frozenset.intersection(*(words for words, _ in found)) if found else frozenset()
    return [(words - common, value) for words, value in found]
