"""Reads LaTeX environments: matrices, determinants, systems."""

from __future__ import annotations

from typing import Protocol

from grpo_math.limits import OverLimitError, UnreadableError
from grpo_math.reading.atoms import add, multiply, negate
from grpo_math.reading.pieces import read_pieces
from grpo_math.reading.shapes import gather_list
from grpo_math.reading.tokens import Token
from grpo_math.values import NUMBER_TYPES, Expr, Matrix, Value
from grpo_math.wording import words

_MATRICES = frozenset(
    words("matrix pmatrix bmatrix Bmatrix smallmatrix array psmallmatrix bsmallmatrix")
)
_MAX_NESTED = 8
_PIECEWISE = frozenset(words("cases dcases rcases array"))
_SYSTEMS = frozenset(words("cases aligned align gathered split"))


class PartReader(Protocol):
    """What an environment needs of the reader around it."""

    tokens: list[Token]
    pairs: dict[int, int]

    def read_item(self, start: int, end: int) -> Value:
        """Read one item."""
        ...

    def read(self, start: int, end: int) -> Expr:
        """Read one expression."""
        ...


def read_environment(reader: PartReader, start: int, end: int) -> Value | None:
    r"""Read ``\begin{…} … \end{…}`` that spans exactly the tokens given.

    Returns:
        A matrix, a determinant as an expression, or the lines of a system; None for others.
    """
    name, at = _name_environment(reader, start + 1)
    last = find_end(reader.tokens, start, end)
    closing, after = _name_environment(reader, last + 1) if last > at else ("", end)
    if closing != name or after != end:
        return None
    if name == "array" and at in reader.pairs:
        at = reader.pairs[at] + 1
    rows = _split_at(reader, at, last, "\\\\")
    if name in _PIECEWISE:
        pieces = read_pieces(reader, [_split_at(reader, *row, "&") for row in rows])
        if pieces is not None:
            return pieces
    if name in _SYSTEMS:
        if any(reader.tokens[begin].text == "=" for begin, _ in rows[1:]):
            rows = rows[-1:]
        lines = [_read_line(reader, *row) for row in rows]
        return gather_list(lines) if len(lines) > 1 else lines[0]
    if name not in _MATRICES and name != "vmatrix":
        return None
    cells = tuple(
        tuple(reader.read_item(*cell) for cell in _split_at(reader, *row, "&")) for row in rows
    )
    if len({len(row) for row in cells}) != 1:
        raise UnreadableError("the rows of a matrix differ in length")
    return expand_determinant(cells) if name == "vmatrix" else Matrix(cells)


def check_nesting(tokens: list[Token]) -> None:
    """Stop before environments in environments in environments are read over and over.

    Raises:
        OverLimitError: They are nested too deeply.
    """
    depth = 0
    for token in tokens:
        depth += (token.text == "\\begin") - (token.text == "\\end")
        if depth > _MAX_NESTED:
            raise OverLimitError(f"environments are nested deeper than {_MAX_NESTED}")


def find_end(tokens: list[Token], start: int, end: int) -> int:
    r"""Find the ``\end`` of the environment that begins at ``start``, or ``start`` itself."""
    depth = 0
    for at in range(start, end):
        depth += (tokens[at].text == "\\begin") - (tokens[at].text == "\\end")
        if depth == 0:
            return at
    return start


def _read_line(reader: PartReader, start: int, end: int) -> Value:
    """Read a line of a system; its alignment marks were dropped by the tokenizer's caller."""
    cells = _split_at(reader, start, end, "&")
    if len(cells) == 1:
        return reader.read_item(*cells[0])
    raise UnreadableError("a piecewise definition")


def _name_environment(reader: PartReader, at: int) -> tuple[str, int]:
    if at not in reader.pairs:
        raise UnreadableError("an environment without a name")
    closing = reader.pairs[at]
    return "".join(t.text for t in reader.tokens[at + 1 : closing]).rstrip("*"), closing + 1


def _split_at(reader: PartReader, start: int, end: int, mark: str) -> list[tuple[int, int]]:
    pieces: list[tuple[int, int]] = []
    at = begin = start
    while at < end:
        if at in reader.pairs:
            at = reader.pairs[at] + 1
            continue
        if reader.tokens[at].text in {"\\hline", mark}:
            pieces.append((begin, at))
            begin = at + 1
        at += 1
    pieces.append((begin, end))
    return [piece for piece in pieces if piece[0] < piece[1]]


def expand_determinant(cells: tuple[tuple[Value, ...], ...]) -> Expr:
    """Expand the determinant of a small square matrix."""
    if len(cells) != len(cells[0]) or len(cells) > 4:
        raise UnreadableError("a determinant that is not square, or too large")
    rows: list[list[Expr]] = []
    for row in cells:
        rows.append([c for c in row if isinstance(c, NUMBER_TYPES)])
        if len(rows[-1]) != len(cells):
            raise UnreadableError("a determinant of something else than numbers")
    return _expand(rows)


def _expand(rows: list[list[Expr]]) -> Expr:
    if len(rows) == 1:
        return rows[0][0]
    terms: list[Expr] = []
    for column, factor in enumerate(rows[0]):
        minor = [row[:column] + row[column + 1 :] for row in rows[1:]]
        term = multiply([factor, _expand(minor)])
        terms.append(negate(term) if column % 2 else term)
    return add(terms)
