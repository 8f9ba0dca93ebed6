"""Reads what follows a number: a unit, a compound of units, or words that are no unit."""

from __future__ import annotations

import functools
import re
from fractions import Fraction
from typing import NamedTuple

from grpo_math.patterns import Pattern
from grpo_math.units.table import PLAIN, Unit, load_units
from grpo_math.wording import words

_TOKEN = Pattern(
    r"\s*(?:(?P<exp>\^\s*(?:\{\s*[+-]?\d{1,2}\s*\}|\(\s*[+-]?\d{1,2}\s*\)|[+-]?\d{1,2})"
    r"|(?<=[a-zA-Z])[+-]?\d(?![\d.]))"
    r"|(?P<op>[*/()])|(?P<word>1(?=\s*/)|(?:US|C|A)\$|Rs\.|[^\W\d_]+(?:-[^\W\d_]+)*"
    r"|°\s*[CFK](?![a-zA-Z])|[°%‰$€£¥₹₩₽¢\"]))"
)
_PHRASES = (
    (Pattern(r"\*\*"), "^"),
    (Pattern(r"\\(?:cdot|times|ast|bullet)(?![a-zA-Z])|[·⋅×•∙]"), "*"),
    (Pattern(r"\\(?:circ|degree)(?![a-zA-Z])"), "°"),
    (Pattern(r"\\Omega(?![a-zA-Z])|Ω"), "Ω"),
    (Pattern(r"\\mu(?![a-zA-Z])\s*|[µμ]"), "μ"),
    (Pattern(r"\\%"), "%"),
    (Pattern(r"\\\$"), "$"),
    (Pattern(r"\^\s*(?:\{\s*°\s*\}|°)"), "°"),
    (Pattern(r"\bdeg(?:rees?)?\.?\s+(?=celsius|fahren|centigr|[CFK]\b)", re.IGNORECASE), "°"),
    (Pattern(r"°\s*celsius|°\s*centigrade|°\s*C(?![a-zA-Z])", re.IGNORECASE), " °C"),
    (Pattern(r"°\s*fahrenheit|°\s*F(?![a-zA-Z])", re.IGNORECASE), " °F"),
    (Pattern(r"\bper\s+cent\b", re.IGNORECASE), "%"),
    (Pattern(r"\bpounds?\s+sterling\b", re.IGNORECASE), "GBP"),
    (Pattern(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{((?:[^{}]|\{[^{}]*\})*)\}"), r"(\1)/(\2)"),
    (Pattern(r"\b(?:fl\.?|fluid)\s*(?:oz\b\.?|ounces?)", re.IGNORECASE), "floz"),
    (Pattern(r"\b(?:sq\.?|square)\s+(?=[a-z])", re.IGNORECASE), "square "),
    (Pattern(r"\b(?:cu\.?|cubic)\s+(?=[a-z])", re.IGNORECASE), "cubic "),
    (Pattern(r"\b(nautical|short|metric|light|basis|electron)\s+(?=(?:miles?|tons?|years?"
                r"|points?|volts?)\b)", re.IGNORECASE), r"\1-"),
    (Pattern(r"\b(?:us|u\.s\.|american)\s+dollars?\b", re.IGNORECASE), "USD"),
    (Pattern(r"\beuro\s+cents?\b", re.IGNORECASE), "eurocent"),
    (Pattern(r"\bcanadian\s+dollars?\b", re.IGNORECASE), "CAD"),
    (Pattern(r"\baustralian\s+dollars?\b", re.IGNORECASE), "AUD"),
    (Pattern(r"\bbritish\s+pounds?\b", re.IGNORECASE), "GBP"),
    (Pattern(r"\bjapanese\s+yen\b", re.IGNORECASE), "JPY"),
    (Pattern(r"\bchinese\s+yuan\b", re.IGNORECASE), "CNY"),
    (Pattern(r"\bindian\s+rupees?\b", re.IGNORECASE), "INR"),
    (Pattern(r"\bswiss\s+francs?\b", re.IGNORECASE), "CHF"),
    (Pattern(r"^\s*[mM]\s+(?=(?:dollars|euros|rupees|USD|EUR)\b)"), "million "),
    (Pattern(r"平方"), "square "),
    (Pattern(r"立方"), "cubic "),
    (Pattern(r"每|(?<=[一-鿿])/(?=[一-鿿])"), "/"),
    (Pattern(r"\bparts\s+per\s+([mb])illion\b", re.IGNORECASE), r"pp\1"),
    (Pattern(r"\bof\s+an?\s+(?=[a-z])", re.IGNORECASE), ""),
    (Pattern(r"\b(?:(?i:per)|an?)\s+(?=[a-zA-Z])|\b(?i:per)\b"), "/"),
)  # fmt: skip
_POWER_WORDS = {"square": 2, "cubic": 3}
_POWER_AFTER = {"squared": 2, "cubed": 3}
_NOT_GENERIC = frozenset(
    words(
        "and or not if when where mod is are no none all any than then plus minus times divided "
        "over less to for with without from by only but either neither sin cos tan log ln pi "
        "sqrt which that this true false yes at least most about approximately undefined "
        "factorial recurring repeating repeated inverse inverted reciprocal"
    )
)
# What changes the number where it stands alone behind it: `3 squared`, `1 third`, `5 doubled`.
_CHANGING = frozenset(
    words(
        "squared cubed doubled tripled quadrupled halved double triple quadruple twice thrice "
        "negative negated half third fourth fifth sixth seventh eighth ninth tenth eleventh "
        "twelfth hundredth thousandth millionth gross myriad"
    )
)
_SYNONYMS = {
    "metric-ton": "t", "short-ton": "ton", "nautical-mile": "nmi", "light-year": "ly",
    "basis-point": "bp", "electron-volt": "eV", "per-cent": "%",
}  # fmt: skip
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_DIFFERENCE = Pattern("[a-z](?:-[a-z])+")  # a minus more likely than the hyphen of N-m
_VOWEL = Pattern("[aeiouAEIOU]")
_MAX_TOKENS = 40


class UnitReading(NamedTuple):
    """A unit that was read.

    Attributes:
        unit: The unit; `PLAIN` for words that are no unit.
        known: False where every word was no unit ('stamps', 'square units').
        scale: What number words and percent signs among the units multiply the number by.
    """

    unit: Unit
    known: bool
    scale: Fraction = Fraction(1)


def find_unit(word: str) -> Unit | None:
    """Look one word up: exactly, then in lower case, then without its plural."""
    units = load_units()
    found = units.get(word)
    if found is not None:
        return found
    lower = word.lower().rstrip(".")
    lower = _SYNONYMS.get(lower, lower)
    for ending in ("", "s", "es"):
        form = lower.removesuffix(ending)
        form = _SYNONYMS.get(form, form)
        if (len(form) > 2 or form == word.rstrip(".")) and form in units:
            return units[form]
    return None


def _is_generic(word: str) -> bool:
    lower = word.lower()
    if lower in _NOT_GENERIC:
        return False
    if "-" in word and max(map(len, word.split("-"))) < 3:
        return False  # a difference: 2x-y
    if word.isascii() and lower in _ALPHABET:
        return False  # a product: xyz
    return len(word) >= 3 or not word.isascii() or lower == "of"


def is_product(word: str) -> bool:
    """Tell a run of letters right behind a number, ``3xyz``, from a unit or a word."""
    if not (word.isascii() and word.isalpha()) or find_unit(word) is not None:
        return False
    return len(word) < 4 or _VOWEL.search(word) is None


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.at = 0
        self.known = False
        self.scale = Fraction(1)

    def read_product(self, depth: int) -> Unit | None:
        unit = PLAIN
        sign = 1
        empty = True
        while self.at < len(self.tokens):
            kind, text = self.tokens[self.at]
            if text == ")":
                break
            self.at += 1
            if kind == "op" and text == "*" and not empty:
                continue
            if text == "/":
                sign = -1
                continue
            before = self.scale
            factor = self._read_factor(kind, text, depth)
            if factor is None:
                return None
            if sign < 0:
                self.scale = before * before / self.scale  # `/dozen` is a twelfth
            unit = unit.times(factor.power(sign) if sign != 1 else factor)
            if sign == -1 and self._next() != "*":
                sign = 1
            empty = False
        return None if empty else unit

    def _next(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _read_factor(self, kind: str, text: str, depth: int) -> Unit | None:
        unit: Unit | None
        if text == "(":
            unit = self.read_product(depth + 1) if depth < 4 else None
            if unit is None or self._next() != ")":
                return None
            self.at += 1
        elif kind == "word":
            power = _POWER_WORDS.get(text.lower(), 0)
            if power and self.at < len(self.tokens):
                following_kind, following = self.tokens[self.at]
                self.at += 1
                inner = self._read_factor(following_kind, following, depth)
                return None if inner is None else inner.power(power)
            unit = self._read_word(text)
            if unit is None:
                return None
        else:
            return None
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "exp":
            exponent = int(re.sub(r"[^\d-]", "", self.tokens[self.at][1]))
            self.at += 1
            if abs(exponent) > 12:
                return None
            return unit.power(exponent)
        after = _POWER_AFTER.get(self._next().lower(), 0)
        if after:
            self.at += 1
            return unit.power(after)
        return unit

    def _read_word(self, text: str) -> Unit | None:
        if text == "1":
            return PLAIN
        unit = find_unit(text)
        if unit is not None:
            self.known = True
            if not unit.dims and not unit.pi:
                self.scale *= unit.factor
                return PLAIN
            return unit
        if "-" in text:
            parts = [find_unit(part) for part in text.split("-")]
            units = [part for part in parts if part is not None and part.dims]
            if len(units) == len(parts):
                self.known = True
                return functools.reduce(Unit.times, units)
        return PLAIN if _is_generic(text) else None


@functools.lru_cache(maxsize=2048)
def read_unit(text: str) -> UnitReading | None:
    """Read a unit phrase such as ``kg·m^2/s^2``, ``miles per hour`` or ``square units``.

    Args:
        text: What follows the number; at most a few words.

    Returns:
        The unit, or None where the text is neither a unit nor plain words.
    """
    if len(text) > 120:
        return None
    if text.isascii() and text.isalpha():
        unit = find_unit(text)
        if unit is None:
            generic = (_is_generic(text) and text.lower() not in _CHANGING) or text == "times"
            return UnitReading(PLAIN, known=False) if generic else None
        if unit.dims or unit.pi:
            return UnitReading(unit, known=True)
        return UnitReading(PLAIN, known=True, scale=unit.factor)
    if _DIFFERENCE.fullmatch(text):
        return None
    for pattern, replacement in _PHRASES:
        text = pattern.sub(replacement, text)
    text = text.strip().rstrip(".").strip()
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(tokens) > _MAX_TOKENS:
            return None
        kind = match.lastgroup or ""
        value = match.group(kind)
        tokens.append((kind, re.sub(r"\s", "", value)))
        at = match.end()
    reader = _Reader(tokens)
    unit = reader.read_product(0)
    if unit is None or reader.at < len(tokens):
        return None
    return UnitReading(unit, known=reader.known, scale=reader.scale)
