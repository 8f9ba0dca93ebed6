"""Equality of two typed values: one rule per pair of types, each the same both ways round."""

from __future__ import annotations

from collections.abc import Callable

from grpo_math.equality.collections import CollectionRules
from grpo_math.equality.relations import equal_equations, equal_inequalities
from grpo_math.opposites import are_opposite
from grpo_math.patterns import Pattern
from grpo_math.reading.shapes import PARAMETER, is_name, rename
from grpo_math.values import (
    NUMBER_TYPES,
    Builder,
    Call,
    Choice,
    Clock,
    Const,
    Date,
    Group,
    Listing,
    Matrix,
    NamedSet,
    Num,
    Proposition,
    Quantity,
    Ratio,
    Relation,
    SetOperation,
    Text,
    Truth,
    Value,
    Var,
    collect_variables,
    list_names,
)

_ARGUMENTS = Pattern(r"([^()]+)\(([a-z](?:,[a-z])*)\)")
_KINDS: dict[type, str] = {
    Num: "number", Const: "number", Var: "number", Call: "number", Quantity: "quantity",
    Group: "group", Listing: "list", Relation: "relation", SetOperation: "set", NamedSet: "set",
    Builder: "set", Matrix: "matrix", Ratio: "ratio", Clock: "clock", Date: "date",
    Choice: "choice", Text: "text", Truth: "truth",
    Proposition: "proposition",
}  # fmt: skip


class Judge(CollectionRules):
    """Decides whether two values of any types are equal."""

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

    def _relations(self, a: Relation, b: Relation) -> bool:
        if a.signs == b.signs == ("=",):
            first, second = _name_of(a), _name_of(b)
            if first is not None and second is not None and first != second:
                if isinstance(first, Text) or isinstance(second, Text):
                    if are_opposite(_spell(first), _spell(second)):
                        self.rule = "opposite words"
                        return False
                    return self.equal(a.sides[1], b.sides[1])
                if _is_short(first, second) or _is_short(second, first):
                    return self.equal(a.sides[1], b.sides[1])
                if (renamed := _rename_arguments(first, second, b.sides[1])) is not None:
                    return self.equal(a.sides[1], renamed)
                return self._equations(a, b)
            if first is not None and first == second and self.equal(a.sides[1], b.sides[1]):
                self.rule = "same name, " + self.rule
                return True
            return self._equations(a, b)
        if {a.signs, b.signs} == {("=",), ("in",)} and a.sides[0] == b.sides[0]:
            return is_name(a.sides[0]) and self.equal(a.sides[1], b.sides[1])
        if (a.signs == ("=",)) != (b.signs == ("=",)):
            point, other = (a, b) if a.signs == ("=",) else (b, a)
            names = frozenset().union(*map(collect_variables, other.sides))
            same = len(names) == 1 and point.sides[0] == Var(next(iter(names)))
            return same and self._as_sets(Group("{}", point.sides[1:]), other)
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
        if relation.signs == ("=",) and isinstance(value, Call):
            return self._is_identity(relation) and self.equal(relation.sides[1], value)
        if relation.signs == ("in",) and is_name(relation.sides[0]):
            return self.equal(relation.sides[1], value)
        return self._as_sets(relation, value)

    def _is_identity(self, equation: Relation) -> bool:
        """Tell whether an equation holds everywhere, as a chain of rewriting does."""
        left, right = equation.sides
        both = isinstance(left, NUMBER_TYPES) and isinstance(right, NUMBER_TYPES)
        return both and self.equal(left, right)

    def _name_text(self, expr: Value, text: Text) -> bool:
        r"""Compare a symbol with its name in words: ``\triangle ABC``, `triangle ABC`."""
        self.rule = "number is no text"
        return isinstance(expr, Var) and expr.name.casefold() == text.words

    def _relation_list(self, relation: Relation, values: Listing) -> bool:
        if all(isinstance(item, Relation) and item.signs == ("=",) for item in values.items):
            return self._named_roots(relation, values)
        named = relation.signs == ("=",) and _name_of(relation) is not None
        if named or (relation.signs == ("in",) and is_name(relation.sides[0])):
            return self.equal(relation.sides[1], values)
        return self._as_sets(relation, values)

    def _named_roots(self, relation: Relation, values: Listing) -> bool:
        """Compare ``x = 1 or x = 2`` with ``x_1 = 1, x_2 = 2``."""
        self.rule = "different names"
        name, several = relation.sides[0], relation.sides[1]
        if not isinstance(name, Var) or not isinstance(several, Listing):
            return False
        if list_names(values) != {name.name} or not all(
            isinstance(item, Relation) and item.signs == ("=",) for item in values.items
        ):
            return False
        roots = [item.sides[1] for item in values.items if isinstance(item, Relation)]
        return self._match(roots, several.items, "roots in any order")

    def _sets(self, a: Value, b: Value) -> bool:
        if self._as_sets(a, b):
            return True
        if isinstance(a, SetOperation) and isinstance(b, SetOperation) and a.op == b.op:
            if a.op in {"forall", "exists"}:
                return self._statements(a, b)
            if a.op == "minus":
                return self._tuple(a.parts, b.parts)
            return self._match(a.parts, b.parts, a.op)
        if isinstance(a, Builder) and isinstance(b, Builder):
            return self._builders(a, b)
        return False

    def _statements(self, a: SetOperation, b: SetOperation) -> bool:
        """Compare what two quantifiers bind and say; that both are false makes no two alike."""
        (bound, said), (other, told) = a.parts, b.parts
        if isinstance(said, Relation) and isinstance(told, Relation):
            return self.equal(bound, other) and equal_inequalities(self, said, told)
        return self.equal(bound, other) and self.equal(said, told)

    def _builders(self, a: Builder, b: Builder) -> bool:
        from_a, from_b = (a.head, *a.conditions), (b.head, *b.conditions)
        names = [_bound_names(parts[0]) for parts in (from_a, from_b)]
        if len(names[0]) == len(names[1]) == 1 and names[0] != names[1]:
            from_a, from_b = (
                tuple(rename(part, next(iter(bound)), PARAMETER) for part in parts)
                for parts, bound in zip((from_a, from_b), names, strict=True)
            )
        return self._tuple(from_a, from_b)


