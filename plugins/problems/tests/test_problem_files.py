"""Problem files: what is read, and what is said of what cannot be."""

from __future__ import annotations

import asyncio
import csv
import json
from pathlib import Path
from typing import Any

import pytest
from grpo_problems import open_file
from grpo_problems.rows import ANSWER_KEYS, TEXT_KEYS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grpo_framework.component import Wiring
from grpo_framework.errors import ProblemError
from grpo_framework.records import Problem


def read(
    path: Path | str, /, *, data_dir: Path | None = None, **options: Any
) -> tuple[Problem, ...]:
    async def run() -> tuple[Problem, ...]:
        async with open_file(Wiring(str(path), options=options, data_dir=data_dir)) as source:
            return await source.problems()

    return asyncio.run(run())


def write_lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def fault_of(path: Path, **options: Any) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        read(path, **options)
    assert "\n" not in str(caught.value)
    assert caught.value.path == path
    return caught.value


def test_json_lines_give_problems_with_all_that_stands_in_them(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "problem": "1+1?", "answer": "2", "subject": "sums", "dataset": "mine"},
        {"id": 7, "Problem": " 2+2? ", "Answer": 4, "topic": "adding", "split": "dev", "x": [1]},
        {"question": "3/2?", "answer": 1.5, "split": "test"},
    ]
    path = write_lines(tmp_path / "set.jsonl", *rows)
    first, second, third = read(path)
    assert (first.id, first.question.text, first.answer) == ("a", "1+1?", "2")
    assert (first.question.subject, first.question.dataset, first.split) == ("sums", "mine", "")
    assert (second.id, second.question.text, second.answer) == ("7", "2+2?", "4")
    assert (second.question.subject, second.split) == ("adding", "validation")
    assert (third.id, third.answer, third.split) == ("set-3", "1.5", "test")
    assert third.question.dataset == "set"
    assert [each.source for each in (first, second, third)] == [f"{path}:{n}" for n in (1, 2, 3)]


@pytest.mark.parametrize("text_key", TEXT_KEYS)
@pytest.mark.parametrize("answer_key", ANSWER_KEYS)
def test_every_spelling_of_the_guide_is_read(
    tmp_path: Path, text_key: str, answer_key: str
) -> None:
    (problem,) = read(write_lines(tmp_path / "x.ndjson", {text_key: "Why?", answer_key: "so"}))
    assert (problem.question.text, problem.answer) == ("Why?", "so")


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".ndjson"])
def test_array_or_lines_is_seen_from_the_content(tmp_path: Path, suffix: str) -> None:
    rows = [{"problem": f"{n}?", "answer": n} for n in range(3)]
    array, lines = tmp_path / f"array{suffix}", tmp_path / f"lines{suffix}"
    array.write_text(json.dumps(rows, indent=2))
    write_lines(lines, *rows)
    for path in (array, lines):
        assert [each.answer for each in read(path)] == ["0", "1", "2"]
    assert [each.source for each in read(array)] == [f"{array}:{n}" for n in (2, 6, 10)]


def test_byte_order_mark_windows_line_ends_and_empty_lines_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(
        '\ufeff{"problem": "é?", "answer": 1}\r\n\r\n{"problem": "b", "answer": 2}'.encode()
    )
    first, second = read(path)
    assert (first.question.text, second.source) == ("é?", f"{path}:3")
    assert second.id == "x-2"


def test_csv_cells_may_hold_commas_quotes_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "question", "answer", "topic"])
        writer.writerow(["", 'What is "1,000"\nplus 1?', "1,001", "sums"])
        writer.writerow(["k", "2?", "2", ""])
    first, second = read(path)
    assert first.question.text == 'What is "1,000"\nplus 1?'
    assert (first.id, first.answer, first.question.subject) == ("x-1", "1,001", "sums")
    assert (second.id, second.source) == ("k", f"{path}:4")


