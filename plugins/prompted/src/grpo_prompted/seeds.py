"""Seeds of the several calls within one piece of work, each from the one seed it was given."""

from __future__ import annotations

import hashlib


def derive(seed: int, *parts: str | int) -> int:
    """A seed for one of several calls: the same parts, the same seed; other parts, another.

    Args:
        seed: The seed of the piece of work.
        parts: Which of its calls.

    Returns:
        From 0 to 2^31 − 1, which every model takes.
    """
    text = "\x1f".join(map(str, (seed, *parts))).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=4).digest(), "big") >> 1
