"""Which experiences go into a prompt where not all can: BM25 and an always-on core; pure.

Source: Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import pairwise

from attrs import evolve

from grpo_framework.experience.similarity import normalise
from grpo_framework.experience.values import Experience, Library

ENOUGH_USES = 20
"""Judged rollouts below which an experience's success rate proves nothing."""

CORE_SHARE = 4
"""One in so many of the places in a prompt is kept for proven experiences."""

_SATURATION = 1.2
_LENGTH_WEIGHT = 0.75
_Z95 = 1.96
_FUNCTION_WORDS = (
    "a an the this that these those it its is are was were be been am do does did has have had "
    "and or but if when then so as of in on at to for from by with into out up he she they we "
    "you i his her their our your my him them what which who how there here will would can "
    "could should may must "
)
_SKIPPED = frozenset(_FUNCTION_WORDS.split())
"""In a small library these words are rare enough to weigh, and say nothing."""


def bm25(query: str, texts: Sequence[str]) -> tuple[float, ...]:
    """How well each text answers to a query.

    Words are compared normalised and without a plural's s, Chinese by pairs of signs; words that
    only hold a sentence together are passed over.

    Args:
        query: Any text.
        texts: The texts to rank; how rare a word is, is counted among them.

    Returns:
        One score a text, in their order; 0 where they share no word.
    """
    documents = [Counter(_terms(text)) for text in texts]
    sizes = [document.total() for document in documents]
    mean_size = sum(sizes) / len(sizes) if any(sizes) else 1.0
    holding = Counter(term for document in documents for term in document)
    weights = {
        term: math.log(1 + (len(documents) - holding[term] + 0.5) / (holding[term] + 0.5))
        for term in dict.fromkeys(_terms(query))
        if term in holding
    }
    scores = []
    for document, size in zip(documents, sizes, strict=True):
        length = _SATURATION * (1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * size / mean_size)
        scores.append(
            sum(
                weight * document[term] * (_SATURATION + 1) / (document[term] + length)
                for term, weight in weights.items()
                if term in document
            )
        )
    return tuple(scores)


@lru_cache(maxsize=4096)
def _terms(text: str) -> tuple[str, ...]:
    terms: list[str] = []
    for word in normalise(text).split():
        if word > "\u2e80":
            terms += [first + second for first, second in pairwise(word)] or [word]
        elif word not in _SKIPPED:
            terms.append(word[:-1] if len(word) > 3 and word.endswith("s") else word)
    return tuple(terms)


def proven(library: Library, most: int) -> frozenset[str]:
    """The ids of the always-on core: what is proven to raise the reward, by how much at least.

    Where nothing is proven: what was used often enough, by the lower end of the success rate's 95 %
    interval (Wilson), so that ten of ten does not go before ninety-five of a hundred; without what
    is measured to do harm.

    Args:
        library: With the counts and the credit of all experiences.
        most: Size of the core.
    """
    statuses = {item.id: item.credit.status for item in library.experiences}
    good = [item for item in library.experiences if statuses[item.id] == "proven"]
    if good:
        ranked = sorted(good, key=lambda item: (-item.credit.interval[0], item.id))
        return frozenset(item.id for item in ranked[:most])
    used = [
        item
        for item in library.experiences
        if item.usage_count >= ENOUGH_USES and statuses[item.id] != "harmful"
    ]
    ranked = sorted(used, key=lambda item: (-lower_rate(item), item.id))
    return frozenset(item.id for item in ranked[:most])


def lower_rate(experience: Experience) -> float:
    """The lower end of the 95 % interval of an experience's success rate; 0 where never used."""
    uses = experience.usage_count
    if not uses:
        return 0.0
    rate = min(1.0, experience.success_count / uses)
    spread = _Z95 * math.sqrt(rate * (1 - rate) / uses + _Z95**2 / (4 * uses**2))
    return (rate + _Z95**2 / (2 * uses) - spread) / (1 + _Z95**2 / uses)


def select(
    library: Library, scores: Sequence[float], *, top: int, core: Collection[str] = ()
) -> Library:
    """The part of a library that goes into one prompt, in the library's order.

    Args:
        library: All that could.
        scores: How relevant each experience is, in the library's order.
        top: How many go in.
        core: Ids that go in whatever their score, at most `top` of them.

    Raises:
        ValueError: There are not as many scores as experiences.
    """
    if len(library) <= top:
        return library
    rows = zip(library.experiences, scores, range(len(library)), strict=True)
    # Of equally relevant ones the better proven goes first, then the newer.
    ranked = sorted(
        rows, key=lambda row: (row[0].id not in core, -row[1], -lower_rate(row[0]), -row[2])
    )
    chosen = {item.id for item, _, _ in ranked[:top]}
    kept = tuple(item for item in library.experiences if item.id in chosen)
    return evolve(library, experiences=kept)
