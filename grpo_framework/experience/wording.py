"""Words, numbers and names of a text: what it is about, in as far as that can be counted."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_WIDE = re.compile(r"[\u3400-\u9fff]+")
_LINKING_TEXT = (
    "about above after again against all along also although always among and another any are "
    "around because been before being below between both but can cannot could did does doing down "
    "during each either else ever every few find first for from further get gets give given gives "
    "goes had has have having her here hers him his how however into its itself just last least "
    "less let like made make makes many may might more most much must never next nor not now off "
    "often once one ones only onto other others our out over own per same second see shall she "
    "should show since some such take takes than that the their them then there these they thing "
    "things this those though three through thus too total two under until upon use used uses "
    "using very was way well were what when where whether which while who whole whom whose why "
    "will with within without would yet you your answer answers problem problems question "
    "questions result results number numbers value values solve solution step steps write"
)
_LINKING = frozenset(_LINKING_TEXT.split())
COMMON_NUMBERS = frozenset(
    ["0", "1", "2", "3", "4", "5", "10", "12", "24", "60", "90", "100", "180", "360", "365", "1000"]
)


@lru_cache(maxsize=4096)
def content_words(text: str) -> frozenset[str]:
    """The words that carry meaning, folded and without a plural's s; of Chinese, pairs of signs."""
    folded = text.casefold()
    latin = {
        word.removesuffix("s") if len(word) > 4 else word
        for word in _WORD.findall(folded)
        if len(word) > 3 and word not in _LINKING and not _WIDE.match(word)
    }
    pairs = {run[i : i + 2] for run in _WIDE.findall(folded) for i in range(len(run) - 1)}
    return frozenset(latin | pairs)


@lru_cache(maxsize=4096)
def numbers_of(text: str) -> frozenset[str]:
    """The numbers that say which problem it is: no single small ones, no common constants."""
    found = {number.replace(",", "") for number in _NUMBER.findall(text)}
    return frozenset(found - COMMON_NUMBERS)


def is_wide(text: str) -> bool:
    """Whether a text is written in Chinese signs, more or less."""
    return 2 * sum(len(run) for run in _WIDE.findall(text)) >= len(_WORD.findall(text))
