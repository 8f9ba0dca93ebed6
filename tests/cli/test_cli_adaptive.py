"""`grpo-cli train --adaptive-groups`, on the simulated student."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from grpo_framework.cli import cli

TRAIN = [
    *("train", "--datasets=scripted/problems", "--model=scripted/default", "--max-problems=6"),
    *("--comparator=scripted/default", "--epochs=4", "--batch-size=3", "--run-dir=run"),
    *("--set=model.options.spread=0.6", "--adaptive-groups"),
]


@pytest.fixture
def go(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(cli, [*map(str, args)])


@pytest.mark.parametrize("staleness", [0, 1])
def test_an_adaptive_run_is_replayed_to_the_same_end(go, tmp_path, staleness):
    """The same groups grow, the same problems rest: libraries and report are identical."""
    done = go(*TRAIN, f"--staleness={staleness}", "--quiet")
    assert done.exit_code == 0, done.stderr
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["adaptive_groups"] is True
    saved = sum(row["rollouts_saved"] for epoch in report["epochs"] for row in epoch["owners"])
    assert saved > 0
    assert f"adaptive groups: {saved} rollouts saved" in done.stdout
    replayed = go("train", "--replay", "run", "--json")
    assert json.loads(replayed.stdout)["differences"] == []


def test_the_run_says_what_its_groups_do(go):
    done = go(*TRAIN, "--epochs=1", "--max-problems=2", "--group-size=5")
    assert "groups begin with 2 rollouts and grow up to 5" in done.stderr


def test_with_small_groups_it_says_that_nothing_adapts(go):
    """On stderr when it begins and in the result, so that --quiet does not hide it."""
    done = go(*TRAIN, "--epochs=1", "--max-problems=2", "--group-size=2", "--quiet")
    assert done.exit_code == 0, done.stderr
    assert "adaptive groups change nothing with groups of 2" in done.stdout


def test_a_dry_run_counts_from_the_fewest_rollouts_to_full_groups(go, tmp_path):
    train = [*TRAIN, "--generator=prompted/direct"]
    told = json.loads(go(*train, "--dry-run", "--json").stdout)
    calls = {row["role"]: row["calls"] for row in told["roles"]}
    # Always solved: visited in epochs 1, 2 and 4; two rollouts at least, three at most.
    assert calls["generator"] == {"low": 6 * 3 * 2, "likely": 54, "high": 6 * 4 * 3}
    assert calls["critic"] == {"low": 6 * 3, "likely": 21, "high": 6 * 4}
    done = go(*train, "--quiet")
    assert done.exit_code == 0, done.stderr
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    made = sum(
        row["rollouts"]
        for epoch in report["epochs"]
        for row in epoch["owners"]
        if row["owner"].startswith("generator")
    )
    assert calls["generator"]["low"] <= made < calls["generator"]["high"]
