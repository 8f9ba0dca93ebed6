"""The benchmark of learning: how problems are dealt, and one small run of it with the simulation."""

from __future__ import annotations

import json
import threading
import tomllib
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.dealing import Sizes, deal
from benchmarks.learning import main, make_config, read_arguments
from grpo_framework.records import Problem, Question

LARGE = Sizes(99, 99, 99)
BRIEF = ("only the equation", "final answer only", "in the first line", "one short calculation")
"""What the tactics against cut-off answers say that are tried first."""


class LongWinded(BaseHTTPRequestHandler):
    """A model that is cut off before its answer unless the end of the prompt wants it brief."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        asked = body["messages"][-1]["content"]
        if "response_format" in body:
            text, finish = '{"operations": []}', "stop"
        elif any(words in asked for words in BRIEF):
            first, second = asked.split("Add ")[1].split(".")[0].split(" and ")
            text, finish = f"\\boxed{{{int(first) + int(second)}}}", "stop"
        else:
            text, finish = "To solve this problem, we look at what is given. " * 6, "length"
        choice = {"index": 0, "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": len(asked) // 4, "completion_tokens": len(text) // 4}
        reply = {"choices": [{**choice, "finish_reason": finish}], "model": "m", "usage": usage}
        data = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Silence."""


@pytest.fixture
def long_winded(monkeypatch) -> Iterator[str]:
    """The address of such a model."""
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    server = ThreadingHTTPServer(("127.0.0.1", 0), LongWinded)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def problems(count, splits=("",)):
    return [
        Problem(Question(f"p-{n}", f"question {n}"), "1", splits[n % len(splits)])
        for n in range(count)
    ]


def test_problems_without_splits_are_dealt_once_and_for_all():
    """Whatever their order, by the seed; the gate gets the problems it needs."""
    made = problems(50)
    dealt = deal(made, LARGE, seed=1)
    assert Counter(each.split for each in dealt) == {"train": 15, "validation": 20, "test": 15}
    many = Counter(each.split for each in deal(problems(150), LARGE, seed=1))
    assert many == {"train": 60, "validation": 30, "test": 60}
    assert {each.id for each in dealt} == {each.id for each in made}
    again = deal(made[::-1], LARGE, seed=1)
    assert [(each.id, each.split) for each in again] == [(each.id, each.split) for each in dealt]
    other = {each.id for each in deal(made, LARGE, seed=2) if each.split == "test"}
    assert other != {each.id for each in dealt if each.split == "test"}


def test_splits_that_are_there_stay():
    """Each is cut to its size, from its beginning."""
    made = problems(30, ("train", "validation", "test"))
    dealt = deal(made, Sizes(2, 3, 4), seed=1)
    assert Counter(each.split for each in dealt) == {"train": 2, "validation": 3, "test": 4}
    assert all(each in made for each in dealt)
    assert dealt[0] == made[0]


def test_a_missing_validation_split_comes_out_of_the_training_split():
    """The test split is not touched, and rows without a split are for training."""
    made = problems(90, ("train", "test", ""))
    dealt = deal(made, LARGE, seed=1)
    assert Counter(each.split for each in dealt) == {"train": 40, "validation": 20, "test": 30}
    was = {each.id: each.split for each in made}
    assert all((each.split == "test") == (was[each.id] == "test") for each in dealt)


def test_a_model_is_a_file_a_reference_or_an_endpoint(tmp_path):
    """The configuration is TOML that names it, with the limit on the student alone."""
    weights = tmp_path / "small model.gguf"
    weights.write_bytes(b"GGUF")
    local = make_config(read_arguments(["--model", str(weights)]), tmp_path / "p.jsonl")
    document = tomllib.loads(local)
    assert document["model"] == {"use": f"llamacpp/{weights.resolve()}", "options": {}}
    (student,) = document["generators"]
    assert student["options"] == {"examples": False, "max_tokens": 80}
    assert document["advisor"] == ["prompted/advisor", "pool/advisor"]
    flags = ["--model", "openai/m", "--base-url", "http://127.0.0.1:1/v1", "--answer-tokens", "0"]
    remote = tomllib.loads(make_config(read_arguments(flags), tmp_path / "p.jsonl"))
    assert remote["model"]["options"] == {"base_url": "http://127.0.0.1:1/v1"}
    assert remote["generators"][0]["options"] == {"examples": False}


