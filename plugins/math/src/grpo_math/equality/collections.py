"""Equality of several values: lists, tuples, sets by roster, matrices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from grpo_math.equality.labels import pair_labels
from grpo_math.equality.scalars import ScalarRules
from grpo_math.reading.atoms import add, multiply
from grpo_math.reading.shapes import is_name
from grpo_math.values import (
    NUMBER_TYPES,
    Call,
    Const,
    Expr,
    Group,
    Listing,
    Matrix,
    NamedSet,
    Relation,
    Value,
    Var,
    are_joined_otherwise,
    collect_variables,
    list_names,
)

_MAX_MATCH = 200
_UNIT_VECTORS = ("vec i", "vec j", "vec k")


class CollectionRules(ScalarRules):
    """Decides about values that hold others."""

    def _groups(self, a: Group, b: Group) -> bool:
        if (a.fence == "{}") != (b.fence == "{}"):
            roster, other = (a, b) if a.fence == "{}" else (b, a)
            if len(roster.items) == 1 and isinstance(roster.items[0], Group):
                return self.options.list_is_set and self.equal(roster.items[0], other)
            self.rule = "different brackets"
            return False
        if a.fence == "{}":
            return self._rosters(a.items, b.items)
        if a.fence != b.fence and (len(a.items) == 2 and "<>" not in {a.fence, b.fence}):
            self.rule = "different brackets"
            return False
        return self._tuple(a.items, b.items)

    def _rosters(self, a: Sequence[Value], b: Sequence[Value]) -> bool:
        """Compare members, among which 2 is not {2}, though alone it may be written so."""
        first, second = self._distinct(a), self._distinct(b)
        sets = [[x for x in items if _is_set(x)] for items in (first, second)]
        rest = [[x for x in items if not _is_set(x)] for items in (first, second)]
        return self._match(sets[0], sets[1], "set") and self._match(rest[0], rest[1], "set")

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
        counts = Counter(b)
        left: list[Value] = []
        for item in a:
            if counts[item] > 0:
                counts[item] -= 1
            else:
                left.append(item)
        rest = list(counts.elements())
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
        if self._as_sets(a, b):
            return True
        if are_joined_otherwise(a, b):
            self.rule = "and is not or"
            return False
        if self.options.ordered_lists:
            return self._tuple(a.items, b.items)
        names = [_sort_by_name(values) for values in (a, b)]
        if bool(names[0]) != bool(names[1]):
            named, bare = (a, b) if names[0] else (b, a)
            return self._named_list(named, bare)
        pairs = pair_labels(a, b) if names[0] else []
        if pairs:
            result = all(self.equal(x, y) for x, y in pairs)
            self.rule = "values by their labels"
            return result
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
            if not self.options.list_is_set or len(list_names(values)) > 1:
                self.rule = "a list is no set"
                return False
            return self._match(self._distinct(values.items), self._distinct(group.items), "set")
        named = _sort_by_name(values)
        if named and group.fence in {"()", "<>"}:
            return self._tuple(named, group.items)
        if group.fence in {"()", "<>"} and values.joiner == "," and not any(
            isinstance(item, (Group, Relation)) for item in values.items
        ):  # fmt: skip
            return self._tuple(values.items, group.items)
        if group.fence == "[]" and len(group.items) != 2:
            return self._match(values.items, group.items, "values in any order")
        return self._as_sets(values, group)

    def _list_number(self, _values: Listing, _other: Value) -> bool:
        self.rule = "several values against one"
        return False

    def _number_group(self, number: Value, group: Group) -> bool:
        if group.fence == "{}" and len(group.items) == 1 and self.options.list_is_set:
            return self.equal(number, group.items[0])
        if group.fence in {"()", "<>", "[]"} and isinstance(number, Call):
            return self._components(number, group.items)
        self.rule = "a set or tuple is no number"
        return False

    def _vector_sum(self, matrix: Matrix, number: Value) -> bool:
        self.rule = "a matrix is no number"
        if len(matrix.rows[0]) != 1 or not isinstance(number, Call):
            return False
        return self._components(number, [row[0] for row in matrix.rows])

    def _components(self, vector: Call, parts: Sequence[Value]) -> bool:
        """Compare ``3i + 4j`` in unit vectors with its components ``(3, 4)``."""
        self.rule = "a tuple is no number"
        names = collect_variables(vector)
        marked = any(name in _UNIT_VECTORS for name in names)
        if not marked and not names & {"j", "k"}:
            return False
        plain: list[Expr] = [Const("i"), Var("j"), Var("k")]
        units = [Var(name) for name in _UNIT_VECTORS] if marked else plain
        amounts = [part for part in parts if isinstance(part, NUMBER_TYPES)]
        if len(amounts) != len(parts) or not 2 <= len(parts) <= 3:
            return False
        terms = [multiply([x, unit]) for x, unit in zip(amounts, units, strict=False)]
        result = self.expressions.equal(vector, add(terms))
        self.rule = "components"
        return result

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


def _is_set(value: Value) -> bool:
    return isinstance(value, NamedSet) or (isinstance(value, Group) and value.fence == "{}")


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
