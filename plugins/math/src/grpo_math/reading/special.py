"""Answers with a fixed form of their own: choices, times, dates, bases, words for numbers."""

from __future__ import annotations

import re
from fractions import Fraction

from grpo_math.options import Options
from grpo_math.patterns import Pattern
from grpo_math.reading.calendar import read_clock, read_date, read_spoken_clock
from grpo_math.reading.numerals import read_number_words
from grpo_math.units import Unit, read_unit
from grpo_math.values import Call, Choice, Const, Num, Quantity, Text, Value
from grpo_math.wording import words

_WRAPPED = Pattern(r"\\(?:text|mathrm|textbf|mathbf|textit|mbox|textrm|bold)\s*\{([^{}]*)\}")
_LETTER = r"(?:\\(?:text|textbf|mathrm|mathbf)\s*\{\s*)?\(?\s*(?P<letter>[A-Ja-j])\s*\)?\s*\}?"
_BARE = Pattern(r"(?P<open>[(\[]?)\s*(?P<letter>[A-Ja-j])\s*(?P<close>[.):\]]?)")
_LABELLED = Pattern(
    r"(?:the\s+)?(?:correct\s+|right\s+|best\s+)?(?:option|choice|answer|alternative|alternativa|opción|variante?|вариант|选项|选择|应选|选|故选|答案)"
    r"(?:\s+(?:choice|option))?(?:\s*(?:is|为|是))?\s*:?\s*(?:option\s*)?" + _LETTER
    + r"(?:(?P<mark>[.):]|\s+(?=\S))\s*(?P<content>.*))?", re.IGNORECASE | re.DOTALL,
)  # fmt: skip
_WITH_CONTENT = Pattern(
    r"(?:\(\s*(?P<a>[A-J])\s*\)\s*:?|(?P<b>[A-J])\s*[.):、]|\[(?P<c>[A-J])\])\s*(?P<content>[^\s+\-*/^=,].*)",
    re.DOTALL,
)  # fmt: skip
_ANOTHER = Pattern(r"(?:[,;&、和]|\b(?:and|or))\s*\(([A-J])\)")
_AFTER = Pattern(r"\(?(?P<letter>[A-J])\)?\s*(?:选项|项|is correct|is the correct answer)")
_SEVERAL = Pattern(r"\(?[A-J]\)?(?:(?:\s*(?:,|;|and|&|、|和|\s)\s*(?:and\s+)?\(?|\()[A-J]\)?)+")
_BASE = Pattern(
    r"(?P<sign>-?)\(?\s*(?P<digits>[0-9A-Za-z]+)(?:\.(?P<rest>[0-9A-Za-z]+))?\s*\)?\s*(?:_\s*\{?\s*\(?\s*(?:\\text\s*\{)?"
    r"\s*(?:base\s*)?(?P<sub>\d{1,2}|[a-z]+)"
    r"\s*\}?\s*\)?\s*\}?|\(?\s*(?:in\s+)?base[\s-]*(?P<base>\d{1,2}|[a-z]+)\s*\)?)",
    re.IGNORECASE,
)  # fmt: skip
_PREFIXED = Pattern(r"0(?:b(?P<two>[01]+)|x(?P<sixteen>[0-9a-fA-F]+)|o(?P<eight>[0-7]+))")
NO_NUMERAL = "a digit that its base does not have"
_BASES = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "sixteen": 16, "bin": 2, "hex": 16, "oct": 8, "dec": 10,
}  # fmt: skip
_SEXAGESIMAL = Pattern(
    r"(?P<sign>-?)\s*(?P<deg>\d{1,3})\s*°\s*(?=\d)(?:(?P<min>\d{1,2})\s*'(?!')\s*)?"
    r"(?:(?P<sec>\d{1,2}(?:\.\d+)?)\s*(?:\"|''))?"
)
_COMPOUND_PART = Pattern(
    r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[a-zA-Z一-鿿]+|['\"])\.?\s*(?:and\b|,)?"
)
_REMAINDER = Pattern(
    r"(\d+),?\s*(?:R|r|[Rr]em|(?:with\s+)?(?:an?\s+)?[Rr]emainder)(?![a-z])\.?\s*(?:of|=|:)?\s*(\d+)"
)
_SEVERAL_AMOUNTS = Pattern(r"\d[\d.]*\s*[^\d\s.].*\d")
_SIGNS_OF_UNITS = {"'": "ft", '"': "in"}
_LENGTH = (("m", Fraction(1)),)
_ENDLESS = Pattern(r"(?P<sign>-?)(?P<whole>\d{0,20})\.(?P<decimals>\d{1,60})\s*\.\.\.")
_INFINITIES = {
    "infinity": 1, "infinite": 1, "positive infinity": 1, "plus infinity": 1,
    "negative infinity": -1,
    "minus infinity": -1, "无穷大": 1, "正无穷": 1, "负无穷": -1,
}  # fmt: skip
_PLACE = Pattern(r"(\d{1,9})\s*(?:st|nd|rd|th)")
_ORDINALS = {
    name: number
    for number, name in enumerate(
        words("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"),
        1,
    )
}
_ROMAN = Pattern(r"\(?(i{2,3}|iv|vi{1,3}|ix|I{2,3}|IV|VI{1,3}|IX)\)?\.?")
_FORMULA = Pattern(r"(?:[A-Z][a-z]?(?:_?\d+|_?\{\d+\})?){2,12}")
# Digits, brackets and operators in which no time, date, base or word stands.
_BARE_NOTATION = Pattern(r"[\d\s+*^=(){}\[\],x|]*")
_DIGIT = Pattern(r"\d")
_MAX_LENGTH = 300


def read_special(text: str, options: Options) -> list[Value | None]:
    """Read a normalised text in each fixed form.

    Returns:
        The values it can mean; a last None says that it means nothing else.
    """
    if len(text) > _MAX_LENGTH or not text:
        return []
    if "\\" in text:
        text = _WRAPPED.sub(r"\1", text).strip()
        if not text:
            return []
    found: list[Value | None] = []
    if _BARE_NOTATION.fullmatch(text):
        return found
    first = text[0]
    if (
        "A" <= first <= "J"
        or "a" <= first <= "j"
        or first in "(\\["
        or not first.isascii()
        or (first in "toOTrRbBcC")
    ):
        found += read_choice(text)
        if found and found[-1] is None:
            return found
    if len(text) == 1 and text.isascii():
        return found
    if "\\" in text and "_" not in text:  # what is left of notation is no word, time or date
        return found if not text.endswith("...") else [*found, *_read_tail(text)]
    if "I" in text or "i" in text or first.isdigit() or text.endswith("th") or text in _ORDINALS:
        placed = _read_place(text)
        if placed is not None:
            return [*found, *placed]
    formula = _FORMULA.fullmatch(text) if "A" <= first <= "Z" else None
    if formula and len(text) > 2 and any(map(str.isdigit, text)):
        found.append(Text(re.sub(r"[_{}]", "", text).casefold()))
    if text.endswith("..."):
        tail = _read_tail(text)
        if tail:
            return tail
    sign = _INFINITIES.get(text.lower())
    if sign:
        infinity = Const("oo")
        if text.lower() == "infinite":
            return [infinity, Text("infinitely many solutions"), None]
        return [infinity if sign > 0 else Call("mul", (Num(Fraction(-1)), infinity)), None]
    return found + _read_fixed(text, options)


def _read_tail(text: str) -> list[Value | None]:
    endless = _read_endless(text)
    return [] if endless is None else [endless, None]


def _read_fixed(text: str, options: Options) -> list[Value | None]:
    """Read a base, an angle, several amounts, a time, a date, or a number in words."""
    found: list[Value | None] = []
    if not _DIGIT.search(text):
        clock = read_spoken_clock(text)
        if clock is not None:
            return [clock, None] if clock.half is not None else [clock]
        if "_" not in text and "ase" not in text:
            return _read_words(text)
    for read in (_read_base, _read_sexagesimal, _read_compound, _read_remainder):
        value = read(text)
        if value is not None:
            return [*found, value, None]
    clock = read_clock(text)
    if clock is not None:
        found.append(clock)
        if clock.half is not None:
            return [*found, None]
    day = read_date(text, options)
    if day is not None:
        return [*found, day, None]
    return found + _read_words(text)


def _read_words(text: str) -> list[Value | None]:
    number = read_number_words(text)
    if number is None:
        return []
    return [number] if text[:2].lower() in {"a ", "an"} else [number, None]


def _read_place(text: str) -> list[Value | None] | None:
    """Read an ordinal, ``3rd`` or ``third``, or the number of a statement, ``(ii)``."""
    place = _PLACE.fullmatch(text) if text[-1] in "tdh" else None
    if place:
        return [Num(Fraction(int(place[1]))), Text(f"place {place[1]}"), None]
    lower = text.lower()
    if lower in _ORDINALS:
        return [Text(f"place {_ORDINALS[lower]}"), None]
    roman = _ROMAN.fullmatch(text)
    return [Text(roman[1].lower()), None] if roman else None


def _read_endless(text: str) -> Value | None:
    """Read a decimal that goes on: ``0.333...`` is periodic, ``3.14...`` counts as written."""
    if not text.endswith("..."):
        return None
    match = _ENDLESS.fullmatch(text)
    if match is None:
        return None
    whole, decimals = match["whole"], match["decimals"]
    sign = -1 if match["sign"] else 1
    for size in range(1, len(decimals) // 2 + 1):
        period = decimals[-size:]
        repeats = 3 if size == 1 else 2
        if decimals.endswith(period * repeats):
            fixed = decimals[:-size]
            start = Fraction(int((whole + fixed) or "0"), 10 ** len(fixed))
            rest = Fraction(int(period), (10**size - 1) * 10 ** len(fixed))
            return Num(sign * (start + rest))
    scale = 10 ** len(decimals)
    return Num(Fraction(sign * int(whole + decimals), scale), len(decimals), Fraction(1, scale))


def read_choice(text: str) -> list[Value | None]:
    """Read the letters of a choice; a last None says that the text means nothing else."""
    if not text:
        return []
    if text[0] in "([\\" and not text[1:3].lstrip()[:1].isalpha():
        return []
    bare = _BARE.fullmatch(text)
    if bare:
        letter = bare["letter"]
        sure = bool(bare["close"])
        if letter in "ei" and not sure:
            return []
        return [Choice(letter, "", sure)]
    if text.isalpha() and text.isascii():
        letters = sorted(set(text))
        if 2 <= len(text) <= 10 and "".join(letters) == text and set(text) <= set("ABCDEFGHIJ"):
            return [Choice(text, "", sure=False)]
        return []
    labelled = _LABELLED.fullmatch(text)
    if labelled and (labelled["letter"].isupper() or not labelled["content"]):
        return [Choice(labelled["letter"], labelled["content"] or ""), None]
    after = _AFTER.fullmatch(text)
    if after:
        return [Choice(after["letter"]), None]
    several = _SEVERAL.fullmatch(text)
    if several:
        letters = re.findall(r"[A-J]", text)
        if len(set(letters)) == len(letters) > 1:
            return [Choice("".join(sorted(letters)), "", sure="and" in text)]
    with_content = _WITH_CONTENT.fullmatch(text)
    if with_content:
        letter = with_content["a"] or with_content["b"] or with_content["c"]
        if with_content["b"] and ":" in text[:3] and not text[2:3].isspace():
            return []
        others = _ANOTHER.findall(with_content["content"])
        if others:  # (B) 6 and (C) 5
            return [Choice("".join(sorted({letter, *others}))), None]
        return [Choice(letter, with_content["content"]), None]
    return []


def _read_base(text: str) -> Value | None:
    prefixed = _PREFIXED.fullmatch(text) if text[0] == "0" else None
    if prefixed:
        for name, base in (("two", 2), ("sixteen", 16), ("eight", 8)):
            if prefixed[name]:
                return Num(Fraction(int(prefixed[name], base)))
    if "_" not in text and "ase" not in text and "ASE" not in text:
        return None
    match = _BASE.fullmatch(text)
    if match is None:
        return None
    digits, rest = match["digits"], match["rest"] or ""
    name = (match["sub"] or match["base"]).lower()
    base = int(name) if name.isdigit() else _BASES.get(name, 0)
    if not 2 <= base <= 36 or not (digits[0].isdigit() or (base > 10 and digits.isupper())):
        return None
    if any(int(c, 36) >= base for c in digits + rest):
        # 268_8 is no number: it equals none.
        said = f"{match['sign']}{digits}.{rest} to base {base}, {NO_NUMERAL}"
        return Text(said) if digits.isdigit() else None
    number = Fraction(int(digits + rest, base), base ** len(rest))
    return Num(-number if match["sign"] else number)


def _read_sexagesimal(text: str) -> Value | None:
    match = _SEXAGESIMAL.fullmatch(text) if "°" in text else None
    if match is None:
        return None
    minutes, seconds = int(match["min"] or 0), Fraction(match["sec"] or 0)
    if minutes >= 60 or seconds >= 60:
        return None
    value = int(match["deg"]) + Fraction(minutes, 60) + seconds / 3600
    unit = read_unit("°")
    if unit is None:
        return None
    return Quantity(Num(-value if match["sign"] else value), unit.unit)


def _read_compound(text: str) -> Quantity | None:
    """Read several quantities of one dimension in a row: ``5 ft 6 in``, ``1 h 30 min``."""
    found = sum_amounts(text)
    return None if found is None else Quantity(Num(found[0]), found[1])


def _read_remainder(text: str) -> Text | None:
    """Read the quotient and remainder of a division: ``5 R 2``."""
    match = _REMAINDER.fullmatch(text)
    return None if match is None else Text(f"{match[1]} remainder {match[2]}")


def sum_amounts(text: str) -> tuple[Fraction, Unit] | None:
    """Add several amounts of one dimension in a row up, in the unit of the first."""
    if not text[0].isdigit() or len(text) > 60 or not _SEVERAL_AMOUNTS.match(text):
        return None
    total = Fraction(0)
    unit: Unit | None = None
    previous: Fraction | None = None
    at = count = 0
    while at < len(text):
        match = _COMPOUND_PART.match(text, at)
        if match is None or match.end() == at:
            return None
        name = _SIGNS_OF_UNITS.get(match["unit"], match["unit"])
        if name == "m" and unit is not None and unit.dims != _LENGTH:
            name = "min"  # 2h15m
        reading = read_unit(name)
        if reading is None or not reading.known or len(reading.unit.dims) != 1:
            return None
        if unit is not None and reading.unit.dims != unit.dims:
            return None
        if reading.unit.offset or (previous is not None and reading.unit.factor >= previous):
            return None
        unit = unit or reading.unit
        previous = reading.unit.factor
        total += Fraction(match["number"]) * reading.unit.factor
        at = match.end()
        count += 1
    if unit is None or count < 2 or unit.pi:
        return None
    return total / unit.factor, unit
