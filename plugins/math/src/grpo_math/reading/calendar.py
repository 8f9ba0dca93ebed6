"""Reads clock times and dates."""

from __future__ import annotations

import re

from grpo_math.options import Options
from grpo_math.patterns import Pattern
from grpo_math.values import Clock, Date

_CLOCK = Pattern(
    r"(?P<h>\d{1,2})(?::(?P<m>\d{2})(?::(?P<s>\d{2}))?)?\s*"
    r"(?P<half>a\.?\s?m\.?|p\.?\s?m\.?|o'clock|noon|midnight)?"
    r"(?:\s+in the (?P<part>morning|afternoon|evening))?",
    re.IGNORECASE,
)
_CHINESE_CLOCK = Pattern(
    r"(?P<part>上午|下午|晚上|早上|凌晨|中午)?\s*(?P<h>\d{1,2})\s*[点时]\s*(?:(?P<m>\d{1,2})\s*分?|(?P<half>半))?"
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul",
         "august aug", "september sep sept", "october oct", "november nov", "december dec"), 1
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "(?P<month>" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day\s*,?\s*)?"
_DATES = tuple(
    Pattern(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_WEEKDAY}{_MONTH}\s*{_DAY}(?:\s*,?\s*(?P<year>\d{{4}}))?",
        rf"{_WEEKDAY}(?:the\s+)?{_DAY}\s*(?:of\s+)?{_MONTH}(?:\s*,?\s*(?P<year>\d{{4}}))?",
        r"(?P<year>\d{4})\s*[-/.]\s*(?P<month>\d{1,2})\s*[-/.]\s*(?P<day>\d{1,2})",
        r"(?:(?P<year>\d{4})\s*年\s*)?(?P<month>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*[日号]",
        rf"{_MONTH}\s*,?\s*(?P<year>\d{{4}})",
    )
)
_SLASHED = Pattern(r"(?P<a>\d{1,2})\s*[/.\-]\s*(?P<b>\d{1,2})\s*[/.\-]\s*(?P<year>\d{4})")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def read_clock(text: str) -> Clock | None:
    """Read a time of day: ``3:30 pm``, ``15:30``, ``noon``, ``3 o'clock``."""
    lower = text.lower()
    if lower in {"noon", "midday"}:
        return Clock(12 * 3600, "pm")
    if lower == "midnight":
        return Clock(12 * 3600, "am")
    if not any(c in lower for c in ":mk点时") or len(text) > 40:
        return None
    match = _CLOCK.fullmatch(text)
    if match is None:
        return _read_chinese(text)
    if match["m"] is None and match["half"] is None and match["part"] is None:
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
    match = _CHINESE_CLOCK.fullmatch(text)
    if match is None:
        return None
    hour = int(match["h"])
    minute = 30 if match["half"] else int(match["m"] or 0)
    part = match["part"]
    if hour > 24 or minute > 59:
        return None
    half = None
    if part and hour <= 12:
        half = "am" if part in {"上午", "早上", "凌晨"} else "pm"
    return Clock(hour * 3600 + minute * 60, half)


def read_date(text: str, options: Options) -> Date | None:
    """Read a date: ``January 5, 2020``, ``5 Jan``, ``2020-01-05``, ``1/5/2020``, ``1月5日``."""
    if len(text) > 40 or not any(c.isdigit() for c in text):
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
            name = parts["month"].lower()
            month = _MONTHS[name] if name in _MONTHS else int(name)
            return _make_date(int(parts["year"] or 0), month, int(parts.get("day") or 0))
    return None


def _make_date(year: int, month: int, day: int) -> Date | None:
    if not 1 <= month <= 12 or day > _DAYS[month - 1]:
        return None
    return Date(year, month, day)
