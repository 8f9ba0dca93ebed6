"""The generated parts of the pages: name → function that writes Markdown from the code."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import click

import grpo_framework
from grpo_framework import errors, hookspecs, protocols
from grpo_framework.cli import cli, exits
from grpo_framework.component import Component, Wiring
from grpo_framework.config import HOW_NOT_WHAT, load_config
from grpo_framework.plugins import NOUNS, Plugins, Source
from grpo_framework.validation import schema as load_schema

ROOT = Path(__file__).resolve().parent.parent


def _fence(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def _table(*rows: tuple[str, ...]) -> str:
    head, *rest = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(value: object) -> str:
    return f"`{value}`"


def _prose(text: str) -> str:
    """A docstring's paragraph on one line; its ``literal`` as Markdown code."""
    return re.sub(r"``(.+?)``", r"`\1`", " ".join(text.split()))


# --- hooks -------------------------------------------------------------------------------------

EXTRA = {
    "grpo_comparators": ("AnswerComparator", "ReferenceChecker"),
    "grpo_advisors": ("Consolidator",),
}
"""Hook → further Protocols that what it offers may implement."""


def protocol_of(hook: str) -> str:
    """The Protocol that a hook's components make, from the hook's return annotation."""
    found = re.fullmatch(r"Iterable\[Component\[(\w+)\]\]", annotation_of(hook))
    assert found is not None, hook
    return found[1]


def annotation_of(hook: str) -> str:
    """A hook's return annotation as it is written."""
    return str(getattr(hookspecs, hook).__annotations__["return"])


def hook_signature(hook: str) -> str:
    """The hook's definition and what it says."""
    function = getattr(hookspecs, hook)
    text = f'@hookspec\ndef {hook}() -> {annotation_of(hook)}:\n    """{function.__doc__}"""'
    return _fence("python", text)


def hook_protocol(hook: str) -> str:
    """The source of the Protocols: signatures and contract are the page's text."""
    names = (protocol_of(hook), *EXTRA.get(hook, ()))
    return "\n\n".join(_fence("python", inspect.getsource(getattr(protocols, n))) for n in names)


def other_protocols() -> str:
    """The Protocols that no hook offers: what is made in Python, and given to the framework."""
    named = {protocol_of(noun.hook) for noun in NOUNS} | {n for row in EXTRA.values() for n in row}
    rest = [
        value
        for name, value in vars(protocols).items()
        if isinstance(value, type) and value.__module__ == protocols.__name__ and name not in named
    ]
    return "\n\n".join(_fence("python", inspect.getsource(value)) for value in rest) or "None."


def hook_contract() -> str:
    """What holds for all Protocols."""
    assert protocols.__doc__ is not None
    return protocols.__doc__.partition("Contract of all of them:")[2].strip()


def hook_example(hook: str) -> str:
    """The tested example."""
    path = f"examples/hooks/{hook.removeprefix('grpo_')}.py"
    return _fence("python", (ROOT / path).read_text(encoding="utf-8"))


def source(path: str) -> str:
    """A file of the repository, as it is."""
    language = {".py": "python", ".cfg": "ini", ".toml": "toml"}[Path(path).suffix]
    return _fence(language, (ROOT / path).read_text(encoding="utf-8"))


def first_party() -> Plugins:
    """The plugins of this repository, whatever else is installed."""
    found = []
    for path in sorted((ROOT / "plugins").glob("*/setup.cfg")):
        setup = ConfigParser()
        setup.read(path, encoding="utf-8")
        name, _, module = setup["options.entry_points"]["grpo_framework"].partition("=")
        load = importlib.import_module
        found.append(
            Source(name.strip(), module.strip(), path.parent.name, lambda m=module: load(m.strip()))
        )
    return Plugins(found)


def hook_implementations(hook: str) -> str:
    """Which first-party plugin offers what."""
    (noun,) = [noun for noun in NOUNS if noun.hook == hook]
    plugins = first_party()
    failed = {record.name: record.failure for record in plugins.records() if record.failure}
    assert not failed, failed
    rows = [
        (
            _code(offer.reference),
            offer.component.summary,
            f"[{offer.plugin}]({_readme(offer.plugin)})",
        )
        for offer in plugins.offers(noun)
    ]
    return _table(("reference", "what it is", "plugin"), *rows)


def _readme(plugin: str) -> str:
    return f"../../../plugins/{plugin}/README.md"


def hook_index() -> str:
    """All hooks with their pages."""
    rows = [
        (f"[`{noun.hook}`]({noun.hook}.md)", noun.name, _code(protocol_of(noun.hook)))
        for noun in NOUNS
    ]
    return _table(("hook", "noun", "Protocol"), *rows)


