"""When two experiences say the same: normalised text, near duplicates."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property

from attrs import frozen
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


@frozen(slots=False)
class Alike:
    """Which texts mean the same, found by an embedder before a plan is made, so that it stays pure.

    Attributes:
        pairs: Normalised texts, two and two.
    """

    pairs: tuple[tuple[str, str], ...] = ()

    @cached_property
    def _partners(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for one, other in self.pairs:
            found.setdefault(one, set()).add(other)
            found.setdefault(other, set()).add(one)
        return {text: frozenset(others) for text, others in found.items()}

    def find(self, content: str, others: Mapping[str, str]) -> str | None:
        """The key of the first text in `others` that means the same, or None.

        Numbers and negations must agree here too: to an embedder, "do" and "do not" are near.

        Args:
            content: The text in question, normalised.
            others: Key → normalised text.
        """
        partners = self._partners.get(content)
        if not partners:
            return None
        guard = _guarded(content)
        return next(
            (key for key, text in others.items() if text in partners and _guarded(text) == guard),
            None,
        )


NOTHING_ALIKE = Alike()


def find_twin(
    content: str, others: Mapping[str, str], *, threshold: float, alike: Alike = NOTHING_ALIKE
) -> str | None:
    """The key of a text in `others` that says or means (nearly) the same, or None.

    Args:
        content: The text in question, normalised.
        others: Key → normalised text.
        threshold: As of `near_duplicate`.
        alike: Which texts mean the same.
    """
    twin = near_duplicate(content, others, threshold=threshold)
    return alike.find(content, others) if twin is None else twin


def texts_of(contents: Iterable[str]) -> dict[str, str]:
    """Normalised text → a text as it is written, of those that say anything."""
    found = {normalise(content): content for content in contents}
    found.pop("", None)
    return found
