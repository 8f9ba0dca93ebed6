"""Reads the words and units behind a plain number, for the patterns that need no reader."""

from __future__ import annotations

import functools

from grpo_math.opposites import OPPOSITE_WORDS
from grpo_math.patterns import Pattern
from grpo_math.reading.calendar import MONTH_NAMES
from grpo_math.units import UnitReading, is_product, read_unit
from grpo_math.wording import words

_WRAPPED = Pattern(r"\\(?:text|mathrm|textrm|mbox)\s*\{[\s~]*([^{}\\]*?)[\s~]*\}")
_SPACE = Pattern(r"\\[,; ]|~")
_PHRASE = Pattern(
    r"(?:°|\^\s*(?:\\circ(?![a-zA-Z])|\{\s*\\circ\s*\})|[a-zA-ZΩ€¢元/])"
    r"(?:[a-zA-Z°Ω€¢元μµ·/*() ]++|\\(?:cdot|Omega|mu)(?![a-zA-Z])|(?<=[a-z])-(?=[a-z])"
    r"|\^\s*(?:\{\s*-?[1-9]\s*\}|-?[1-9])(?![0-9.]))*+"
)
_WORD = Pattern(r"[a-zA-Z]+")
_DEGREE = Pattern(r"\^\s*(?:\\circ(?![a-zA-Z])|\{\s*\\circ\s*\})")
# These stand for something else too, or are rewritten, which the reader knows.
_AMBIGUOUS = (OPPOSITE_WORDS - {"min"}) | MONTH_NAMES | frozenset(
    words(
        "pound pounds ms am pm a.m p.m noon midnight morning afternoon evening clock past to after "
        "before base out rs rupee rupees for where equals equal is th st nd rd choose degree "
        "and or each every union mod"
    )
)  # fmt: skip
_SURE_LETTERS = frozenset("msgLNJWVK")
_MAX_LENGTH = 48


@functools.lru_cache(maxsize=2048)
def read_phrase(text: str, *, spaced: bool) -> UnitReading | None:
    """Read what stands behind a plain number as a unit, or as words that are none.

    Args:
        text: What follows the number.
        spaced: True where white space stands between the two.

    Returns:
        What the reader of answers takes it for too; None where only that can tell.
    """
    if len(text) > _MAX_LENGTH:
        return None
    text = _WRAPPED.sub(r" \1 ", text) if "\\" in text else text
    text = _SPACE.sub(" ", text.replace("²", "^2").replace("³", "^3")).strip().removesuffix(".")
    if _PHRASE.fullmatch(text) is None or (not spaced and text[0] in "bxo"):
        return None
    found = _WORD.findall(text)
    if not _AMBIGUOUS.isdisjoint([word.lower() for word in found]):
        return None
    if len(text) == 1 and text.isascii() and not (spaced and text in _SURE_LETTERS):
        return None
    if not spaced and found and text.startswith(found[0]) and is_product(found[0]):
        return None
    reading = read_unit(_DEGREE.sub("°", text))
    if reading is None or (not reading.known and text != " ".join(found)):
        return None
    if reading.scale != 1 and text[0] == "/":
        return None
    return reading
