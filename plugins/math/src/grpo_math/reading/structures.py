"""Reads answers that hold several parts: lists, relations, brackets, sets, matrices, ratios."""

from __future__ import annotations

import contextlib

from grpo_math.limits import OverLimitError, UnreadableError
from grpo_math.options import Options
from grpo_math.reading.computations import drop_computations, read_computation
from grpo_math.reading.dots import fill_dots
from grpo_math.reading.joiners import (
    AND,
    AND_SIGNS,
    GROUPERS,
    JOINERS,
    OR,
    OR_SIGNS,
    find_marks,
    is_joiner,
)
from grpo_math.reading.logic import read_statement
from grpo_math.reading.matrices import check_nesting, read_environment
from grpo_math.reading.matrix_sums import read_matrix_sum
from grpo_math.reading.points import PointReader
from grpo_math.reading.quantities import read_angle, read_quantity
from grpo_math.reading.sets import FENCES, read_named_set, read_set_operation
from grpo_math.reading.shapes import finish_relation, gather_list, is_label
from grpo_math.reading.tokens import Token
from grpo_math.reading.vocabulary import RELATIONS
from grpo_math.values import (
    NUMBER_TYPES,
    Builder,
    Group,
    Listing,
    NamedSet,
    Quantity,
    Ratio,
    Relation,
    SetOperation,
    Text,
    Value,
    Var,
)

_COLON = frozenset({":"})
_COMMAS = frozenset({","})
_MAX_ITEMS = 500
_MAX_LABEL = 12
_MARKUP = frozenset({"text", "cmd", "blackboard"})