def test_it_trains_tests_and_prints_the_verdict_as_it_is(tmp_path, capsys):
    """With the simulated student: each replicate's verdict, figures and experiences."""
    small = ["--max-problems", "6", "--validation-problems", "3", "--test-problems", "8"]
    folder, result = tmp_path / "all", tmp_path / "result.json"
    flags = ["--model", "scripted/default", "--replicates", "1", "--seed", "3", "--repeats", "1"]
    assert main([*small, *flags, "--folder", str(folder), "--json", str(result)]) == 0
    document = json.loads(result.read_text())
    (replicate,) = document["replicates"]
    assert document["problems"] == {"train": 6, "validation": 3, "test": 8}
    assert document["verdicts"] == {replicate["verdict"]: 1}
    assert replicate["seed"] == 3
    assert replicate["experiences"]["generator_1"]
    assert replicate["ab"]["verdict"] == replicate["verdict"]
    asked = {pair["problem"] for pair in replicate["ab"]["pairs"]}
    rows = map(json.loads, (folder / "problems.jsonl").read_text().splitlines())
    assert asked == {row["id"] for row in rows if row["split"] == "test"}
    printed = capsys.readouterr().out
    assert f"seed 3: {replicate['verdict']}" in printed
    assert replicate["experiences"]["generator_1"][0] in printed
    tested = (folder / "seed-3" / "ab.json").stat().st_mtime_ns
    assert main([*small, *flags, "--folder", str(folder), "--json", str(result)]) == 0
    assert (folder / "seed-3" / "ab.json").stat().st_mtime_ns == tested
    assert json.loads(result.read_text())["replicates"][0]["ab"] == replicate["ab"]


def test_a_model_that_is_always_cut_off_is_made_better(long_winded, tmp_path):
    """No group has a contrast; what was measured leads to a tactic, and the gate lets it pass."""
    rows = [{"id": n, "problem": f"Add {n} and {n + 7}.", "answer": 2 * n + 7} for n in range(48)]
    file, result = tmp_path / "sums.jsonl", tmp_path / "result.json"
    file.write_text("\n".join(map(json.dumps, rows)))
    flags = ["--model", "openai/m", "--base-url", long_winded, "--datasets", str(file)]
    small = ["--max-problems", "8", "--test-problems", "10", "--repeats", "1", "--replicates", "1"]
    assert main([*flags, *small, "--folder", str(tmp_path / "all"), "--json", str(result)]) == 0
    (replicate,) = json.loads(result.read_text())["replicates"]
    assert replicate["verdict"] == "better"
    assert replicate["ab"]["arms"]["a"]["mean"]["value"] == 0.0
    (owner,) = replicate["report"]["epochs"][0]["owners"][:1]
    assert owner["gated"]["accepted"] >= 1
    assert any(words in text for text in replicate["experiences"]["generator_1"] for words in BRIEF)


def test_a_command_that_fails_is_named_with_what_it_said(tmp_path):
    """And the benchmark ends; nothing is counted as a verdict."""
    flags = ["--model", "scripted/nobody", "--replicates", "1", "--folder", str(tmp_path / "all")]
    with pytest.raises(SystemExit, match=r"train ended with 3 [\s\S]*nobody"):
        main(flags)


def test_problems_that_cannot_be_read_are_told_with_file_and_line(tmp_path):
    file = tmp_path / "broken.jsonl"
    file.write_text('{"problem": "1 + 1", "answer": "2"}\n{"problem"\n')
    with pytest.raises(SystemExit, match=r"error: .*broken\.jsonl:2: "):
        main(["--datasets", str(file), "--folder", str(tmp_path / "out")])
