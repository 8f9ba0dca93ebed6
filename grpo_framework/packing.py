"""Plain JSON values ⇄ the bytes of a journal's entry: small, fast, and exact."""

from __future__ import annotations

import json
import math
import zlib
from typing import Any

import orjson

from grpo_framework.codec import STRICT

_BY_JSON = b" "
"""Before a document that only `json` reads as it was: a blank begins no other and is no content."""

_SHORT = 500
"""Bytes of a document that is not worth the time that compressing it takes."""


def pack(value: Any) -> bytes:
    """A value's bytes; plain JSON values come back from `unpack` as they were, tuples as lists.

    Raises:
        TypeError: Something in it is no plain JSON value, or a key is no text.
        ValueError: It contains itself, or an integer of thousands of digits.
    """
    try:
        line = orjson.dumps(value, option=STRICT)
    except TypeError:  # lone surrogates, integers beyond 64 bits; or really no JSON
        line = _pack_rare(value)
    else:
        if b"null" in line and not _is_finite(value):
            line = _pack_rare(value)
    if len(line) < _SHORT:
        return line
    # A small window and little memory: entries are short, and setting up zlib's own costs more
    # than the work (0.06 ms against 0.01 ms for 1,500 bytes).
    squeeze = zlib.compressobj(1, zlib.DEFLATED, 13, 5)
    return squeeze.compress(line) + squeeze.flush()


def _pack_rare(value: Any) -> bytes:
    """What orjson cannot write, or cannot read again, exactly."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    _check_keys(value)
    return _BY_JSON + text.encode("utf-8", "surrogatepass")


def _check_keys(value: Any) -> None:
    """`json` writes the key 1 as "1", which is another one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                message = f"the key {key!r} is no text"
                raise TypeError(message)
            _check_keys(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_keys(inner)


def _is_finite(value: Any) -> bool:
    """Whether a document has no infinite number in it, and none that is not a number."""
    kind = type(value)
    if kind is float:
        return math.isfinite(value)
    if kind is dict:
        return all(map(_is_finite, value.values()))
    return all(map(_is_finite, value)) if kind is list or kind is tuple else True


def unpack(data: bytes) -> Any:
    """The value of `pack`."""
    # A stream of zlib begins with a byte that begins no JSON.
    text = zlib.decompress(data) if data[:1] in (b"\x58", b"\x78") else data
    if text.startswith(_BY_JSON):
        return json.loads(text.decode("utf-8", "surrogatepass"))
    try:
        return orjson.loads(text)
    except ValueError:  # as above, of a journal that was begun before there was the blank
        return json.loads(text.decode("utf-8", "surrogatepass"))
