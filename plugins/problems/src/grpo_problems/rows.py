"""Rows → problems, pure: the key spellings of the guide, ids from positions, all faults counted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from attrs import frozen

from grpo_framework.errors import ProblemError, ValidationFailed
from grpo_framework.records import Problem, Question
from grpo_framework.validation import validate
from grpo_problems.tables import Row

TEXT_KEYS = ("problem", "Problem", "question", "Question")
ANSWER_KEYS = ("answer", "Answer")
SUBJECT_KEYS = ("subject", "topic")
SPLITS: Mapping[str, str] = {
    "": "",
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
}
"""Spelling of a split, in lower case → what the framework calls it."""


class _Fault(ValueError):  # noqa: N818 - reads as what it is
    """What is wrong with a row, and how to mend it."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


@frozen
class Reading:
    """How rows are read.

    Attributes:
        dataset: Name of the data set, for rows that name none.
        problem_keys: Where the text may stand, first found first taken.
        answer_keys: Where the answer may stand.
        id_keys: Where the id may stand.
        answer_after: The answer is what follows the last occurrence of this (``####``), if set.
    """

    dataset: str
    problem_keys: tuple[str, ...] = TEXT_KEYS
    answer_keys: tuple[str, ...] = ANSWER_KEYS
    id_keys: tuple[str, ...] = ("id",)
    answer_after: str = ""


def to_problems(rows: Iterable[Row], reading: Reading) -> tuple[Problem, ...]:
    """Read rows as problems.

    Raises:
        ProblemError: With file and line of the first row that cannot be used, and the number of
            others.
    """
    problems: dict[str, Problem] = {}
    faults: list[tuple[_Fault, Row]] = []
    places: Counter[str] = Counter()
    for row in rows:
        places[row.origin] += 1
        try:
            problem = _to_problem(row, reading, f"{row.origin}-{places[row.origin]}")
        except _Fault as fault:
            faults.append((fault, row))
            continue
        first = problems.setdefault(problem.id, problem)
        if first is not problem:
            reason = f"the id '{problem.id}' is already that of {first.source}"
            faults.append((_Fault(reason, "give each problem its own id"), row))
    if faults:
        raise _first_fault(faults, places.total())
    return tuple(problems.values())


def _first_fault(faults: list[tuple[_Fault, Row]], rows: int) -> ProblemError:
    fault, row = faults[0]
    reason = str(fault)
    others = len(faults) - 1
    if others:
        reason += f"; {others} more of {rows} rows cannot be used"
    return ProblemError(reason, path=row.path, line=row.line, hint=fault.hint)


def _to_problem(row: Row, reading: Reading, position: str) -> Problem:
    """One problem.

    Raises:
        _Fault: What is wrong with the row.
    """
    if row.fault:
        raise _Fault(row.fault)
    document = {
        "problem": _take(row, reading.problem_keys, "text"),
        "answer": _cut(_take(row, reading.answer_keys, "answer"), reading.answer_after),
        "split": _to_split(row.values.get("split"), row.split),
    }
    optional = {
        "id": reading.id_keys,
        "subject": SUBJECT_KEYS,
        "dataset": ("dataset",),
    }
    for name, keys in optional.items():
        value = _first(row.values, keys)
        if value is not None:
            document[name] = value
    try:
        validate("problem", document)
    except ValidationFailed as error:
        raise _Fault(f"{error.pointer.lstrip('/')}: {error.reason}") from error
    return _from_document(document, row, reading, position)


def _from_document(
    document: Mapping[str, Any], row: Row, reading: Reading, position: str
) -> Problem:
    where = "" if row.path is None else f"{row.path}:{row.line}"
    return Problem(
        Question(
            id=str(document.get("id", position)).strip(),
            text=document["problem"].strip(),
            subject=document.get("subject", ""),
            dataset=document.get("dataset", reading.dataset),
        ),
        answer=_to_text(document["answer"]),
        split=document["split"],
        source=where or position,
    )


def _first(values: Mapping[str, Any], keys: Iterable[str]) -> Any:
    """The first value that is there; JSON's null and an empty cell count as not there."""
    return next((values[key] for key in keys if values.get(key) not in (None, "")), None)


def _take(row: Row, keys: tuple[str, ...], what: str) -> Any:
    value = _first(row.values, keys)
    if value is None or (isinstance(value, str) and not value.strip()):
        spellings = " or ".join(repr(key) for key in keys)
        found = ", ".join(map(repr, row.values)) or "nothing"
        raise _Fault(
            f"a problem without {what}: {spellings} is missing or empty, found {found}",
            _meant(row.values, keys),
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise _Fault(f"the {what} is {value}, which is no number")
    return value


def _meant(values: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    """A key that is there and looks like one of those that were looked for."""
    for key in values:
        near = get_close_matches(str(key), keys, n=1, cutoff=0.7)
        if near and key not in keys:
            return f"did you mean '{near[0]}' by '{key}'?"
    return ""


def _cut(answer: Any, mark: str) -> Any:
    if not mark or not isinstance(answer, str) or mark not in answer:
        return answer
    rest = answer.rpartition(mark)[2].strip()
    if not rest:
        raise _Fault(f"a problem without answer: nothing follows '{mark}'")
    return rest


def _to_split(value: Any, default: str) -> str:
    if value is None or value == "":
        return default
    split = SPLITS.get(value.strip().lower()) if isinstance(value, str) else None
    if split is None:
        near = get_close_matches(str(value).strip().lower(), SPLITS, n=1)
        hint = f"did you mean '{near[0]}'?" if near and near[0] else ""
        raise _Fault(f"split: {value!r} is none of train, validation, test", hint)
    return split


def _to_text(answer: Any) -> str:
    return answer.strip() if isinstance(answer, str) else str(answer)
