"""Records ⇄ plain JSON documents, by cattrs: the one place where a value meets its written form."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import attrs
import orjson
from cattrs import Converter
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_unstructure_fn, override

from grpo_framework import events
from grpo_framework.errors import ValidationFailed
from grpo_framework.experience import (
    Add,
    Delete,
    Experience,
    Keep,
    Malformed,
    Merge,
    Modify,
    Operation,
)
from grpo_framework.validation import validate, validate_operation

T = TypeVar("T")

_OPERATIONS: Mapping[str, type[Operation]] = {
    "add": Add,
    "modify": Modify,
    "delete": Delete,
    "merge": Merge,
    "keep": Keep,
    "malformed": Malformed,
}
_EVENTS: Mapping[str, type[events.Event]] = {cls.__name__: cls for cls in events.Event.__args__}
_RARE: Mapping[type, tuple[str, ...]] = {Delete: ("rule", "content")}
"""Fields that are written only where they say something."""

EXPERIENCE_KEYS = (
    "id",
    "content",
    "category",
    "success_count",
    "usage_count",
    "created_at",
    "source_problem",
)
"""The keys of the guide's file format, in its order."""


def _make_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=False)
    converter.register_structure_hook(Operation, lambda document, _: _to_operation(document))
    converter.register_unstructure_hook(Path, str)
    converter.register_unstructure_hook(Decimal, str)
    converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
    converter.register_unstructure_hook(MappingProxyType, dict)
    converter.register_unstructure_hook(Enum, lambda value: value.value)
    # cattrs makes the function of a class anew for each class that has a field of it.
    make_once = cache(lambda cls: make_dict_unstructure_fn(cls, converter))
    converter.register_unstructure_hook_factory(attrs.has, make_once)
    for name, cls in _OPERATIONS.items():
        converter.register_unstructure_hook(cls, _tagged(converter, cls, "op", name))
    for name, event in _EVENTS.items():
        converter.register_unstructure_hook(event, _tagged(converter, event, "event", name))
    return converter


def _tagged(
    converter: Converter, cls: type[Any], key: str, name: str
) -> Callable[[Any], dict[str, Any]]:
    """An unstructure function that puts the kind first."""
    rare = {name: override(omit_if_default=True) for name in _RARE.get(cls, ())}
    plain = make_dict_unstructure_fn(cls, converter, **rare)  # type: ignore[arg-type]
    return lambda value: {key: name, **plain(value)}


def _to_operation(document: Mapping[str, Any]) -> Operation:
    fields = dict(document)
    return _CONVERTER.structure(fields, _OPERATIONS[fields.pop("op")])


_CONVERTER = _make_converter()


def to_document(value: Any) -> Any:
    """Write an attrs value, or a container of them, as plain JSON values."""
    return _CONVERTER.unstructure(value)


def from_document(document: Any, cls: type[T]) -> T:
    """Read an attrs value of a known class from plain JSON values, already validated.

    Raises:
        ValueError: It does not fit the class.
    """
    try:
        return _CONVERTER.structure(document, cls)
    except (TypeError, KeyError, AttributeError, ForbiddenExtraKeysError) as error:
        message = f"does not read as {cls.__name__}: {error}"
        raise ValueError(message) from error


STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
"""For orjson: only what is plain JSON already."""


def to_json(document: Any) -> bytes:
    """Plain JSON values in one line of UTF-8; a lone surrogate is written as `json` would read it.

    A number that is not finite, which JSON does not know, becomes null.

    Raises:
        TypeError: Something in it is no plain JSON value.
        ValueError: It contains itself.
    """
    try:
        return orjson.dumps(document, option=STRICT)
    except TypeError:
        # Lone surrogates, keys that are no text, integers beyond 64 bits: rare.
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "surrogatepass")


_NAMES: dict[type, tuple[str, ...]] = {}
"""The fields of the classes that `digest` has met; looking them up takes longer than the rest."""


