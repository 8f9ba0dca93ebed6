"""Tables of words, written as running text."""

from __future__ import annotations


def words(text: str) -> list[str]:
    """Split a table of words at its white space."""
    return text.split()