def attributes(cls: type) -> Iterator[tuple[str, str]]:
    """Name and meaning of a class's attributes, from its docstring."""
    section = inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")[2]
    section = re.split(r"\n\n|\n(?=\S)", section)[0]
    for match in re.finditer(r"^    (\w+): (.*(?:\n {6,}.*)*)", section, re.MULTILINE):
        yield match[1], _prose(match[2])


def fields(name: str) -> str:
    """The attributes of `Component` or `Wiring`."""
    cls = {"Component": Component, "Wiring": Wiring}[name]
    types = {key: str(value) for key, value in cls.__annotations__.items()}
    rows = [(_code(key), _code(types.get(key, "")), text) for key, text in attributes(cls)]
    for key, value in vars(cls).items():
        if isinstance(value, property) and value.fget is not None:
            kind = str(value.fget.__annotations__["return"])
            rows.append((_code(key), _code(kind), _first_line(value.fget)))
    return _table((_code(name), "type", "meaning"), *rows)


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
            rows.append((_code(name), _prose(text.partition("\n\n")[0].rstrip("."))))
    return _table(("module", "job"), *rows)


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
        rows = [(_code(name), text) for name, text in _rows(command)]
        return "\n\n".join([f"## {path}", *help_, _table(("command", "what it does"), *rows)])
    arguments = [
        param.metavar or (name if param.required else f"[{name}]")
        for param in command.params
        if isinstance(param, click.Argument)
        for name in [param.human_readable_name]
    ]
    options = [
        (_code(_spelling(param)), _prose(param.help or ""))
        for param in command.params
        if isinstance(param, click.Option)
    ]
    usage = _fence("text", " ".join([path, "[OPTIONS]", *arguments]))
    return "\n\n".join([f"## {path}", usage, *help_, _table(("option", "meaning"), *options)])


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
    return _table(("key", "type", "default", "meaning", "on resume"), *rows)


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
        for bound, word in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"))
        if bound in part
    ]
    shown = "" if default in (None, [], {}) else _code(json.dumps(_short(default)))
    may_change = "may change" if top in HOW_NOT_WHAT else "fixed"
    text = _prose(str(part.get("description", "")))
    return _code(name), ", ".join([kind, *bounds]), shown, text, may_change


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
        rows.append((link, _prose(text)))
    return _table(("schema", "of what"), *rows)


# --- errors, names, rules -----------------------------------------------------------------------------


def error_tree() -> str:
    """The tree of exceptions, from the module's docstring."""
    tree = inspect.cleandoc(errors.__doc__ or "").partition("::\n\n")[2]
    return _fence("text", inspect.cleandoc(tree))


def error_fields() -> str:
    """Every exception with its fields and exit code."""
    classes = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.GrpoError)
    ]
    rows = []
    for cls in classes:
        names = ", ".join(_code(name) for name, _ in attributes(cls))
        code = exits.exit_code(cls.__new__(cls))
        rows.append((_code(cls.__name__), _first_line(cls), names, str(code)))
    return _table(("error", "meaning", "fields", "exit code"), *rows)


def exit_codes() -> str:
    """The exit codes, from the module that decides them."""
    tree = ast.parse(inspect.getsource(exits))
    rows = [
        (str(node.value.value), _code(node.targets[0].id))
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id.isupper()
        and isinstance(node.value, ast.Constant)
    ]
    return _table(("code", "name in `grpo_framework.cli.exits`"), *rows)


def model_error_kinds() -> str:
    """The kinds of a failed model call, and whether they are tried again."""
    kinds = errors.ModelErrorKind.__args__  # type: ignore[attr-defined]
    rows = [(_code(k), "yes" if k in errors.RETRYABLE_KINDS else "no") for k in kinds]
    return _table(("kind", "tried again"), *rows)


def public_names() -> str:
    """What ``from grpo_framework import …`` offers, by module."""
    parts = []
    for module, names in grpo_framework._EXPORTS.items():
        rows = [(_code(name), _first_line(getattr(grpo_framework, name))) for name in names]
        parts.append(f"## grpo_framework.{module}\n\n{_table(('name', 'meaning'), *rows)}")
    return "\n\n".join(parts)


def _first_line(value: object) -> str:
    if value is str:  # a type alias
        return "Who holds a library: `generator_1` …, `critic` or `shared`."
    if not isinstance(value, type) and not callable(value):
        return "One of the operations above." if "Add" in str(value) else _prose(str(value.__doc__))
    return _prose((inspect.getdoc(value) or "").partition("\n\n")[0])


PARTS: dict[str, Callable[..., str]] = {
    "hook-signature": hook_signature,
    "hook-protocol": hook_protocol,
    "hook-contract": hook_contract,
    "other-protocols": other_protocols,
    "hook-example": hook_example,
    "hook-implementations": hook_implementations,
    "hook-index": hook_index,
    "fields": fields,
    "source": source,
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
