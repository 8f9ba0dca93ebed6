"""`grpo-cli compare`: one pair, many pairs, and every malformed row."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from grpo_framework.cli.judging import choose_processes
from grpo_framework.cli.pairs import Pair, read_pairs

GOOD = {"gold": "a", "pred": "a"}


def write(path, *rows):
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def rows_of(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_one_pair_says_its_verdict(run):
    same = run("compare", "--gold=a", "--pred=a", "--comparator=toy")
    assert same.exit_code == 0
    assert same.stdout == "equal (reward 1): same\n"
    other = run("compare", "--gold=a", "--pred=b", "--comparator=toy", "--json", "--explain")
    assert other.exit_code == 0
    assert other.document.pop("seconds") >= 0
    assert other.document == {
        "reward": 0.0,
        "verdict": "different",
        "reason": "not the same",
        "extracted": "b",
        "details": {"rule": "text"},
    }
    explained = run("compare", "--gold=a", "--pred=b", "--comparator=toy", "--explain")
    assert "  rule: text\n" in explained.stdout


def test_what_cannot_be_judged_is_unknown_without_a_reward(run, tmp_path):
    rows = [{"gold": "a", "pred": text, "id": text} for text in ("unclear", "crash", "half")]
    path = write(tmp_path / "pairs.jsonl", *rows, {"gold": "a", "pred": None})
    result = run("compare", "--pairs", path, "--comparator=toy")
    assert result.exit_code == 0
    unclear, crash, half, nothing = rows_of(result)
    assert (unclear["id"], unclear["reward"], unclear["verdict"]) == ("unclear", None, "unknown")
    assert unclear["reason"] == "cannot be read"
    assert crash["reward"] is None
    assert crash["reason"] == "ZeroDivisionError: by zero"
    assert (half["reward"], half["verdict"]) == (0.5, "partial")
    assert (nothing["reward"], nothing["reason"]) == (0.0, "no answer found")


def test_pairs_come_out_in_their_order_from_a_file_and_from_stdin(run, tmp_path):
    rows = [{"gold": number, "pred": str(number % 3), "id": number} for number in range(30)]
    path = write(tmp_path / "pairs.jsonl", *rows)
    from_file = rows_of(run("compare", "--pairs", path, "--comparator=toy"))
    from_stdin = rows_of(
        run("compare", "--pairs", "-", "--comparator=toy", input=path.read_text(encoding="utf-8"))
    )
    assert [row["id"] for row in from_file] == list(range(30))
    assert [row["reward"] for row in from_file] == [float(n == n % 3) for n in range(30)]
    for row in (*from_file, *from_stdin):
        del row["seconds"]
    assert from_file == from_stdin


def test_numbers_are_compared_as_they_are_written(tmp_path):
    path = write(tmp_path / "p.jsonl", '{"gold": 1.50, "response": 100000000000000000001, "id": 7}')
    assert read_pairs(str(path)) == (
        Pair("1.50", "100000000000000000001", whole=True, id=7, place=f"{path}:1"),
    )


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("{", "not JSON"),
        ("[1]", "no object"),
        ('{"pred": "a"}', "no 'gold'"),
        ('{"gold": null, "pred": "a"}', "'gold' is null"),
        ('{"gold": "a" "pred": "a"}', "not JSON: Expecting ',' delimiter in column 14"),
        ('{"gold": "a"}', "neither 'pred' nor 'response'"),
        ('{"gold": "a", "pred": true}', "'pred' is neither a text nor a number"),
        ('{"gold": ["a"], "pred": "a"}', "'gold' is neither a text nor a number"),
        ('{"gold": "a", "pred": "a", "response": "a"}', "both 'pred' and 'response'"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_malformed_row_stops_everything_with_file_and_line(run, tmp_path, row, what):
    path = write(tmp_path / "pairs.jsonl", GOOD, "", row, GOOD)
    result = run("compare", "--pairs", path, "--comparator=toy")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert f"pairs.jsonl:3: {what}" in result.stderr or (
        "pairs.jsonl:3: " in result.stderr and what in result.stderr
    )
    assert result.stderr.count("\n") == 1


def test_bytes_that_are_no_text_are_an_error_of_their_line(run, tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_bytes(b'{"gold": "a", "pred": "a"}\n{"gold": "\xff", "pred": "a"}\n')
    result = run("compare", "--pairs", path, "--comparator=toy")
    assert result.exit_code == 3
    assert "pairs.jsonl:2: not UTF-8" in result.stderr


def test_swap_compares_the_other_way_round_and_refuses_responses(run, tmp_path):
    swapped = run("compare", "--gold=a", "--pred=half", "--comparator=toy", "--json", "--swap")
    assert swapped.document["extracted"] == "a"
    path = write(tmp_path / "p.jsonl", GOOD, {"gold": "a", "response": "so it is a"})
    refused = run("compare", "--pairs", path, "--comparator=toy", "--swap")
    assert refused.exit_code == 3
    assert "p.jsonl:2: a response cannot be swapped" in refused.stderr


def test_arguments_that_do_not_fit_are_usage_errors(run, tmp_path):
    path = write(tmp_path / "p.jsonl", GOOD)
    for wrong in (
        [],
        ["--gold=a"],
        ["--pred=a"],
        ["--gold=a", "--pred=a", "--response=a"],
        ["--pairs", path, "--gold=a"],
    ):
        assert run("compare", "--comparator=toy", *wrong).exit_code == 2


def test_missing_files_and_unknown_comparators_exit_3(run, tmp_path):
    missing = run("compare", "--pairs", tmp_path / "none.jsonl", "--comparator=toy")
    assert missing.exit_code == 3
    assert "none.jsonl: cannot be read" in missing.stderr
    unknown = run("compare", "--gold=a", "--pred=a", "--comparator=toy/txet")
    assert unknown.exit_code == 3
    assert "nearest first: toy/text" in unknown.stderr


def test_no_rows_give_no_rows(run, tmp_path):
    result = run("compare", "--pairs", write(tmp_path / "empty.jsonl"), "--comparator=toy")
    assert (result.exit_code, result.stdout) == (0, "")


def test_few_rows_are_not_worth_a_process():
    assert choose_processes(0) == choose_processes(500) == 1
    assert 1 <= choose_processes(10**6) <= (os.cpu_count() or 1)


def test_worker_processes_give_the_same_rows_in_the_same_order(tmp_path):
    """With an installed comparator: worker processes find their plugins themselves."""
    pytest.importorskip("grpo_text")
    rows = [{"gold": f"Answer {n % 4}", "pred": f"answer {n % 3}", "id": n} for n in range(50)]
    path = write(tmp_path / "pairs.jsonl", *rows)

    def compare(processes):
        command = [sys.executable, "-m", "grpo_framework.cli", "compare", "--pairs", str(path)]
        command += ["--comparator=text/normalised", f"--processes={processes}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        for row in found:
            del row["seconds"]
        return found

    assert compare(1) == compare(2)
    assert [row["id"] for row in compare(2)] == list(range(50))
