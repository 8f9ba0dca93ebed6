"""Reads sums and products of matrices, multiples, transposes and determinants."""

from __future__ import annotations

from grpo_math.limits import UnreadableError
from grpo_math.reading.atoms import add, multiply, negate
from grpo_math.reading.matrices import PartReader, expand_determinant, read_environment
from grpo_math.values import NUMBER_TYPES, Call, Expr, Matrix, Value

_TRANSPOSED = ("^T", "^{T}", "^\\top", "^{\\top}", "^\\mathsf{T}")
_MAX_SIZE = 12
_MAX_POWER = 8


def read_matrix_sum(reader: PartReader, start: int, end: int) -> Value | None:
    """Read an expression of matrices; None where the tokens hold no matrix at their top."""
    tokens = reader.tokens
    if not any(tokens[i].text == "\\begin" for i in range(start, end)):
        return None
    if tokens[start].text == "\\det":
        inner = read_environment(reader, start + 1, end)
        return expand_determinant(inner.rows) if isinstance(inner, Matrix) else None
    if tokens[start].text == tokens[end - 1].text == "|":
        inner = read_environment(reader, start + 1, end - 1)
        return expand_determinant(inner.rows) if isinstance(inner, Matrix) else None
    total: Matrix | None = None
    at = start
    while at < end:
        minus = tokens[at].text == "-"
        if tokens[at].text in {"+", "-"}:
            at += 1
        term, at = _read_term(reader, at, end)
        term = negate_one(term) if minus else term
        total = term if total is None else _add(total, term)
    return total


def negate_one(matrix: Matrix) -> Matrix:
    """Take the negative of a matrix."""
    return Matrix(tuple(tuple(negate(_number(cell)) for cell in row) for row in matrix.rows))


def _read_term(reader: PartReader, start: int, end: int) -> tuple[Matrix, int]:
    tokens = reader.tokens
    at = start
    while at < end and tokens[at].text != "\\begin":
        at += 1
    factor: Expr | None = None
    scalar_end = at
    while scalar_end > start and tokens[scalar_end - 1].text in {"\\cdot", "\\times", "*"}:
        scalar_end -= 1
    if scalar_end > start:
        factor = reader.read(start, scalar_end)
    product: Matrix | None = None
    while at < end and tokens[at].text == "\\begin":
        matrix, at = _read_one(reader, at, end)
        product = matrix if product is None else _multiply(product, matrix)
        if at + 1 < end and tokens[at].text in {"\\cdot", "\\times", "*"}:
            at += 1
    if product is None or (at < end and tokens[at].text not in {"+", "-"}):
        raise UnreadableError("no sum of matrices")
    return _scale(product, factor), at


def _read_one(reader: PartReader, start: int, end: int) -> tuple[Matrix, int]:
    tokens = reader.tokens
    at = start
    while at < end and tokens[at].text != "\\end":
        at += 1
    if at + 1 not in reader.pairs:
        raise UnreadableError("an environment that is not closed")
    at = reader.pairs[at + 1] + 1
    value = read_environment(reader, start, at)
    if not isinstance(value, Matrix):
        raise UnreadableError("no matrix")
    for mark_length in (2, 4):
        mark = "".join(t.text for t in tokens[at : at + mark_length])
        if mark in _TRANSPOSED:
            return Matrix(tuple(zip(*value.rows, strict=True))), at + mark_length
    if at < end and tokens[at].text == "^":
        return _read_power(reader, value, at + 1)
    return value, at


def _read_power(reader: PartReader, matrix: Matrix, at: int) -> tuple[Matrix, int]:
    """Read the whole exponent of a matrix and apply it; -1 inverts a two by two one."""
    after = reader.pairs[at] + 1 if at in reader.pairs else at + 1
    spelled = "".join(t.text for t in reader.tokens[at:after]).strip("{}")
    if spelled == "-1":
        return _invert(matrix), after
    if not spelled.isdigit() or not 1 <= int(spelled) <= _MAX_POWER:
        raise UnreadableError("a power of a matrix that is not small and whole")
    power = matrix
    for _ in range(int(spelled) - 1):
        power = _multiply(power, matrix)
    return power, after


def _invert(matrix: Matrix) -> Matrix:
    if len(matrix.rows) != 2 or len(matrix.rows[0]) != 2:
        raise UnreadableError("an inverse of a matrix that is not two by two")
    (a, b), (c, d) = [[_number(cell) for cell in row] for row in matrix.rows]
    factor = Call("inv", (add([multiply([a, d]), negate(multiply([b, c]))]),))
    return _scale(Matrix(((d, negate(b)), (negate(c), a))), factor)


def _number(cell: Value) -> Expr:
    if not isinstance(cell, NUMBER_TYPES):
        raise UnreadableError("a matrix of something else than numbers")
    return cell


def _scale(matrix: Matrix, factor: Expr | None) -> Matrix:
    if factor is None:
        return matrix
    return Matrix(
        tuple(tuple(multiply([factor, _number(cell)]) for cell in row) for row in matrix.rows)
    )


def _add(a: Matrix, b: Matrix) -> Matrix:
    if len(a.rows) != len(b.rows) or len(a.rows[0]) != len(b.rows[0]):
        raise UnreadableError("a sum of matrices of different shapes")
    pairs = zip(a.rows, b.rows, strict=True)
    return Matrix(
        tuple(
            tuple(add([_number(x), _number(y)]) for x, y in zip(p, q, strict=True))
            for p, q in pairs
        )
    )


def _multiply(a: Matrix, b: Matrix) -> Matrix:
    if len(a.rows[0]) != len(b.rows) or max(len(a.rows), len(b.rows), len(b.rows[0])) > _MAX_SIZE:
        raise UnreadableError("a product of matrices that do not fit, or are too large")
    columns = list(zip(*b.rows, strict=True))
    return Matrix(
        tuple(
            tuple(
                add([multiply([_number(x), _number(y)]) for x, y in zip(row, column, strict=True)])
                for column in columns
            )
            for row in a.rows
        )
    )