def test_parquet_rows_are_numbered(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "x.parquet"
    table = pyarrow.table({"problem": ["a?", "b?"], "answer": [1, None]})
    parquet.write_table(table.slice(0, 1), path)
    (problem,) = read(path)
    assert (problem.answer, problem.source) == ("1", f"{path}:1")
    parquet.write_table(table, path)
    assert fault_of(path).line == 2
    path.write_bytes(b"PAR1 not really")
    assert "no valid Parquet" in str(fault_of(path))


GOOD = '{"problem": "1?", "answer": 1}\n'


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (GOOD * 6 + '{"problem": "1?" "answer": 1}\n' + GOOD, 7, "no valid JSON"),
        (GOOD + '{"problem": "no answer"}\n', 2, "a problem without answer"),
        (GOOD + '{"problem": "x", "answer": null}\n', 2, "a problem without answer"),
        (GOOD + '{"problem": "x", "answer": "  "}\n', 2, "a problem without answer"),
        (GOOD + '{"answer": 1, "text": "x"}\n', 2, "a problem without text"),
        (GOOD + '{"problem": "x", "answer": true}\n', 2, "answer: true is not of type"),
        (GOOD + '{"problem": "x", "answer": [1]}\n', 2, "answer: [1] is not of type"),
        (GOOD + '{"problem": 5, "answer": 1}\n', 2, "problem: 5 is not of type string"),
        (GOOD + '{"problem": "x", "answer": NaN}\n', 2, "NaN is no JSON value"),
        (GOOD + '{"problem": "x", "answer": 1, "id": 1.5}\n', 2, "id: 1.5 is not of type"),
        (GOOD + '{"problem": "x", "answer": 1, "split": "dove"}\n', 2, "split: 'dove' is none of"),
        (GOOD + '{"problem": "x", "answer": 1, "answer": 2}\n', 2, "key 'answer' stands twice"),
        ('[{"problem": "x", "answer": 1, "problem": "y"}]', 1, "key 'problem' stands twice"),
        (GOOD + "[1]\n", 2, "must be a JSON object, not list"),
        ('{"a": 1,\n "b": 2}', None, "one JSON object"),
        ("[" + GOOD.strip() + ",\n" + GOOD.strip() + "\n" + GOOD.strip() + "]", 3, "comma or the"),
        ("[" + GOOD.strip() + ",\n 5]", 2, "must be a JSON object, not int"),
        ("[" + GOOD.strip() + ",\n{]", 2, "no valid JSON"),
        ("[" + GOOD.strip() + ",\n", 2, "no valid JSON"),
        ("[" + GOOD.strip(), 1, "the end found"),
        ("[" + GOOD.strip() + "] x", 1, "comma or the closing"),
        (b"\n\xff", 2, "no valid UTF-8"),
        ("", None, "holds no problems"),
        ("[]", None, "holds no problems"),
    ],
)
def test_what_cannot_be_used_is_named_with_file_and_line(
    tmp_path: Path, content: str | bytes, line: int | None, reason: str
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    error = fault_of(path)
    assert reason in str(error)
    assert error.line == line


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("problem,answer\na,1\nb\n", 3, "1 cells, not 2"),
        ('problem,answer\n"a\nb",1\nc,\n', 4, "a problem without answer"),
        ('problem,answer\n"a,1\n', 2, "no valid CSV"),
        ("problem;answer\na;1\n", 2, "a problem without text"),
    ],
)
def test_a_bad_csv_row_is_named_by_its_first_line(
    tmp_path: Path, content: str, line: int, reason: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content)
    error = fault_of(path)
    assert reason in str(error)
    assert error.line == line


def test_the_first_fault_is_told_with_the_number_of_the_others(tmp_path: Path) -> None:
    rows = [{"problem": "x", "answer": 1}, {"problem": "x"}, {"answer": 1}, {}]
    error = fault_of(write_lines(tmp_path / "x.jsonl", *rows))
    assert error.line == 2
    assert "2 more of 4 rows cannot be used" in str(error)


