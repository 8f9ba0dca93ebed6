"""Chance without a random generator: every draw is a hash of what it is about."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def draw(*about: object) -> float:
    """Draw a number from [0, 1), the same for the same parts on every machine."""
    text = "\x1f".join(map(str, about))
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def choose(options: Sequence[T], *about: object) -> T:
    """Choose one of `options` (at least one), the same for the same parts."""
    return options[int(draw(*about) * len(options))]
