"""When two experiences say the same: normalised text, near duplicates."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from rapidfuzz import fuzz, process

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_NEGATIONS = re.compile(r"\b(?:not|never|no|don't|dont|avoid|without|unless)\b|不|别|勿|禁止")


def normalise(content: str) -> str:
    """Text for comparison: NFKC, case-folded, punctuation and runs of space as one space."""
    folded = unicodedata.normalize("NFKC", content).casefold()
    return " ".join(re.sub(r"[^\w\s.%/+*=<>-]|(?<!\d)\.|\.(?!\d)", " ", folded).split())


def _guarded(text: str) -> tuple[tuple[str, ...], int]:
    """What must agree in near duplicates: '2 steps' is not '3 steps', 'do' is not 'do not'."""
    return tuple(sorted(_NUMBER.findall(text))), len(_NEGATIONS.findall(text))


def near_duplicate(content: str, others: Mapping[str, str], *, threshold: float) -> str | None:
    """The key of the first text in `others` that says (nearly) the same, or None.

    Args:
        content: The text in question, normalised.
        others: Key → normalised text.
        threshold: Similarity from 0 to 100, of the texts with their words sorted.
    """
    guard = _guarded(content)
    for _, _, key in process.extract_iter(
        content, others, scorer=fuzz.token_sort_ratio, score_cutoff=threshold
    ):
        if _guarded(others[key]) == guard:
            return str(key)
    return None
