"""Reads one answer: every typed value that its text can mean, the likeliest first."""

from __future__ import annotations

import contextlib
import re
from fractions import Fraction
from typing import NamedTuple

from grpo_math.limits import UnreadableError
from grpo_math.options import Options
from grpo_math.patterns import Pattern
from grpo_math.reading.bare import is_bare, read_numeral
from grpo_math.reading.normalise import normalise
from grpo_math.reading.shapes import expand_signs
from grpo_math.reading.special import read_special
from grpo_math.reading.structures import AnswerReader
from grpo_math.reading.texts import looks_like_text, read_text
from grpo_math.reading.tokens import match_brackets, tokenise
from grpo_math.simple import Simple, read_simple, read_words
from grpo_math.units import read_unit
from grpo_math.units.table import Dimensions
from grpo_math.values import Choice, Num, Quantity, Value

_GLUED = Pattern(r"\d,\d{3}(?!\d)")


class Reading(NamedTuple):
    """One answer, read.

    Attributes:
        text: The normalised text.
        values: What it can mean, the likeliest first; empty where it cannot be read.
    """

    text: str
    values: tuple[Value, ...]


_TURNED = Pattern(r"([\[\]])([^\[\]()]*[,;][^\[\]()]*)([\[\]])")
_AMBIGUOUS = (
    ("pound", Pattern(r"\bpounds?\b(?!\s+sterling)"), "GBP"),
    ("¥", Pattern("¥"), " JPY "),
    ("p", Pattern(r"(?<=\d)\s*p$"), " pence"),
    ("'", Pattern(r"(?<=\d)\s*'$"), " ft"),
    ("'", Pattern(r"(?<=\d)\s*'$"), " arcmin"),
    ('"', Pattern(r"(?<=\d)\s*\"$"), " in"),
    ("''", Pattern(r"(?<=\d)\s*(?:''|\")$"), " arcsec"),
    ("比", Pattern(r"(?<=\d)\s*比\s*(?=\d)"), ":"),
    ("ms", Pattern(r"(?<![a-zA-Z])ms\s*\^\s*\{?\s*-\s*(\d)\s*\}?"), r"m s^{-\1}"),
)
_DIRECTED = Pattern(
    r"(.*\d.*?)\s+(?:to|towards?)\s+the\s+(left|right|north|south|east|west)", re.DOTALL
)
_VARIES = Pattern(
    r" to the | towards? the |pound|¥|\dp|\d\s*p$|比|ms|_[a-zA-Z]|j|E|\)\s*\}?$|and|['\"]$"
)
_SHORT = 400
_BESIDE = Pattern(r"(.*[\d}])\s*(?:\\text\s*\{\s*)?\(([a-zA-Z°%^\d/ ]+)\)\s*\}?")
_RESTATED = Pattern(r"([^()]*[^()\s])\s+\(\s*(?:or |i\.e\.,? |that is,? |= ?)?([^()]+)\)")
_SINGLE_LETTERS = Pattern(
    r"(?:[^a-zA-Z]|\\(?:[dt]?frac|sqrt|pi|cdot|times)(?![a-zA-Z]))*[\d})]"
    r"\s*(?:[a-zA-Z](?![a-zA-Z])[^a-zA-Z ]*)+"
)
_SURE_UNITS = frozenset("°%¢$€£")
# Programs of algebra write Euler's number with a capital: 9*E + sin(x).
_PROGRAM = Pattern(r"\*|\b(?:sqrt|exp|log|sin|cos|tan|sinh|cosh|tanh|atan|asin|acos|Abs)\(")
_EULER = Pattern(r"(?<![a-zA-Z\d_])E(?![a-zA-Z\d_(])")
_ENGINEERS = Pattern(r"[\d.\s+\-*/()]*j[\d.\s+\-*/()j]*")
# LaTeX takes one letter: k_BT; three small ones are a word: x_min.
_RUN_BELOW = Pattern(r"_([a-zA-Z])((?![a-z]{2})[a-zA-Z]+)")
_ROW = Pattern(r"[-+]?[\d./]+(?:\s+[-+]?[\d./]+)+")
_MIXED_AND = Pattern(r"(-?\d+)\s*(?:and|\\text\s*\{\s*and\s*\})\s*(\d+\s*/\s*\d+|\\[dt]?frac.*)")


