"""The typed values an answer can be: frozen, built only by the readers.

They are named tuples, because to import attrs takes as long as to import all of this package.
Other than tuples, values of two types are never equal.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, cast

from grpo_math.units import Unit


class Num(NamedTuple):
    """An exact rational number.

    Attributes:
        value: The number.
        digits: Significant digits where it was written as a decimal, else 0.
        ulp: Weight of the last digit written, for decimals.
    """

    value: Fraction
    digits: int = 0
    ulp: Fraction = Fraction(0)


class Const(NamedTuple):
    """A constant: ``pi``, ``e``, ``i``, ``oo`` (infinity)."""

    name: str


class Var(NamedTuple):
    """A variable, or an unknown function applied to something, taken as one symbol."""

    name: str


class Call(NamedTuple):
    """An operation on expressions, for example ``add``, ``pow``, ``sin`` or ``binom``."""

    op: str
    args: tuple[Expr, ...]


Expr = Num | Const | Var | Call


class Quantity(NamedTuple):
    """A number with a unit that has a dimension.

    Attributes:
        amount: How many units.
        unit: The unit.
        loose: True where the unit could as well be a variable (``5m``).
    """

    amount: Expr
    unit: Unit
    loose: bool = False


class Group(NamedTuple):
    """Values in brackets: a tuple, vector, interval or set.

    Attributes:
        fence: The two brackets, one of ``()``, ``[]``, ``(]``, ``[)``, ``{}``, ``<>``.
        items: The values inside.
    """

    fence: str
    items: tuple[Value, ...]


class Listing(NamedTuple):
    """Several values, unordered: ``2, 3 and 7``, ``x = 1 or x = -3``, ``1 ± √2``.

    Attributes:
        items: The values.
        joiner: ``and``, ``or`` or ``,``; it says how statements are joined, and nothing else.
    """

    items: tuple[Value, ...]
    joiner: str = ","


class Relation(NamedTuple):
    """Sides joined by relation signs.

    Attributes:
        sides: At least two values.
        signs: One of ``= != < <= > >= in ~ == ->`` between each two sides.
    """

    sides: tuple[Value, ...]
    signs: tuple[str, ...]


class SetOperation(NamedTuple):
    """Sets joined by ``union``, ``meet`` or ``minus``; statements by ``land`` or ``lor``.

    ``forall`` and ``exists`` join what they bind with what they say of it.
    """

    op: str
    parts: tuple[Value, ...]


class NamedSet(NamedTuple):
    """A set with a name: ``R``, ``Z``, ``N``, ``Q``, ``C`` (with ``+`` or ``-``) or ``empty``."""

    name: str


class Builder(NamedTuple):
    """A set given by what holds for its members: ``{ head | conditions }``."""

    head: Value
    conditions: tuple[Value, ...]


class Matrix(NamedTuple):
    """A matrix, row by row."""

    rows: tuple[tuple[Value, ...], ...]


class Ratio(NamedTuple):
    """A proportion of two or more terms."""

    terms: tuple[Expr, ...]


class Clock(NamedTuple):
    """A time of day.

    Attributes:
        seconds: Since midnight, the hour as written where ``half`` is None.
        half: ``am``, ``pm`` or None where neither was written.
    """

    seconds: int
    half: str | None


class Date(NamedTuple):
    """A day; parts that were not written are 0."""

    year: int
    month: int
    day: int


class Choice(NamedTuple):
    """Letters of a multiple-choice answer.

    Attributes:
        letters: The letters, sorted.
        content: What stood beside a single letter (``C. 12``), or an empty text.
        sure: False where the letter could as well be a variable.
    """

    letters: str
    content: str = ""
    sure: bool = True


class Text(NamedTuple):
    """Plain words, normalised."""

    words: str


class Truth(NamedTuple):
    """Yes, no, true or false."""

    word: str


class Proposition(NamedTuple):
    """A formula of propositional logic.

    Attributes:
        names: The letters on which its truth depends, sorted.
        truths: Its truth for every choice of theirs, the last letter changing first.
    """

    names: tuple[str, ...]
    truths: tuple[bool, ...]


Value = (
    Num
    | Const
    | Var
    | Call
    | Quantity
    | Group
    | Listing
    | Relation
    | SetOperation
    | NamedSet
    | Builder
    | Matrix
    | Ratio
    | Clock
    | Date
    | Choice
    | Text
    | Truth
    | Proposition
)


def _is_same(self: tuple[object, ...], other: object) -> bool:
    return self.__class__ is other.__class__ and tuple.__eq__(self, other)


def _is_other(self: tuple[object, ...], other: object) -> bool:
    return not _is_same(self, other)


def list_names(values: Listing) -> set[str]:
    """Collect the names of an assignment list; the roots ``x_1, x_2`` have one name."""
    return {
        item.sides[0].name.partition("_")[0]
        for item in values.items
        if isinstance(item, Relation) and isinstance(item.sides[0], Var)
    }


def are_joined_otherwise(a: Listing, b: Listing) -> bool:
    """Tell whether statements are joined by 'and' in one list and by 'or' in the other.

    Values are the same however they are listed, and so are the roots of one name.
    """
    if {a.joiner, b.joiner} != {"and", "or"}:
        return False
    statements = [item for item in (*a.items, *b.items) if isinstance(item, Relation)]
    assigned = all(item.signs == ("=",) for item in statements)
    return bool(statements) and not (assigned and len(list_names(a) | list_names(b)) == 1)


def _lists_same(self: Listing, other: object) -> bool:
    same = isinstance(other, Listing) and self.items == other.items
    return same and not are_joined_otherwise(self, cast("Listing", other))


def _lists_other(self: Listing, other: object) -> bool:
    return not _lists_same(self, other)


_EQUALITY = {"__eq__": _is_same, "__ne__": _is_other}
_EQUALITY_OF_LISTS = {
    "__eq__": _lists_same, "__ne__": _lists_other, "__hash__": lambda self: hash(self.items)
}  # fmt: skip
for _kind in Value.__args__:
    for _name, _method in (_EQUALITY_OF_LISTS if _kind is Listing else _EQUALITY).items():
        setattr(_kind, _name, _method)

NUMBER_TYPES = (Num, Const, Var, Call)
BINDERS = frozenset({"sum", "prod", "integral", "limit"})
_NONE: frozenset[str] = frozenset()
_STATEMENTS = frozenset({"forall", "exists", "land", "lor"})
_TYPE_NAMES = {
    Const: "number", Var: "expression", Quantity: "quantity", Listing: "values",
    Relation: "relation", SetOperation: "set", NamedSet: "set", Builder: "set", Matrix: "matrix",
    Ratio: "ratio", Clock: "time", Date: "date", Proposition: "statement",
    Choice: "choice", Text: "text", Truth: "truth",
}  # fmt: skip


def collect_variables(expr: Value) -> frozenset[str]:
    """Collect the names of the variables in an expression."""
    if isinstance(expr, Var):
        return frozenset((expr.name,))
    if not isinstance(expr, Call):
        return _NONE
    names: set[str] = set()
    _gather(expr, names)
    return frozenset(names)


def _gather(expr: Call, names: set[str]) -> None:
    if expr.op in BINDERS:
        inner: set[str] = set()
        for arg in expr.args[1:]:
            inner |= collect_variables(arg)
        names |= inner - collect_variables(expr.args[0])
        return
    for arg in expr.args:
        if isinstance(arg, Var):
            names.add(arg.name)
        elif isinstance(arg, Call):
            _gather(arg, names)


def name_type(value: Value) -> str:
    """Name the type of a value as results show it."""
    if isinstance(value, Num):
        return "number"
    if isinstance(value, Call):
        return "expression" if collect_variables(value) else "number"
    if isinstance(value, Group):
        if value.fence == "{}":
            return "set"
        if len(value.items) == 2 and value.fence != "<>":
            return "pair or interval"
        return "tuple"
    if isinstance(value, SetOperation) and value.op in _STATEMENTS:
        return "statement"
    if isinstance(value, Relation):
        return "equation" if set(value.signs) == {"="} else "relation"
    return _TYPE_NAMES[type(value)]
