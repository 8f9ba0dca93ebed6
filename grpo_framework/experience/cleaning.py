"""Text as it is seen: without controls, lone surrogates and format characters."""

from __future__ import annotations

import re
import unicodedata

JOINERS = "\u200c\u200d"
"""Format characters that stay: some scripts are spelled with them."""

_ASCII_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LINE_END = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")


def clean(text: str) -> str:
    """Text without characters that are not seen: controls, lone surrogates, format characters.

    Line feed and tab stay, other line ends become a line feed, and the joiners that some scripts
    are spelled with stay. Nothing visible is changed.
    """
    if text.isascii():
        if text.replace("\n", "").replace("\t", "").isprintable():
            return text
        return _ASCII_CONTROLS.sub("", _LINE_END.sub("\n", text))
    lines = _LINE_END.sub("\n", text)
    # Each character is judged once, however often it stands there: prompts are long.
    hidden = {ord(character): None for character in set(lines) if _is_hidden(character)}
    return lines.translate(hidden) if hidden else lines


def _is_hidden(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Cc", "Cf", "Cs")
        and character not in "\n\t"
        and character not in JOINERS
    )
