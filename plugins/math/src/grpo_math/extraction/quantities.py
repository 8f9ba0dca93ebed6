"""Numbers with their units inside a sentence."""

from __future__ import annotations

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
    r"(?:[-−+](?=[$€£¥₹\d.]))?(?:[$€£¥₹]\s?)?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
    r"(?:\s?/\s?\d+|\s\d+/\d+|:\d{2}(?::\d{2})?)?(?:[eE][-+]?\d{1,6})?(?:\s?\\?%)?"
)
_QUANTITY: Final = Pattern(rf"(?<![\w.])({_NUMBER})(?:[\s~]?({_UNIT})(?![A-Za-z]))?")
_COMPOUND: Final = Pattern(
    r"\d+\s?(?:hours?|hrs?|h|days?|weeks?|minutes?|mins?|feet|ft|pounds?|lbs?|km|m|meters?|yards?|"
    r"years?|dollars?)\s?(?:,\s?|and\s)?(?:and\s)?\d+\s?(?:minutes?|mins?|hours?|seconds?|secs?|"
    r"inches|in|ounces?|oz|m|cm|feet|days?|months?|cents?)(?![A-Za-z])"
)
_COPULA: Final = Pattern(r"\s{0,4}(?:である|です|となる|になる|だ|입니다|이다)$")


def find_quantities(text: str) -> list[str]:
    """Find the numbers of a text with their units, a compound (`3 hours 15 minutes`) as one."""
    compounds = [match.group() for match in _COMPOUND.finditer(text)]
    if compounds:
        return compounds
    return [match.group().strip() for match in _QUANTITY.finditer(text)]


def read_quantity(text: str) -> str | None:
    """Read the number with its unit that a text starts with."""
    match = _QUANTITY.match(text)
    return match.group().strip() if match else None


def trim_counter(value: str) -> str:
    """Return a quantity without the counting words of languages without spaces (`12 个`)."""
    if value.isascii():
        return value
    value = _COPULA.sub("", value)
    quantity = _QUANTITY.match(value)
    rest = value[quantity.end() :].strip() if quantity else ""
    if (
        quantity
        and rest
        and all("\u3040" <= sign < "\ua000" or "\uac00" <= sign < "\ud800" for sign in rest)
    ):
        return quantity.group().strip() if not set(rest) & set("和与或及以的") else value
    return value
