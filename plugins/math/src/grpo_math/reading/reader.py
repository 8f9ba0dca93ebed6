"""Reads one answer: every typed value that its text can mean, the likeliest first."""

from __future__ import annotations

import contextlib
import re

import attrs

from grpo_math.limits import UnreadableError
from grpo_math.options import Options
from grpo_math.patterns import Pattern
from grpo_math.reading.normalise import normalise
from grpo_math.reading.shapes import expand_signs
from grpo_math.reading.special import read_special
from grpo_math.reading.structures import AnswerReader
from grpo_math.reading.texts import looks_like_text, read_text
from grpo_math.reading.tokens import match_brackets, tokenise
from grpo_math.values import Value

_GLUED = Pattern(r"\d,\d{3}(?!\d)")


@attrs.frozen
class Reading:
    """One answer, read.

    Attributes:
        text: The normalised text.
        values: What it can mean, the likeliest first; empty where it cannot be read.
    """

    text: str
    values: tuple[Value, ...]


_TURNED = Pattern(r"([\[\]])([^\[\]()]*[,;][^\[\]()]*)([\[\]])")
_AMBIGUOUS = (
    (Pattern(r"\bpounds?\b(?!\s+sterling)"), "GBP"),
    (Pattern("¥"), " JPY "),
)


def _vary(text: str) -> list[str]:
    """List other texts an answer can stand for: pounds are money too, ¥ is yen as well."""
    return [pattern.sub(word, text) for pattern, word in _AMBIGUOUS if pattern.search(text)]


def _thousands(text: str) -> tuple[bool, ...]:
    """Decide how ``1,234`` is read: joined, split at the comma, or both ways."""
    if not _GLUED.search(text):
        return (True,)
    if re.search(r",\s", text):
        return (True,)
    depth = 0
    inside = False
    for index, char in enumerate(text):
        depth += (char in "([") - (char in ")]")
        depth += (text[index - 1 : index + 1] == "\\{") - (text[index - 1 : index + 1] == "\\}")
        inside |= char == "," and depth > 0
    if inside:
        return (False,)
    plain = re.fullmatch(r"[-+$\s]*\d{1,3}(,[1-9]\d{2})+", text)
    return (True, False) if plain and text.count(",") > 1 else (True,)


def _turn(match: re.Match[str]) -> str:
    """Write an interval with turned brackets, ``]2, 5[``, with round ones."""
    opening, inside, closing = match.groups()
    return ("[" if opening == "[" else "(") + inside + ("]" if closing == "]" else ")")


def read_math(text: str, options: Options, *, join_thousands: bool) -> Value:
    """Read a normalised text as mathematics.

    Raises:
        UnreadableError: It is none.
        OverLimitError: It is larger than the limits allow.
    """
    tokens = tokenise(text, options, join_thousands=join_thousands)
    while tokens and tokens[-1].text in {".", ",", ";", "\\\\"}:
        tokens.pop()
    if not tokens:
        raise UnreadableError("nothing to read")
    try:
        pairs = match_brackets(tokens, options)
    except UnreadableError:
        turned = _TURNED.sub(_turn, text)
        if turned == text:
            raise
        tokens = tokenise(turned, options, join_thousands=join_thousands)
        pairs = match_brackets(tokens, options)
    reader = AnswerReader(tokens, pairs, options)
    return expand_signs(reader.read_answer(0, len(tokens)))


def read(answer: str, options: Options, *, known: Reading | None = None) -> Reading:
    """Read one answer.

    Args:
        answer: LaTeX, plain text or Unicode, possibly boxed or between dollar signs.
        options: The limits and the notation options.
        known: The other answer, already read; one that is spelled the same is not read twice.

    Returns:
        All readings; none where the text is neither mathematics nor words.

    Raises:
        OverLimitError: The answer is larger than the limits allow.
    """
    text = normalise(answer, options)
    if known is not None and known.text == text:
        return known
    values = list(read_special(text, options))
    final = bool(values) and values[-1] is None
    found: list[Value] = [value for value in values if value is not None]
    if not final and not looks_like_text(text):
        for join in _thousands(text):
            try:
                value = read_math(text, options, join_thousands=join)
            except UnreadableError:
                continue
            if value not in found:
                found.append(value)
        for variant in _vary(text):
            with contextlib.suppress(UnreadableError):
                found.append(read_math(variant, options, join_thousands=True))
    if not found or looks_like_text(text):
        words = read_text(text, options)
        if words is not None:
            found.append(words)
    return Reading(text, tuple(found))