def _bound_names(head: Value) -> frozenset[str]:
    """Collect the variables that a set builder binds in its head."""
    if isinstance(head, Relation):
        head = head.sides[0]
    return collect_variables(head)


def _name_of(relation: Relation) -> Value | None:
    name = relation.sides[0]
    if isinstance(name, Call) and name.op == "abs":  # the length |AB| of AB
        name = name.args[0]
    return name if is_name(name) else None


def _is_short(name: Value, other: Value) -> bool:
    """Tell whether a function's name is short for it with its variable: ``y`` for ``y(t)``."""
    if not isinstance(name, Var) or not isinstance(other, Var):
        return False
    start = f"{name.name}("
    return other.name.startswith(start) and other.name[len(start) : -1].isalpha()


def _rename_arguments(name: Value, other: Value, value: Value) -> Value | None:
    """Write the value of ``f(t)`` in the letters of ``f(x)``; None where they are not so named."""
    if not isinstance(name, Var) or not isinstance(other, Var):
        return None
    wanted, given = _ARGUMENTS.fullmatch(name.name), _ARGUMENTS.fullmatch(other.name)
    if wanted is None or given is None or wanted[1] != given[1]:
        return None
    letters, old = wanted[2].split(","), given[2].split(",")
    if len(letters) != len(old) or len(set(letters)) < len(letters) or len(set(old)) < len(old):
        return None
    if collect_variables(value) & set(letters) - set(old):
        return None  # f(x) = t is not f(t) = t
    for place, letter in enumerate(old):
        value = rename(value, letter, f"{PARAMETER}{place}")
    for place, letter in enumerate(letters):
        value = rename(value, f"{PARAMETER}{place}", letter)
    return value


def _spell(name: Value) -> str:
    """Write the words of a label; what is no label has none."""
    return name.words if isinstance(name, Text) else ""


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
    ("number", "text"): Judge._name_text,
    ("matrix", "number"): Judge._vector_sum,
    ("text", "text"): Judge._texts,
    ("text", "choice"): Judge._text_choice,
    ("choice", "choice"): Judge._choices,
}
