"""What a model proposes: the schema sent along with the request, and the strict reading of replies.

The schema has one variant for each operation that is possible now: ids are an enum of those that
exist, and an empty library leaves only ``add``. Every key of a variant is required, which is what
servers with strict structured output ask for, and keeps the grammar of local ones small.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from grpo_framework.codec import operations_from_rows
from grpo_framework.errors import ValidationFailed
from grpo_framework.experience import Add, Malformed, Operation, clean
from grpo_framework.validation import validate_with

REASON_CHARS = 120
CATEGORY = "^[a-z]{3,14}$"
_ENVELOPE: Mapping[str, Any] = {
    "type": "object",
    "required": ["operations"],
    "additionalProperties": False,
    "properties": {"operations": {"type": "array"}},
}
_FENCE = re.compile(r"```(?:json)?[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL | re.IGNORECASE)
_DOCUMENT_CHARS = 500


@frozen
class Answer:
    """A model's answer, read.

    Attributes:
        operations: One a row; empty where the answer as a whole was unusable, or had none.
        problems: What was wrong, one entry a finding; empty where all is well.
        usable: Whether the answer as a whole was what had been asked for.
    """

    operations: tuple[Operation, ...] = ()
    problems: tuple[str, ...] = ()
    usable: bool = True


def answer_schema(
    ids: Sequence[str], *, most: int, content: Mapping[str, Any], labels: Sequence[str] = ()
) -> dict[str, Any]:
    """The JSON Schema of an answer.

    Args:
        ids: The experiences that can be changed.
        most: Most operations.
        content: The schema of an experience's text.
        labels: Labels of proposals; then each operation that writes a text names those it is from.
    """
    reason = {"type": "string", "maxLength": REASON_CHARS}
    category = {"type": "string", "pattern": CATEGORY}
    id_ = {"enum": list(ids)}
    several = {"type": "array", "items": id_, "minItems": 2, "maxItems": 5}
    written: dict[str, Any] = {"content": content, "category": category}
    if labels:
        origin = {"type": "array", "items": {"enum": list(labels)}, "minItems": 1, "maxItems": 8}
        written = {"from": origin, **written}
    variants = [_variant("add", reason, written)]
    if ids:
        variants.append(_variant("modify", reason, {"id": id_, **written}))
    if len(ids) > 1:
        variants.append(_variant("merge", reason, {"ids": several, **written}))
    if ids:
        variants += [_variant(name, reason, {"id": id_}) for name in ("delete", "keep")]
    return {
        "type": "object",
        "properties": {
            "operations": {
                "type": "array",
                "items": variants[0] if len(variants) == 1 else {"anyOf": variants},
                "maxItems": most,
            }
        },
        "required": ["operations"],
        "additionalProperties": False,
    }


def content_schema(*, content_chars: int, opening: str, plain_words: bool) -> dict[str, Any]:
    """The JSON Schema of an experience's text.

    Args:
        content_chars: Its most characters.
        opening: What it begins with, so that it is an instruction for a kind of problem.
        plain_words: Whether to steer towards general words: no digits, quotes or formulas, and one
            sentence with an end. A small model otherwise talks about the numbers of the problem.
    """
    if not plain_words:
        return {"type": "string", "minLength": 12, "maxLength": content_chars}
    rest = content_chars - len(opening) - 1
    return {"type": "string", "pattern": f'^{opening}[^0-9"\\\\\\n.。…“”]{{10,{rest}}}[.。]$'}


def _variant(name: str, reason: Any, rest: dict[str, Any]) -> dict[str, Any]:
    properties = {"op": {"const": name}, "reason": reason, **rest}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_answer(
    text: str, *, most: int, sources: Mapping[str, str] | None = None, source: str = ""
) -> Answer:
    """Read a model's answer; never raises, whatever the text.

    Args:
        text: What the model said.
        most: Operations above this number are not taken, and said so.
        sources: Label of a proposal → the problem it came from, for `Add.source_problem`.
        source: The problem where there are no labels.

    Returns:
        A row that is no operation stays in it as `Malformed`, so that it is recorded.
    """
    document, problem = _read_object(text)
    if problem:
        return Answer(problems=(problem,), usable=False)
    try:
        validate_with("answer", _ENVELOPE, document)
    except ValidationFailed as error:
        return Answer(problems=(error.message,), usable=False)
    rows = document["operations"]
    operations = [
        *(_read_row(row, sources or {}, source) for row in rows[:most]),
        *(Malformed(_shown(row), f"above the limit of {most} operations") for row in rows[most:]),
    ]
    problems = [
        f"operation {number}: {operation.reason}"
        for number, operation in enumerate(operations, 1)
        if isinstance(operation, Malformed)
    ]
    return Answer(tuple(operations), tuple(problems))


def _read_row(row: Any, sources: Mapping[str, str], source: str) -> Operation:
    if not isinstance(row, dict):
        return Malformed(_shown(row), "an operation is an object with the key 'op'")
    fields = {key: _one_line(value) for key, value in row.items()}
    labels = fields.pop("from", []) if sources else []
    if "source_problem" in fields:
        return Malformed(_shown(row), "unknown key 'source_problem'")
    (operation,) = operations_from_rows((fields,))
    if isinstance(operation, Add):
        named = labels if isinstance(labels, list) else [labels]
        found = [sources[label] for label in named if isinstance(label, str) and label in sources]
        return evolve(operation, source_problem=found[0] if found else source)
    return operation


def _one_line(value: Any) -> Any:
    return " ".join(clean(value).split()) if isinstance(value, str) else value


def _shown(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False)[:_DOCUMENT_CHARS]


def _read_object(text: str) -> tuple[Any, str]:
    """The one JSON object of a text, or what is wrong: whole, fenced, or among other words."""
    candidates: Iterable[str] = [text.strip()]
    fences = _FENCE.findall(text)
    if len(fences) == 1:
        candidates = [*candidates, fences[0].strip()]
    for candidate in candidates:
        try:
            found = _DECODER.decode(candidate)
        except (ValueError, RecursionError):
            continue
        return (found, "") if isinstance(found, dict) else (None, "the answer is no JSON object")
    objects = _objects_in(text)
    if len(objects) == 1:
        return objects[0], ""
    if objects:
        return None, f"the answer holds {len(objects)} JSON objects; it must be one"
    return None, "the answer is not valid JSON"


def _objects_in(text: str) -> list[Any]:
    """The outermost JSON objects that stand in a text."""
    found: list[Any] = []
    start = text.find("{")
    while start >= 0 and len(found) < 9:
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            # What an unfinished object holds is not the answer: skip to the next line.
            end = text.find("\n", start)
            if end < 0:
                break
        else:
            found.append(value)
        start = text.find("{", end)
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        message = "a key stands twice"
        raise ValueError(message)
    return dict(pairs)


def _no_constant(name: str) -> Any:
    message = f"{name} is no JSON"
    raise ValueError(message)


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
