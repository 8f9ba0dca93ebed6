"""The generated parts of the pages of the hooks."""

from __future__ import annotations

import importlib
import inspect
import re
from configparser import ConfigParser
from pathlib import Path

from _markdown import attributes, code, fence, first_line, table
from grpo_framework import hookspecs, protocols
from grpo_framework.component import Component, Wiring
from grpo_framework.plugins import NOUNS, Plugins, Source

ROOT = Path(__file__).resolve().parent.parent


EXTRA = {
    "grpo_comparators": ("AnswerComparator", "ReferenceChecker"),
    "grpo_advisors": ("Consolidator", "BatchAdvisor"),
    "grpo_experience_stores": ("VersionedStore", "ProbedStore"),
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
    return fence("python", text)


def hook_protocol(hook: str) -> str:
    """The source of the Protocols: signatures and contract are the page's text."""
    names = (protocol_of(hook), *EXTRA.get(hook, ()))
    return "\n\n".join(fence("python", inspect.getsource(getattr(protocols, n))) for n in names)


def other_protocols() -> str:
    """The Protocols that no hook offers: what is made in Python, and given to the framework."""
    named = {protocol_of(noun.hook) for noun in NOUNS} | {n for row in EXTRA.values() for n in row}
    rest = [
        value
        for name, value in vars(protocols).items()
        if isinstance(value, type) and value.__module__ == protocols.__name__ and name not in named
    ]
    return "\n\n".join(fence("python", inspect.getsource(value)) for value in rest) or "None."


def hook_contract() -> str:
    """What holds for all Protocols."""
    assert protocols.__doc__ is not None
    return protocols.__doc__.partition("Contract of all of them:")[2].strip()


def hook_example(hook: str) -> str:
    """The tested example."""
    path = f"examples/hooks/{hook.removeprefix('grpo_')}.py"
    return fence("python", (ROOT / path).read_text(encoding="utf-8"))


def source(path: str) -> str:
    """A file of the repository, as it is."""
    language = {".py": "python", ".cfg": "ini", ".toml": "toml"}[Path(path).suffix]
    return fence(language, (ROOT / path).read_text(encoding="utf-8"))


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
            code(offer.reference),
            offer.component.summary,
            f"[{offer.plugin}]({_readme(offer.plugin)})",
        )
        for offer in plugins.offers(noun)
    ]
    return table(("reference", "what it is", "plugin"), *rows)


def _readme(plugin: str) -> str:
    return f"../../../plugins/{plugin}/README.md"


def hook_index() -> str:
    """All hooks with their pages."""
    rows = [
        (f"[`{noun.hook}`]({noun.hook}.md)", noun.name, code(protocol_of(noun.hook)))
        for noun in NOUNS
    ]
    return table(("hook", "noun", "Protocol"), *rows)


def fields(name: str) -> str:
    """The attributes of `Component` or `Wiring`."""
    cls = {"Component": Component, "Wiring": Wiring}[name]
    types = {key: str(value) for key, value in cls.__annotations__.items()}
    rows = [(code(key), code(types.get(key, "")), text) for key, text in attributes(cls)]
    for key, value in vars(cls).items():
        if isinstance(value, property) and value.fget is not None:
            kind = str(value.fget.__annotations__["return"])
            rows.append((code(key), code(kind), first_line(value.fget)))
    return table((code(name), "type", "meaning"), *rows)
