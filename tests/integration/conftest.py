"""Wheels built by the backend, and virtual environments that hold nothing but wheels."""

from __future__ import annotations

import copy
import functools
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
CORE_FILES = ("setup.cfg", "pyproject.toml", "MANIFEST.in", "LICENSE", "README.md")
CORE_FOLDERS = ("grpo_framework", "schemas")
TIMEOUT = 300


def run(command, **more):
    """Run a bounded child and return it; its output is text."""
    return subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT, check=False, **more
    )


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """Build a distribution by its backend's own hook (PEP 517), from a copy of its source."""
    if importlib.util.find_spec("setuptools") is None:
        pytest.skip("the build backend setuptools is not installed")

    def build_(source, hook):
        target = tmp_path_factory.mktemp("built")
        code = f"import sys; from setuptools import build_meta as b; print(b.{hook}(sys.argv[1]))"
        done = run([sys.executable, "-c", code, str(target)], cwd=source)
        assert done.returncode == 0, done.stderr
        return target / done.stdout.splitlines()[-1]

    return build_


@pytest.fixture(scope="session")
def core_source(tmp_path_factory):
    """What a checkout of the core alone holds."""
    source = tmp_path_factory.mktemp("core")
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in CORE_FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=ignore)
    for name in CORE_FILES:
        if (ROOT / name).exists():
            shutil.copy2(ROOT / name, source / name)
    return source


@pytest.fixture(scope="session")
def core_wheel(build, core_source):
    """The core's wheel, built once a session."""
    return build(core_source, "build_wheel")


@pytest.fixture(scope="session")
def plugin_wheel(build, tmp_path_factory):
    """Build the wheel of a first-party plugin, by its name, each once a session."""

    @functools.cache
    def build_plugin(name):
        source = tmp_path_factory.mktemp(name) / name
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info", "tests")
        shutil.copytree(ROOT / "plugins" / name, source, ignore=ignore)
        return build(source, "build_wheel")

    return build_plugin


class Environment:
    """A virtual environment without pip, without editable installs."""

    def __init__(self, folder):
        self.folder = folder
        self.bin = folder / "venv" / "bin"
        self.python = self.bin / "python"
        done = run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")])
        assert done.returncode == 0, done.stderr

    def install(self, *wheels):
        """Install wheels with pip from outside, and link the libraries that they require."""
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet"]
        done = run([*pip, "--no-index", "--no-deps", "--no-compile", *map(str, wheels)])
        assert done.returncode == 0, done.stderr
        site = next((self.folder / "venv" / "lib").glob("python*/site-packages"))
        libraries = self.folder / "libraries"
        libraries.mkdir(exist_ok=True)
        (site / "libraries.pth").write_text(f"{libraries}\n")
        for name in _required(wheels):
            _link(metadata.distribution(name), libraries)

    def within(self, folder):
        """The same environment, with another folder that its programs run in."""
        other = copy.copy(self)
        other.folder = folder
        return other

    def run(self, *command, env=None):
        """Run a program of the environment, outside of the repository."""
        clean = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("PYTHON", "GRPO_", "OPENAI_")) or key == "GRPO_CACHE_DIR"
        }
        return run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=self.folder,
            env={**clean, "PYTHONNOUSERSITE": "1", **(env or {})},
        )


def _required(wheels):
    """The libraries that wheels require, and theirs in turn; our own ones come as wheels."""
    waiting, found = [], set()
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
            text = archive.read(name).decode()
        waiting += Parser().parsestr(text).get_all("Requires-Dist") or []
    while waiting:
        requirement = Requirement(waiting.pop())
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if not wanted or requirement.name in found or requirement.name.startswith("grpo-"):
            continue
        found.add(requirement.name)
        waiting += metadata.requires(requirement.name) or []
    return found


def _link(distribution, folder):
    for top in {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}:
        target = folder / top
        if top != "__pycache__" and not target.exists():
            target.symlink_to(Path(distribution.locate_file(top)))


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A virtual environment, empty, for all tests of a file."""
    return Environment(tmp_path_factory.mktemp("environment"))
