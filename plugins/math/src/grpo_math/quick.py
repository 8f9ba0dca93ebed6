"""Decides pairs of simple answers without the reader: numbers, quantities, letters, tuples, days.

What is decided here has the verdict that the reader and the judge would give, for the default
options; everything else is left to them.
"""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

from grpo_math.arithmetic import evaluate
from grpo_math.forms import Decision, compare_forms, lowest
from grpo_math.opposites import is_rate_of_amount
from grpo_math.patterns import Pattern
from grpo_math.plain import Plain
from grpo_math.reading.normalise import translate_unicode
from grpo_math.residues import compare_equations, compare_expressions
from grpo_math.several import compare_several
from grpo_math.simple import Simple, read_simple, read_words
from grpo_math.sums import compare_sums
from grpo_math.units import Unit

_NAMED = Pattern(
    r"([a-df-hj-zA-Z](?:\([a-z]\))?|[A-Z]{2}|[fghP]\([0-9A-Z]\)"
    r"|\\(?:sin|cos|tan)\s*(?:\s[A-Z]|\\theta|\\alpha))\s*=\s*(?=[^=\s])"
)
_IMAGINARY = Pattern(r"(?<![a-zA-Z\\])i(?![a-zA-Z])")
_BRACKETED = frozenset({"()", "[]", "(]", "[)", "{}"})
_TUPLE = Pattern(r"\s*(?:\\left\s*)?\(([^()\[\]]+?)(?:\\right\s*)?\)\s*")
_GLUED = Pattern(r"[0-9],[0-9]{3}")
_MAX_LENGTH = 80
_TYPES = {"": "number", "()": "pair or interval", "[]": "pair or interval", "{}": "set",
          "(]": "pair or interval", "[)": "pair or interval", ",": "values",
          "<>": "tuple"}  # fmt: skip


def compare_simple(gold: str, pred: str) -> Decision | None:
    """Compare two simple answers.

    Args:
        gold: One text.
        pred: The other.

    Returns:
        Whether they are equal, the types of both, and the rule; None where one is not simple or
        the rules for it need more than this.
    """
    if len(gold) > _MAX_LENGTH or len(pred) > _MAX_LENGTH:
        return None
    gold, pred = _tidy(gold), _tidy(pred)
    found, final = compare_forms(gold, pred)
    if final:
        return found
    found = _compare_chains(gold, pred)
    if found is None and gold.count("=") == pred.count("=") == 1:
        same = compare_equations(gold, pred)
        if same is not None:
            return same, "equation", "equation", "equation up to a factor"
    return found


def _compare_chains(gold: str, pred: str) -> Decision | None:
    """Compare values with a name or none, or at the end of a computation."""
    name, gold = _split_name(gold)
    other_name, pred = _split_name(pred)
    if name != other_name and name and other_name:
        return None
    bare = not (name or other_name)
    if (
        bare
        and ("i" in gold or "i" in pred)
        and (_IMAGINARY.search(gold) or _IMAGINARY.search(pred))
    ):
        return _compare_notation(name, other_name, gold, pred)
    first = _read_last(gold) or (read_words(gold) if bare else None)
    if first is None:
        return _compare_notation(name, other_name, gold, pred)
    second = _read_last(pred) or (read_words(pred) if bare else None)
    if second is None:
        return _compare_notation(name, other_name, gold, pred)
    if (first[2] is None) != (second[2] is None) and is_rate_of_amount(gold, pred):
        return None
    if (name or other_name) and first[0] + second[0] not in "√√":
        return None
    found = _compare(first, second)
    if found is None or not (name or other_name):
        return found
    equal, gold_type, pred_type, rule = found
    return equal, "equation" if name else gold_type, "equation" if other_name else pred_type, rule


def _compare_notation(name: str, other_name: str, gold: str, pred: str) -> Decision | None:
    """Compare expressions in letters, and sums of roots, constants and functions."""
    named = (name or other_name)[:1]
    if named and named in gold + pred:
        return None
    if not (name or other_name) and (several := compare_several(gold, pred)) is not None:
        return several, "values", "values", "values in any order"
    if (pairs := _split_tuples(gold, pred)) is not None:
        return None if name or other_name else _compare_tuples(pairs)
    same = compare_expressions(gold, pred)
    rule = "sum of terms" if same is None else "exact fingerprint"
    found = compare_sums(gold, pred) if same is None else (same, "expression", "expression")
    if found is None:
        return None
    equal, gold_type, pred_type = found
    return equal, "equation" if name else gold_type, "equation" if other_name else pred_type, rule


def _split_tuples(gold: str, pred: str) -> list[tuple[str, str]] | None:
    """Pair the entries of two tuples; None where one is none or has another number of entries."""
    if "," not in gold or "," not in pred:
        return None
    first, second = _TUPLE.fullmatch(gold), _TUPLE.fullmatch(pred)
    if first is None or second is None or _GLUED.search(gold) or _GLUED.search(pred):
        return None
    sides = first[1].split(","), second[1].split(",")
    return list(zip(*sides, strict=True)) if len(sides[0]) == len(sides[1]) else None


