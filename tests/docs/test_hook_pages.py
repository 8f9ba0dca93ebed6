"""The pages of the hooks say what the code says: signatures, contracts, fields, implementations."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest
from attrs import fields

from grpo_framework import hookspecs, protocols
from grpo_framework.component import Component, Wiring

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "reference" / "hooks"
HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("grpo_"))


def page(hook):
    return (PAGES / f"{hook}.md").read_text(encoding="utf-8")


def methods(protocol):
    """The headers of a Protocol's methods as they stand in its source, from ``async def`` to ``:``."""
    source = inspect.getsource(getattr(protocols, protocol))
    lines = source.splitlines()
    (tree,) = ast.parse(source).body
    for node in tree.body:
        if isinstance(node, ast.AsyncFunctionDef):
            yield "\n".join(lines[node.lineno - 1 : node.body[0].lineno - 1])


def test_every_hook_has_a_page_and_every_page_a_hook():
    """One page for each hook spec."""
    assert sorted(path.stem for path in PAGES.glob("grpo_*.md")) == HOOKS
    assert len(HOOKS) >= 8


@pytest.mark.parametrize("hook", HOOKS)
def test_the_page_has_the_exact_signature(hook):
    """Name, arguments and return annotation stand there as in the code."""
    annotation = getattr(hookspecs, hook).__annotations__["return"]
    assert (
        f"def {hook}{inspect.signature(getattr(hookspecs, hook)).replace(return_annotation=inspect.Signature.empty)} -> {annotation}:"
        in page(hook)
    )


@pytest.mark.parametrize("hook", HOOKS)
def test_the_page_has_the_methods_of_the_protocol(hook):
    """Every method of the Protocol, with all arguments and its return type."""
    (protocol,) = re.findall(
        r"Component\[(\w+)\]", getattr(hookspecs, hook).__annotations__["return"]
    )
    found = list(methods(protocol))
    assert found
    for method in found:
        assert method in page(hook)


def test_every_protocol_is_on_a_page():
    """Also those that no hook names: what a component may implement beside its own."""
    text = "".join(map(page, [*HOOKS, "README"]))
    names = [
        name
        for name, value in vars(protocols).items()
        if inspect.isclass(value) and value.__module__ == protocols.__name__
    ]
    assert len(names) >= 10
    for name in names:
        for method in methods(name):
            assert method in text, name


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_implemented_and_tested(hook):
    """A first-party plugin implements it, the page links that plugin, and the example is tested."""
    implemented = {
        path.relative_to(ROOT / "plugins").parts[0]
        for path in (ROOT / "plugins").glob("*/src/**/*.py")
        if f"def {hook}(" in path.read_text(encoding="utf-8")
    }
    assert implemented
    for plugin in implemented:
        assert f"plugins/{plugin}/README.md" in page(hook)
    example = (ROOT / "examples" / "hooks" / f"{hook.removeprefix('grpo_')}.py").read_text()
    assert example.strip() in page(hook)
    tests = (ROOT / "tests" / "docs" / "test_hook_examples.py").read_text(encoding="utf-8")
    assert f'offer("{hook}")' in tests


@pytest.mark.parametrize("cls", [Component, Wiring])
def test_the_overview_has_all_fields(cls):
    """Every field of the declaration and of the wiring is explained."""
    text = (PAGES / "README.md").read_text(encoding="utf-8")
    for field in fields(cls):
        name = field.name.lstrip("_")
        assert f"`{name}`" in text, name
