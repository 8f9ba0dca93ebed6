"""Reading rows out of files: JSON Lines, a JSON array, CSV, Parquet; each row with its line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from attrs import evolve, field, frozen

from grpo_framework.errors import ProblemError
from grpo_framework.validation import json_reason

PATTERNS = ("*.jsonl", "*.ndjson", "*.json", "*.csv", "*.parquet")
SUFFIXES = tuple(pattern[1:] for pattern in PATTERNS)


@frozen
class Row:
    """One row, or what is wrong with it.

    Attributes:
        values: Column → value; empty where the row cannot be read.
        path: The file, None for a row that came from no file.
        line: Where it begins, counted from 1; in a Parquet file the row's number.
        fault: Why it cannot be read; empty where it can.
        origin: What ids made from positions begin with: the file's stem, or the data set's name.
        split: The split of the table it stands in, for rows that name none.
    """

    values: Mapping[str, Any] = field(hash=False)
    path: Path | None = None
    line: int | None = None
    fault: str = ""
    origin: str = ""
    split: str = ""


def read_table(path: Path, *, split: str = "") -> tuple[Row, ...]:
    """Read all rows of a file; blocking.

    Whether it is JSON Lines or a JSON array is seen from the content, not from the suffix.

    Args:
        path: The file.
        split: For rows that name none.

    Raises:
        ProblemError: The file as a whole cannot be read.
    """
    return tuple(evolve(row, origin=path.stem, split=split) for row in _read(path))


def _read(path: Path) -> Iterable[Row]:
    if path.suffix == ".parquet":
        return _read_parquet(path)
    text = _read_text(path)
    if path.suffix == ".csv":
        return _read_csv(text, path)
    return _read_array(text, path) if text.lstrip().startswith("[") else _read_lines(text, path)


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProblemError(f"cannot be read: {error.strerror or error}", path=path) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProblemError(
            f"no valid UTF-8 at byte {error.start}",
            path=path,
            line=line,
            hint="save the file in UTF-8",
        ) from error


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is no JSON value"
    raise ValueError(message)


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        key = next(key for number, (key, _) in enumerate(pairs) if key in dict(pairs[:number]))
        message = f"the key {key!r} stands twice in one object"
        raise ValueError(message)
    return values


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_refuse_repeats)


def _decode(decode: Callable[[], Any]) -> tuple[Any, str]:
    """A decoded value, or why there is none."""
    try:
        return decode(), ""
    except json.JSONDecodeError as error:
        return None, f"no valid JSON: {json_reason(error)}"
    except (ValueError, RecursionError) as error:
        return None, f"no valid JSON: {error}"


def _read_lines(text: str, path: Path) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            value, fault = _decode(lambda line=line: _DECODER.decode(line))  # type: ignore[misc]
            if number == 1 and fault and _is_one_object(text):
                raise ProblemError(
                    "one JSON object, where problems belong into an array or one on each line",
                    path=path,
                )
            yield _row(value, fault, path, number)


def _is_one_object(text: str) -> bool:
    value, fault = _decode(lambda: _DECODER.decode(text))
    return not fault and isinstance(value, dict)


def _row(value: Any, fault: str, path: Path, line: int) -> Row:
    if not fault and not isinstance(value, dict):
        fault = f"a problem must be a JSON object, not {type(value).__name__}"
    return Row({} if fault else value, path, line, fault)


def _read_array(text: str, path: Path) -> Iterator[Row]:
    """The elements one by one, so that each has its line."""
    place = _skip(text, text.index("[") + 1)
    line, counted = 1, 0
    if text[place : place + 1] == "]":
        return
    while True:
        line, counted = line + text.count("\n", counted, place), place
        try:
            value, place = _DECODER.raw_decode(text, place)
        except json.JSONDecodeError as error:
            raise ProblemError(
                f"no valid JSON: {json_reason(error)}", path=path, line=error.lineno
            ) from error
        except (ValueError, RecursionError) as error:
            raise ProblemError(f"no valid JSON: {error}", path=path, line=line) from error
        yield _row(value, "", path, line)
        place = _skip(text, place)
        mark = text[place : place + 1]
        if mark == "]" and not text[place + 1 :].strip():
            return
        if mark != ",":
            found = f"'{mark}'" if mark else "the end"
            raise ProblemError(
                f"no valid JSON: a comma or the closing ] expected, {found} found",
                path=path,
                line=text.count("\n", 0, place) + 1,
            )
        place = _skip(text, place + 1)


def _skip(text: str, place: int) -> int:
    while text[place : place + 1] in (" ", "\t", "\r", "\n"):
        place += 1
    return place


def _read_csv(text: str, path: Path) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    line = 1
    try:
        for cells in reader:
            if not header:
                header = [cell.strip() for cell in cells]
            elif cells:
                fault = (
                    "" if len(cells) == len(header) else f"{len(cells)} cells, not {len(header)}"
                )
                yield Row({} if fault else dict(zip(header, cells, strict=True)), path, line, fault)
            line = reader.line_num + 1
    except csv.Error as error:
        raise ProblemError(f"no valid CSV: {error}", path=path, line=line) from error


def _read_parquet(path: Path) -> tuple[Row, ...]:
    try:
        from pyarrow import ArrowException, parquet  # type: ignore[import-untyped]
    except ImportError as error:
        raise ProblemError(
            "Parquet files need pyarrow, which is not installed",
            path=path,
            hint="pip install 'grpo-problems[parquet]'",
        ) from error
    try:
        rows = parquet.ParquetFile(path).read().to_pylist()
    except (OSError, ArrowException) as error:
        reason = str(error).partition("\n")[0]
        raise ProblemError(f"no valid Parquet: {reason}", path=path) from error
    return tuple(Row(values, path, number) for number, values in enumerate(rows, start=1))
