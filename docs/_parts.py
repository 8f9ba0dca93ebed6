"""The generated parts of the pages: name → function that writes Markdown from the code."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import _hooks
import click
from _markdown import attributes, code, fence, first_line, prose, table

import grpo_framework
from grpo_framework import errors
from grpo_framework.cli import cli, exits
from grpo_framework.config import HOW_NOT_WHAT, load_config
from grpo_framework.validation import schema as load_schema

ROOT = Path(__file__).resolve().parent.parent


# --- command line, configuration, schemas ----------------------------------------------------------


def _commands(
    command: click.Command, context: click.Context
) -> Iterator[tuple[str, click.Command]]:
    yield context.command_path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            with click.Context(inner, info_name=name, parent=context) as below:
                yield from _commands(inner, below)


def command_line() -> str:
    """Every command with its arguments and options."""
    with click.Context(cli, info_name="grpo-cli") as context:
        return "\n\n".join(_page(path, command) for path, command in _commands(cli, context))


def _page(path: str, command: click.Command) -> str:
    help_ = [" ".join(each.split()) for each in (command.help or "").split("\n\n")]
    if isinstance(command, click.Group):
        rows = [(code(name), text) for name, text in _rows(command)]
        return "\n\n".join([f"## {path}", *help_, table(("command", "what it does"), *rows)])
    arguments = [
        param.metavar or (name if param.required else f"[{name}]")
        for param in command.params
        if isinstance(param, click.Argument)
        for name in [param.human_readable_name]
    ]
    options = [
        (code(_spelling(param)), prose(param.help or ""))
        for param in command.params
        if isinstance(param, click.Option)
    ]
    usage = fence("text", " ".join([path, "[OPTIONS]", *arguments]))
    return "\n\n".join([f"## {path}", usage, *help_, table(("option", "meaning"), *options)])


def _rows(group: click.Group) -> Iterator[tuple[str, str]]:
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield name, " ".join((command.help or "").partition("\n\n")[0].split())


def _spelling(option: click.Option) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag or option.flag_value is True:
        return names
    if isinstance(option.type, click.Choice):
        return f"{names} {'|'.join(map(str, option.type.choices))}"
    kinds = {"integer": "N", "integer range": "N", "float": "X", "float range": "X"}
    return f"{names} {option.metavar or kinds.get(option.type.name, option.type.name.upper())}"


def config_keys() -> str:
    """Every key of the configuration with type, default and meaning."""
    schema, defaults = load_schema("config"), load_config().document
    rows = []
    for key, part in schema["properties"].items():
        if "properties" in part:
            rows += [
                _key(f"{key}.{inner}", rest, defaults.get(key, {}).get(inner), key)
                for inner, rest in part["properties"].items()
            ]
        else:
            rows.append(_key(key, part, defaults.get(key), key))
    return table(("key", "type", "default", "meaning", "on resume"), *rows)


def _key(
    name: str, part: Mapping[str, Any], default: Any, top: str
) -> tuple[str, str, str, str, str]:
    kind = part.get("type", "")
    if "enum" in part:
        kind = " or ".join(map(str, part["enum"]))
    elif "$ref" in part:
        kind = "component"
    elif kind == "array":
        kind = "list of components"
    elif isinstance(kind, list):
        kind = kind[0]
    kind = {"object": "table", "string": "text"}.get(kind, kind)
    bounds = [
        f"{word} {part[bound]}"
        for bound, word in (
            ("minimum", "≥"),
            ("exclusiveMinimum", ">"),
            ("maximum", "≤"),
            ("exclusiveMaximum", "<"),
        )
        if bound in part
    ]
    shown = "" if default in (None, [], {}) else code(json.dumps(_short(default)))
    may_change = "may change" if top in HOW_NOT_WHAT else "fixed"
    text = prose(str(part.get("description", "")))
    return code(name), ", ".join([kind, *bounds]), shown, text, may_change


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(item) for item in value]
    return value["use"] if isinstance(value, dict) and set(value) <= {"use", "options"} else value


def schema_index() -> str:
    """The published schemas."""
    rows = []
    for path in sorted((ROOT / "schemas").glob("*.schema.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        text = schema.get("title", "") or schema.get("description", "")
        link = f"[`{path.name.removesuffix('.schema.json')}`](../../schemas/{path.name})"
        rows.append((link, prose(text)))
    return table(("schema", "of what"), *rows)


# --- errors, names, rules -----------------------------------------------------------------------------


def error_tree() -> str:
    """The tree of exceptions, from the module's docstring."""
    tree = inspect.cleandoc(errors.__doc__ or "").partition("::\n\n")[2]
    return fence("text", inspect.cleandoc(tree))


def error_fields() -> str:
    """Every exception with its fields and exit code."""
    classes = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.GrpoError)
    ]
    rows = []
    for cls in classes:
        names = ", ".join(code(name) for name, _ in attributes(cls))
        number = exits.exit_code(cls.__new__(cls))
        rows.append((code(cls.__name__), first_line(cls), names, str(number)))
    return table(("error", "meaning", "fields", "exit code"), *rows)


def exit_codes() -> str:
    """The exit codes, from the module that decides them."""
    tree = ast.parse(inspect.getsource(exits))
    rows = [
        (str(node.value.value), code(node.targets[0].id))
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id.isupper()
        and isinstance(node.value, ast.Constant)
    ]
    return table(("code", "name in `grpo_framework.cli.exits`"), *rows)


def model_error_kinds() -> str:
    """The kinds of a failed model call, and whether they are tried again."""
    kinds = errors.ModelErrorKind.__args__  # type: ignore[attr-defined]
    rows = [(code(k), "yes" if k in errors.RETRYABLE_KINDS else "no") for k in kinds]
    return table(("kind", "tried again"), *rows)


def public_names() -> str:
    """What ``from grpo_framework import …`` offers, by module."""
    parts = []
    for module, names in grpo_framework._EXPORTS.items():
        rows = [(code(name), first_line(getattr(grpo_framework, name))) for name in names]
        parts.append(f"## grpo_framework.{module}\n\n{table(('name', 'meaning'), *rows)}")
    return "\n\n".join(parts)


def layers() -> str:
    """The modules of the core in their import order, as the test of the architecture has it."""
    tree = ast.parse((ROOT / "tests" / "test_architecture.py").read_text(encoding="utf-8"))
    (names,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LAYERS"
    ]
    rows = []
    for name in names:
        folder = ROOT / "schemas" if name == "schemas" else ROOT / "grpo_framework" / name
        files = [folder / "__init__.py", folder.with_suffix(".py")]
        found = [file for file in files if file.exists()]
        if name != "__init__" and found:
            text = ast.get_docstring(ast.parse(found[0].read_text(encoding="utf-8"))) or ""
            rows.append((code(name), prose(text.partition("\n\n")[0].rstrip("."))))
    return table(("module", "job"), *rows)


PARTS: dict[str, Callable[..., str]] = {
    "hook-signature": _hooks.hook_signature,
    "hook-protocol": _hooks.hook_protocol,
    "hook-contract": _hooks.hook_contract,
    "other-protocols": _hooks.other_protocols,
    "hook-example": _hooks.hook_example,
    "hook-implementations": _hooks.hook_implementations,
    "hook-index": _hooks.hook_index,
    "fields": _hooks.fields,
    "source": _hooks.source,
    "layers": layers,
    "command-line": command_line,
    "config-keys": config_keys,
    "schemas": schema_index,
    "error-tree": error_tree,
    "error-fields": error_fields,
    "exit-codes": exit_codes,
    "model-error-kinds": model_error_kinds,
    "public-names": public_names,
}
