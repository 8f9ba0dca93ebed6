"""Where two JSON documents differ, one line each, times aside."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_UNTOLD = frozenset({"seconds"})
"""Keys of a report that no two runs have in common."""


def compare_documents(where: str, then: Any, now: Any) -> Iterator[str]:
    """Where two JSON documents differ, times aside."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in sorted({*then, *now} - _UNTOLD):
            yield from compare_documents(f"{where}/{key}", then.get(key), now.get(key))
    elif isinstance(then, list | tuple) and isinstance(now, list | tuple):
        if len(then) != len(now):
            yield f"{where}: {len(then)} entries then, {len(now)} now"
        for place, (old, new) in enumerate(zip(then, now, strict=False)):
            yield from compare_documents(f"{where}/{place}", old, new)
    elif then != now:
        yield f"{where}: {_short(then)} then, {_short(now)} now"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
