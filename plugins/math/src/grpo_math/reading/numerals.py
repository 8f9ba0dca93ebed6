"""Reads numbers written as words, in English and Chinese."""

from __future__ import annotations

import re
from fractions import Fraction

from grpo_math.patterns import Pattern
from grpo_math.units import read_unit
from grpo_math.units.table import PLAIN
from grpo_math.values import Num, Quantity, Value
from grpo_math.wording import words

_UNITS = {
    word: number
    for number, word in enumerate(
        words(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
            "fifteen sixteen seventeen eighteen nineteen"
        )
    )
}
_TENS = {
    word: 10 * number
    for number, word in enumerate(words("twenty thirty forty fifty sixty seventy eighty ninety"), 2)
} | {"fourty": 40}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ORDINALS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6,
    "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12,
    "hundredth": 100, "thousandth": 1000, "twentieth": 20, "sixteenth": 16,
}  # fmt: skip
_ALONE = {"once": 1, "twice": 2, "thrice": 3, "nil": 0}
_WORD = Pattern(r"[a-z]+")
_DIGITS = dict(zip("零〇一二三四五六七八九两", (0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2), strict=True))
_POWERS = {"十": 10, "百": 100, "千": 1000}
_CHINESE = Pattern(r"负?[零〇一二三四五六七八九两十百千万亿]+")
_CHINESE_FRACTION = Pattern(
    r"(?P<sign>负?)(?P<bottom>[零〇一二三四五六七八九两十百千万亿]+)分之(?P<top>[零〇一二三四五六七八九两十百千万亿]+)"
)
_FIRST = Pattern(r"[a-z]+")
_STARTS = frozenset(
    {
        *_UNITS,
        *_TENS,
        *_SCALES,
        *_ORDINALS,
        *_ALONE,
        "hundred",
        "a",
        "an",
        "negative",
        "minus",
        "point",
    }
)
NUMBER_WORDS = frozenset(
    {*_UNITS, *_TENS, *_SCALES, *_ORDINALS, "hundred", "and", "point", "negative", "minus"}
)
"""Words of which a number that means nothing else is made."""
_MAX_WORDS = 40


def _read_cardinal(words: list[str]) -> int | None:
    total = part = 0
    seen = False
    last = ""
    for word in words:
        if word == "and":
            if not seen:
                return None
            continue
        if word in _UNITS:
            if last == "unit" or (last == "ten" and _UNITS[word] > 9):
                return None
            part += _UNITS[word]
            last = "unit"
        elif word in _TENS:
            if last in {"unit", "ten"}:
                return None
            part += _TENS[word]
            last = "ten"
        elif word == "hundred":
            part = (part or 1) * 100
            last = "scale"
        elif word in _SCALES:
            total += (part or 1) * _SCALES[word]
            part = 0
            last = "scale"
        elif word in {"a", "an"} and not seen:
            last = ""
            continue
        else:
            return None
        seen = True
    return total + part if seen else None


def _read_amount(words: list[str]) -> Fraction | None:
    """Read a whole number, a fraction or a mixed number in words."""
    if not words:
        return None
    last = words[-1].removesuffix("s") if words[-1] != "halves" else "half"
    bottom = _ORDINALS.get(last)
    if bottom is not None:
        top_words = words[:-1]
        if not top_words:
            return Fraction(1, 2) if last == "half" else None
        if "and" in top_words:
            split = len(top_words) - 1 - top_words[::-1].index("and")
            whole = _read_cardinal(top_words[:split])
            top = _read_article(top_words[split + 1 :])
            if whole is not None and top is not None and top < bottom:
                return whole + Fraction(top, bottom)
        top = _read_article(top_words)
        return None if top is None else Fraction(top, bottom)
    if "point" in words:
        at = words.index("point")
        whole = _read_cardinal(words[:at]) if at else 0
        digits = [_UNITS.get(word, 10) for word in words[at + 1 :]]
        if whole is None or not digits or max(digits) > 9:
            return None
        return whole + Fraction(int("".join(map(str, digits))), 10 ** len(digits))
    if {"over", "in", "of"} & set(words):
        at = next(i for i, word in enumerate(words) if word in {"over", "in", "of"})
        if words[at] == "of" and words[at - 1] == "out":
            words = words[: at - 1] + words[at:]
            at -= 1
        top, under = _read_cardinal(words[:at]), _read_cardinal(words[at + 1 :])
        return Fraction(top, under) if top is not None and under else None
    number = _read_cardinal(words)
    return None if number is None else Fraction(number)