class AnswerReader(PointReader):
    """Reads a whole answer; expressions are read by the class it extends."""

    def __init__(self, tokens: list[Token], pairs: dict[int, int], options: Options) -> None:
        super().__init__(tokens, pairs, options)
        self._has = find_marks(tokens, self._texts)
        if self._has.matrix:
            check_nesting(tokens)

    def read_answer(self, start: int, end: int) -> Value:
        """Read the tokens from ``start`` up to ``end``: one value, or several joined.

        Raises:
            UnreadableError: They are no answer.
            OverLimitError: Too many items, or nested too deeply.
        """
        if self._has.statement and (said := read_statement(self, start, end)) is not None:
            return said
        if not self._has.joiner:
            return self.read_item(start, end)
        logic = self._read_logic(start, end)
        if logic is not None:
            return logic
        groups = [p for p in self.split(start, end, GROUPERS) if p[0] < p[1]]
        if len(groups) > 1:
            systems = self._read_systems(groups)
            if systems is not None:
                return systems
        pieces = [p for p in self.split(start, end, JOINERS) if p[0] < p[1]]
        if not pieces:
            raise UnreadableError("nothing to read")
        if len(pieces) > _MAX_ITEMS:
            raise OverLimitError(f"the answer lists more than {_MAX_ITEMS} values")
        items = list(fill_dots([self.read_item(*piece) for piece in pieces]))
        return items[0] if len(items) == 1 else gather_list(items, self._name_joiner(pieces))

    def _read_logic(self, start: int, end: int) -> Value | None:
        r"""Read ``p \land q``; inequalities joined so are a list instead."""
        for signs, op in ((AND_SIGNS, "land"), (OR_SIGNS, "lor")):
            parts = self.split(start, end, signs)
            if len(parts) > 1:
                values = tuple(self.read_item(*part) for part in parts)
                if not any(isinstance(value, Relation) for value in values):
                    return SetOperation(op, values)
        return None

    def _read_systems(self, groups: list[tuple[int, int]]) -> Value | None:
        """Read assignment lists joined by 'or' or ';': ``x=1, y=2 or x=3, y=4``."""
        if not all(len(self.split(*group, _COMMAS)) > 1 for group in groups):
            return None
        systems = [self.read_answer(*group) for group in groups]
        named = [
            isinstance(s, Listing) and all(isinstance(i, Relation) for i in s.items)
            for s in systems
        ]
        return Listing(tuple(systems), "or") if all(named) else None

    def _name_joiner(self, pieces: list[tuple[int, int]]) -> str:
        words = {self.tokens[end].text.strip(" ,").lower() for _, end in pieces[:-1]}
        if words & OR:
            return "or"
        return "and" if words & AND else ","

    def split(self, start: int, end: int, joiners: frozenset[str]) -> list[tuple[int, int]]:
        """Split tokens at the joiners that stand outside every bracket and environment."""
        pieces: list[tuple[int, int]] = []
        at = begin = start
        inside = 0
        while at < end:
            if at in self.pairs:
                at = self.pairs[at] + 1
                continue
            text = self.tokens[at].text
            inside += (text == "\\begin") - (text == "\\end")
            if not inside and is_joiner(self.tokens[at], joiners):
                pieces.append((begin, at))
                begin = at + 1
            at += 1
        pieces.append((begin, end))
        return pieces

    def read_item(self, start: int, end: int) -> Value:
        """Read one item of a list: a side, or sides joined by relation signs."""
        if not self._has.relation:
            return self.read_side(start, end)
        sides: list[tuple[int, int]] = []
        signs: list[str] = []
        at = begin = start
        inside = bars = 0
        while at < end:
            if at in self.pairs:
                at = self.pairs[at] + 1
                continue
            token = self.tokens[at]
            inside += (token.text == "\\begin") - (token.text == "\\end")
            bars ^= token.text == "|"
            sign = RELATIONS.get(token.text, "") if token.kind in {"op", "cmd"} else ""
            if token.text == ":" and begin == start and is_label(self.tokens[start:at]):
                sign = "="
            if token.text == "\\not" and at + 1 < end:
                sign = {"=": "!=", "\\in": "notin"}.get(self.tokens[at + 1].text, "")
                at += bool(sign)
            if sign in {"~", "="} and at == start:
                begin = at + 1
            elif sign and not inside and not bars:
                sides.append((begin, at - (self.tokens[at - 1].text == "\\not")))
                signs.append(sign)
                begin = at + 1
            at += 1
        sides.append((begin, end))
        if signs and set(signs) == {"="}:
            sides = drop_computations(self.tokens, sides)
            signs = signs[: len(sides) - 1]
        if not signs:
            return self.read_side(*sides[-1])
        if len(sides) > 2 and set(signs) == {"="}:
            return self._read_chain(sides)
        if signs == ["="]:
            left, right = self._read_label(*sides[0]), self.read_side(*sides[1])
            if (
                isinstance(left, Quantity)
                and isinstance(right, NUMBER_TYPES)
                and left.amount != right
            ):
                left = self._read_letters(*sides[0]) or left
            if isinstance(right, Quantity) and isinstance(left, Var) and "(" in left.name:
                right = self._read_letters(*sides[1]) or right  # f(t) = 2t
            return finish_relation([left, right], signs)
        values = [self._read_relation_side(*side) for side in sides]
        return finish_relation(values, signs)

    def _read_label(self, start: int, end: int) -> Value:
        r"""Read the left side of an equation; what is no expression is a label, as ``\dim V``."""
        try:
            return self._read_relation_side(start, end)
        except UnreadableError:
            tokens = self.tokens[start:end]
            wordy = any(t.kind == "word" and len(t.text) > 3 for t in tokens)
            if wordy or len(tokens) > _MAX_LABEL or not any(t.kind in _MARKUP for t in tokens):
                raise
            return Var(" ".join(token.text.strip() for token in tokens))

    def _read_letters(self, start: int, end: int) -> Value | None:
        """Read what only looks like a quantity, as beside no other one: ``2m = 10``, ``2m = n``."""
        if any(
            t.kind == "text" or (t.kind == "word" and len(t.text) > 1)
            for t in self.tokens[start:end]
        ):
            return None
        with contextlib.suppress(UnreadableError):
            return self.read(start, end)
        return None

    def _read_chain(self, sides: list[tuple[int, int]]) -> Value:
        """Read a chain of equalities: its last value counts, so an unreadable step is left out."""
        values: list[Value] = []
        for side in sides[:-1]:
            with contextlib.suppress(UnreadableError):
                values.append(self._read_relation_side(*side))
        values.append(self._read_relation_side(*sides[-1]))
        if len(values) < len(sides):
            return values[-1]
        return finish_relation(values, ["="] * (len(sides) - 1))

    def _read_relation_side(self, start: int, end: int) -> Value:
        """Read a side; several words, or one long one, are a label."""
        if is_label(self.tokens[start:end]):
            words = [token.text.strip() for token in self.tokens[start:end]]
            if max(len(w) for w in words) > 3:
                return Text(" ".join(words).lower())
        if self.pairs.get(start + 1) == end - 1 and self._is_applied(start, end):
            return Var("".join(self.tokens[i].text for i in range(start, end)))
        return self.read_side(start, end)

    def read_side(self, start: int, end: int) -> Value:
        """Read a value without relation signs or joiners at its top."""
        self._depth += 1
        if self._depth > self.options.max_depth:
            raise OverLimitError(f"the answer is nested deeper than {self.options.max_depth}")
        try:
            return self._read_any(start, end)
        finally:
            self._depth -= 1

    def _read_any(self, start: int, end: int) -> Value:
        if start >= end:
            raise UnreadableError("a side is empty")
        if self.tokens[start].text == "..." and end == start + 1:
            return Text("...")
        value = read_set_operation(self, start, end) if self._has.sets else None
        if value is None and self.pairs.get(start) == end - 1:
            value = self._read_brackets(start, end)
        if value is None and self._has.comma and self._is_point(start, end):
            value = self._read_brackets(start + 1, end)
        if value is None and self._has.matrix:
            if self.tokens[start].text == "\\begin":
                value = read_environment(self, start, end)
            if value is None:
                value = read_matrix_sum(self, start, end)
        if value is None and self._has.comma:
            value = self._read_multiple(start, end)
        if value is None:
            value = read_named_set(self.tokens[start:end])
        if value is None and self._has.ratio:
            value = self._read_ratio(start, end)
        if value is None and self._has.unit:
            value = read_computation(self.tokens, start, end) or read_quantity(self, start, end)
            if value is None:
                return read_angle(self.read(start, end))
        return self.read(start, end) if value is None else value

    def _read_brackets(self, start: int, end: int) -> Value | None:
        opening, closing = self.tokens[start].text, self.tokens[end - 1].text
        if opening not in FENCES or closing not in FENCES:
            return None
        fence = FENCES[opening] + FENCES[closing]
        if fence == "{}":
            bar = self._find_bar(start + 1, end - 1)
            if bar > 0:
                return self._read_builder(start + 1, bar, end - 1)
            if start + 1 == end - 1:
                return NamedSet("empty")
        pieces = self.split(start + 1, end - 1, frozenset({",", ";"}))
        if pieces == [(start + 1, start + 1)]:
            raise UnreadableError("empty brackets")
        if len(pieces) == 1 and (fence in {"()", "[]"} or opening == "{"):
            return self.read_answer(start + 1, end - 1)
        if len(pieces) > _MAX_ITEMS:
            raise OverLimitError(f"the answer lists more than {_MAX_ITEMS} values")
        read = self._read_member if opening == "{" else self.read_item
        items = fill_dots([read(*piece) for piece in pieces])
        if fence in {"(]", "[)"} and len(items) != 2:
            raise UnreadableError("an interval has two ends")
        return Group(fence, items)

    def _read_member(self, start: int, end: int) -> Value:
        """Read a member of a set in bare braces, where braces around one value are a set, too."""
        value = self.read_item(start, end)
        braced = self.tokens[start].text == "{" and self.pairs.get(start) == end - 1 > start + 1
        roster = isinstance(value, Group) and value.fence == "{}"
        return Group("{}", (value,)) if braced and not roster else value

    def _read_builder(self, start: int, bar: int, end: int) -> Value:
        head = self.read_item(start, bar)
        condition = self.read_answer(bar + 1, end)
        if isinstance(condition, Listing) and len(condition.items) == 2:
            made, rest = condition.items
            if isinstance(made, Relation) and made.signs == ("=",) and made.sides[0] == head:
                return Builder(made.sides[1], (rest,))  # {x | x = 2k, k in Z}
        return Builder(head, (condition,))

    def _read_ratio(self, start: int, end: int) -> Value | None:
        parts = self.split(start, end, _COLON)
        if len(parts) == 1 and end - start == 3 and self.tokens[start + 1].text.strip() == "to":
            parts = [(start, start + 1), (start + 2, end)]
        if len(parts) == 1 or len(parts) > 12:
            return None
        return Ratio(tuple(self.read(*part) for part in parts))
