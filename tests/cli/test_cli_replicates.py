"""`grpo-cli train --replicates R`, on the simulated student."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from grpo_framework.cli import cli
from grpo_framework.experience import Experience, Library
from grpo_framework.validation import validate

TRAIN = [
    *("train", "--datasets=scripted/problems", "--model=scripted/default", "--max-problems=4"),
    *("--comparator=scripted/default", "--epochs=2", "--batch-size=2", "--quiet"),
]


@pytest.fixture
def go(tmp_path, monkeypatch):
    """Run a command in an empty folder with the real plugins."""
    monkeypatch.chdir(tmp_path)

    def invoke(*args):
        return CliRunner().invoke(cli, [*TRAIN, *args])

    return invoke


def reports(folder):
    """The reports of the replicates, without times."""
    found = {}
    for file in sorted(folder.glob("replicate-*/report.json")):
        found[file.parent.name] = drop_times(json.loads(file.read_text()))
    return found


def drop_times(document):
    if isinstance(document, dict):
        return {key: drop_times(value) for key, value in document.items() if key != "seconds"}
    return [drop_times(each) for each in document] if isinstance(document, list) else document


def journals(folder):
    return {file.parent.name: file.read_bytes() for file in folder.glob("*/journal.sqlite")}


def test_each_replicate_has_its_seed_its_run_and_its_experiences(go, tmp_path):
    """One object with the published schema; the figures are those of the runs' reports."""
    done = go("--replicates=3", "--seed=5", "--run-dir=all", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    validate("replicates", document)
    assert json.loads((tmp_path / "all/replicates.json").read_text()) == document
    assert [row["seed"] for row in document["replicates"]] == [5, 6, 7]
    for number, row in enumerate(document["replicates"], 1):
        assert row["run"] == f"all/replicate-{number}"
        config = json.loads((tmp_path / row["run"] / "config.json").read_text())
        assert config["seed"] == 4 + number
        assert config["experience_dir"] == f"experiences/replicate-{number}"
        assert list((tmp_path / row["experience_dir"]).glob("*_experiences.json"))
        report = json.loads((tmp_path / row["run"] / "report.json").read_text())
        last = {each["owner"]: each for each in report["epochs"][-1]["owners"]}
        for each in row["owners"]:
            owner, figures = last[each["owner"]], each["figures"]
            assert figures["mean_reward"] == owner["mean_reward"]
            assert figures["experiences"] == owner["library_after"]
    rewards = [row["owners"][0]["figures"]["mean_reward"] for row in document["replicates"]]
    spread = document["spread"][0]["figures"]["mean_reward"]
    assert (spread["min"], spread["max"]) == (min(rewards), max(rewards))
    assert len({json.dumps(report) for report in reports(tmp_path / "all").values()}) == 3


def test_the_same_command_finds_its_runs_without_a_name_and_pays_nothing_again(go, tmp_path):
    """Finished replicates are read; one more replicate is trained beside them."""
    first = go("--replicates=2", "--json")
    assert first.exit_code == 0, first.stderr
    (base,) = (tmp_path / "runs").iterdir()
    before = journals(base)
    again = go("--replicates=2", "--json")
    assert json.loads(again.stdout) == json.loads(first.stdout)
    assert journals(base) == before
    more = json.loads(go("--replicates=3", "--json").stdout)
    assert more["replicates"][:2] == json.loads(first.stdout)["replicates"]
    assert len(more["replicates"]) == 3


def test_one_budget_is_over_all_and_the_same_command_goes_on(go, tmp_path):
    """It ends in the second replicate; with a larger limit the whole comes out as without one."""
    free = go("--replicates=2", "--run-dir=free", "--experience-dir=free-e", "--json")
    calls = [row["usage"]["calls"] for row in json.loads(free.stdout)["replicates"]]
    limit = calls[0] + calls[1] // 2
    stopped = go("--replicates=2", "--run-dir=tight", f"--max-calls={limit}")
    assert stopped.exit_code == 4
    assert f"the budget of all replicates is exhausted: max_calls = {limit}" in stopped.stderr
    assert "the same command goes on" in stopped.stderr
    assert "runs resume" not in stopped.stderr
    assert reports(tmp_path / "tight")["replicate-1"]["outcome"] == "finished"
    first = journals(tmp_path / "tight")["replicate-1"]
    third = go("--replicates=3", "--run-dir=tight", f"--max-calls={limit}")
    assert third.exit_code == 4
    done = go("--replicates=2", "--run-dir=tight", "--max-calls=99999", "--json")
    assert done.exit_code == 0, done.stderr
    assert journals(tmp_path / "tight")["replicate-1"] == first
    now, then = reports(tmp_path / "tight"), reports(tmp_path / "free")
    for name, report in then.items():
        assert {**now[name], "fingerprint": ""} == {**report, "fingerprint": ""}


def test_a_directory_that_holds_experiences_is_refused_before_anything_is_spent(go, tmp_path):
    """Also that of a later replicate; nothing is run and nothing is touched."""
    held = tmp_path / "experiences" / "replicate-2" / "generator_1_experiences.json"
    held.parent.mkdir(parents=True)
    row = {
        "id": "G1-001",
        "content": "Be brief.",
        "category": "general",
        "success_count": 0,
        "usage_count": 0,
        "created_at": "2025-01-01T00:00:00",
        "source_problem": "",
    }
    held.write_text(json.dumps([row]))
    refused = go("--replicates=2", "--run-dir=all")
    assert refused.exit_code == 3
    assert "experiences/replicate-2 already holds 1 experiences" in refused.stderr
    assert json.loads(held.read_text()) == [row]
    assert not (tmp_path / "all").exists()
    existing = go("--replicates=2", "--use-existing-experiences")
    assert existing.exit_code == 3
    assert "replicates begin alike" in existing.stderr


def test_replicates_are_shown_as_tables(go):
    done = go("--replicates=2", "--run-dir=all")
    assert done.exit_code == 0, done.stderr
    assert "between the replicates" in done.stdout
    assert "in replicates 1, 2: " in done.stdout
    assert "with fewer than 3 replicates" in done.stdout
    assert "these rewards prove nothing" in done.stdout


def test_rows_and_columns_without_a_figure_are_left_out_of_the_tables(go):
    """Nothing was scored on validation problems, and one generator shares nothing with others."""
    alone = ["--replicates=2", "--generator=prompted/direct"]
    done = go(*alone)
    assert "validation" not in done.stdout
    assert "shared" not in done.stdout
    assert " - " not in done.stdout.split("between the replicates")[1]
    told = json.loads(go(*alone, "--json").stdout)
    assert "shared" in [row["owner"] for row in told["spread"]]


def test_a_fork_begins_every_replicate_with_that_runs_experiences(go, tmp_path):
    """What they began with is in all of them, and was learned in none."""
    first = go("--run-dir=first", "--epochs=1")
    assert first.exit_code == 0, first.stderr
    rows = [
        row["content"]
        for file in (tmp_path / "first" / "experiences").iterdir()
        for row in json.loads(file.read_text())
    ]
    assert rows
    done = go("--replicates=2", "--fork=first", "--experience-dir=more", "--run-dir=all", "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    for row in document["replicates"]:
        report = json.loads((tmp_path / row["run"] / "report.json").read_text())
        before = sum(each["library_before"] for each in report["epochs"][0]["owners"])
        assert before == len(rows)
    assert not {each["content"] for each in document["recurring"]} & set(rows)


def test_a_dry_run_foretells_all_of_them(go, tmp_path):
    one = json.loads(go("--dry-run", "--json").stdout)["all"]
    three = json.loads(go("--dry-run", "--replicates=3", "--json").stdout)["all"]
    assert three["calls"]["high"] == 3 * one["calls"]["high"]
    assert not list(tmp_path.iterdir())


def test_a_replay_is_of_one_run(go, tmp_path):
    (tmp_path / "run").mkdir()
    refused = go("--replay=run", "--replicates=2")
    assert refused.exit_code == 2
    assert "does not go with --replicates" in refused.stderr


def test_a_failed_replicate_is_named_and_the_comparison_is_printed(run, toy, store):
    """Exit code 1; the figures are there all the same."""
    failing = ['--set=datasets=[{use="toy", options={texts=["boom"]}}]', "--comparator=toy"]
    flags = [flag for flag in toy if not flag.startswith("--datasets")]
    done = run("train", *flags, *failing, "--advisor=toy", "--replicates=2", "--quiet", "--json")
    assert done.exit_code == 1
    assert "units failed in replicate 1, 2" in done.stderr
    assert [row["outcome"] for row in done.document["replicates"]] == ["failed", "failed"]


def test_a_store_that_replicates_share_is_refused(run, toy, store):
    """It ignores the directory, so the second replicate would begin with the first one's."""
    store.kept["generator_1"] = Library("generator_1", 1, (Experience("G1-001", "be right"),), 2)
    refused = run("train", *toy, "--advisor=toy", "--replicates=2", "--quiet")
    assert refused.exit_code == 3
    assert "already holds 1 experiences" in refused.stderr
