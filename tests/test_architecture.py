"""The shape of the code base, checked on its syntax trees: layers, sizes, forbidden ways.

The layers of the core, the limits and the owners of libraries stand here and nowhere else. Each
check is a function from modules to findings, so that a bad snippet can prove that it fails.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from configparser import ConfigParser
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from attrs import frozen

ROOT = Path(__file__).parents[1]
CORE = "grpo_framework"

LAYERS = (
    "errors",
    "mentioning",
    "wealth",
    "records",
    "adaptive",
    "experience",
    "events",
    "reports",
    "protocols",
    "validation",
    "schemas",
    "codec",
    "component",
    "hookspecs",
    "plugins",
    "config",
    "prompting",
    "combining",
    "meaning",
    "injection",
    "atomic",
    "exchange",
    "calls",
    "maybe",
    "packing",
    "entries",
    "journal",
    "splitting",
    "workshop",
    "engine",
    "opening",
    "deciding",
    "settling",
    "versions",
    "manager",
    "rollouts",
    "grouping",
    "fusion",
    "advantage",
    "batch_advice",
    "lanes",
    "evaluation",
    "abtest",
    "gating",
    "identity",
    "provenance",
    "recording",
    "rundir",
    "standing",
    "measuring",
    "scoring",
    "committing",
    "schedule",
    "visiting",
    "holding",
    "session",
    "telling",
    "tally",
    "tabling",
    "console",
    "trainer",
    "differing",
    "stand_ins",
    "replay",
    "recomputing",
    "forecast",
    "listening",
    "walkthrough",
    "rehearsal",
    "replicates",
    "cli",
    "testing",
    "__init__",
)
"""The import order of the core: a module imports only what stands above it, or its own package."""

MAX_FILE_LINES = 320
MAX_FUNCTION_LINES = 65
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
FORBIDDEN_IMPORTS = {"pickle", "cloudpickle", "dill", "shelve", "marshal"}
FORBIDDEN_CALLS = {"eval", "exec"}
OWNERS = {
    "jsonschema": {f"{CORE}.validation"},
    "pluggy": {f"{CORE}.hookspecs", f"{CORE}.plugins"},
}
"""Library → the only modules that may import it."""

LAZY_PACKAGES = (f"{CORE}.cli", f"{CORE}.testing.pytest_plugin")
"""Whose functions may import own modules: ``--help`` loads no command, and pytest loads the kit's
plugin in every run of whoever has the framework installed."""

LAZY_DECORATORS = {"asynccontextmanager"}
"""What marks a plugin's factory, which may import own modules: the heavy ones load when needed."""


@frozen
class Module:
    """A source file.

    Attributes:
        name: Dotted.
        place: For messages.
        text: Its source.
        tree: Its syntax tree.
    """

    name: str
    place: str
    text: str
    tree: ast.Module


@frozen
class Imported:
    """An import statement's target, with the functions around it, outermost first."""

    target: str
    line: int
    functions: tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]


def snippet(name: str, text: str) -> Module:
    return Module(name, f"{name}.py", text, ast.parse(text))


def read(folder: Path, base: Path) -> tuple[Module, ...]:
    modules = []
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(base).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)
        text = path.read_text(encoding="utf-8")
        place = str(path.relative_to(ROOT))
        modules.append(Module(name, place, text, ast.parse(text, place)))
    return tuple(modules)


def imports(module: Module) -> Iterator[Imported]:
    def walk(
        node: ast.AST, functions: tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]
    ) -> Iterator[Imported]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Imported(alias.name, node.lineno, functions)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for alias in node.names:
                yield Imported(f"{base}.{alias.name}", node.lineno, functions)
        inside = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for child in ast.iter_child_nodes(node):
            yield from walk(child, (*functions, node) if inside else functions)

    return walk(module.tree, ())


