"""`--embedder` on the command line: a run with it, its price beforehand, and its replay."""

from __future__ import annotations

import importlib.util
import json
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from click.testing import CliRunner

from grpo_framework.cli import cli
from grpo_framework.plugins import Plugins, Source

EXAMPLE = Path(__file__).parents[2] / "examples" / "hooks" / "embedders.py"
FLAGS = (
    "--model=scripted/default",
    "--datasets=scripted/problems",
    "--max-problems=8",
    "--epochs=2",
    "--generator=prompted/direct",
    "--embedder=example",
    "--inject-top=2",
    "--run-dir=run",
)


def load_example():
    spec = importlib.util.spec_from_file_location("example_embedder", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command with the installed plugins and the example embedder."""
    pytest.importorskip("grpo_scripted")
    monkeypatch.chdir(tmp_path)
    installed = [
        Source(each.name, each.value, "installed 1", each.load)
        for each in entry_points(group="grpo_framework")
    ]
    plugins = Plugins([*installed, Source("example", "example", "example 1", load_example)])

    def invoke(*arguments):
        return CliRunner().invoke(cli, list(arguments), obj=plugins)

    return invoke


def roles(report):
    return {row["role"]: row["usage"] for epoch in report["epochs"] for row in epoch["roles"]}


def test_a_run_counts_the_embedder_and_its_replay_is_identical(run, tmp_path):
    result = run("train", *FLAGS, "--quiet", "--set=limits.near_meaning=0.3")
    assert result.exit_code == 0, result.stderr
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert roles(report)["embedder"]["calls"] > 0
    assert roles(report)["embedder"]["input_tokens"] > 0
    events = (tmp_path / "run" / "events.jsonl").read_text()
    assert "means nearly the same as" in events
    replayed = run("train", "--replay", "run")
    assert replayed.exit_code == 0, replayed.output
    assert "is identical" in replayed.stdout


def test_the_price_has_a_row_for_the_embedder(run):
    dry = run("train", *FLAGS, "--dry-run", "--json")
    assert dry.exit_code == 0, dry.stderr
    (row,) = [each for each in json.loads(dry.stdout)["roles"] if each["role"] == "embedder"]
    assert row["model"] == "example"
    assert row["calls"]["low"] == 1
    assert row["input_tokens"]["high"] > 0
    assert row["cost"] == {"low": 0.0, "likely": 0.0, "high": 0.0}


def test_the_embedder_is_listed_and_an_unknown_one_is_an_error(run):
    listed = json.loads(run("plugins", "--json").stdout)
    assert "embedder" in json.dumps(listed)
    wrong = run("train", *FLAGS, "--embedder=nobody")
    assert wrong.exit_code == 3
    assert "unknown embedder 'nobody'" in wrong.stderr


def test_the_doctor_shows_how_near_a_paraphrase_lies(run):
    """So that the threshold can be chosen; an embedder that does not answer is not well."""
    result = run("doctor", "--model=scripted/default", "--set=embedder=example")
    assert "embedder example" in result.stdout
    assert "a paraphrase lies at 0." in result.stdout
    broken = '--set=embedder={use="example", options={length=0}}'
    result = run("doctor", "--model=scripted/default", broken)
    assert result.exit_code != 0
    assert "options/length" in result.stdout