def _compare_tuples(entries: list[tuple[str, str]]) -> Decision | None:
    """Compare tuples whose entries are sums of roots and the like."""
    equal = True
    for one, other in entries:
        found = compare_sums(one, other)
        if found is None or found[1:] != ("number", "number"):
            return None
        equal = equal and found[0]
    kind = "pair or interval" if len(entries) == 2 else "tuple"
    return equal, kind, kind, "tuple"


def _tidy(text: str) -> str:
    """Write signs in ASCII, and take out the dollars around all; other letters stay."""
    if not text.isascii():
        spelled = translate_unicode(text)
        text = spelled if spelled.isascii() else text
    text = text.strip()
    if text[:1] == text[-1:] == "$" and text[-2:-1] != "\\" and text.count("$") == 2:
        return text[1:-1].strip()
    return text


def _split_name(text: str) -> tuple[str, str]:
    """Split ``x = 5`` into the name and the value; an empty name where there is none."""
    named = _NAMED.match(text) if "=" in text else None
    return (named[1], text[named.end() :]) if named else ("", text)


def _read_last(text: str) -> Simple | None:
    """Read a simple answer, or the value a chain of computed sides counts by."""
    if "≈" in text or "\\approx" in text:
        text, _, about = text.replace("≈", "\\approx").partition("\\approx")
        if evaluate(about) is None or "$" in text:
            return None
    if "=" in text:
        sides = text.split("=")
        if "!=" in text or any(evaluate(side) is None for side in sides):
            return None
        text = sides[-1]
    return read_simple(text)


def _compare(a: Simple, b: Simple) -> Decision | None:
    if "√" in {a[0], b[0]}:
        return _compare_monomials(a, b)
    if a[0] != b[0]:
        return _compare_unlike(a, b)
    if not a[0]:
        return _compare_quantities(a[1][0], a[2], b[1][0], b[2])
    kind = _name(a)
    if a[0] == "{}":
        equal, rule = set(_reduce(a)) == set(_reduce(b)), "set"
    elif a[0] == ",":
        equal, rule = Counter(_reduce(a)) == Counter(_reduce(b)), "values in any order"
    else:
        equal, rule = _reduce(a) == _reduce(b), "tuple"
    if not equal and any(number[2] for number in a[1] + b[1]):
        return None  # a long decimal may round the exact value
    return equal, kind, _name(b), rule


def _name(simple: Simple) -> str:
    kind = _TYPES[simple[0]]
    return "tuple" if kind == "pair or interval" and len(simple[1]) != 2 else kind


def _compare_unlike(a: Simple, b: Simple) -> Decision | None:
    """Compare values in brackets of two kinds; other kinds than sets only where both are pairs."""
    fences = {a[0], b[0]}
    if "" in fences and a[2] is None and b[2] is None:
        one = "several values against one" if "," in fences else "a set or tuple is no number"
        return False, _name(a), _name(b), one
    if any(not low for _, low, _ in a[1] + b[1]):
        return None  # at infinity an end is open, whatever its bracket
    if not fences <= _BRACKETED or ("{}" not in fences and len(a[1]) != 2):
        return None
    return False, _name(a), _name(b), "different brackets"


def _compare_monomials(a: Simple, b: Simple) -> Decision | None:
    """Compare products of roots and π, with each other and with bare numbers."""
    read = [_square(side) for side in (a, b)]
    if None in read or (read[0] != read[1] and any(side[1][0][2] for side in (a, b))):
        return None
    return read[0] == read[1], "number", "number", "exact value"


def _square(simple: Simple) -> tuple[int, int, int] | None:
    """Return the signed square of a number, reduced, and its power of π."""
    kind, numbers, unit = simple
    if kind not in {"", "√"} or unit is not None:
        return None
    high, low, _ = numbers[0]
    power = numbers[1][0] if kind else 0
    if not kind:
        high, low = high * abs(high), low * low
    divisor = math.gcd(high, low)
    if low < 0:
        divisor = -divisor
    return high // divisor, low // divisor, power if high else 0


def _reduce(simple: Simple) -> list[tuple[int, int]]:
    return [lowest(number) for number in simple[1]]


def _compare_quantities(
    a: Plain, unit_a: Unit | None, b: Plain, unit_b: Unit | None
) -> Decision | None:
    type_a, type_b = ("number" if unit is None else "quantity" for unit in (unit_a, unit_b))
    if unit_a is None or unit_b is None or unit_a == unit_b:
        equal = a[0] * b[1] == b[0] * a[1]
        rule = "plain number"
    elif unit_a.dims != unit_b.dims:
        return False, type_a, type_b, "different dimensions"
    elif unit_a.pi != unit_b.pi:
        return None
    else:
        equal = _convert(a, unit_a) == _convert(b, unit_b)
        rule = "same dimension, exact value"
    if not equal and (a[2] or b[2]):
        return None
    return equal, type_a, type_b, rule


def _convert(number: Plain, unit: Unit) -> Fraction:
    return Fraction(number[0], number[1]) * unit.factor + unit.offset
