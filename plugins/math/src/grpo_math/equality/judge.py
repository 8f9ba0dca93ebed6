"""Equality of two typed values: one rule per pair of types, each the same both ways round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from grpo_math.equality.expressions import ExpressionJudge
from grpo_math.equality.realsets import SetReader
from grpo_math.equality.relations import equal_equations, equal_inequalities
from grpo_math.limits import Deadline
from grpo_math.options import Options
from grpo_math.reading.atoms import multiply
from grpo_math.reading.shapes import is_name
from grpo_math.units import Unit
from grpo_math.values import (
    NUMBER_TYPES,
    Builder,
    Call,
    Choice,
    Clock,
    Const,
    Date,
    Expr,
    Group,
    Listing,
    Matrix,
    NamedSet,
    Num,
    Quantity,
    Ratio,
    Relation,
    SetOperation,
    Text,
    Truth,
    Value,
    Var,
)

_KINDS: dict[type, str] = {
    Num: "number", Const: "number", Var: "number", Call: "number", Quantity: "quantity",
    Group: "group", Listing: "list", Relation: "relation", SetOperation: "set", NamedSet: "set",
    Builder: "set", Matrix: "matrix", Ratio: "ratio", Clock: "clock", Date: "date",
    Choice: "choice", Text: "text", Truth: "truth",
}  # fmt: skip
_ANGLE = (("rad", Fraction(1)),)
_MAX_MATCH = 200


class Judge:
    """Decides whether values are equal.

    Attributes:
        options: Leniency and limits.
        expressions: Decides about numbers and expressions.
        rule: The rule that decided last.
    """

    def __init__(self, options: Options, deadline: Deadline) -> None:
        self.options = options
        self.deadline = deadline
        self.expressions = ExpressionJudge(options, deadline)
        self.rule = ""
        self._depth = 0

    def equal(self, a: Value, b: Value) -> bool:
        """Tell whether two values are equal; values of types without a common rule are not.

        Raises:
            UndecidableError: Numerics cannot tell.
            OverLimitError: A value is too large to compute.
            DeadlineError: The time is used up.
        """
        self.deadline.check()
        if a == b:
            self.rule = "same structure"
            return True
        first, second = _KINDS[type(a)], _KINDS[type(b)]
        rule = _RULES.get((first, second))
        if rule is not None:
            return rule(self, a, b)
        rule = _RULES.get((second, first))
        if rule is not None:
            return rule(self, b, a)
        self.rule = f"{first} is no {second}"
        return False

    def _numbers(self, a: Expr, b: Expr) -> bool:
        result = self.expressions.equal(a, b)
        if not result and self.options.percent_as_number:
            bare = [_drop_percent(a), _drop_percent(b)]
            if (bare[0] is a) != (bare[1] is b):
                result = self.expressions.equal(*bare)
        self.rule = self.expressions.rule
        return result

    def _quantities(self, a: Quantity, b: Quantity) -> bool:
        if a.unit.dims != b.unit.dims:
            self.rule = "different dimensions"
            return False
        if a.unit == b.unit:
            result = self._numbers(a.amount, b.amount)
        else:
            result = self._numbers(convert(a.amount, a.unit), convert(b.amount, b.unit))
        self.rule = f"same dimension, {self.rule}"
        return result

    def _number_quantity(self, number: Expr, quantity: Quantity) -> bool:
        if quantity.unit.dims == _ANGLE and _has_pi(number) and not _has_pi(quantity.amount):
            return self._numbers(number, convert(quantity.amount, quantity.unit))
        if self.options.strict_units or quantity.loose:
            self.rule = "unit on one side only"
            return False
        return self._numbers(number, quantity.amount)

    def _groups(self, a: Group, b: Group) -> bool:
        if (a.fence == "{}") != (b.fence == "{}"):
            self.rule = "different brackets"
            return False
        if a.fence == "{}":
            return self._match(self._distinct(a.items), self._distinct(b.items), "set")
        if a.fence != b.fence and (len(a.items) == 2 and "<>" not in {a.fence, b.fence}):
            self.rule = "different brackets"
            return False
        return self._tuple(a.items, b.items)

    def _tuple(self, a: Sequence[Value], b: Sequence[Value]) -> bool:
        if self.options.unordered_tuples:
            return self._match(a, b, "tuple without order")
        if len(a) != len(b):
            self.rule = "different lengths"
            return False
        result = all(self.equal(x, y) for x, y in zip(a, b, strict=True))
        self.rule = "tuple"
        return result

    def _match(self, a: Sequence[Value], b: Sequence[Value], rule: str) -> bool:
        """Pair the values of both sides off, whatever their order."""
        if len(a) != len(b):
            self.rule = f"{rule}: different numbers of values"
            return False
        left: list[Value] = []
        rest = list(b)
        for item in a:
            if item in rest:
                rest.remove(item)
            else:
                left.append(item)
        for item in left:
            found = next((i for i, other in enumerate(rest) if self.equal(item, other)), None)
            if found is None:
                self.rule = rule
                return False
            rest.pop(found)
        self.rule = rule
        return True

    def _distinct(self, items: Sequence[Value]) -> list[Value]:
        result: list[Value] = []
        for item in items:
            if item not in result and not (
                len(items) <= _MAX_MATCH and any(self.equal(item, other) for other in result)
            ):
                result.append(item)
        return result

    def _lists(self, a: Listing, b: Listing) -> bool:
        sets = self._as_sets(a, b)
        if sets:
            return True
        if self.options.ordered_lists:
            return self._tuple(a.items, b.items)
        names = [_sort_by_name(values) for values in (a, b)]
        if bool(names[0]) != bool(names[1]):
            named, bare = (a, b) if names[0] else (b, a)
            return self._named_list(named, bare)
        if all(isinstance(item, Group) for item in (*a.items, *b.items)):
            return self._match(self._distinct(a.items), self._distinct(b.items), "solutions")
        return self._match(a.items, b.items, "values in any order")

    def _named_list(self, named: Listing, bare: Listing) -> bool:
        """Compare ``AB = 4, CD = 5`` with ``4, 5``, and roots ``x_1 = …, x_2 = …`` in any order."""
        values = [item.sides[1] for item in named.items if isinstance(item, Relation)]
        bases = {
            item.sides[0].name.partition("_")[0]
            for item in named.items
            if isinstance(item, Relation) and isinstance(item.sides[0], Var)
            and "_" in item.sides[0].name
        }  # fmt: skip
        if len(bases) == 1 and not any(isinstance(item, Relation) for item in bare.items):
            return self._match(values, bare.items, "roots in any order")
        return self._tuple(values, bare.items)

    def _list_group(self, values: Listing, group: Group) -> bool:
        if group.fence == "{}":
            if not self.options.list_is_set:
                self.rule = "a list is no set"
                return False
            return self._match(self._distinct(values.items), self._distinct(group.items), "set")
        named = _sort_by_name(values)
        if named and group.fence in {"()", "<>"}:
            return self._tuple(named, group.items)
        if group.fence == "[]" and len(group.items) != 2:
            return self._match(values.items, group.items, "values in any order")
        return self._as_sets(values, group)

    def _list_number(self, _values: Listing, _other: Value) -> bool:
        self.rule = "several values against one"
        return False

    def _number_group(self, number: Value, group: Group) -> bool:
        if group.fence == "{}" and len(group.items) == 1 and self.options.list_is_set:
            return self.equal(number, group.items[0])
        self.rule = "a set or tuple is no number"
        return False

    def _relations(self, a: Relation, b: Relation) -> bool:
        if a.signs == b.signs == ("=",):
            first, second = _name_of(a), _name_of(b)
            if first is not None and second is not None and first != second:
                if isinstance(first, Text) or isinstance(second, Text):
                    return self.equal(a.sides[1], b.sides[1])
                return self._equations(a, b)
            if first is not None and first == second and self.equal(a.sides[1], b.sides[1]):
                self.rule = "same name, " + self.rule
                return True
            return self._equations(a, b)
        if a.signs == b.signs == ("mod", "modulo"):
            return self._congruences(a, b)
        if self._as_sets(a, b):
            return True
        result = equal_inequalities(self, a, b)
        self.rule = "relation"
        return result

    def _congruences(self, a: Relation, b: Relation) -> bool:
        """Compare ``x ≡ 7 (mod 5)`` with ``x ≡ 2 (mod 5)``."""
        self.rule = "congruence"
        if not self.equal(a.sides[0], b.sides[0]) or not self.equal(a.sides[2], b.sides[2]):
            return False
        first, second, modulus = a.sides[1], b.sides[1], a.sides[2]
        if self.equal(first, second):
            return True
        if not isinstance(modulus, NUMBER_TYPES) or not isinstance(first, NUMBER_TYPES):
            return False
        if not isinstance(second, NUMBER_TYPES):
            return False
        return self.expressions.equal(Call("mod", (first, modulus)), Call("mod", (second, modulus)))

    def _equations(self, a: Relation, b: Relation) -> bool:
        result = equal_equations(self, a, b)
        self.rule = "equation up to a factor"
        return result

    def _relation_value(self, relation: Relation, value: Value) -> bool:
        """Compare ``x = 2`` with the bare ``2``, and ``x > 2`` with its interval."""
        if relation.signs == ("=",) and _name_of(relation) is not None:
            return self.equal(relation.sides[1], value)
        if relation.signs == ("in",) and is_name(relation.sides[0]):
            return self.equal(relation.sides[1], value)
        return self._as_sets(relation, value)

    def _relation_list(self, relation: Relation, values: Listing) -> bool:
        if any(isinstance(item, Relation) and item.signs == ("=",) for item in values.items):
            self.rule = "different names"
            return False
        named = relation.signs == ("=",) and _name_of(relation) is not None
        if named or (relation.signs == ("in",) and is_name(relation.sides[0])):
            return self.equal(relation.sides[1], values)
        return self._as_sets(relation, values)

    def _as_sets(self, a: Value, b: Value) -> bool:
        reader = SetReader(self.deadline)
        first = reader.read(a)
        second = reader.read(b) if first is not None else None
        self.rule = "set of reals"
        if first is None or second is None:
            return False
        return reader.equal(first, second)

    def _sets(self, a: Value, b: Value) -> bool:
        if self._as_sets(a, b):
            return True
        if isinstance(a, SetOperation) and isinstance(b, SetOperation) and a.op == b.op:
            if a.op == "minus":
                return self._tuple(a.parts, b.parts)
            return self._match(a.parts, b.parts, a.op)
        if isinstance(a, Builder) and isinstance(b, Builder):
            return self._builders(a, b)
        return False

    def _builders(self, a: Builder, b: Builder) -> bool:
        from_a, from_b = (a.head, *a.conditions), (b.head, *b.conditions)
        return self._tuple(from_a, from_b)

    def _matrices(self, a: Matrix, b: Matrix) -> bool:
        if len(a.rows) != len(b.rows) or len(a.rows[0]) != len(b.rows[0]):
            self.rule = "matrices of different shapes"
            return False
        cells = [
            (x, y) for p, q in zip(a.rows, b.rows, strict=True) for x, y in zip(p, q, strict=True)
        ]
        result = all(self.equal(x, y) for x, y in cells)
        self.rule = "matrix"
        return result

    def _matrix_group(self, matrix: Matrix, group: Group) -> bool:
        if group.fence == "[]" and all(isinstance(i, Group) for i in group.items):
            rows = tuple(i.items for i in group.items if isinstance(i, Group))
            if len({len(row) for row in rows}) == 1:
                return self._matrices(matrix, Matrix(rows))
        if group.fence not in {"()", "<>", "[]"}:
            self.rule = "different brackets"
            return False
        if len(matrix.rows[0]) == 1:
            return self._tuple([row[0] for row in matrix.rows], group.items)
        if len(matrix.rows) == 1:
            return self._tuple(matrix.rows[0], group.items)
        self.rule = "a matrix is no tuple"
        return False

    def _ratios(self, a: Ratio, b: Ratio) -> bool:
        if len(a.terms) != len(b.terms):
            self.rule = "ratios of different lengths"
            return False
        zero = Num(Fraction(0))
        if any((x == zero) != (y == zero) for x, y in zip(a.terms, b.terms, strict=True)):
            return False
        result = all(
            self.expressions.equal(multiply([x, b.terms[0]]), multiply([a.terms[0], y]))
            for x, y in zip(a.terms[1:], b.terms[1:], strict=True)
        )
        self.rule = "ratio by proportion"
        return result

    def _ratio_number(self, ratio: Ratio, number: Expr) -> bool:
        self.rule = "ratio as a quotient"
        if len(ratio.terms) != 2:
            return False
        return self.expressions.equal(ratio.terms[0], multiply([number, ratio.terms[1]]))

    def _clocks(self, a: Clock, b: Clock) -> bool:
        self.rule = "time of day"
        half_day = 12 * 3600
        if a.half is not None and b.half is not None:
            return _on_the_day(a) == _on_the_day(b)
        if a.half is None and b.half is None:
            return a.seconds == b.seconds
        bare, full = (a, b) if a.half is None else (b, a)
        if bare.seconds == _on_the_day(full):
            return True
        return (
            3600 <= bare.seconds < 13 * 3600 and bare.seconds % half_day == full.seconds % half_day
        )

    def _texts(self, a: Text, b: Text) -> bool:
        self.rule = "text"
        return a.words == b.words

    def _choices(self, a: Choice, b: Choice) -> bool:
        self.rule = "letters"
        if self.options.case_sensitive_letters:
            return a.letters == b.letters
        return a.letters.upper() == b.letters.upper()

    def _text_choice(self, text: Text, choice: Choice) -> bool:
        self.rule = "text of a choice"
        return bool(choice.content) and text.words == choice.content.casefold()


def convert(amount: Expr, unit: Unit) -> Expr:
    """Convert an amount to base units, as an exact expression."""
    factors: list[Expr] = [amount, Num(unit.factor)]
    if unit.pi:
        factors.append(Call("pow", (Const("pi"), Num(Fraction(unit.pi)))))
    scaled = amount if unit.factor == 1 and not unit.pi else multiply(factors)
    return Call("add", (scaled, Num(unit.offset))) if unit.offset else scaled


def _drop_percent(expr: Expr) -> Expr:
    return expr.args[0] if isinstance(expr, Call) and expr.op == "percent" else expr


def _has_pi(expr: Expr) -> bool:
    if isinstance(expr, Call):
        return any(_has_pi(arg) for arg in expr.args)
    return expr == Const("pi")


def _name_of(relation: Relation) -> Value | None:
    name = relation.sides[0]
    return name if is_name(name) else None


def _sort_by_name(values: Listing) -> list[Value]:
    """Sort the right sides of an assignment list by their names; empty if it is none."""
    pairs: dict[str, Value] = {}
    for item in values.items:
        if not (isinstance(item, Relation) and item.signs == ("=",)):
            return []
        name = item.sides[0]
        spelled = name.name if isinstance(name, Var) else str(name)
        if not is_name(name) or spelled in pairs:
            return []
        pairs[spelled] = item.sides[1]
    return [pairs[name] for name in sorted(pairs)]


def _on_the_day(clock: Clock) -> int:
    half_day = 12 * 3600
    if clock.half is None or clock.seconds >= 13 * 3600:
        return clock.seconds
    return clock.seconds % half_day + (half_day if clock.half == "pm" else 0)


_RULES: dict[tuple[str, str], Callable[..., bool]] = {
    ("number", "number"): Judge._numbers,
    ("quantity", "quantity"): Judge._quantities,
    ("number", "quantity"): Judge._number_quantity,
    ("group", "group"): Judge._groups,
    ("list", "list"): Judge._lists,
    ("list", "group"): Judge._list_group,
    ("list", "number"): Judge._list_number,
    ("list", "quantity"): Judge._list_number,
    ("number", "group"): Judge._number_group,
    ("quantity", "group"): Judge._number_group,
    ("relation", "relation"): Judge._relations,
    ("relation", "list"): Judge._relation_list,
    ("relation", "number"): Judge._relation_value,
    ("relation", "quantity"): Judge._relation_value,
    ("relation", "group"): Judge._relation_value,
    ("relation", "set"): Judge._relation_value,
    ("relation", "matrix"): Judge._relation_value,
    ("relation", "text"): Judge._relation_value,
    ("relation", "ratio"): Judge._relation_value,
    ("relation", "clock"): Judge._relation_value,
    ("set", "set"): Judge._sets,
    ("set", "group"): Judge._sets,
    ("set", "list"): Judge._sets,
    ("matrix", "matrix"): Judge._matrices,
    ("matrix", "group"): Judge._matrix_group,
    ("ratio", "ratio"): Judge._ratios,
    ("ratio", "number"): Judge._ratio_number,
    ("clock", "clock"): Judge._clocks,
    ("text", "text"): Judge._texts,
    ("text", "choice"): Judge._text_choice,
    ("choice", "choice"): Judge._choices,
}
