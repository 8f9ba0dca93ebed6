"""The hard limits of a library, and how many tokens its text is taken to be."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import frozen

from grpo_framework.experience.values import Library

_PIECE = re.compile(
    r"(?P<wide>[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef])"
    r"|(?P<digits>\d+)|(?P<word>[^\W\d_]+)|(?P<sign>[^\w\s]|_)"
)
_WORD = 6
_DIGITS = 3
ROW_TOKENS = 8
"""What stands around an experience in a prompt: ``[G1-001]`` and the line's end."""


@frozen
class Limits:
    """The hard limits of a library.

    Attributes:
        capacity: Most experiences an owner may hold.
        max_chars: Longest content, in characters.
        near_duplicate: Similarity (0 to 100) of normalised texts from which on two count as one.
        near_meaning: Cosine (0 to 1) of embeddings from which on two texts count as one, with an
            embedder.
        max_tokens: Most tokens of the whole as it would be injected, by `estimate_tokens`.
    """

    capacity: int = 100
    max_chars: int = 1000
    near_duplicate: float = 90.0
    near_meaning: float = 0.9
    max_tokens: int = 8000


def estimate_tokens(text: str) -> int:
    """About how many tokens a text has, without a tokenizer; meant to err upwards.

    Every sign and every Chinese, Japanese or Korean character counts 1, a word 1 for each six
    letters begun, a number 1 for each three digits begun. English prose comes out some 10 to 30
    per cent above what byte-pair tokenizers of the usual sizes count; formulas nearer to it.
    """
    total = 0
    for match in _PIECE.finditer(text):
        length = match.end() - match.start()
        if match.lastgroup == "word":
            total += -(-length // _WORD)
        elif match.lastgroup == "digits":
            total += -(-length // _DIGITS)
        else:
            total += 1
    return total


def tokens_of(libraries: Iterable[Library]) -> dict[str, int]:
    """Id → about how many tokens each experience takes in a prompt."""
    held = (item for library in libraries for item in library.experiences)
    return {item.id: injected_tokens([item.content]) for item in held}


def injected_tokens(contents: Iterable[str]) -> int:
    """About how many tokens experiences take in a prompt, each in a row with its id."""
    return sum(estimate_tokens(content) + ROW_TOKENS for content in contents)
