"""The tutorial's plugin: a real wheel, its own tests, and a run that uses both components."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "hello-plugin"
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the wheel's content: on the path, it is as good as installed."""
    folder = tmp_path_factory.mktemp("hello")
    source = folder / "source"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("build", "*.egg-info", "__py*"))
    command = [sys.executable, "-c", BUILD, str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.fixture
def run(installed, tmp_path):
    def call(*command):
        environment = {**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "200"}
        done = subprocess.run(
            [sys.executable, *command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


def test_its_own_tests_pass(run, tmp_path):
    """The tests of the example pass against the built wheel."""
    tests = shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    assert " passed" in run("-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests))


def test_it_is_listed_and_trains(run, tmp_path):
    """`grpo-cli plugins` lists both components, and a run learns through them."""
    listed = json.loads(run("-m", "grpo_framework.cli", "plugins", "--json"))
    assert "hello" in json.dumps(listed)
    agents = ["--generator", "hello/agent", "--generator", "hello/agent"]
    run("-m", "grpo_framework.cli", "train", *agents, "--store", "hello/sqlite", "--epochs", "1",
        "--model", "scripted/default", "--max-problems", "16", "--quiet")  # fmt: skip
    with closing(sqlite3.connect(tmp_path / "experiences" / "hello.sqlite")) as connection:
        owners = {owner for (owner,) in connection.execute("select owner from libraries")}
    assert owners & {"generator_1", "generator_2", "shared"}
