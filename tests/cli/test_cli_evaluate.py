"""`grpo-cli evaluate`: what it prints, what it refuses, and that it writes nothing."""

from __future__ import annotations

import pytest

from grpo_framework.validation import validate


def test_prints_a_table_with_a_row_for_each_generator_and_all(run, toy):
    result = run("evaluate", *toy, "--generator=toy/g", "--group-size=4")
    assert result.exit_code == 0
    assert "4 problems x 4 rollouts, no experiences" in result.stdout
    for text in ("generator_1", "generator_2", "all", "mean@4", "pass@2", "majority@4", "lift"):
        assert text in result.stdout
    assert "evaluate: 0/8" in result.stderr
    assert "evaluate: 8/8" in result.stderr


def test_json_is_one_valid_document(run, toy):
    result = run("evaluate", *toy, "--json", "--seed=3", "--max-problems=2", "--k=1", "--k=3")
    validate("evaluation", result.document)
    assert result.document["problems"] == 2
    assert result.document["seed"] == 3
    assert [row["k"] for row in result.document["overall"]["at_k"]] == [1, 3]


def test_the_experiences_of_the_store_are_used_and_nothing_is_written(run, toy, store, tmp_path):
    store.hold("generator_1", "be right")
    with_them = run("evaluate", *toy, "--json", "--seed=1")
    without = run("evaluate", *toy, "--json", "--seed=1", "--without-experiences")
    assert with_them.document["overall"]["mean_at_k"]["value"] == 1.0
    assert with_them.document["libraries"]["generator_1"]["experiences"] == 1
    assert without.document["overall"]["mean_at_k"]["value"] < 1.0
    assert without.document["libraries"]["generator_1"]["experiences"] == 0
    assert store.commits == 0
    assert list(tmp_path.iterdir()) == []


def test_experiences_that_were_asked_for_and_are_not_there_are_an_error(run, toy):
    for wanted in ("--use-existing-experiences", "--experience-dir=nowhere", "--store=toy"):
        result = run("evaluate", *toy, wanted)
        assert result.exit_code == 3
        assert "holds no experiences" in result.stderr
        assert "--without-experiences" in result.stderr


@pytest.fixture
def toy(toy):
    """The store by the file of settings, so that no flag asks for its experiences."""
    toy.remove("--store=toy")
    return [*toy, "--set=store=toy"]


def test_no_critic_leaves_its_columns_out(run, toy):
    result = run("evaluate", *toy, "--no-critic")
    assert result.exit_code == 0
    assert "lift" not in result.stdout


def test_failures_are_named_and_too_many_exit_1_after_the_result(run, toy):
    broken = ["--set", 'datasets=[{use="toy", options={texts=["boom", "boom", "fine"]}}]']
    result = run("evaluate", *toy, *broken)
    assert result.exit_code == 1
    assert "connection: the model is gone" in result.stdout
    assert "all " in result.stdout
    assert result.stderr.splitlines()[-1].startswith("error: ")
    tolerant = run("evaluate", *toy, *broken, "--set=max_failures=0.9")
    assert tolerant.exit_code == 0


def test_a_k_above_the_group_size_is_a_usage_error(run, toy):
    result = run("evaluate", *toy, "--k=9")
    assert result.exit_code == 2
    assert "--group-size" in result.stderr


def test_wrong_references_data_and_models_are_one_line_and_exit_3(run, toy):
    for wrong, text in (
        ("--comparator=toy/tex", "unknown comparator 'toy/tex'"),
        ("--generator=broken", "broken-plugin 2.0"),
        ('--set=datasets=[{use="toy", options={texts=["broken"]}}]', "no answer"),
        ('--set=model={use="toy", options={down=true}}', "connection refused"),
    ):
        result = run("evaluate", *toy, wrong, "--set=calls.tries=1")
        assert result.exit_code == 3
        assert text in result.stderr.splitlines()[-1]
        assert result.stdout == ""
