r"""Reads statements: formulas of propositional logic, and ``\forall`` and ``\exists``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Protocol

from grpo_math.reading.shapes import rename
from grpo_math.reading.tokens import Token
from grpo_math.reading.vocabulary import SETS
from grpo_math.values import NamedSet, Proposition, Relation, SetOperation, Value, Var
from grpo_math.wording import words

QUANTIFIERS: Mapping[str, str] = {"\\forall": "forall", "\\exists": "exists"}
_NOT = frozenset(words("\\neg \\lnot \\sim ~"))
_LEVELS = (
    frozenset(words("\\iff \\Leftrightarrow \\leftrightarrow \\equiv <=>")),
    frozenset(words("\\implies \\Rightarrow \\to \\rightarrow => ->")),
    frozenset(words("\\lor \\vee")),
    frozenset(words("\\oplus \\veebar")),
    frozenset(words("\\land \\wedge")),
)
"""What joins propositions, the loosest first."""
_JOINING = frozenset().union(*_LEVELS)
STATEMENT_MARKS = frozenset(QUANTIFIERS) | _NOT | _JOINING
_SEPARATORS = frozenset({",", ":", ";", "|", "\\mid"})
_MAX_NAMES = 6
_MAX_TOKENS = 80
_BRACKETS = {"(": ")", "[": "]"}
_IMPLIES = 1


class StatementReader(Protocol):
    """What statements need of the reader around them."""

    tokens: list[Token]
    pairs: dict[int, int]

    def read_item(self, start: int, end: int) -> Value:
        """Read one item."""
        ...

    def read_answer(self, start: int, end: int) -> Value:
        """Read a whole answer."""
        ...


def read_statement(reader: StatementReader, start: int, end: int) -> Value | None:
    """Read a statement; None for what is none."""
    tokens = reader.tokens
    at = start
    while at < min(end, start + 2) and (tokens[at].text in _NOT or tokens[at].kind == "word"):
        at += 1  # the name of a statement: ¬p: ∃ …
    if start < at < end - 1 and tokens[at].text == ":" and tokens[at + 1].text in QUANTIFIERS:
        start = at + 1
    if tokens[start].text in QUANTIFIERS:
        return _read_quantified(reader, start, end)
    return _read_proposition(tokens[start:end])


def _read_quantified(reader: StatementReader, start: int, end: int) -> Value | None:
    """Read a quantifier, what it binds, and what it says."""
    at = start + 1
    while at < end and reader.tokens[at].text not in _SEPARATORS | set(QUANTIFIERS):
        if at == start + 2 and reader.tokens[at].text in _BRACKETS:
            break
        at = reader.pairs.get(at, at) + 1
    begin = at + 1 if at < end and reader.tokens[at].text in _SEPARATORS else at
    if not start + 1 < at or begin >= end:
        return None
    bound = reader.read_item(start + 1, at)
    name = bound.sides[0] if isinstance(bound, Relation) else bound
    if not isinstance(name, Var):
        return None
    if isinstance(bound, Relation) and bound.signs == ("in",) and isinstance(bound.sides[1], Var):
        domain = SETS.get(bound.sides[1].name)
        bound = bound if domain is None else bound._replace(sides=(name, NamedSet(domain)))
    body = reader.read_answer(begin, end)
    sign = QUANTIFIERS[reader.tokens[start].text]
    own = f"∀{_count_nested(body)}"
    return SetOperation(sign, (rename(bound, name.name, own), rename(body, name.name, own)))


def _count_nested(body: Value) -> int:
    if not isinstance(body, SetOperation) or body.op not in QUANTIFIERS.values():
        return 0
    return 1 + _count_nested(body.parts[1])


def _read_proposition(tokens: Sequence[Token]) -> Proposition | None:
    """Read a formula in single letters as its table of truths."""
    signs = [token.text for token in tokens]
    names = sorted({t.text for t in tokens if t.kind == "word" and len(t.text) == 1})
    known = _NOT | _JOINING | {"(", ")", "[", "]", *names}
    if not 0 < len(names) <= _MAX_NAMES or len(signs) > _MAX_TOKENS or not known.issuperset(signs):
        return None
    formula = _Formula(signs)
    truths: list[bool] = []
    for values in product((False, True), repeat=len(names)):
        truth = formula.evaluate(dict(zip(names, values, strict=True)))
        if truth is None:
            return None
        truths.append(truth)
    return _reduce(tuple(names), tuple(truths))


def _reduce(names: tuple[str, ...], truths: tuple[bool, ...]) -> Proposition:
    """Leave out the letters on which nothing depends."""
    for place, name in enumerate(names):
        size = 2 ** (len(names) - 1 - place)
        without = tuple(t for i, t in enumerate(truths) if not i // size % 2)
        if without == tuple(t for i, t in enumerate(truths) if i // size % 2):
            return _reduce(tuple(n for n in names if n != name), without)
    return Proposition(names, truths)


class _Formula:
    """A formula, evaluated while it is read."""

    def __init__(self, signs: list[str]) -> None:
        self._signs = [*signs, ""]
        self._at = 0
        self._values: Mapping[str, bool] = {}

    def evaluate(self, values: Mapping[str, bool]) -> bool | None:
        """Evaluate the formula; None where it is none."""
        self._at, self._values = 0, values
        truth = self._read_level(0)
        return truth if self._signs[self._at] == "" else None

    def _read_level(self, level: int) -> bool | None:
        if level == len(_LEVELS):
            return self._read_atom()
        truth = self._read_level(level + 1)
        while self._signs[self._at] in _LEVELS[level] and truth is not None:
            self._at += 1
            # a ⇒ b ⇒ c is a ⇒ (b ⇒ c)
            other = self._read_level(level + (level != _IMPLIES))
            if other is None:
                return None
            truth = _join(level, truth, other)
        return truth

    def _read_atom(self) -> bool | None:
        sign = self._signs[self._at]
        self._at += 1
        if sign in _NOT:
            truth = self._read_atom()
            return None if truth is None else not truth
        if sign in _BRACKETS:
            truth = self._read_level(0)
            closed = self._signs[self._at] == _BRACKETS[sign]
            self._at += closed
            return truth if closed else None
        return self._values.get(sign)


def _join(level: int, a: bool, b: bool) -> bool:
    return (a == b, b or not a, a or b, a != b, a and b)[level]
