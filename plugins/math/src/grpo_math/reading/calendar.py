"""Reads clock times and dates."""

from __future__ import annotations

import re

from grpo_math.options import Options
from grpo_math.patterns import Pattern
from grpo_math.values import Clock, Date
from grpo_math.wording import words

_CLOCK = Pattern(
    r"(?P<h>\d{1,2})(?:(?P<sign>[:h.])(?P<m>\d{2})(?::(?P<s>\d{2}))?)?\s*"
    r"(?P<half>a\.?\s?m\.?|p\.?\s?m\.?|o'clock|noon|midnight)?"
    r"(?:\s+in the (?P<part>morning|afternoon|evening))?",
    re.IGNORECASE,
)
_CHINESE_CLOCK = Pattern(
    r"(?P<part>上午|下午|晚上|早上|凌晨|中午)?\s*(?P<h>\d{1,2})\s*"
    r"(?:[点时]\s*(?:(?P<m>\d{1,2})\s*分?|(?P<half>半))?|:(?P<mm>\d{2}))"
)
_HOURS = {
    name: number
    for number, name in enumerate(
        words("one two three four five six seven eight nine ten eleven twelve"), 1
    )
}
_SPOKEN = Pattern(
    r"(?:a )?(?P<m>half|quarter|five|ten|twenty|\d{1,2})(?: minutes?)? "
    r"(?P<way>past|after|to|before) "
    r"(?P<h>\d{1,2}|" + "|".join(_HOURS) + r")(?: o'clock)?"
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan janvier januar enero gennaio janeiro", "february feb février februar febrero",
         "march mar mars märz marzo março", "april apr avril abril aprile", "may mai mayo maio",
         "june jun juin juni junio giugno junho", "july jul juillet juli julio luglio julho",
         "august aug août agosto", "september sep sept septembre septiembre setembro",
         "october oct octobre oktober octubre ottobre outubro", "november nov novembre noviembre",
         "december dec décembre dezember diciembre dicembre dezembro"), 1
    )
    for name in names.split()
}  # fmt: skip
MONTH_NAMES = frozenset(_MONTHS)
_MONTH = "(?P<month>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day\s*,?\s*)?"
_DATES = tuple(
    Pattern(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_WEEKDAY}{_MONTH}\s*{_DAY}(?:\s*,?\s*(?P<year>\d{{4}}))?",
        rf"{_WEEKDAY}(?:the\s+)?{_DAY}\s*\.?\s*(?:(?:of|de)\s+)?{_MONTH}(?:\s*,?\s*(?:de\s+)?(?P<year>\d{{4}}))?",
        r"(?P<year>\d{4})\s*[-/.]\s*(?P<month>\d{1,2})\s*[-/.]\s*(?P<day>\d{1,2})",
        r"(?:(?P<year>\d{4})\s*年\s*)?(?P<month>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*[日号]",
        rf"{_MONTH}\s*,?\s*(?P<year>\d{{4}})",
        r"(?P<year>[12]\d{3})\s*(?:-\s*(?P<month>0\d|1[0-2])|年\s*(?P<month_>\d{1,2})\s*月)",
    )
)
# Beside the digit of a day stands a sign, or a word that begins as a month does.
_DATED = Pattern(
    r"\d\s*[-/.年月]\s*\d|\d\s*月|" + "|".join(sorted({name[:3] for name in _MONTHS})),
    re.IGNORECASE,
)
_SLASHED = Pattern(r"(?P<a>\d{1,2})\s*[/.\-]\s*(?P<b>\d{1,2})\s*[/.\-]\s*(?P<year>\d{4})")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _read_spoken(lower: str) -> Clock | None:
    """Read ``quarter past 3``, ``ten to four``, ``half past 12``."""
    match = _SPOKEN.fullmatch(lower)
    if match is None:
        return None
    minutes = {"half": 30, "quarter": 15, "five": 5, "ten": 10, "twenty": 20}
    minute = minutes.get(match["m"]) or int(match["m"])
    hour = int(match["h"]) if match["h"].isdigit() else _HOURS[match["h"]]
    if minute > 59 or not 1 <= hour <= 12:
        return None
    back = match["way"] in {"to", "before"}
    seconds = hour * 3600 + (-60 if back else 60) * minute
    return Clock(seconds if seconds >= 3600 else seconds + 12 * 3600, None)


def read_spoken_clock(text: str) -> Clock | None:
    """Read a time of day without digits: ``noon``, ``half past three``."""
    lower = text.lower()
    if lower in {"noon", "midday"}:
        return Clock(12 * 3600, "pm")
    if lower == "midnight":
        return Clock(12 * 3600, "am")
    return _read_spoken(lower) if " " in lower and len(lower) < 40 else None


def read_clock(text: str) -> Clock | None:
    """Read a time of day with digits: ``3:30 pm``, ``15:30``, ``3 o'clock``, ``half past 3``."""
    if len(text) > 40:
        return None
    if " past " in text or " to " in text or " after " in text or " before " in text:
        return _read_spoken(text.lower())
    match = _CLOCK.fullmatch(text)
    if match is None:
        return _read_chinese(text)
    if match["m"] is None and match["half"] is None and match["part"] is None:
        return None
    if match["sign"] == "." and match["half"] is None:
        return None
    hour, minute, second = int(match["h"]), int(match["m"] or 0), int(match["s"] or 0)
    mark = re.sub(r"[\s.]", "", (match["half"] or "").lower())
    half = {"am": "am", "pm": "pm", "noon": "pm", "midnight": "am"}.get(mark)
    if match["part"]:
        half = "am" if match["part"].lower() == "morning" else "pm"
    if hour > 24 or minute > 59 or second > 59 or (half and not 1 <= hour <= 12):
        return None
    return Clock(hour * 3600 + minute * 60 + second, half)


def _read_chinese(text: str) -> Clock | None:
    plain = text.isascii() and ":" not in text
    match = None if plain else _CHINESE_CLOCK.fullmatch(text)
    if match is None:
        return None
    hour = int(match["h"])
    minute = 30 if match["half"] else int(match["m"] or match["mm"] or 0)
    part = match["part"]
    if hour > 24 or minute > 59:
        return None
    half = None
    if part and hour <= 12:
        half = "am" if part in {"上午", "早上", "凌晨"} else "pm"
    return Clock(hour * 3600 + minute * 60, half)


def read_date(text: str, options: Options) -> Date | None:
    """Read a date: ``January 5, 2020``, ``5 Jan``, ``2020-01-05``, ``1/5/2020``, ``1月5日``."""
    if len(text) > 40 or not _DATED.search(text):
        return None
    slashed = _SLASHED.fullmatch(text)
    if slashed:
        first, second = int(slashed["a"]), int(slashed["b"])
        month, day = (second, first) if options.day_first or first > 12 else (first, second)
        return _make_date(int(slashed["year"]), month, day)
    for pattern in _DATES:
        match = pattern.fullmatch(text)
        if match:
            parts = match.groupdict()
            name = (parts["month"] or parts["month_"]).lower()
            month = _MONTHS[name] if name in _MONTHS else int(name)
            return _make_date(int(parts["year"] or 0), month, int(parts.get("day") or 0))
    return None


def _make_date(year: int, month: int, day: int) -> Date | None:
    if not 1 <= month <= 12 or day > _DAYS[month - 1]:
        return None
    return Date(year, month, day)