def layer(name: str) -> int | None:
    """The place of a module in `LAYERS`; a name that is no module belongs to the root package."""
    parts = name.split(".")
    if parts[0] != CORE:
        return None
    first = parts[1] if len(parts) > 1 else "__init__"
    return LAYERS.index(first) if first in LAYERS else LAYERS.index("__init__")


def find_upward(modules: Iterable[Module]) -> list[str]:
    found = []
    for module in modules:
        parts = module.name.split(".")
        if parts[0] == CORE and (len(parts) < 2 or parts[1] not in LAYERS):
            found.append(f"{module.place}: '{module.name}' has no place in LAYERS")
            continue
        own = layer(module.name)
        for imported in imports(module):
            target = layer(imported.target)
            if own is not None and target is not None and target > own:
                found.append(f"{module.place}:{imported.line}: imports {imported.target} above it")
    return found


def find_cycles(modules: Iterable[Module]) -> list[str]:
    """Cycles among modules; the order of layers leaves them possible within one package."""
    known = {module.name for module in modules}
    graph: dict[str, set[str]] = {}
    for module in modules:
        edges = graph.setdefault(module.name, set())
        for imported in imports(module):
            names = (imported.target, imported.target.rpartition(".")[0])
            target = next((name for name in names if name in known), None)
            if target is not None and target != module.name and not imported.functions:
                edges.add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [f"import cycle {' → '.join(error.args[1])}"]
    return []


def find_relative(modules: Iterable[Module]) -> list[str]:
    return [
        f"{module.place}:{imported.line}: relative import {imported.target}"
        for module in modules
        for imported in imports(module)
        if imported.target.startswith(".")
    ]


def find_hidden(modules: Iterable[Module]) -> list[str]:
    return [
        f"{module.place}:{imported.line}: {imported.target} is imported inside a function"
        for module in modules
        for imported in imports(module)
        if imported.functions
        and imported.target.split(".")[0] in (CORE, module.name.split(".")[0])
        and not module.name.startswith(LAZY_PACKAGES)
        and not _is_factory(module, imported)
    ]


def _is_factory(module: Module, imported: Imported) -> bool:
    names = {
        getattr(decorator, "attr", getattr(decorator, "id", ""))
        for function in imported.functions
        for decorator in function.decorator_list
    }
    return not module.name.startswith(CORE) and bool(names & LAZY_DECORATORS)


def find_vague(modules: Iterable[Module]) -> list[str]:
    return [
        f"{module.place}: a module's name says what it does"
        for module in modules
        if VAGUE_NAMES & {part.strip("_") for part in module.name.split(".")}
    ]