def _vary(text: str) -> list[str]:
    """List other texts an answer can stand for: pounds are money too, ¥ is yen as well."""
    if not _VARIES.search(text):
        return []
    found = [
        pattern.sub(word, text)
        for needle, pattern, word in _AMBIGUOUS
        if needle in text and pattern.search(text)
    ]
    if "_" in text and _RUN_BELOW.search(text):
        found.append(_RUN_BELOW.sub(r"_{\1}\2", text))
    if "E" in text and "\\" not in text and _PROGRAM.search(text):
        found.append(_EULER.sub("e", text))
    if "j" in text and _ENGINEERS.fullmatch(text) and any(map(str.isdigit, text)):
        found.append(text.replace("j", "i"))
    beside = _BESIDE.fullmatch(text) if text.endswith((")", ")}")) else None
    if beside and (unit := read_unit(beside[2])) and (unit.known or len(beside[2]) > 3):
        found.append(f"{beside[1]} \\text{{{beside[2]}}}")
    if text.endswith(")") and (said := _find_restated(text)):
        found.append(said)
    directed = _DIRECTED.fullmatch(text) if " the " in text and len(text) < _SHORT else None
    if directed:
        found.append(directed[1])
    mixed = _MIXED_AND.fullmatch(text) if "and" in text else None
    if mixed:
        found.append(f"{mixed[1]} {mixed[2]}")
    return found


def _find_restated(text: str) -> str:
    """Find the number that is said again in brackets: ``0.5 (50%)``, ``6 (six)``; else nothing."""
    twice = _RESTATED.fullmatch(text)
    if twice is None:
        return ""
    first, second = (
        _measure(read_simple(part) or read_words(part))
        for part in (twice[1].rpartition("=")[2], twice[2])
    )
    return twice[1] if first is not None and first == second else ""


def _measure(simple: Simple | None) -> tuple[Fraction, Dimensions] | None:
    """Give a number or quantity in basic units."""
    if simple is None or simple[0]:
        return None
    (high, low, _), unit = simple[1][0], simple[2]
    if unit is None:
        return Fraction(high, low), ()
    return Fraction(high, low) * unit.factor + unit.offset, unit.dims


def _thousands(text: str) -> tuple[bool, ...]:
    """Decide how ``1,234`` is read: joined, split at the comma, or both ways."""
    if "," not in text or not _GLUED.search(text):
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
    try:
        return expand_signs(reader.read_answer(0, len(tokens)))
    except (IndexError, KeyError) as missing:  # a bracket or argument that is not there
        raise UnreadableError("a part is missing") from missing


def _read_letters(value: Value, text: str, options: Options) -> Value | None:
    """Read a quantity whose unit is single letters, such as ``4t^2``, as a product of letters."""
    if not isinstance(value, Quantity) or value.amount == Num(Fraction(0)):
        return None
    if "\\text" in text or "\\mathrm" in text or not _SINGLE_LETTERS.fullmatch(text):
        return None
    tokens = tokenise(text, options, join_thousands=True)
    try:
        return AnswerReader(tokens, match_brackets(tokens, options), options).read(0, len(tokens))
    except (UnreadableError, IndexError, KeyError):
        return None


def _read_content(content: str, options: Options) -> list[Value]:
    """Read what stands beside the letter of a choice: ``C. 12`` can stand for 12."""
    content = normalise(content, options)
    if not looks_like_text(content):
        with contextlib.suppress(UnreadableError):
            return [read_math(content, options, join_thousands=True)]
    words = read_text(content, options)
    return [] if words is None else [words]


def _read_bare(text: str, options: Options) -> Reading | None:
    """Read a number, or notation that no step before the tokenizer changes, without those steps."""
    if options.decimal_comma or len(text) > options.max_chars:
        return None
    number = read_numeral(text)
    if number is not None:
        return Reading(text, (number,))
    if not is_bare(text):
        return None
    try:
        value = read_math(text, options, join_thousands=True)
    except UnreadableError:
        return None
    letters = _read_letters(value, text, options)
    return Reading(text, (value,) if letters is None else (value, letters))


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
    bare = _read_bare(answer.strip(), options)
    if bare is not None:
        return bare
    text = normalise(answer, options)
    if known is not None and known.text == text:
        return known
    values = list(read_special(text, options))
    final = bool(values) and values[-1] is None
    found: list[Value] = [value for value in values if value is not None]
    for value in tuple(found):
        if isinstance(value, Choice) and value.content:
            found += _read_content(value.content, options)
    wordy = not final and looks_like_text(text)
    if not final and not wordy:
        for join in _thousands(text):
            try:
                value = read_math(text, options, join_thousands=join)
            except UnreadableError:
                continue
            if value not in found:
                found.append(value)
            if text[-1] not in _SURE_UNITS:
                letters = _read_letters(value, text, options)
                found += [] if letters is None else [letters]
        for variant in _vary(text):
            with contextlib.suppress(UnreadableError):
                found.append(read_math(variant, options, join_thousands=True))
    if not found and _ROW.fullmatch(text):
        with contextlib.suppress(UnreadableError):
            found.append(read_math(", ".join(text.split()), options, join_thousands=False))
    if not found or (wordy if not final else looks_like_text(text)):
        words = read_text(text, options)
        if words is not None:
            found.append(words)
    return Reading(text, tuple(found))
