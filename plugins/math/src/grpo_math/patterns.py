"""Regular expressions that are compiled when they are first used: half the cost of an import."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_METHODS = ("fullmatch", "match", "search", "sub", "subn", "findall", "finditer", "split")


class Pattern:
    """A regular expression; its first use compiles it, later uses go straight to the compiled one.

    Threads that use it first at the same time compile it twice, to the same end.
    """

    __slots__ = ("_flags", "_source", *_METHODS)

    fullmatch: Callable[..., re.Match[str] | None]
    match: Callable[..., re.Match[str] | None]
    search: Callable[..., re.Match[str] | None]
    sub: Callable[..., str]
    subn: Callable[..., tuple[str, int]]
    findall: Callable[..., list[Any]]
    finditer: Callable[..., Any]
    split: Callable[..., list[str]]

    def __init__(self, source: str, flags: int = 0) -> None:
        self._source = source
        self._flags = flags

    @property
    def pattern(self) -> str:
        """The source of the expression."""
        return self._source

    def __getattr__(self, name: str) -> Any:
        """Compile, when a method is looked up for the first time."""
        if name not in _METHODS:
            raise AttributeError(name)
        compiled = re.compile(self._source, self._flags)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)