def digest(value: Any) -> str:
    """SHA-256 of a value: equal values, equal digest, whichever process computes it."""
    try:
        text = orjson.dumps(value, default=_fields_of, option=STRICT | orjson.OPT_SORT_KEYS)
    except TypeError:
        document = to_document(value)
        text = json.dumps(document, ensure_ascii=False, sort_keys=True).encode(
            "utf-8", "surrogatepass"
        )
    return hashlib.sha256(text).hexdigest()


def _fields_of(value: Any) -> Any:
    """What determines a value that is no plain JSON, for a digest: cheaper than its document."""
    cls = type(value)
    if cls not in _NAMES and attrs.has(cls):
        _NAMES[cls] = tuple(each.name for each in attrs.fields(cls))
    if cls in _NAMES:
        return [cls.__name__, *[getattr(value, name) for name in _NAMES[cls]]]
    if isinstance(value, Mapping):
        return dict(value)
    return to_document(value)


def operations_from_rows(rows: Iterable[Any]) -> tuple[Operation, ...]:
    """Read proposed operations from untrusted JSON, each validated against ``operation``.

    Args:
        rows: Objects with the key ``op``.

    Returns:
        One operation a row; a row that is none becomes a `Malformed` with the reason.
    """
    return tuple(_to_proposal(row) for row in rows)


def _to_proposal(row: Any) -> Operation:
    try:
        validate_operation(row)
    except ValidationFailed as error:
        return Malformed(json.dumps(row, ensure_ascii=False)[:500], error.message)
    return _to_operation(row)


def event_from_document(document: Mapping[str, Any]) -> events.Event:
    """Read one line of ``events.jsonl``.

    Raises:
        ValueError: It is no event, or one of another version of this project.
    """
    fields = {key: value for key, value in document.items() if key not in ("event", "at")}
    name = document.get("event")
    if not isinstance(name, str) or name not in _EVENTS:
        message = f"no event is called {name!r}"
        raise ValueError(message)
    event: events.Event = from_document(fields, _EVENTS[name])
    return event


def experience_to_document(experience: Experience) -> dict[str, Any]:
    """Write an experience with exactly the keys of the guide's file format."""
    return {key: getattr(experience, key) for key in EXPERIENCE_KEYS}


def experiences_from_document(document: Any, *, path: Path | None = None) -> tuple[Experience, ...]:
    """Read an owner's experience file.

    Raises:
        ValidationFailed: It does not fit the schema, or an id stands twice; with file and pointer.
    """
    # The schema's check of 10,000 rows takes a second; whole rows are recognised without it, and
    # everything else gets the schema's verdict and message.
    if not (isinstance(document, list) and all(map(_is_experience_row, document))):
        validate("experiences", document, path=path)
        document = [{**row, **{key: int(row[key]) for key in _COUNTS}} for row in document]
    places: dict[str, int] = {}
    for place, row in enumerate(document):
        first = places.setdefault(row["id"], place)
        if first != place:
            reason = f"the id {row['id']!r} stands twice, first at /{first}/id"
            raise ValidationFailed("experiences", reason, pointer=f"/{place}/id", path=path)
    return tuple(Experience(**row) for row in document)


_COUNTS = ("success_count", "usage_count")
_KEYS = frozenset(EXPERIENCE_KEYS)


def _is_experience_row(row: Any) -> bool:
    """Whether a row fits the schema ``experiences``; a test holds this against the schema."""
    return (
        type(row) is dict
        and row.keys() == _KEYS
        and type(row["id"]) is str
        and type(row["content"]) is str
        and row["id"] != ""
        and row["content"] != ""
        and type(row["category"]) is str
        and type(row["success_count"]) is int
        and type(row["usage_count"]) is int
        and row["success_count"] >= 0
        and row["usage_count"] >= 0
        and type(row["created_at"]) is str
        and type(row["source_problem"]) is str
    )
