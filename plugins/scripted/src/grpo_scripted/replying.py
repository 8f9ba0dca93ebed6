"""Make a reply that fits a JSON Schema, from operations and a sentence: no model, no chance."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grpo_framework.errors import ValidationFailed
from grpo_framework.validation import validate_with

_TAGS = ("op", "operation", "action", "type", "kind", "option")
_DEPTH = 12


def build_reply(
    schema: Mapping[str, Any], operations: Sequence[Mapping[str, Any]], sentence: str
) -> Any:
    """Build a document for a schema.

    Arrays whose items are operations get the operations that the schema allows, in whatever
    spelling of their kind it wants; texts get the sentence; everything else its smallest value.

    Args:
        schema: Of the whole reply; references within it are followed.
        operations: What to propose, as documents with the key ``op``.
        sentence: For free text.

    Returns:
        Plain JSON values; the caller of the model validates them anyhow.
    """
    return _Builder(schema, operations, sentence).build(schema, _DEPTH)


def _read_openings(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The words that patterns of the schema want a text to open with (``^When ``)."""
    text = json.dumps(dict(schema), ensure_ascii=False, default=dict)
    return tuple(dict.fromkeys(re.findall(r'"pattern": "\^(\w[\w ,，、：]*)', text)))


def _spell(document: Mapping[str, Any], openings: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The spellings of an operation: with all that it says, then with less and less."""
    full = {key: value for key, value in document.items() if value not in ("", [], ())}
    some = {key: value for key, value in full.items() if key != "source_problem"}
    less = {key: value for key, value in some.items() if key != "from"}
    least = {key: value for key, value in less.items() if key in ("op", "id", "ids", "content")}
    for opening in ("", *openings) if "content" in full else ("",):
        for fields in (full, some, less, least):
            rest = {key: value for key, value in fields.items() if key != "op"}
            if opening:
                rest["content"] = f"{opening}{rest['content']}"
            for tag in _TAGS:
                yield {tag: fields["op"], **rest}
                yield {tag: str(fields["op"]).upper(), **rest}


class _Builder:
    def __init__(
        self, root: Mapping[str, Any], documents: Sequence[Mapping[str, Any]], sentence: str
    ) -> None:
        self._shared = {key: root[key] for key in ("$defs", "definitions") if key in root}
        self._documents = documents
        self._openings = _read_openings(root)
        self._sentence = sentence

    def _fits(self, schema: Mapping[str, Any], document: Any) -> bool:
        try:
            validate_with("part of a reply", {**self._shared, **schema}, document)
        except ValidationFailed:
            return False
        return True

    def _resolve(self, schema: Any) -> Mapping[str, Any]:
        if not isinstance(schema, Mapping):
            return {}
        reference = schema.get("$ref", "")
        if not str(reference).startswith("#/"):
            return schema
        found: Any = self._shared
        for part in str(reference)[2:].split("/"):
            found = found.get(part, {}) if isinstance(found, Mapping) else {}
        return self._resolve(found)

    def build(self, given: Any, depth: int) -> Any:
        schema = self._resolve(given)
        if depth == 0:
            return None
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        for key in ("anyOf", "oneOf"):
            if key in schema and not schema.get("properties"):
                return self.build(schema[key][0], depth - 1)
        kind = schema.get("type", "object" if "properties" in schema else "string")
        kind = kind[0] if isinstance(kind, list) else kind
        match kind:
            case "object":
                return self._build_object(schema, depth)
            case "array":
                return self._build_array(schema, depth)
            case "string":
                text = self._sentence[: schema.get("maxLength", len(self._sentence))]
                return text.ljust(schema.get("minLength", 0), ".")
            case "integer" | "number":
                return schema.get("minimum", 0)
            case "boolean":
                return False
        return None

    def _build_object(self, schema: Mapping[str, Any], depth: int) -> Any:
        for document in self._documents:
            for spelling in _spell(document, self._openings):
                if set(spelling) & set(_TAGS) & set(schema.get("properties", {})) and self._fits(
                    schema, spelling
                ):
                    return spelling
        properties = schema.get("properties", {})
        return {name: self.build(part, depth - 1) for name, part in properties.items()}

    def _build_array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        items = self._resolve(schema.get("items", {}))
        fitting: list[Any] = []
        for document in self._documents:
            chosen = next(
                (each for each in _spell(document, self._openings) if self._fits(items, each)), None
            )
            if chosen is not None:
                fitting.append(chosen)
        if items.get("type") == "string":
            contents = [str(each["content"]) for each in self._documents if "content" in each]
            fitting = [text for text in contents if self._fits(items, text)]
        while len(fitting) < schema.get("minItems", 0):
            fitting.append(self.build(items, depth - 1))
        return fitting[: schema.get("maxItems", len(fitting))]
