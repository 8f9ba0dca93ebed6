"""Numbers with their units inside a sentence."""

from __future__ import annotations

import re
from typing import Final

from grpo_math.patterns import Pattern

_UNIT: Final = (
    r"(?:(?:square|cubic|sq\.?|cu\.?)\s(?:kilo|centi|milli)?(?:met(?:er|re)s?|inch(?:es)?|feet|"
    r"foot|yards?|miles?|units?)"
    r"|(?:kilo|centi|milli)?(?:met(?:er|re)s?|grams?|lit(?:er|re)s?|watts?|joules?|volts?|newtons?)"
    r"|[kcmdµ]?(?:m|g|L|l|s|N|J|W|V|A|Hz|Pa)(?:[²³]|\^\{?-?\d\}?)?(?:\s?/\s?(?:s|h|min|hr|m|"
    r"cm)(?:[²³]|\^\{?\d\}?)?)?"
    r"|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|inch(?:es)?|feet|"
    r"ft|yards?|miles?|mph|km/h"
    r"|dollars?|cents?|euros?|pounds?|yen|yuan|rupees?|percent|per cent|degrees?|radians?|"
    r"°[CF]?|[ap]\.?m\b\.?"
    r"|元|美元|厘米|千米|公里|毫米|平方厘米|平方米|立方厘米|米|分钟|小时|秒|天|千克|克|升|度|円|メートル|원|€|¥|£"
    r"|Stunden?|Minuten?|Sekunden?|heures?|horas?|minutos?|секунд\w?|минут\w?|час\w{0,2}|см|км|"
    r"кг|руб\w{0,4})"
)
_NUMBER: Final = (
    r"(?:[-−+](?=[$€£¥₹\d.]))?(?:[$€£¥₹]\s?)?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|(?<!\d)\.\d+)"
    r"(?:\s?/\s?\d+|\s\d+/\d+|:\d{2}(?::\d{2})?)?(?:[eE][-+]?\d{1,6})?(?:\s?\\?%)?"
)
_QUANTITY: Final = Pattern(rf"(?<![\w.])({_NUMBER})(?:[\s~]?({_UNIT})(?![A-Za-z]))?")
_COMPOUND: Final = Pattern(
    r"\d+\s?(?:hours?|hrs?|h|days?|weeks?|minutes?|mins?|feet|ft|pounds?|lbs?|km|m|meters?|yards?|"
    r"years?|dollars?)\s?(?:,\s?|and\s)?(?:and\s)?\d+\s?(?:minutes?|mins?|hours?|seconds?|secs?|"
    r"inches|in|ounces?|oz|m|cm|feet|days?|months?|cents?)(?![A-Za-z])"
)
_DATE: Final = Pattern(
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
    r"\s\d{1,2}(?:st|nd|rd|th)?(?![\d:])(?:,\s\d{4})?|\d{4}-\d{2}-\d{2}"
)
_DETERMINERS: Final = (
    r"(?:(?:the|these|those|each|all|his|her|their|its|every|only|about|another|last|first|next|"
    r"other|remaining)\s+){0,2}$"
)
_BESIDE: Final = Pattern(
    r"(?:\b(?:for|after|in|within|per|every|during|over|from|with|among|between|each"
    r"|(?:after|by|of|for|from|before|without|when|while)\s+\w+ing(?:\s(?:away|up|out|back|off))?"
    r"|to\s+(?!be\b)[a-z]{3,}"
    r"|(?:\d|half|thirds?|quarters?|fourths?|out|most|all|some|any|one|two|each)\s+of)"
    r"|[\d%]\s+of)\s+" + _DETERMINERS,
    re.IGNORECASE,
)
_BEHIND: Final = Pattern(
    r"\s(?:[a-z]+\s){0,2}(?:in|for|within|after|during|when|if|to\s[a-z]+)\s[^,;]*\d", re.IGNORECASE
)
_CJK_LEAD: Final = Pattern(r"^[\u3040-\u9fff]{1,6}(?=[-+]?[$€£¥]?\d)")
_COPULA: Final = Pattern(r"\s{0,4}(?:である|です|となる|になる|だ|입니다|이다)$")


def find_quantities(text: str) -> list[str]:
    """Find the numbers of a text with their units, a compound (`3 hours 15 minutes`) as one."""
    for whole in (_DATE, _COMPOUND):
        compounds = [match.group() for match in whole.finditer(text)]
        if compounds:
            return compounds
    return [match.group().strip() for match in _QUANTITY.finditer(text)]


def find_main_quantities(text: str) -> list[str]:
    """Find the quantities of a sentence that say no more than when, where or for whom it holds.

    `Weng earned $10 for 50 minutes` states $10: the 50 minutes stand behind a preposition. Where
    every quantity does, all count.
    """
    for whole in (_DATE, _COMPOUND):
        if whole.search(text):
            return find_quantities(text)
    matches = list(_QUANTITY.finditer(text))
    main = [m for m in matches if m.group()[0] in "$€£¥₹" or not _BESIDE.search(text[: m.start()])]
    return [match.group().strip() for match in main or matches]


def read_quantity(text: str) -> str | None:
    """Read the number with its unit that a text starts with."""
    match = _QUANTITY.match(text)
    return match.group().strip() if match else None


def strip_beside(value: str) -> str:
    """Return the quantity that a value begins with, where others only say when or for what.

    `90 feet in 9 yards` is 90 feet, while `1 out of 3` and `60 miles per 2 hours` are what they
    are.
    """
    match = _QUANTITY.match(value)
    if match is None or not _BEHIND.match(value, match.end()):
        return value
    return match.group().strip()


def trim_counter(value: str) -> str:
    """Return a quantity without the counting words of languages without spaces (`12 个`)."""
    if value.isascii():
        return value
    value = _CJK_LEAD.sub("", _COPULA.sub("", value))
    quantity = _QUANTITY.match(value)
    rest = value[quantity.end() :].strip() if quantity else ""
    if (
        quantity
        and rest
        and all("\u3040" <= sign < "\ua000" or "\uac00" <= sign < "\ud800" for sign in rest)
    ):
        return quantity.group().strip() if not set(rest) & set("和与或及以的") else value
    return value
