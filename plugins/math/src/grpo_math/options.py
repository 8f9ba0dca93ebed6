"""The named options of a comparison, with their documented defaults."""

from __future__ import annotations

from typing import NamedTuple


class Options(NamedTuple):
    """How lenient a comparison is; every default is explained in ``docs/explanation/answers.md``.

    Attributes:
        strict_units: A number with a unit is *not* equal to the bare number.
        percent_as_number: ``50%`` may also mean ``50``.
        decimal_comma: ``1.234,5`` is read as 1234.5, and ``,`` never separates thousands.
        rounded_digits: A decimal given to at least this many significant digits equals the exact
            value that it rounds; 0 turns the rule off.
        relative_tolerance: Two numbers whose relative difference is at most this are equal.
        ordered_lists: Values listed (``2, 3 and 7``) must come in the same order.
        unordered_tuples: Tuples and vectors are compared without order.
        list_is_set: ``1, 2`` and ``{1, 2}`` name the same values.
        case_sensitive_text: Texts are compared with their case.
        case_sensitive_letters: The choice ``c`` is not the choice ``C``.
        day_first: ``1/5/2020`` is the first of May (else the fifth of January).
        timeout: Seconds of computing one comparison may take before its verdict is ``unknown``;
            never more than 1.8 times as many on the wall where other threads of the process
            compute, and 8 times where other processes do.
        max_chars: Longest answer that is read, in characters.
        max_depth: Deepest nesting of brackets and braces that is read.
        max_digits: Longest exact integer that is computed, in decimal digits.
    """

    strict_units: bool = False
    percent_as_number: bool = False
    decimal_comma: bool = False
    rounded_digits: int = 12
    relative_tolerance: float = 0.0
    ordered_lists: bool = False
    unordered_tuples: bool = False
    list_is_set: bool = True
    case_sensitive_text: bool = False
    case_sensitive_letters: bool = False
    day_first: bool = False
    timeout: float = 0.5
    max_chars: int = 20_000
    max_depth: int = 64
    max_digits: int = 40_000

    def list_changes(self) -> tuple[tuple[str, object], ...]:
        """List the options that differ from their defaults, as (name, value)."""
        if self is DEFAULT:
            return ()
        return tuple(
            (name, value)
            for name, value, default in zip(self._fields, self, DEFAULT, strict=True)
            if value != default
        )


DEFAULT = Options()
