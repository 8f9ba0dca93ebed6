"""Hostile inputs: each gets a verdict in every setting, in a process that is killed when it
hangs."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = Path(__file__).parent / "hostile_runner.py"
NAMES = [
    json.loads(line)["name"]
    for line in (RUNNER.parent / "hostile.jsonl").read_text(encoding="utf-8").splitlines()
]
SETTINGS = ("main", "thread", "asyncio", "spawn", "no-signals")
# A second each is the promise, measured by benchmarks/comparators.py; here only a hang is caught.
SECONDS = 900


def load_runner() -> object:
    spec = importlib.util.spec_from_file_location("hostile_runner", RUNNER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_enough_hostile_inputs() -> None:
    """The promise names 69 inputs and five settings."""
    assert len(NAMES) >= 69
    assert len(set(NAMES)) == len(NAMES)
    assert load_runner().SETTINGS == SETTINGS


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_hostile_input_gets_a_verdict(setting: str) -> None:
    """Each input has one of the three verdicts, the same when swapped, and `unknown` has a
    reason."""
    done = subprocess.run(
        [sys.executable, "-X", "utf8", str(RUNNER), setting],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result["name"] for result in results] == NAMES, done.stderr[-2_000:]
    assert {result["verdict"] for result in results} <= {"equal", "different", "unknown"}
    # A time limit may strike one way round and not the other; a decision may not flip.
    flips = [
        result
        for result in results
        if {result["verdict"], result["swapped"]} == {"equal", "different"}
    ]
    assert flips == []
    assert [
        result for result in results if result["verdict"] == "unknown" and not result["reason"]
    ] == []
