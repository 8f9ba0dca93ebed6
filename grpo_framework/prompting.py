"""Pure text: how a library goes into a prompt, and how untrusted text is kept inside its block.

Problems, attempts and experiences are written by others. Each stands in a block of its own,
``<name>`` … ``</name>``, and nothing in the text can close the block or open another one.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from grpo_framework.experience import Library, clean
from grpo_framework.experience.cleaning import JOINERS

BLOCKS = ("experiences", "problem", "attempt", "attempts", "draft", "fusion", "proposals", "notes")
"""The names of blocks that untrusted text may neither open nor close, whichever block it is in."""

_LESS_THAN = "<＜﹤"
_CHAT_MARKER = re.compile(
    r"<\|([^|<>\n]{1,60})\|>|<(/?s|bos|eos|start_of_turn|end_of_turn)>|\[(/?INST)\]|<<(/?SYS)>>"
)
_WHITE = re.compile(r"\s+")


def defuse(text: str, *names: str) -> str:
    """Text in which no block can be opened or closed and no chat turn begun.

    Only the mark's first character is replaced, by one that looks alike (``‹``, ``⟦``), so that the
    reader still sees what stood there; comparisons such as ``a<b`` are left as they are.

    Args:
        text: Anything.
        names: Names of blocks beside `BLOCKS`.
    """
    unmarked = clean(text)
    if "<" in unmarked or "[" in unmarked:
        unmarked = _CHAT_MARKER.sub(
            lambda match: match[0].replace("<", "‹").replace("[", "⟦"), unmarked
        )
    if "<" not in unmarked and (
        unmarked.isascii() or not any(sign in unmarked for sign in _LESS_THAN)
    ):
        return unmarked
    return _tag(names).sub("‹", unmarked)


@cache
def _tag(names: tuple[str, ...]) -> re.Pattern[str]:
    """The first character of what would open or close a block."""
    listed = "|".join(re.escape(name) for name in (*BLOCKS, *names))
    blank = rf"[\s{JOINERS}]*"
    return re.compile(
        rf"[{_LESS_THAN}](?={blank}(?:[/／]{blank}(?:{listed})|(?:{listed})\b))", re.IGNORECASE
    )


def enclose(name: str, text: str) -> str:
    """A block that holds untrusted text; the text cannot close it.

    Args:
        name: The block's name, a word.
        text: Anything.

    Returns:
        ``<name>``, the text and ``</name>``, each from a new line.
    """
    return f"<{name}>\n{defuse(text, name).strip()}\n</{name}>"


@lru_cache(maxsize=2000)
def _on_one_line(text: str) -> str:
    """An experience's text, of which thousands of prompts have the same."""
    return _WHITE.sub(" ", clean(text)).strip()


def render_library(library: Library, *, ids: bool = True) -> str:
    """The experiences as they go into a prompt: one line each, ``[G1-001] text``, in one block.

    A line of its own for each means that no experience can pass itself off as a second one.

    Args:
        library: Whose experiences; in its order.
        ids: Whether they are named, which only a reader needs who is to edit them; without, each
            line is ``- text``. Small models imitate the marks.

    Returns:
        The block ``experiences``, or the empty string where there are none.
    """
    rows = [
        f"{f'[{experience.id}]' if ids else '-'} {_on_one_line(experience.content)}"
        for experience in library.experiences
    ]
    return enclose("experiences", "\n".join(rows)) if rows else ""
