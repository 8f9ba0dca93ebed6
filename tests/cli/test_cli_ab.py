"""`grpo-cli ab`: arms, verdicts, failures, and the refusal of training problems."""

from __future__ import annotations

import json

import pytest

from grpo_framework.abtest import Pair, compare_pairs
from grpo_framework.cli.arms import parse_arm
from grpo_framework.codec import experience_to_document, from_document, to_document
from grpo_framework.errors import ConfigError
from grpo_framework.experience import Experience, Library
from grpo_framework.provenance import Trained, training_document
from grpo_framework.records import Problem, Question
from grpo_framework.validation import validate

TEXTS = [f"question number {number}" for number in range(12)]


@pytest.fixture
def toy(toy):
    """The toy plugin with twelve problems."""
    rows = ", ".join(f'"{text}"' for text in TEXTS)
    return [*toy[1:], "--set", f'datasets=[{{use="toy", options={{texts=[{rows}]}}}}]']


def write_owner_file(path, *contents, source=""):
    rows = [
        experience_to_document(
            Experience(f"G1-{number:03}", text, created_at="2025-01-01", source_problem=source)
        )
        for number, text in enumerate(contents, 1)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def test_experiences_that_help_are_better_and_those_that_were_helpful_are_missed(run, toy, store):
    store.hold("generator_1", "be right")
    result = run("ab", *toy, "--json")
    assert result.exit_code == 0
    document = result.document
    validate("abtest", document)
    assert document["verdict"] == "better"
    assert document["difference"]["mean"] > 0.2
    assert document["difference"]["ci95"][0] > 0
    assert document["arms"]["a"]["name"] == "empty"
    assert document["arms"]["b"]["libraries"]["generator_1"]["experiences"] == 1
    assert document["arms"]["b"]["mean"]["value"] == 1.0
    assert [row["owner"] for row in document["per_owner"]] == ["generator_1", "critic"]
    turned = run("ab", *toy, "--a=store", "--b=empty", "--json").document
    assert turned["verdict"] == "worse"
    assert turned["difference"]["mean"] == pytest.approx(-document["difference"]["mean"])
    assert turned["problems"]["broken"] == document["problems"]["fixed"]
    assert store.commits == 0


def test_every_figure_can_be_computed_again_from_the_pairs(run, toy, store):
    store.hold("generator_1", "be right")
    document = run("ab", *toy, "--json", "--repeats=2").document
    pairs, halves = (from_document(document[key], tuple[Pair, ...]) for key in ("pairs", "halves"))
    again = to_document(compare_pairs(pairs, halves))
    for key in (
        "difference",
        "strict",
        "verdict",
        "problems",
        "minimum_detectable_effect",
        "per_owner",
    ):
        assert again[key] == document[key]
    assert len(pairs) == 12 * 2 + 12


def test_the_same_experiences_answer_alike_and_are_undecided(run, toy, store):
    store.hold("generator_1", "of no use")
    refused = run("ab", *toy, "--a=store", "--json")
    assert refused.exit_code == 3
    assert "hold the same experiences" in refused.stderr
    assert "--allow-same-arms" in refused.stderr
    result = run("ab", *toy, "--a=store", "--json", "--allow-same-arms")
    assert result.document["verdict"] == "undecided"
    assert result.document["difference"]["p_value"] == 1.0
    assert result.document["problems"] == {"fixed": 0, "broken": 0, "same": 12}
    assert "both arms hold the same experiences" in result.stderr


def test_a_version_that_no_owner_has_is_refused(run, toy, store, tmp_path):
    store.hold("generator_1", "be right")
    refused = run("ab", *toy, "--b=store@99")
    assert refused.exit_code == 3
    assert "'store@99': no owner has a version 99" in refused.stderr
    assert "the newest version of any owner is 1" in refused.stderr
    assert run("ab", *toy, "--b=store@1", "--repeats=1").exit_code == 0


def test_the_table_says_verdict_interval_and_what_it_could_have_shown(run, toy, store):
    store.hold("generator_1", "be right")
    result = run("ab", *toy, "--no-critic", "--repeats=1")
    assert result.exit_code == 0
    for text in ("better: B is better than A", "McNemar", "could have shown", "fixed", "$0.0000"):
        assert text in result.stdout
    assert "critic" not in result.stdout
    assert "ab: 12/12" in result.stderr
    assert "trained on" not in result.stdout


def test_sequential_stops_before_all_problems_are_asked(run, toy, store):
    store.hold("generator_1", "be right")
    many = ", ".join(f'"item {number}"' for number in range(800))
    more = [*toy, "--set", f'datasets=[{{use="toy", options={{texts=[{many}]}}}}]']
    document = run("ab", *more, "--sequential", "--json", "--concurrency=2").document
    validate("abtest", document)
    assert document["verdict"] == "better"
    looks = document["sequential"]
    assert looks["stopped_early"]
    assert looks["looks"] < looks["problems_planned"] == 200
    assert len({pair["problem"] for pair in document["pairs"]}) == looks["looks"]
    assert "betting" in document["difference"]["test"]
    null = run(
        "ab", *more, "--a=empty", "--b=empty", "--sequential", "--json", "--allow-same-arms"
    ).document
    assert null["verdict"] == "undecided"
    assert not null["sequential"]["stopped_early"]


def test_a_pair_with_a_failed_side_is_left_out_and_counted(run, toy, store):
    store.hold("generator_1", "be right")
    rows = ", ".join(f'"{text}"' for text in [*TEXTS, "boom"])
    broken = [*toy, "--set", f'datasets=[{{use="toy", options={{texts=[{rows}]}}}}]']
    document = run("ab", *broken, "--json", "--repeats=2").document
    # Two attempts of each arm fail, and so there is nothing to fuse.
    assert document["failures"]["pairs"] == 3
    assert document["failures"]["problems"] == 1
    assert document["failures"]["units"] >= 4
    assert all(row["causes"] for row in document["failures"]["arms"])
    assert document["arms"]["a"]["mean"]["problems"] == 12
    assert document["verdict"] == "better"
    table = run("ab", *broken, "--repeats=2")
    assert "3 pairs had a failed side" in table.stdout
    assert "the model is gone" in table.stdout


def test_what_fails_in_one_arm_alone_takes_its_verdict_away(run, toy, store):
    store.hold("generator_1", "be right")
    rows = ", ".join(f'"{text}"' for text in [*TEXTS, *(f"frail {n}" for n in range(12))])
    frail = [*toy, "--set", f'datasets=[{{use="toy", options={{texts=[{rows}]}}}}]']
    quiet = ["--no-critic", "--set=max_failures=1.0"]
    document = run("ab", *frail, *quiet, "--json").document
    assert document["verdict"] == "undecided"
    assert document["difference"]["ci95"][0] > 0
    assert document["strict"]["mean"] < document["difference"]["mean"] / 2
    table = run("ab", *frail, *quiet)
    assert "undecided: what failed in one arm alone may make the difference" in table.stdout
    assert "where a side that failed alone earns nothing, the difference is" in table.stdout


def test_too_many_failures_exit_1_after_the_result(run, toy):
    broken = ["--set", 'datasets=[{use="toy", options={texts=["boom", "fine"]}}]']
    result = run("ab", *toy, *broken, "--b=empty", "--allow-same-arms", "--set=max_failures=0.1")
    assert result.exit_code == 1
    assert "verdict" in result.stdout
    assert result.stderr.splitlines()[-1].startswith("error: ")


def test_files_of_both_formats_are_arms_and_experiences_can_be_left_out(run, toy, store, tmp_path):
    owner = write_owner_file(tmp_path / "x" / "generator_1_experiences.json", "be right", "useless")
    store.hold("generator_1", "be right", "useless")
    assert run("experiences", "export", "export.json", "--store=toy").exit_code == 0
    for arm in (owner, "export.json"):
        document = run("ab", *toy, f"--b={arm}", "--json").document
        assert document["arms"]["b"]["libraries"]["generator_1"]["experiences"] == 2
        assert document["verdict"] == "better"
    document = run("ab", *toy, f"--a={owner}-G1-001", f"--b={owner}", "--json").document
    assert document["arms"]["a"]["libraries"]["generator_1"]["experiences"] == 1
    assert document["verdict"] == "better"
    document = run("ab", *toy, "--a=store-G1-001,G1-002", "--b=store-G1-002", "--json").document
    assert document["arms"]["a"]["libraries"]["generator_1"]["experiences"] == 0
    assert document["verdict"] == "better"


def test_arms_that_are_not_there_are_one_line_and_exit_3(run, toy, store, tmp_path):
    owner = write_owner_file(tmp_path / "generator_1_experiences.json", "be right")
    for arm, text in (
        ("nowhere", "no such directory or file"),
        ("nowhere@3", "no such directory or file"),
        (f"{owner}@3", "only a store has versions"),
        ("empty@3", "only a store has versions"),
        ("store", "holds no experiences"),
        (f"{owner}-G1-007", "no experience G1-007"),
        ("store@generator_9=1", "no owner generator_9"),
        ("", "an arm is empty, store"),
    ):
        result = run("ab", *toy, f"--b={arm}")
        assert result.exit_code == 3, arm
        assert text in result.stderr.splitlines()[-1]
        assert result.stdout == ""


def test_an_arm_is_read_as_it_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exp").mkdir()
    (tmp_path / "odd@3-G1-001").mkdir()
    spec = parse_arm("exp@12-G1-003,C-002")
    assert (spec.base, spec.version, spec.left_out) == ("exp", 12, ("G1-003", "C-002"))
    spec = parse_arm("exp@generator_1=3,critic=2")
    assert spec.versions == {"generator_1": 3, "critic": 2}
    assert parse_arm("odd@3-G1-001").base == "odd@3-G1-001"
    assert parse_arm("store@0").version == 0
    with pytest.raises(ConfigError):
        parse_arm("exp@latest")


def test_an_empty_store_is_named_with_its_directory_and_how_to_mend_it(real, tmp_path):
    flags = ["--datasets=scripted/problems", "--model=scripted/default"]
    missing = real("ab", "--experience-dir=missing", *flags)
    assert missing.exit_code == 3
    assert "(missing, which does not exist) holds no experiences" in missing.stderr
    assert "train first, or name the right --experience-dir" in missing.stderr
    (tmp_path / "empty-one").mkdir()
    empty = real("ab", "--experience-dir=empty-one", *flags)
    assert "'store' (empty-one) holds no experiences" in empty.stderr


def test_problems_that_experiences_came_from_are_refused(run, toy, tmp_path):
    source = "  Question   NUMBER 3 "
    owner = write_owner_file(tmp_path / "generator_1_experiences.json", "be right", source=source)
    result = run("ab", *toy, f"--b={owner}")
    assert result.exit_code == 3
    assert "1 of 12 problems were trained on: p4" in result.stderr
    assert "--allow-training-problems" in result.stderr
    allowed = run("ab", *toy, f"--b={owner}", "--allow-training-problems", "--json")
    assert allowed.exit_code == 0
    assert allowed.document["training_problems"] == ["p4"]
    table = run("ab", *toy, f"--b={owner}", "--allow-training-problems")
    assert "1 of the problems were trained on" in table.stdout


def test_problems_recorded_as_trained_on_are_refused_by_id_and_by_text(run, toy, tmp_path):
    folder = tmp_path / "learned"
    owner = write_owner_file(folder / "generator_1_experiences.json", "be right")
    kept = training_document([Problem(Question("p2", "quite another text"), "x")])
    kept["problems"] += training_document([Problem(Question("q", "QUESTION number 7!"), "x")])[
        "problems"
    ]
    beside = folder / ".trained-on" / "0.json"
    beside.parent.mkdir()
    beside.write_text(json.dumps(kept), encoding="utf-8")
    result = run("ab", *toy, f"--b={owner}")
    assert result.exit_code == 3
    assert "2 of 12 problems were trained on: p2, p8" in result.stderr
    beside.write_text("{}", encoding="utf-8")
    result = run("ab", *toy, f"--b={owner}")
    assert result.exit_code == 3
    assert "0.json" in result.stderr


def test_what_edits_were_chosen_by_is_refused_like_what_they_were_learned_from(run, toy, tmp_path):
    """Validation problems of a run flatter its library: refused by id and text, unless allowed."""
    folder = tmp_path / "learned"
    owner = write_owner_file(folder / "generator_1_experiences.json", "be right")
    learned = [Problem(Question("elsewhere", "a problem of another file"), "x")]
    judged = [
        Problem(Question("p5", "another text"), "x"),
        Problem(Question("q", "Question  NUMBER 9."), "x"),
    ]
    beside = folder / ".trained-on" / "0.json"
    beside.parent.mkdir()
    beside.write_text(json.dumps(training_document(learned, judged)), encoding="utf-8")
    refused = run("ab", *toy, f"--b={owner}")
    assert refused.exit_code == 3
    assert "2 of 12 problems were trained on: p5, p10" in refused.stderr
    allowed = run("ab", *toy, f"--b={owner}", "--allow-training-problems", "--json")
    assert allowed.exit_code == 0
    assert sorted(allowed.document["training_problems"]) == ["p10", "p5"]


def test_a_store_that_a_run_trained_is_not_measured_on_its_training_split(real, tmp_path):
    """The whole way on the scripted simulation: train, refuse, measure on the test split."""
    run = real
    simulated = [
        "--datasets=scripted/problems",
        "--model=scripted/default",
        "--generator=scripted",
        "--critic=scripted",
        "--comparator=scripted",
    ]
    trained = run("train", *simulated, "--advisor=scripted", "--epochs=1", "--quiet")
    assert trained.exit_code == 0, trained.stderr
    refused = run("ab", *simulated, "--split=train")
    assert refused.exit_code == 3
    assert "30 of 30 problems were trained on" in refused.stderr
    # The record beside the experiences is enough: the run directory may be elsewhere.
    (tmp_path / "runs").rename(tmp_path / "kept-elsewhere")
    assert run("ab", *simulated, "--split=train").exit_code == 3
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    measured = run("ab", *simulated, "--json")
    assert measured.exit_code == 0
    assert measured.document["verdict"] == "better"
    assert measured.document["simulation"]
    assert measured.document["arms"]["a"]["mean"]["problems"] == 15
    versions = run("ab", *simulated, "--a=experiences@0", "--b=experiences@1", "--json")
    assert versions.document["arms"]["a"]["libraries"]["generator_1"]["experiences"] == 0
    assert versions.document["arms"]["b"]["libraries"]["generator_1"]["version"] == 1
    missing = run("ab", *simulated, "--b=experiences@generator_1=99")
    assert missing.exit_code == 3
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


def test_an_exhausted_budget_ends_with_the_result_so_far_and_code_4(real, tmp_path):
    run = real
    owner = write_owner_file(tmp_path / "generator_1_experiences.json", "be right")
    flags = [
        "--datasets=scripted/problems",
        "--model=scripted/default",
        "--generator=prompted/direct",
        "--critic=scripted",
        "--comparator=scripted",
        "--concurrency=1",
        "--repeats=1",
        f"--b={owner}",
    ]
    result = run("ab", *flags, "--max-calls=8", "--json")
    assert result.exit_code == 4
    assert "max_calls" in result.document["stopped"]
    assert 0 < len(result.document["pairs"]) < 30
    usage = result.document["usage"]
    assert 0 < usage["a"]["calls"] + usage["b"]["calls"] <= 8


def test_a_source_text_that_was_cut_off_is_recognised_where_it_is_long():
    text = "A long question that goes on about trains and their speeds for many words, and so on"
    known = Trained(sources=frozenset({text[:70].casefold()}))
    assert known.knows(Problem(Question("x", text), "1"))
    short = Trained(sources=frozenset({"a long"}))
    assert not short.knows(Problem(Question("x", text), "1"))


def test_libraries_of_other_owners_are_no_experiences_of_this_configuration(run, toy, store):
    store.kept["generator_7"] = Library("generator_7", 1, (Experience("G7-001", "x"),), 2)
    result = run("ab", *toy, "--b=store")
    assert result.exit_code == 3
    assert "the arm without experiences is called empty" in result.stderr