def _read_article(words: list[str]) -> int | None:
    return 1 if words in (["a"], ["an"]) else _read_cardinal(words)


def read_number_words(text: str) -> Value | None:
    """Read ``twenty-five``, ``three quarters``, ``two and a half``, ``二十五``, with a unit too."""
    if not text.isascii():
        return _read_chinese(text)
    lower = text.lower().strip(".")
    start = _FIRST.match(lower)
    if start is None or start.group() not in _STARTS:
        return None
    if not lower[:1].isalpha() or re.search(r"[^a-z\s,\-]", lower):
        return None
    words = _WORD.findall(lower)
    if len(words) > _MAX_WORDS:
        return None
    if lower in _ALONE:
        return Num(Fraction(_ALONE[lower]))
    sign = 1
    if words and words[0] in {"negative", "minus"}:
        words, sign = words[1:], -1
    if words in (["a"], ["an"]) or not words:
        return None
    if len(words) > 3 and words[-3:] == ["and", "a", "half"]:  # an hour and a half
        whole = read_number_words(" ".join(words[:-3]))
        if isinstance(whole, Quantity) and isinstance(whole.amount, Num):
            half = Num(sign * (whole.amount.value + Fraction(1, 2)))
            return whole._replace(amount=half)
    of_unit = len(words) > 1 and words[1] in _ORDINALS
    if (
        words[0] in {"a", "an"}
        and not of_unit
        and (scaled := read_unit(" ".join(words[1:])))
        and scaled.known
    ):
        number = Num(sign * scaled.scale)
        return Quantity(number, scaled.unit) if scaled.unit is not PLAIN else number
    if words[:2] in (["half", "a"], ["half", "an"]):
        words = ["half", *words[2:]]
    amount = _read_amount(words)
    if amount is not None:
        return Num(sign * amount)
    return _read_measured(words, sign)


def _read_measured(words: list[str], sign: int) -> Value | None:
    """Read a number in words with its unit, or two amounts: ``two hours and ten minutes``."""
    if "and" in words:
        at = len(words) - 1 - words[::-1].index("and")
        parts = [_read_measured(part, sign) for part in (words[:at], words[at + 1 :])]
        whole, rest = parts
        if isinstance(whole, Quantity) and isinstance(rest, Quantity):
            return _sum_quantities(whole, rest)
    for split in range(len(words) - 1, 0, -1):
        amount = _read_amount(words[:split])
        if amount is None:
            continue
        reading = read_unit(" ".join(words[split:]))
        if reading is None:
            return None
        number = Num(sign * amount * reading.scale)
        return Quantity(number, reading.unit) if reading.unit is not PLAIN else number
    return None


def _sum_quantities(whole: Quantity, rest: Quantity) -> Quantity | None:
    if whole.unit.dims != rest.unit.dims or whole.unit.offset or whole.unit.pi != rest.unit.pi:
        return None
    amounts = (whole.amount, rest.amount)
    values = [amount.value for amount in amounts if isinstance(amount, Num)]
    if len(values) != 2 or not rest.unit.factor < whole.unit.factor:
        return None
    return Quantity(Num(values[0] + values[1] * rest.unit.factor / whole.unit.factor), whole.unit)


def _read_chinese(text: str) -> Value | None:
    fraction = _CHINESE_FRACTION.fullmatch(text)
    if fraction:
        top, bottom = _read_chinese_whole(fraction["top"]), _read_chinese_whole(fraction["bottom"])
        if not bottom:
            return None
        return Num(Fraction(-top if fraction["sign"] else top, bottom))
    if text in {"半", "一半"}:
        return Num(Fraction(1, 2))
    match = _CHINESE.fullmatch(text)
    if match is None:
        return None
    number = _read_chinese_whole(text.removeprefix("负"))
    return Num(Fraction(-number if text.startswith("负") else number))


def _read_chinese_whole(text: str) -> int:
    if all(c in _DIGITS for c in text):
        return int("".join(str(_DIGITS[c]) for c in text))
    total = section = digit = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _POWERS:
            section += (digit or 1) * _POWERS[char]
            digit = 0
        else:
            scale = 10**4 if char == "万" else 10**8
            total = (total + section + digit) * scale
            section = digit = 0
    return total + section + digit
