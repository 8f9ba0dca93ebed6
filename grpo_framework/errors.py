"""The exception tree. Every error carries its fields, so that a caller never parses a message.

::

    GrpoError                     what went wrong (`message`) and how to mend it (`hint`)
    ├── ConfigError               the configuration: `pointer` into it, `path` of the file
    │   └── UnknownComponent      a reference nobody offers: `noun`, `reference`, `known`
    ├── PluginError               a plugin that failed where it was needed: `plugin`, `distribution`
    ├── DataError                 a file's content: `path`, `line`, `pointer`
    │   ├── ValidationFailed      a document that does not fit its schema: `kind`
    │   ├── ProblemError          a problem file or data set
    │   └── StoreError            an experience store
    │       └── VersionConflict   a stale writer: `owner`, `expected`, `found`
    ├── ModelError                a call to a chat model: `kind`, `retryable`, `retry_after` (s)
    ├── ComparatorError           an answer that could not be judged: `kind`
    ├── ReplyRefused              a model's output that broke its contract: `reply`, `problems`
    ├── BudgetExhausted           a limit of the run was reached: `limit`
    └── RunFailed                 the run's failures passed its threshold: `failures`, `units`
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

ModelErrorKind = Literal[
    "rate_limited",
    "overloaded",
    "timeout",
    "connection",
    "bad_reply",
    "truncated",
    "refused",
    "context_too_long",
    "authentication",
    "not_found",
    "bad_request",
]
"""The kinds of a failed model call; each has one retry policy, in `grpo_framework.calls`."""

RETRYABLE_KINDS: frozenset[str] = frozenset(
    {"rate_limited", "overloaded", "timeout", "connection", "bad_reply"}
)


class GrpoError(Exception):
    """Anything this project raises on purpose.

    Attributes:
        message: What was wrong and where, on one line.
        hint: How to mend it, on one line; empty where there is nothing to say.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigError(GrpoError):
    """A wrong configuration.

    Attributes:
        pointer: JSON pointer of the wrong value (``/generators/0/options/style``), or empty.
        path: The configuration file, if it came from one.
    """

    def __init__(
        self, message: str, *, pointer: str = "", path: Path | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.pointer = pointer
        self.path = path


class UnknownComponent(ConfigError):  # noqa: N818 - the name says what was unknown
    """A reference to a component that no plugin offers.

    Attributes:
        noun: What was looked for (``generator``).
        reference: The reference as given.
        known: The known references of that noun, nearest spelling first, patterns last.
        prefixes: The plugins that take any name of that noun after theirs.
    """

    def __init__(
        self,
        noun: str,
        reference: str,
        known: Iterable[str],
        *,
        hint: str = "",
        open_to: Iterable[str] = (),
    ) -> None:
        self.noun = noun
        self.prefixes = tuple(open_to)
        self.reference = reference
        alike = {other: _likeness(reference, other) for other in known}
        ranked = sorted(alike, key=lambda other: ("*" in other, -alike[other], other))
        self.known = tuple(ranked)
        more = len(ranked) - MOST_NAMED
        listed = ", ".join(ranked[:MOST_NAMED]) or "none"
        listed += f" and {more} more, see grpo-cli plugins" if more > 0 else ""
        message = f"unknown {noun} '{reference}'; known, nearest first: {listed}"
        if not hint and ranked and "*" not in ranked[0] and alike[ranked[0]] >= NEAR:
            hint = f"did you mean {ranked[0]}?"
        elif not hint and len(self.prefixes) == 1 and "/" not in reference:
            hint = f"did you mean {self.prefixes[0]}/{reference}?"
        super().__init__(message, hint=hint)


MOST_NAMED = 6
"""How many known references a message names."""
_REMEDIES = (
    ((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "free some space or choose another directory"),
    ((errno.EACCES, errno.EPERM), "mend its permissions or choose another directory"),
    ((errno.EROFS,), "make it writable or choose another directory"),
)
"""How to mend an error of the operating system, by its number."""
NEAR = 0.7
"""Likeness from which on a reference is taken for a misspelling of another."""


def remedy_of(error: OSError) -> str:
    """How to mend what kept a file from being written; empty where only its message can tell."""
    return next((remedy for codes, remedy in _REMEDIES if error.errno in codes), "")


def _likeness(reference: str, other: str) -> float:
    """How much two references are alike, whether or not the plugin, or it alone, is named."""
    plugin, _, name = other.partition("/")
    spellings = (other, name) if "/" in reference else (other, name, plugin)
    return max(difflib.SequenceMatcher(None, reference, text).ratio() for text in spellings)


class PluginError(GrpoError):
    """A plugin that failed where the run needs it.

    Attributes:
        plugin: The plugin's name (its entry point).
        distribution: The installed distribution that brings it, with its version.
    """

    def __init__(
        self, message: str, *, plugin: str, distribution: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.plugin = plugin
        self.distribution = distribution


class DataError(GrpoError):
    """Wrong content of a file or document.

    Attributes:
        path: The file, if there is one.
        line: Line number in it, counted from 1.
        pointer: JSON pointer of the wrong value.
    """

    def __init__(
        self,
        message: str,
        *,
        path: Path | None = None,
        line: int | None = None,
        pointer: str = "",
        hint: str = "",
    ) -> None:
        place = "" if path is None else f"{path}:{line}: " if line is not None else f"{path}: "
        super().__init__(f"{place}{message}", hint=hint)
        self.path = path
        self.line = line
        self.pointer = pointer


class ValidationFailed(DataError):  # noqa: N818 - reads as what happened
    """A document that does not fit the schema of its kind.

    Attributes:
        kind: Name of the schema (``operation``).
        reason: What the schema says is wrong, without place.
    """

    def __init__(
        self,
        kind: str,
        reason: str,
        *,
        pointer: str,
        path: Path | None = None,
        line: int | None = None,
        hint: str = "",
    ) -> None:
        where = f" at {pointer}" if pointer else ""
        super().__init__(
            f"not a valid {kind}{where}: {reason}",
            path=path,
            line=line,
            pointer=pointer,
            hint=hint,
        )
        self.kind = kind
        self.reason = reason


class ProblemError(DataError):
    """A problem file or data set that cannot be used."""


class StoreError(DataError):
    """An experience store that cannot be read or written."""


class VersionConflict(StoreError):  # noqa: N818 - the architecture's name
    """A commit on top of a version that is no longer the newest.

    Attributes:
        owner: Whose library it was.
        expected: The version the writer had read.
        found: The version the store holds.
    """

    def __init__(self, owner: str, *, expected: int, found: int) -> None:
        super().__init__(
            f"the library of {owner} is at version {found}, the commit expected {expected}",
            hint="another run writes to the same store; let it finish, or use another directory",
        )
        self.owner = owner
        self.expected = expected
        self.found = found


class ModelError(GrpoError):
    """A call to a chat model that brought no usable answer.

    Attributes:
        kind: One of `ModelErrorKind`.
        retryable: Whether the same call may succeed later.
        retry_after: Seconds to wait that the endpoint asked for, if it did.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: ModelErrorKind,
        retryable: bool | None = None,
        retry_after: float | None = None,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind: ModelErrorKind = kind
        self.retryable = kind in RETRYABLE_KINDS if retryable is None else retryable
        self.retry_after = retry_after


class ComparatorError(GrpoError):
    """An answer that the comparator could not judge; it becomes a `Failure`, never a reward.

    Attributes:
        kind: Why, in the comparator's words (``timeout``, ``unparsed reference`` …).
    """

    def __init__(self, message: str, *, kind: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


class ReplyRefused(GrpoError):  # noqa: N818 - reads as what happened
    """A model's output that broke its contract, also after the re-ask.

    Attributes:
        reply: The text that was refused.
        problems: What was wrong with it, one entry a finding.
    """

    def __init__(self, message: str, *, reply: str, problems: Iterable[str]) -> None:
        super().__init__(message)
        self.reply = reply
        self.problems = tuple(problems)


class BudgetExhausted(GrpoError):  # noqa: N818 - reads as what happened
    """A limit of the run was reached before the next call.

    Attributes:
        limit: Which one (``max_calls``); ``interrupt`` where the user ended a measurement.
    """

    def __init__(self, message: str, *, limit: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.limit = limit


class RunFailed(GrpoError):  # noqa: N818 - reads as what happened
    """More units failed than the run allows.

    Attributes:
        failures: Number of failed units.
        units: Number of units tried.
    """

    def __init__(self, message: str, *, failures: int, units: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.failures = failures
        self.units = units
