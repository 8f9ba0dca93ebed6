"""Equality of equations and inequalities: the same up to a factor."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Protocol

from grpo_math.equality.exact import UndefinedError
from grpo_math.equality.modular import proportional_modulo
from grpo_math.equality.numeric import NotRealError, NumericEvaluator
from grpo_math.limits import Deadline, OverLimitError, UndecidableError
from grpo_math.reading.atoms import add, negate
from grpo_math.values import NUMBER_TYPES, Expr, Relation, Value, collect_variables
from grpo_math.wording import words

_ORDER = frozenset({"<", ">", "<=", ">="})
_FLIPPED = {
    "<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!=", "~": "~", "sim": "sim",
    "cong": "cong", "par": "par", "perp": "perp", "sub": "sup", "sup": "sub", "subeq": "supeq",
    "supeq": "subeq",
}  # fmt: skip
_POINTS = tuple(Fraction(t) for t in words("13/17 -29/19 47/11 -61/7 83/23 5/29 -7/41"))
_WANTED = 4
_DIGITS = 60


class Judge(Protocol):
    """What the rules for relations need of the judge around them."""

    deadline: Deadline

    def equal(self, a: Value, b: Value) -> bool:
        """Tell whether two values are equal."""
        ...


def _gap(relation: Relation) -> Expr | None:
    """Subtract the right side from the left."""
    left, right = relation.sides[0], relation.sides[1]
    if len(relation.sides) != 2 or not isinstance(left, NUMBER_TYPES):
        return None
    return add([left, negate(right)]) if isinstance(right, NUMBER_TYPES) else None


def find_factor(judge: Judge, a: Expr, b: Expr) -> Any:
    """Find the constant number that a is times b.

    Returns:
        The factor; None where there is none.

    Raises:
        UndecidableError: Too few points where both have a value.
    """
    names = sorted(collect_variables(a) | collect_variables(b))
    if collect_variables(a) != collect_variables(b) or not names:
        return None
    factor: Any = None
    for real in (True, False):
        found = 0  # the same points come again in complex numbers
        numbers = NumericEvaluator(_DIGITS, judge.deadline, real=real)
        for start in range(len(_POINTS)):
            bindings = {
                name: numbers.convert(_POINTS[(start + 2 * i) % len(_POINTS)] + i // len(_POINTS))
                for i, name in enumerate(names)
            }
            try:
                first, first_error = numbers.evaluate(a, bindings)
                second, second_error = numbers.evaluate(b, bindings)
            except (NotRealError, UndefinedError, OverLimitError):
                continue
            if abs(first) <= first_error * 100 or abs(second) <= second_error * 100:
                if abs(first) <= first_error * 100 and abs(second) <= second_error * 100:
                    continue
                return None
            quotient = first / second
            if factor is None:
                factor = quotient
            elif abs(quotient - factor) > abs(factor) * numbers.context.mpf(10) ** -30:
                return None
            found += 1
            if found == _WANTED:
                return factor
        if found >= 2:
            return factor
    raise UndecidableError("no point where both equations have a value")


def equal_equations(judge: Judge, a: Relation, b: Relation) -> bool:
    """Tell whether two equations are the same up to a constant factor and the order of sides."""
    first, second = _gap(a), _gap(b)
    if first is None or second is None:
        return _equal_sides(judge, a.sides, b.sides) or _equal_sides(judge, a.sides[::-1], b.sides)
    names = sorted(collect_variables(first) | collect_variables(second))
    same = proportional_modulo(first, second, names) if names else None
    return find_factor(judge, first, second) is not None if same is None else same


def _equal_sides(judge: Judge, a: tuple[Value, ...], b: tuple[Value, ...]) -> bool:
    return len(a) == len(b) and all(judge.equal(x, y) for x, y in zip(a, b, strict=True))


def equal_inequalities(judge: Judge, a: Relation, b: Relation) -> bool:
    """Tell whether two relations are the same, also scaled or written from right to left."""
    if a.signs == b.signs and _equal_sides(judge, a.sides, b.sides):
        return True
    flipped = tuple(_FLIPPED.get(sign, "") for sign in b.signs[::-1])
    if a.signs == flipped and _equal_sides(judge, a.sides, b.sides[::-1]):
        return True
    first, second = _gap(a), _gap(b)
    if first is None or second is None or len(a.signs) != 1 or len(b.signs) != 1:
        return False
    if a.signs[0] == b.signs[0] == "!=":
        return find_factor(judge, first, second) is not None
    if a.signs[0] not in _ORDER or b.signs[0] not in _ORDER:
        return False
    if ("=" in a.signs[0]) != ("=" in b.signs[0]):
        return False
    factor = find_factor(judge, first, second)
    if factor is None or factor.imag:
        return False
    return bool((factor.real > 0) == (a.signs[0] == b.signs[0]))
