"""The commented configuration file that `grpo-cli init` writes: made from schema and defaults.

So it cannot fall behind: a key that the schema gains is in the file at once.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

HEAD = """\
Configuration of grpo-cli: every key with its default, as it is when nothing is said.

max_problems is that of a first look. For all problems, take its line out: a dry run says beforehand
how many calls that is (the 63 built-in ones are some 19000 on the default settings).

    grpo-cli train FILE             flags and --set key=value win over this file
    grpo-cli doctor FILE            checks all that it names

A component is written as a reference, or with options as a table:

    model = {use = "openai/gpt-4.1-mini", options = {temperature = 0.7}}
    generators = [{use = "prompted/direct", model = "openai/gpt-4.1"}, "prompted/step-by-step"]

grpo-cli plugins --json lists all components and their options.\
"""


DEMO_PROBLEMS = 4
"""Problems of a run that was told nothing: enough to see it learn, few enough to watch."""
WIDTH = 96
_EXAMPLES: Mapping[str, Any] = {
    "string": "…",
    "integer": 1,
    "number": 1.0,
    "boolean": True,
    "array": [],
    "object": {},
}


@frozen
class _Entry:
    """A key with its part of the schema and its default, None where it has none."""

    key: str
    schema: Mapping[str, Any]
    default: Any


def render(schema: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Write the file.

    Args:
        schema: The schema ``config``.
        defaults: The resolved configuration without a file and flags, as plain values.
    """
    plain: list[str] = []
    tables: list[str] = []
    for entry in _entries(schema, defaults, schema):
        if "properties" in entry.schema:
            tables += ["", *_comment(entry.schema), f"[{entry.key}]"]
            for inner in _entries(entry.schema, entry.default or {}, schema):
                tables += _lines(inner)
        else:
            plain += ["", *_lines(entry)]
    head = [f"# {line}".rstrip() for line in HEAD.splitlines()]
    return "\n".join([*head, *plain, *tables]) + "\n"


def _entries(
    schema: Mapping[str, Any], defaults: Mapping[str, Any], root: Mapping[str, Any]
) -> Iterator[_Entry]:
    for key, part in schema["properties"].items():
        yield _Entry(key, _resolve(part, root), defaults.get(key))


def _resolve(part: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part with what it refers to; a component stays as it is written: as a reference."""
    name = str(part.get("$ref", "")).rpartition("/")[2]
    if not name or name in ("component", "generator"):
        return part
    return {**root["$defs"][name], **part}


def _lines(entry: _Entry) -> list[str]:
    value = _short(entry.default)
    set_ = value not in (None, [], {})
    mark = "" if set_ else "# "
    shown = value if set_ else _example(entry.schema)
    return [*_comment(entry.schema), f"{mark}{entry.key} = {_toml(shown)}"]


def _comment(schema: Mapping[str, Any]) -> list[str]:
    text = str(schema.get("description", ""))
    if "enum" in schema:
        choices = f"One of {', '.join(map(str, schema['enum']))}."
        text = f"{text} {choices}".strip()
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH)]


def _short(value: Any) -> Any:
    """A component without options as its reference, also inside a list."""
    if isinstance(value, list):
        return [_short(item) for item in value]
    if isinstance(value, Mapping) and "use" in value and not value.get("options"):
        rest = {key: _short(item) for key, item in value.items() if key not in ("use", "options")}
        return {"use": value["use"], **rest} if rest else value["use"]
    return value


def _example(schema: Mapping[str, Any]) -> Any:
    """What stands in a line that is commented out."""
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    kinds = schema.get("type", "string")
    kind = kinds if isinstance(kinds, str) else kinds[0]
    return _EXAMPLES[kind]


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = (f"{_toml_key(key)} = {_toml(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)
