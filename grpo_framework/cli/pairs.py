"""The rows that `grpo-cli compare` reads."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import frozen

from grpo_framework.errors import DataError
from grpo_framework.records import Problem, Question
from grpo_framework.validation import json_reason

STDIN = "-"


@frozen
class Pair:
    """A reference and what is judged against it.

    Attributes:
        gold: The reference answer.
        answer: A final answer or a whole response; None where there is none.
        whole: Whether it is a whole response, in which the answer is still to be found.
        id: The row's own id, if it has one, for the result.
        place: Where it was read (``pairs.jsonl:7``).
    """

    gold: str
    answer: str | None
    whole: bool = False
    id: Any = None
    place: str = ""

    @property
    def problem(self) -> Problem:
        """The reference as a comparator takes it; its question has no text."""
        return Problem(Question(id=self.place or "pair", text=""), self.gold, source=self.place)

    def swap(self) -> Pair:
        """The other way round.

        Raises:
            DataError: A whole response cannot be a reference, and neither can a missing answer.
        """
        if self.whole or self.answer is None:
            what = "a response" if self.whole else "a row without an answer"
            place = f"{self.place}: " if self.place else ""
            raise DataError(f"{place}{what} cannot be swapped", hint="leave --swap out")
        return Pair(self.answer, self.gold, id=self.id, place=self.place)


def read_pairs(source: str) -> tuple[Pair, ...]:
    """Read all rows; nothing is judged before all of them are known to be good.

    Args:
        source: A JSON Lines file, or ``-`` for stdin.

    Raises:
        DataError: With file and line of the first row that cannot be used.
    """
    if source == STDIN:
        return tuple(_parse(sys.stdin.buffer, Path("<stdin>")))
    path = Path(source)
    try:
        with path.open("rb") as lines:
            return tuple(_parse(lines, path))
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise DataError(
            message, path=path, hint="give a JSON Lines file, or - for stdin"
        ) from error


def _parse(lines: Iterable[bytes], path: Path) -> Iterable[Pair]:
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            text = raw.decode("utf-8-sig")
            # Numbers that are answers stay as they are written: 1.50 is not 1.5 for every rule.
            row, written = json.loads(text), json.loads(text, parse_int=str, parse_float=str)
        except UnicodeDecodeError as error:
            raise DataError(f"not UTF-8: {error.reason}", path=path, line=number) from error
        except json.JSONDecodeError as error:
            reason = f"not JSON: {json_reason(error)}"
            raise DataError(reason, path=path, line=number) from error
        except (ValueError, RecursionError) as error:
            message = f"not JSON: {type(error).__name__}"
            raise DataError(message, path=path, line=number) from error
        yield _to_pair(row, written, path, number)


def _to_pair(row: Any, written: Any, path: Path, number: int) -> Pair:
    def refuse(what: str) -> DataError:
        hint = 'a row is {"gold": …, "pred": …} or {"gold": …, "response": …}'
        return DataError(what, path=path, line=number, hint=hint)

    if not isinstance(row, dict):
        raise refuse("the row is no object")
    texts = {key: written.get(key) for key in ("gold", "pred", "response")}
    for key, text in texts.items():
        if not isinstance(text, str | None):
            raise refuse(f"'{key}' is neither a text nor a number")
    gold, pred, response = texts.values()
    if gold is None:
        raise refuse("'gold' is null" if "gold" in row else "the row has no 'gold'")
    if "pred" not in row and "response" not in row:
        raise refuse("the row has neither 'pred' nor 'response'")
    if pred is not None and response is not None:
        raise refuse("the row has both 'pred' and 'response'")
    whole = response is not None or "pred" not in row
    return Pair(gold, response if whole else pred, whole, row.get("id"), f"{path}:{number}")
