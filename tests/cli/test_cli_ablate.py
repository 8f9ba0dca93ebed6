"""`grpo-cli experiences ablate`: price first, validation problems, one row an item, nothing written."""

from __future__ import annotations

import json

import pytest

from grpo_framework.abtest import Pair, compare_pairs
from grpo_framework.abtest.significance import holm
from grpo_framework.codec import from_document, to_document
from grpo_framework.validation import validate

ABLATE = ("experiences", "ablate")


@pytest.fixture
def toy(toy):
    """The toy plugin with twelve problems."""
    rows = ", ".join(f'"question number {number}"' for number in range(12))
    return [*toy[1:], "--set", f'datasets=[{{use="toy", options={{texts=[{rows}]}}}}]']


@pytest.fixture
def taught(store):
    """One item that makes every answer right, one of no use, and one of the critic."""
    store.hold("generator_1", "be right", "of no use")
    store.hold("critic", "take the last")
    return store


def test_each_item_has_effect_interval_verdict_and_cost(run, toy, taught):
    result = run(*ABLATE, *toy, "--json")
    assert result.exit_code == 0, result.stderr
    document = result.document
    validate("ablation", document)
    rows = {item["id"]: item for item in document["items"]}
    assert list(rows) == ["G1-001", "G1-002", "C-001"]
    assert rows["G1-001"]["verdict"] == "helps"
    assert rows["G1-001"]["effect"]["mean"] > 0.2
    assert rows["G1-001"]["effect"]["ci95"][0] > 0
    assert rows["G1-002"]["verdict"] == rows["C-001"]["verdict"] == "unknown"
    assert rows["C-001"]["measured"] == ["critic"]
    assert document["split"] == "validation"
    assert document["libraries"]["generator_1"]["experiences"] == 2
    assert taught.commits == 0


def test_every_figure_can_be_computed_again_from_the_pairs(run, toy, taught):
    document = run(*ABLATE, *toy, "--json").document
    p_values = {}
    for item in document["items"]:
        pairs = from_document(item["pairs"], tuple[Pair, ...])
        again = to_document(compare_pairs(pairs, measured=item["measured"]))
        assert again["difference"] == item["effect"]
        for key in ("problems", "minimum_detectable_effect", "per_owner"):
            assert again[key] == item[key]
        p_values[item["id"]] = item["effect"]["p_value"]
    adjusted = holm(p_values)
    assert {item["id"]: item["p_adjusted"] for item in document["items"]} == adjusted


def test_the_price_comes_first_and_dry_run_spends_nothing(run, toy, taught):
    result = run(*ABLATE, "G1-001", *toy)
    assert "1 experience, 12 problems of the split validation, 4 repeats" in result.stderr
    assert "at most 96 attempts and 0 fusions" in result.stderr
    assert "helps" in result.stdout
    assert "shared by all items" in result.stdout
    dry = run(*ABLATE, *toy, "--dry-run", "--repeats=2")
    assert dry.exit_code == 0
    assert "at most 72 attempts and 24 fusions" in dry.stdout
    assert "nothing was called" in dry.stdout
    assert "verdict" not in dry.stdout
    document = run(*ABLATE, "C-001", "G1-002", *toy, "--dry-run", "--json").document
    assert document["experiences"] == [
        {"id": "C-001", "owner": "critic"},
        {"id": "G1-002", "owner": "generator_1"},
    ]
    assert (document["attempts"], document["fusions"]) == (96, 24)
    assert "all" in document


def test_the_price_is_that_of_the_calls_that_are_made(real, tmp_path):
    """The forecast of calls is exact where every prompt holds every item."""
    flags = [
        "--datasets=scripted/problems",
        "--model=scripted/default",
        "--generator=prompted/direct",
        "--critic=scripted",
        "--comparator=scripted",
        "--repeats=2",
    ]
    (tmp_path / "experiences").mkdir()
    row = '{"id": "G1-00%d", "content": "Do %d.", "category": "x", "success_count": 0,'
    row += ' "usage_count": 0, "created_at": "", "source_problem": ""}'
    rows = ",".join(row % (n, n) for n in (1, 2))
    (tmp_path / "experiences" / "generator_1_experiences.json").write_text(f"[{rows}]")
    price = real(*ABLATE, *flags, "--dry-run", "--json")
    assert price.exit_code == 0, price.stderr
    spent = real(*ABLATE, *flags, "--json")
    assert spent.exit_code == 0, spent.stderr
    (generator,) = [each for each in price.document["roles"] if each["role"] == "generator"]
    assert generator["calls"] == {"low": 90, "likely": 90, "high": 90}
    assert spent.document["total"]["calls"] == 90
    assert spent.document["full"]["calls"] == 30
    stopped = real(*ABLATE, *flags, "--json", "--max-calls=50", "--concurrency=1")
    assert stopped.exit_code == 4
    assert "max_calls" in stopped.document["stopped"]
    assert 0 < stopped.document["total"]["calls"] <= 50
    assert len(stopped.document["items"]) == 2
    assert stopped.document["items"][1]["verdict"] == "unknown"
    validate("ablation", stopped.document)


