"""Long texts are cut in the middle, so that a prompt fits: the beginning and the end stay."""

from __future__ import annotations

from collections.abc import Sequence


def shorten(text: str, limit: int) -> str:
    """Head and tail of a text, with a mark between that says how much is left out.

    Args:
        text: Anything.
        limit: Most characters of the text that stay; the mark comes on top.
    """
    if len(text) <= limit:
        return text
    tail = limit // 2
    head = limit - tail
    left_out = len(text) - limit
    return f"{text[:head]}\n[… {left_out} characters left out …]\n{text[len(text) - tail :]}"


def share(texts: Sequence[str], budget: int) -> tuple[str, ...]:
    """Shorten texts to a common budget; what short ones do not need, long ones may use.

    Args:
        texts: In order.
        budget: Characters of all of them together.
    """
    left = budget
    limits = [0] * len(texts)
    by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    for done, index in enumerate(by_length):
        limits[index] = min(len(texts[index]), left // (len(texts) - done))
        left -= limits[index]
    return tuple(shorten(text, limit) for text, limit in zip(texts, limits, strict=True))
