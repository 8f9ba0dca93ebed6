r"""Reads piecewise definitions: the rows of ``\begin{cases} x & x > 0 \\ 0 & \text{otherwise}``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from grpo_math.limits import UnreadableError
from grpo_math.reading.quantities import spell
from grpo_math.reading.texts import normalise_words
from grpo_math.reading.tokens import Token
from grpo_math.reading.vocabulary import RELATIONS
from grpo_math.values import (
    Builder,
    Group,
    Listing,
    NamedSet,
    Relation,
    SetOperation,
    Text,
    Value,
    Var,
    collect_variables,
)
from grpo_math.wording import words

_OPENERS = frozenset(words("if for when where iff"))
_OTHERWISE = frozenset(words("otherwise else"))
_ELSE = Text("otherwise")
_STOPS = frozenset({",", ".", ";"})
_COPULA = " is "
_SIGNS = frozenset(RELATIONS)


class ItemReader(Protocol):
    """What a piece needs of the reader around it."""

    tokens: list[Token]

    def read_item(self, start: int, end: int) -> Value:
        """Read one item."""
        ...


def read_pieces(reader: ItemReader, rows: Sequence[Sequence[tuple[int, int]]]) -> Value | None:
    """Read rows of two cells, a value and its condition, as unordered pairs.

    Returns:
        The pairs; None where a row has no condition, so that the rows are something else.

    Raises:
        UnreadableError: A value or a condition cannot be read.
    """
    if len(rows) < 2 or any(len(row) != 2 for row in rows):
        return None
    if not all(_is_condition(reader.tokens[start:end]) for _, (start, end) in rows):
        return None
    pieces = _spell_out([_read_piece(reader, *row) for row in rows])
    return Listing(tuple(Group("()", piece) for piece in pieces))


def _spell_out(pieces: list[tuple[Value, Value]]) -> list[tuple[Value, Value]]:
    """Write 'otherwise' as what the conditions on one variable leave of the real numbers."""
    told = [condition for _, condition in pieces if isinstance(condition, Relation)]
    names = {
        name for relation in told for side in relation.sides for name in collect_variables(side)
    }
    others = [condition for _, condition in pieces if not isinstance(condition, Relation)]
    if others != [_ELSE] or len(names) != 1:
        return pieces
    variable = Var(names.pop())
    left = SetOperation(
        "minus", (NamedSet("R"), *(Builder(variable, (condition,)) for condition in told))
    )
    return [(value, left if condition == _ELSE else condition) for value, condition in pieces]


def _is_condition(tokens: list[Token]) -> bool:
    said = [token.text.strip(" .,").lower() for token in tokens]
    if said[0] in _SIGNS:
        return False  # an equation that is aligned at its sign
    opened = said[0].split(" ", 1)[0] in _OPENERS | _OTHERWISE
    return opened or not _SIGNS.isdisjoint(said) or any(token.kind == "text" for token in tokens)


def _read_piece(
    reader: ItemReader, value: tuple[int, int], condition: tuple[int, int]
) -> tuple[Value, Value]:
    return reader.read_item(*_trim(reader, *value)), _read_condition(reader, *condition)


def _trim(reader: ItemReader, start: int, end: int) -> tuple[int, int]:
    """Leave out the punctuation at the end of a cell."""
    while end - start > 1 and reader.tokens[end - 1].text in _STOPS:
        end -= 1
    return start, end


def _read_condition(reader: ItemReader, start: int, end: int) -> Value:
    start, end = _trim(reader, start, end)
    while end - start > 1 and reader.tokens[start].text.strip().lower() in _OPENERS:
        start += 1
    said = normalise_words(spell(reader.tokens[start:end])).replace(_COPULA, " ")
    if said in _OTHERWISE:
        return _ELSE
    if _SIGNS.isdisjoint(token.text for token in reader.tokens[start:end]):
        opener, _, rest = said.partition(" ")
        said = rest if opener in _OPENERS else said
        if not said:
            raise UnreadableError("a case without a condition")
        return Text(said)
    return reader.read_item(start, end)
