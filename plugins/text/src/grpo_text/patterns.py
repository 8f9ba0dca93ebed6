"""Regular expressions with a time limit, so that no pattern and no answer can hang a run."""

from __future__ import annotations

from typing import Any

import regex
from attrs import field, frozen

LONGEST_PATTERN = 2_000


class BadPatternError(ValueError):
    """A pattern that is no regular expression; the message says where in it."""


@frozen
class BoundedPattern:
    """A compiled pattern whose every search ends after `seconds`.

    Attributes:
        seconds: Limit of one search.
        whole: Whether the pattern must match the whole text.
    """

    _compiled: Any = field(repr=False)
    seconds: float
    whole: bool

    def search(self, text: str) -> tuple[str, ...] | None:
        """The last match and its groups, or None.

        Blocks for up to `seconds`; call it in a thread, it releases the interpreter lock.

        Raises:
            TimeoutError: The limit was reached.
        """
        if self.whole:
            match = self._compiled.fullmatch(text, timeout=self.seconds, concurrent=True)
        else:
            match = None
            for found in self._compiled.finditer(text, timeout=self.seconds, concurrent=True):
                match = found
        return None if match is None else (match[0], *(group or "" for group in match.groups()))


def compile_pattern(
    pattern: str, *, ignore_case: bool, whole: bool, seconds: float
) -> BoundedPattern:
    """Compile a pattern of the `regex` package.

    Raises:
        BadPatternError: It is no pattern, or longer than `LONGEST_PATTERN`.
    """
    if len(pattern) > LONGEST_PATTERN:
        message = f"it has {len(pattern)} characters, the limit is {LONGEST_PATTERN}"
        raise BadPatternError(message)
    flags = regex.VERSION1 | (regex.IGNORECASE if ignore_case else 0)
    try:
        compiled = regex.compile(pattern, flags)
    except regex.error as error:
        raise BadPatternError(str(error)) from error
    except (OverflowError, RecursionError, ValueError) as error:
        raise BadPatternError(str(error)) from error
    return BoundedPattern(compiled, seconds, whole)
