"""Answers with a fixed form of their own: choices, times, dates, bases, words for numbers."""

from __future__ import annotations

from collections.abc import Iterator

from grpo_math.options import Options
from grpo_math.values import Value


def read_special(text: str, options: Options) -> Iterator[Value | None]:
    """Read a normalised text in each fixed form.

    Yields:
        The values; a final None says that the text means nothing else.
    """
    del text, options
    yield from ()
