"""JSON Schema in one place: the only importer of jsonschema."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, TypeChecker
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from grpo_framework.errors import ValidationFailed

SCHEMA_SUFFIX = ".schema.json"


def _is_number(_: TypeChecker, value: object) -> bool:
    """Whether a value is a number in JSON, which has no NaN and no infinity."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or math.isfinite(value)


_Validator: type[Validator] = extend(  # type: ignore[no-untyped-call]  # of the stubs
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", _is_number),
)


@cache
def schema(kind: str) -> Mapping[str, Any]:
    """Return the schema of a kind of document, from the package `grpo_framework.schemas`.

    Args:
        kind: Name of the schema file without its suffix (``operations``).
    """
    file = resources.files("grpo_framework.schemas") / f"{kind}{SCHEMA_SUFFIX}"
    loaded: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def kinds() -> tuple[str, ...]:
    """The kinds of documents that have a schema, sorted."""
    names = (file.name for file in resources.files("grpo_framework.schemas").iterdir())
    return tuple(
        sorted(name.removesuffix(SCHEMA_SUFFIX) for name in names if name.endswith(SCHEMA_SUFFIX))
    )


@cache
def _validator(kind: str) -> Validator:
    return _Validator(schema(kind))


@cache
def _operation_validators() -> Mapping[str, Validator]:
    """The part of the schema ``operation`` that is for each kind."""
    return {
        branch["if"]["properties"]["op"]["const"]: _Validator(branch["then"])
        for branch in schema("operation")["allOf"]
    }


def validate_operation(row: Any) -> None:
    """Check one proposed operation; what is right is not held against the other kinds' rules too.

    Raises:
        ValidationFailed: As `validate`.
    """
    kind = row.get("op") if isinstance(row, dict) else None
    own = _operation_validators().get(kind) if isinstance(kind, str) else None
    if own is None or not own.is_valid(row):
        validate("operation", row)


def pointer(path: Iterable[str | int]) -> str:
    """Write a path into a document as a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def validate(
    kind: str, document: Any, *, path: Path | None = None, line: int | None = None
) -> None:
    """Check a document against the schema of its kind.

    Args:
        kind: Which schema.
        document: Plain JSON values.
        path: The file it came from, for the message.
        line: The line it came from, for the message.

    Raises:
        ValidationFailed: With the JSON pointer of the most telling finding.
    """
    _raise_best(kind, _validator(kind), document, path=path, line=line)


def validate_with(kind: str, inline: Mapping[str, Any], document: Any) -> None:
    """Check a document against a schema given in place, such as a component's options.

    Args:
        kind: What the document is called in the message (``options of openai/gpt-4.1-mini``).
        inline: The schema.
        document: Plain JSON values.

    Raises:
        ValidationFailed: With the JSON pointer of the most telling finding.
    """
    _raise_best(kind, _Validator(inline), document)


def check_schema(inline: Mapping[str, Any]) -> None:
    """Check that a schema is one.

    Raises:
        ValidationFailed: It is not valid by draft 2020-12.
    """
    if _is_plain(inline):
        return
    try:
        Draft202012Validator.check_schema(dict(inline))
    except SchemaError as error:
        where = pointer(error.absolute_path)
        raise ValidationFailed("JSON Schema", error.message, pointer=where) from error


_TYPES = frozenset(["object", "array", "string", "number", "integer", "boolean", "null"])
_TEXTS = frozenset(["title", "description"])
_BOUNDS = frozenset(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"])
_LENGTHS = frozenset(["minLength", "maxLength", "minItems", "maxItems"])


def _is_plain(inline: Any) -> bool:
    """Whether a schema is surely one, by the few words that most are made of.

    The full check takes 10 ms and more; what is not recognised here gets it.
    """
    if not isinstance(inline, Mapping):
        return isinstance(inline, bool)
    return all(_is_plain_word(word, value) for word, value in inline.items())


def _is_plain_word(word: object, value: Any) -> bool:
    if word == "default":
        return True
    if word == "type":
        return isinstance(value, str) and value in _TYPES
    if word in _TEXTS:
        return isinstance(value, str)
    if word in _BOUNDS or word in _LENGTHS:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return (whole and value >= 0) if word in _LENGTHS else whole or isinstance(value, float)
    if word == "enum":
        return isinstance(value, list | tuple)
    if word == "properties":
        return isinstance(value, Mapping) and all(map(_is_plain, value.values()))
    return word in ("items", "additionalProperties") and _is_plain(value)


def _raise_best(
    kind: str,
    validator: Validator,
    document: Any,
    *,
    path: Path | None = None,
    line: int | None = None,
) -> None:
    error = best_match(validator.iter_errors(document))
    if error is not None:
        raise ValidationFailed(
            kind, _reason(error), pointer=pointer(error.absolute_path), path=path, line=line
        )


def _reason(error: ValidationError) -> str:
    """The finding in one line; jsonschema repeats the whole instance where that is long."""
    rule: Any = error.validator_value
    instance: Any = error.instance
    if error.validator == "additionalProperties" and isinstance(error.schema, Mapping):
        known = sorted(error.schema.get("properties", {}))
        unknown = sorted(set(instance) - set(known))
        near = [match for key in unknown for match in get_close_matches(str(key), known, n=1)]
        meant = f" (did you mean {', '.join(map(repr, near))}?)" if near else ""
        listed = ", ".join(known)
        return f"unknown key {', '.join(map(repr, unknown))}{meant}; known keys: {listed}"
    if error.validator == "type":
        wanted = rule if isinstance(rule, str) else " or ".join(rule)
        return f"{_short(instance)} is not of type {wanted}"
    if error.validator == "required":
        missing = [key for key in rule if key not in instance]
        return f"the key {', '.join(map(repr, missing))} is missing"
    text = error.message
    return text if len(text) <= 300 else f"{text[:297]}…"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}…"


def json_reason(error: json.JSONDecodeError) -> str:
    """What is wrong with a JSON text and in which column, as a phrase; the line is said elsewhere.

    Some of the decoder's messages end in the word that its own place would follow.
    """
    return f"{error.msg.removesuffix(' at').removesuffix(' starting')} in column {error.colno}"