def test_sequential_stops_a_clear_item_early(run, toy, taught):
    many = ", ".join(f'"item {number}"' for number in range(120))
    more = [*toy, "--set", f'datasets=[{{use="toy", options={{texts=[{many}]}}}}]']
    document = run(*ABLATE, "G1-001", *more, "--sequential", "--json").document
    validate("ablation", document)
    (item,) = document["items"]
    assert item["verdict"] == "helps"
    assert item["sequential"]["stopped_early"]
    assert item["sequential"]["looks"] < 120
    assert "stopped early: G1-001 after" in run(*ABLATE, "G1-001", *more, "--sequential").stdout


def test_other_arms_than_the_store_can_be_taken_apart(run, toy, taught, tmp_path):
    assert run("experiences", "export", "export.json", "--store=toy").exit_code == 0
    document = run(*ABLATE, "--of=export.json", *toy, "--json").document
    assert document["store"] == "export.json"
    assert [item["id"] for item in document["items"]] == ["G1-001", "G1-002", "C-001"]
    left = run(*ABLATE, "--of=store-G1-002", *toy, "--json").document
    assert [item["id"] for item in left["items"]] == ["G1-001", "C-001"]


def test_failures_are_counted_and_too_many_exit_1_after_the_result(run, toy, taught):
    rows = ", ".join(f'"{text}"' for text in ["boom", *(f"item {n}" for n in range(8))])
    broken = [*toy, "--set", f'datasets=[{{use="toy", options={{texts=[{rows}]}}}}]']
    result = run(*ABLATE, "G1-001", *broken, "--json", "--repeats=2")
    assert result.exit_code == 0
    assert result.document["items"][0]["failures"]["pairs"] == 2
    shown = run(*ABLATE, "G1-001", *broken, "--repeats=2")
    assert "G1-001: 2 pairs had a failed side" in shown.stdout
    assert "failed 2 x without it, generator_1 attempt" in shown.stdout
    many = run(*ABLATE, "G1-001", *broken, "--repeats=2", "--set=max_failures=0.01")
    assert many.exit_code == 1
    assert "helps" in many.stdout


def test_what_cannot_be_measured_is_said_in_one_line(run, toy, taught, store):
    for arguments, code, said in (
        (["G1-007"], 3, "no experience 'G1-007'; near: G1-00"),
        (["--of=nowhere"], 3, "no such directory or file"),
        (["--repeats=0"], 2, "--repeats"),
    ):
        result = run(*ABLATE, *arguments, *toy)
        assert result.exit_code == code
        assert said in result.stderr
        assert "Traceback" not in result.stderr
    store.kept.clear()
    assert "holds no experiences" in run(*ABLATE, *toy).stderr


def test_without_a_gate_no_problem_has_chosen_what_is_kept(real, tmp_path):
    simulated = [
        *("--datasets=scripted/problems", "--model=scripted/default", "--comparator=scripted"),
        *("--generator=scripted", "--critic=scripted"),
    ]
    ungated = ("--advisor=scripted", "--epochs=1", "--gate=none", "--run-dir=run", "--quiet")
    assert real("train", *simulated, *ungated).exit_code == 0
    assert json.loads((tmp_path / "run" / "trained-on.json").read_text())["validation"] == []
    measured = real(*ABLATE, "G1-001", *simulated, "--json", "--repeats=1")
    assert measured.document["gate_problems"] == []


def test_training_problems_are_refused_unless_told_and_the_split_is_validation(real, tmp_path):
    """The way on the simulation: train, then measure on validation; nothing is written."""
    simulated = [
        "--datasets=scripted/problems",
        "--model=scripted/default",
        "--generator=scripted",
        "--critic=scripted",
        "--comparator=scripted",
    ]
    gated = ("--gate=paired", "--run-dir=run")
    trained = real("train", *simulated, "--advisor=scripted", "--epochs=1", *gated, "--quiet")
    assert trained.exit_code == 0, trained.stderr
    refused = real(*ABLATE, "G1-001", *simulated, "--split=train")
    assert refused.exit_code == 3
    assert "problems were trained on" in refused.stderr
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    allowed = real(
        *ABLATE, "G1-001", *simulated, "--split=train", "--allow-training-problems", "--json"
    )
    assert len(allowed.document["training_problems"]) == 30
    measured = real(*ABLATE, "G1-001", *simulated, "--json", "--repeats=1")
    assert measured.exit_code == 0, measured.stderr
    assert measured.document["split"] == "validation"
    assert measured.document["training_problems"] == []
    assert measured.document["simulation"]
    assert measured.document["problems"] == 15
    assert measured.document["fingerprint"]
    assert real(*ABLATE, "G1-001", *simulated, "--split=test").exit_code == 0
    # What the gate chose by is measured on, and said; `ab` refuses it.
    recorded = json.loads((tmp_path / "run" / "trained-on.json").read_text())
    assert len(recorded["validation"]) == len(measured.document["gate_problems"]) == 15
    shown = real(*ABLATE, "G1-001", *simulated, "--repeats=1")
    assert "the gate chose by 15 of the problems" in shown.stdout
    assert real("ab", *simulated, "--split=validation").exit_code == 3
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before