def find_long(modules: Iterable[Module]) -> list[str]:
    found = []
    for module in modules:
        lines = len(module.text.splitlines())
        if lines > MAX_FILE_LINES:
            found.append(f"{module.place}: {lines} lines, the limit is {MAX_FILE_LINES}")
        for node in ast.walk(module.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    where = f"{module.place}:{node.lineno}"
                    found.append(f"{where}: {node.name}() is {length} lines long")
    return found


def find_forbidden(modules: Iterable[Module]) -> list[str]:
    found = [
        f"{module.place}:{imported.line}: {imported.target} is forbidden"
        for module in modules
        for imported in imports(module)
        if imported.target.split(".")[0] in FORBIDDEN_IMPORTS
    ]
    return found + [
        f"{module.place}:{node.lineno}: {node.func.id}() is forbidden"
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in FORBIDDEN_CALLS
    ]


def find_foreign(modules: Iterable[Module]) -> list[str]:
    """Libraries imported outside the modules that own them."""
    return [
        f"{module.place}:{imported.line}: {library} belongs to {', '.join(sorted(OWNERS[library]))}"
        for module in modules
        for imported in imports(module)
        if (library := imported.target.split(".")[0]) in OWNERS
        and module.name not in OWNERS[library]
    ]


def find_undeclared(modules: Iterable[Module], required: dict[str, set[str]]) -> list[str]:
    """Own distributions imported without being required; the core requires no plugin.

    Args:
        modules: Of the core and the plugins.
        required: Package → the own packages that its distribution requires.
    """
    found = []
    for module in modules:
        package = module.name.split(".")[0]
        for imported in imports(module):
            target = imported.target.split(".")[0]
            own = target in required and package in required
            if own and target != package and target not in required[package]:
                found.append(f"{module.place}:{imported.line}: {package} does not require {target}")
    return found


def plugin_folders() -> list[Path]:
    return sorted(path.parent for path in (ROOT / "plugins").glob("*/setup.cfg"))


def requirements() -> dict[str, set[str]]:
    """Package → own packages that it requires, optional ones (extras) included."""
    required: dict[str, set[str]] = {CORE: set()}
    for folder in plugin_folders():
        parser = ConfigParser()
        parser.read(folder / "setup.cfg", encoding="utf-8")
        lines = parser.get("options", "install_requires", fallback="").split()
        if parser.has_section("options.extras_require"):
            lines += [
                word
                for _, text in parser["options.extras_require"].items()
                for word in text.split()
            ]
        package = parser["metadata"]["name"].replace("-", "_")
        names = {line.split(">")[0].split("=")[0].split("[")[0].replace("-", "_") for line in lines}
        required[package] = {name for name in names if name.startswith("grpo_")}
    return required


CORE_MODULES = read(ROOT / CORE, ROOT)
PLUGIN_MODULES = tuple(
    module for folder in plugin_folders() for module in read(folder / "src", folder / "src")
)
BENCHMARKS = read(ROOT / "benchmarks", ROOT) if (ROOT / "benchmarks").is_dir() else ()
EVERYTHING = (*CORE_MODULES, *PLUGIN_MODULES, *BENCHMARKS)

Check = Callable[[Iterable[Module]], list[str]]
CHECKS: tuple[tuple[Check, tuple[Module, ...]], ...] = (
    (find_upward, CORE_MODULES),
    (find_cycles, EVERYTHING),
    (find_relative, EVERYTHING),
    (find_hidden, (*CORE_MODULES, *PLUGIN_MODULES)),
    (find_vague, EVERYTHING),
    (find_long, EVERYTHING),
    (find_forbidden, EVERYTHING),
    (find_foreign, EVERYTHING),
)


def test_the_code_base_was_found():
    """The checks below look at real files, not at nothing."""
    assert f"{CORE}.errors" in {module.name for module in CORE_MODULES}
    assert {module.name.split(".")[0] for module in PLUGIN_MODULES} >= {"grpo_math"}


@pytest.mark.parametrize(("check", "modules"), CHECKS, ids=[check.__name__ for check, _ in CHECKS])
def test_code_keeps_the_rule(check, modules):
    """Core, plugins and benchmarks keep each rule that applies to them."""
    findings = check(modules)
    assert not findings, "\n".join(findings)


def test_own_distributions_are_required_before_they_are_imported():
    """The core imports no plugin; a plugin imports only what its setup.cfg requires."""
    assert find_undeclared((*CORE_MODULES, *PLUGIN_MODULES), requirements()) == []


BAD = (
    (find_upward, "grpo_framework.errors", "from grpo_framework.records import Usage"),
    (find_upward, "grpo_framework.errors", "from grpo_framework import records"),
    (find_upward, "grpo_framework.config", "from grpo_framework import TrainingFreeGRPOTrainer"),
    (find_upward, "grpo_framework.events", "def f():\n    import grpo_framework.cli"),
    (find_upward, "grpo_framework.newcomer", "import json"),
    (find_relative, "grpo_framework.config", "from . import errors"),
    (find_hidden, "grpo_framework.config", "def f():\n    from grpo_framework import errors"),
    (find_hidden, "grpo_math.values", "class C:\n  def f(self):\n    import grpo_math.units"),
    (find_hidden, "grpo_math.values", "async def f():\n  from grpo_framework import errors"),
    (find_vague, "grpo_math.utils", ""),
    (find_vague, "grpo_framework.helpers.text", ""),
    (find_long, "grpo_math.long", "x = 1\n" * (MAX_FILE_LINES + 1)),
    (find_long, "grpo_math.long", "def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES),
    (
        find_long,
        "grpo_math.long",
        "class C:\n  async def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES,
    ),
    (find_forbidden, "grpo_math.values", "import pickle"),
    (find_forbidden, "grpo_math.values", "def f():\n    from cloudpickle import dumps"),
    (find_forbidden, "grpo_math.values", "x = eval('1')"),
    (find_forbidden, "grpo_math.values", "exec('x = 1')"),
    (find_foreign, "grpo_framework.config", "import jsonschema"),
    (find_foreign, "grpo_framework.config", "from jsonschema.exceptions import ValidationError"),
    (find_foreign, "grpo_math.plugin", "import pluggy"),
)


@pytest.mark.parametrize(("check", "name", "text"), BAD)
def test_a_check_finds_what_is_wrong(check, name, text):
    """Each check can fail: a bad snippet gives exactly one finding that names the place."""
    findings = check([snippet(name, text)])
    assert len(findings) == 1
    assert findings[0].startswith(f"{name}.py")


GOOD = (
    (find_upward, "grpo_framework.records", "from grpo_framework.errors import GrpoError"),
    (find_upward, "grpo_framework.experience.values", "import grpo_framework.experience.counting"),
    (find_hidden, "grpo_framework.cli.train", "def f():\n    from grpo_framework import trainer"),
    (
        find_hidden,
        "grpo_math.plugin",
        "@asynccontextmanager\nasync def f(w):\n  import grpo_math.units",
    ),
    (find_hidden, "grpo_math.values", "def f():\n    import sympy"),
    (find_vague, "grpo_math.values", ""),
    (find_long, "grpo_math.long", "x = 1\n" * MAX_FILE_LINES),
    (find_long, "grpo_math.long", "def f():\n" + "    x = 1\n" * (MAX_FUNCTION_LINES - 1)),
    (find_forbidden, "grpo_math.values", "asyncio.create_subprocess_exec('ls'); model.eval()"),
    (find_foreign, "grpo_framework.validation", "import jsonschema"),
)


@pytest.mark.parametrize(("check", "name", "text"), GOOD)
def test_a_check_lets_pass_what_is_right(check, name, text):
    """The exceptions that the rules make are kept."""
    assert check([snippet(name, text)]) == []


def test_import_cycles_within_a_package_are_found():
    """Two modules of one package that import each other are named, others are not."""
    modules = [
        snippet("grpo_x.a", "from grpo_x.b import f"),
        snippet("grpo_x.b", "import grpo_x.a"),
        snippet("grpo_x.c", "import grpo_x.a"),
        snippet("grpo_x.d", "import json"),
    ]
    (finding,) = find_cycles(modules)
    assert "grpo_x.a" in finding
    assert "grpo_x.b" in finding
    assert "grpo_x.c" not in finding
    assert find_cycles(modules[1:]) == []


def test_an_import_without_requirement_is_found():
    """A plugin that imports another one without requiring it is named; a required one passes."""
    module = snippet("grpo_a.plugin", "import grpo_b.values")
    assert find_undeclared([module], {"grpo_a": set(), "grpo_b": set()}) != []
    assert find_undeclared([module], {"grpo_a": {"grpo_b"}, "grpo_b": set()}) == []
    core = snippet("grpo_framework.config", "from grpo_math import plugin")
    assert find_undeclared([core], {"grpo_framework": set(), "grpo_math": set()}) != []


def test_layers_are_named_once():
    """The order is a total one."""
    assert len(set(LAYERS)) == len(LAYERS)
