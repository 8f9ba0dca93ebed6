"""What is shipped: wheel and sdist of the core hold schemas, typing marker and every package."""

from __future__ import annotations

import json
import tarfile
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = "grpo_framework"


def expected():
    """Every file of the package, and of the schemas, as they are installed."""
    files = {
        str(path.relative_to(ROOT))
        for path in (ROOT / CORE).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    schemas = {path.name for path in (ROOT / "schemas").iterdir() if path.is_file()}
    return files, schemas


def test_the_wheel_holds_everything(core_wheel):
    """Modules, schemas under their package name, py.typed, entry points; nothing of the tests."""
    files, schemas = expected()
    with zipfile.ZipFile(core_wheel) as wheel:
        names = set(wheel.namelist())
        (points,) = [wheel.read(n).decode() for n in names if n.endswith("entry_points.txt")]
    assert f"{CORE}/py.typed" in names
    assert files - names == set()
    assert {f"{CORE}/schemas/{name}" for name in schemas} - names == set()
    assert not any(name.split("/")[0] in ("tests", "plugins", "benchmarks") for name in names)
    assert "grpo-cli = grpo_framework.cli" in points
    assert "grpo_framework = grpo_framework.testing.pytest_plugin" in points


def test_the_source_distribution_holds_what_the_wheel_is_built_from(build, core_source):
    """Schemas lie where the package mapping looks for them."""
    files, schemas = expected()
    with tarfile.open(build(core_source, "build_sdist")) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert files - names == set()
    assert {f"schemas/{name}" for name in schemas} - names == set()
    assert {"setup.cfg", "pyproject.toml", "README.md", "LICENSE"} - names == set()


def test_an_installed_wheel_finds_its_schemas(environment, core_wheel):
    """Without the repository, the schemas are package data, and the command starts."""
    environment.install(core_wheel)
    code = (
        "import json; from grpo_framework import validation as v;"
        "print(json.dumps([v.__file__, [v.schema(kind)['$id'] for kind in v.kinds()]]))"
    )
    done = environment.run("python", "-c", code)
    assert done.returncode == 0, done.stderr
    file, kinds = json.loads(done.stdout)
    assert Path(file).is_relative_to(environment.folder)
    assert set(kinds) == {path.name.split(".")[0] for path in (ROOT / "schemas").glob("*.json")}
    assert environment.run("grpo-cli", "--help").returncode == 0


def packages(folder, base):
    return {".".join(path.parent.relative_to(base).parts) for path in folder.rglob("__init__.py")}


def test_every_package_of_the_core_is_listed():
    """A folder that setup.cfg forgets would be missing in every installation but ours."""
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = set(parser["options"]["packages"].split())
    assert listed == packages(ROOT / CORE, ROOT) | {f"{CORE}.schemas"}


@pytest.mark.parametrize(
    "plugin",
    sorted(path.parent for path in (ROOT / "plugins").glob("*/setup.cfg")),
    ids=lambda plugin: plugin.name,
)
def test_every_plugin_is_a_whole_distribution(plugin, plugin_wheel):
    """Metadata by the project's rules; the wheel holds every file of the source."""
    parser = ConfigParser()
    parser.read(plugin / "setup.cfg", encoding="utf-8")
    assert parser["metadata"]["name"] == f"grpo-{plugin.name}"
    assert parser["options"]["python_requires"] == ">=3.11"
    entries = parser["options.entry_points"]["grpo_framework"].split("\n")
    assert any(entry.startswith(f"{plugin.name} = grpo_{plugin.name}") for entry in entries)
    assert (plugin / "README.md").is_file()
    assert list((plugin / "tests").glob("test_*.py"))
    source = plugin / "src"
    files = {
        str(path.relative_to(source))
        for path in (source / f"grpo_{plugin.name}").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert f"grpo_{plugin.name}/py.typed" in files
    with zipfile.ZipFile(plugin_wheel(plugin.name)) as wheel:
        assert files - set(wheel.namelist()) == set()