def test_an_id_that_stands_twice_is_an_error_with_both_lines(tmp_path: Path) -> None:
    row = {"id": "q1", "problem": "x", "answer": 1}
    path = write_lines(tmp_path / "x.jsonl", row, {**row, "id": "q2"}, row)
    error = fault_of(path)
    assert f"the id 'q1' is already that of {path}:1" in str(error)
    assert error.line == 3


def test_options_name_columns_split_and_where_the_answer_begins(tmp_path: Path) -> None:
    row = {"Q": "How many?", "A": "2 + 3 = 5\n#### 5", "key": "k", "problem": "not this"}
    path = write_lines(tmp_path / "x.jsonl", row)
    (problem,) = read(
        "file",
        path=str(path),
        problem_key="Q",
        answer_key="A",
        id_key="key",
        answer_after="####",
        split="test",
    )
    assert (problem.question.text, problem.answer) == ("How many?", "5")
    assert (problem.id, problem.split) == ("k", "test")
    assert "'Z' is missing" in str(fault_of(path, problem_key="Z"))
    write_lines(path, {**row, "answer": "#### "})
    assert "nothing follows '####'" in str(fault_of(path, answer_after="####"))


def test_a_missing_file_is_an_error_that_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as caught:
        read("nowhere.jsonl", data_dir=tmp_path)
    for place in ("nowhere.jsonl", "problems/nowhere.jsonl", str(tmp_path / "nowhere.jsonl")):
        assert place in str(caught.value)
    assert "--data-dir" in caught.value.hint
    with pytest.raises(ProblemError, match="needs the option 'path'"):
        read("file")
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(ProblemError, match="is a directory, not a file"):
        read(tmp_path / "folder.jsonl")


def test_a_file_is_found_in_the_data_directory_and_in_a_folder_called_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("data", "problems"):
        (tmp_path / folder).mkdir()
        write_lines(tmp_path / folder / f"{folder}.jsonl", {"problem": "x", "answer": folder})
    assert read("data.jsonl", data_dir=tmp_path / "data")[0].answer == "data"
    assert read("problems.jsonl")[0].answer == "problems"


cells = st.text(st.characters(exclude_categories=("Cs",)), min_size=1).filter(str.strip)
rows = st.lists(st.tuples(cells, cells | st.integers()), min_size=1, max_size=5)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=rows, indent=st.sampled_from([None, 0, 2]), escape=st.booleans())
def test_all_ways_to_write_a_json_file_are_read_alike(
    tmp_path: Path, pairs: list[tuple[str, Any]], indent: int | None, escape: bool
) -> None:
    documents = [{"problem": text, "answer": answer} for text, answer in pairs]
    lines, array = tmp_path / "a.jsonl", tmp_path / "b.json"
    lines.write_text(
        "\n".join(json.dumps(each, ensure_ascii=escape) for each in documents), encoding="utf-8"
    )
    array.write_text(json.dumps(documents, indent=indent, ensure_ascii=escape), encoding="utf-8")
    expected = [(text.strip(), str(answer).strip()) for text, answer in pairs]
    for path in (lines, array):
        assert [(each.question.text, each.answer) for each in read(path)] == expected


@pytest.mark.parametrize(
    ("row", "hint"),
    [
        ('{"problm": "1?", "answer": 1}', "did you mean 'problem' by 'problm'?"),
        ('{"problem": "1?", "anwser": 1}', "did you mean 'answer' by 'anwser'?"),
        ('{"problem": "1?", "answer": 1, "split": "trian"}', "did you mean 'train'?"),
        ('{"problem": "1?", "colour": 1}', ""),
    ],
)
def test_a_misspelling_is_named(tmp_path: Path, row: str, hint: str) -> None:
    """A key or a split that is nearly right; of anything else nothing is guessed."""
    path = tmp_path / "bad.jsonl"
    path.write_text(row)
    assert fault_of(path).hint == hint


def test_what_is_wrong_with_json_is_a_whole_phrase(tmp_path: Path) -> None:
    """The decoder's message ends where its place would follow."""
    path = tmp_path / "bad.jsonl"
    path.write_text('{"problem": "1?')
    assert "Unterminated string in column 13" in str(fault_of(path))
