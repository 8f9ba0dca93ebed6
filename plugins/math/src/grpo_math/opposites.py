"""Words that say the contrary of each other: ``5 m/s east``, ``5 m/s west``."""

from __future__ import annotations

import itertools

from grpo_math.patterns import Pattern

_OPPOSITE = tuple(
    tuple(frozenset(side.split()) for side in group.split("|"))
    for group in (
        (
            "north northward northern | south southward southern | east eastward eastern"
            " | west westward western | northeast | northwest | southeast | southwest"
            " | up upward upwards | down downward downwards | left leftward | right rightward"
        ),
        "clockwise | counterclockwise anticlockwise counter-clockwise",
        "early earlier before ago | late later after",
        "profit gain gained surplus | loss losses lost deficit",
        "win wins won winner | loss losses lost lose loses loser | draw draws drawn tie ties tied",
        "increase increased rise rose | decrease decreased fall fell drop dropped",
        "above over | below under",
        "more | less fewer",
        "inward inwards | outward outwards",
        "older | younger",
        "taller longer | shorter",
        "faster | slower",
        "bigger larger | smaller",
        "higher | lower",
        "warmer hotter | cooler colder",
        "heavier | lighter",
        "forward forwards | backward backwards",
        "true | false",
        "min minimum least smallest lowest | max maximum most largest greatest highest",
        "even | odd",
        "positive | negative",
        "first | last",
        "buy buys bought | sell sells sold",
    )
)
OPPOSITE_WORDS = frozenset(word for group in _OPPOSITE for side in group for word in side)
_OPPOSITES = Pattern(
    r"(?<![a-z\\])(?!(?<=\d)min|(?<=\d )min)(?:"
    + "|".join(sorted(OPPOSITE_WORDS, key=len)[::-1])
    + r")(?![a-z])"
)

_WORD = Pattern(r"(?<![a-zA-Z\\])[a-zA-Z]{2}")
_TOWARDS = Pattern(r"\b(?:to|towards?)\s+the\s+(?:north|south|east|west)\b")
_COMPASS = Pattern(r"\b(?:north|south|east|west)")
_RATE = Pattern(
    r"(?:\b(?:per|an?|each|every)\b|/)[\s~\\,]*"
    r"(?:s|sec|seconds?|min|minutes?|h|hr|hours?|days?|nights?|weeks?|months?|years?)\b"
)
_THING = Pattern(r"(?<![\\a-z])(?![a-z]p[mhs]\b)[a-z]{3,}")
_COUNTED = Pattern(r"(\d+(?:\.\d+)?)\s+(?!(?:and|but|the)\b)([a-zA-Z]{3,})")
_LABELLED = Pattern(r"([a-zA-Z]{3,})\s*[:=]\s*(\d+(?:\.\d+)?)")


def are_opposite(gold: str, pred: str) -> bool:
    """Tell whether words beside two equal numbers say the contrary."""
    if not (_WORD.search(gold) or _WORD.search(pred)):
        return False
    first, second = (set(_OPPOSITES.findall(text.lower())) for text in (gold, pred))
    only_first, only_second = first - second, second - first
    if not (only_first and only_second):
        return _lacks_direction(gold.lower(), pred.lower())
    return any(
        only_first & side and only_second & other
        for group in _OPPOSITE
        for side, other in itertools.permutations(group, 2)
    )


def is_rate_of_amount(gold: str, pred: str) -> bool:
    """Tell whether one text is a rate, ``3 apples per day``, and the other counts, ``3 apples``."""
    rates = [_RATE.search(text.lower()) is not None for text in (gold, pred)]
    if rates[0] == rates[1]:
        return False
    return _THING.search((pred if rates[0] else gold).lower()) is not None


def _lacks_direction(gold: str, pred: str) -> bool:
    """Tell whether one side alone says ``100 km to the north``."""
    towards = [_TOWARDS.search(text) is not None for text in (gold, pred)]
    compass = [_COMPASS.search(text) is not None for text in (gold, pred)]
    return any(towards) and not all(compass)


def count_otherwise(gold: str, pred: str) -> bool:
    """Tell whether two lists count the same things and give them other numbers.

    ``7 boys and 5 girls`` is not ``5 boys and 7 girls``, though both list 5 and 7.
    """
    first, second = (
        sorted(
            [(thing.lower(), number) for number, thing in _COUNTED.findall(text)]
            + [(thing.lower(), number) for thing, number in _LABELLED.findall(text)]
        )
        for text in (gold, pred)
    )
    things = [[thing for thing, _ in counted] for counted in (first, second)]
    return len(first) > 1 and things[0] == things[1] and first != second
