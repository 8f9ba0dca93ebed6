"""Data sets known by name and sets of the hub, without a network."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from grpo_problems import grpo_problem_sources, open_hub
from grpo_problems.known import KNOWN

from grpo_framework.component import Wiring
from grpo_framework.errors import ProblemError
from grpo_framework.plugins import PROBLEM_SOURCE, Plugins
from grpo_framework.records import Problem
from grpo_framework.validation import check_schema

SHARED_DATA = Path(os.environ.get("GRPO_SHARED_DATA", Path(__file__).parents[4] / "shared/data"))
ROW = {"problem": "1+1?", "answer": 2}


def read(name: str, *, data_dir: Path | None = None, **options: Any) -> tuple[Problem, ...]:
    components = {each.name: each for each in grpo_problem_sources()}

    async def run() -> tuple[Problem, ...]:
        factory = open_hub if name.startswith("hub") else components[name].factory
        async with factory(Wiring(name, options=options, data_dir=data_dir)) as source:
            return await source.problems()

    return asyncio.run(run())


def write_lines(path: Path, *rows: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str | None], Mapping[str, list[Any]]]:
    """The hub's library, played: path and configuration → split → rows."""
    tables: dict[tuple[str, str | None], Mapping[str, list[Any]]] = {}

    def load_dataset(
        path: str, config: str | None, *, revision: str | None
    ) -> Mapping[str, list[Any]]:
        if (path, config) not in tables:
            raise ConnectionError(f"cannot reach {path}\nat {revision}")
        return tables[path, config]

    module = types.ModuleType("datasets")
    module.load_dataset = load_dataset  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", module)
    return tables


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)


def test_the_plugin_offers_every_name_of_the_guide() -> None:
    names = {component.name for component in grpo_problem_sources()}
    assert names == {
        *("aime2024", "aime2025", "physics", "gsm8k", "math500", "dapo"),
        *("demo", "file", "hub"),
    }
    for component in grpo_problem_sources():
        check_schema(component.options)
        assert component.summary


@pytest.mark.parametrize(
    ("reference", "component", "name"),
    [
        ("aime2024", "aime2024", "aime2024"),
        ("problems/demo", "demo", "demo"),
        ("some/dir/x.jsonl", "file", "some/dir/x.jsonl"),
        ("x.parquet", "file", "x.parquet"),
        ("problems/hub/org/name", "hub", "hub/org/name"),
        ("hub/org/name", "hub", "hub/org/name"),
    ],
)
def test_references_reach_their_component(reference: str, component: str, name: str) -> None:
    offer = Plugins.discover().find(PROBLEM_SOURCE, reference)
    assert (offer.plugin, offer.component.name, offer.name) == ("problems", component, name)


OLD = [
    "dataset/AIME_2024/aime_2024_problems.jsonl",
    "AIME_2024/aime_2024_problems.jsonl",
    "aime_2024_problems.jsonl",
    "aime2024.jsonl",
]


@pytest.mark.parametrize("place", OLD)
def test_a_set_known_by_name_is_found_at_the_old_paths_and_by_its_name(
    tmp_path: Path, place: str
) -> None:
    write_lines(tmp_path / place, {"ID": "2024-I-1", "Problem": "Aya walks.", "Answer": 204})
    (problem,) = read("aime2024", data_dir=tmp_path)
    assert (problem.id, problem.answer, problem.split) == ("2024-I-1", "204", "")
    assert problem.question.dataset == "aime2024"


def test_without_a_data_directory_the_working_directory_is_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_lines(tmp_path / "data" / "physics.json", ROW)
    assert len(read("physics")) == 1
    path = tmp_path / "dataset" / "physics_problems.json"
    path.parent.mkdir()
    path.write_text(json.dumps([ROW, ROW]))
    assert len(read("physics")) == 2


def test_both_halves_of_aime2025_are_read_and_one_alone_is_an_error(tmp_path: Path) -> None:
    base = tmp_path / "AIME2025"
    write_lines(base / "aime2025-I.jsonl", {"question": "a", "answer": "1"})
    with pytest.raises(
        ProblemError, match=r"is missing, while .*aime2025-I.jsonl is there"
    ) as caught:
        read("aime2025", data_dir=tmp_path)
    assert caught.value.path == base / "aime2025-II.jsonl"
    write_lines(base / "aime2025-II.jsonl", {"question": "b", "answer": "2"})
    problems = read("aime2025", data_dir=tmp_path)
    assert [each.id for each in problems] == ["aime2025-I-1", "aime2025-II-1"]


def test_the_file_name_gives_the_split_and_gsm8k_answers_are_cut_out(tmp_path: Path) -> None:
    row = {"question": "How many?", "answer": "He has <<4+5=9>>9.\n#### 1,009"}
    write_lines(tmp_path / "gsm8k_train.jsonl", row)
    write_lines(tmp_path / "gsm8k_test.jsonl", row, {"problem": "x", "answer": "7"})
    problems = read("gsm8k", data_dir=tmp_path)
    assert [(each.id, each.split, each.answer) for each in problems] == [
        ("gsm8k_train-1", "train", "1,009"),
        ("gsm8k_test-1", "test", "1,009"),
        ("gsm8k_test-2", "test", "7"),
    ]


def test_a_missing_set_says_what_was_looked_for_where_and_how_to_mend_it(
    tmp_path: Path, no_hub: None
) -> None:
    for known in KNOWN:
        with pytest.raises(ProblemError) as caught:
            read(known.name, data_dir=tmp_path)
        text = str(caught.value)
        assert f"no data set {known.name}: looked in '{tmp_path}'" in text
        assert f"{known.name}.jsonl" in text
        assert "--data-dir" in caught.value.hint
        assert ("pip install 'grpo-problems[hub]'" in caught.value.hint) == (known.hub is not None)
        assert "\n" not in text


def test_sets_known_by_name_come_from_the_hub_with_their_own_columns(
    tmp_path: Path, hub: dict[tuple[str, str | None], Mapping[str, list[Any]]]
) -> None:
    hub["Maxwell-Jia/AIME_2024", None] = {
        "train": [{"ID": "2024-II-4", "Problem": "p", "Solution": "s", "Answer": 33}]
    }
    hub["opencompass/AIME2025", "AIME2025-I"] = {"test": [{"question": "q", "answer": "70"}]}
    hub["opencompass/AIME2025", "AIME2025-II"] = {"test": [{"question": "r", "answer": "468"}]}
    hub["openai/gsm8k", "main"] = {
        "train": [{"question": "q", "answer": "so\n#### 72"}],
        "test": [{"question": "q", "answer": "so\n#### 18"}],
    }
    hub["HuggingFaceH4/MATH-500", None] = {
        "test": [
            {"problem": "p", "solution": "long", "answer": "3", "subject": "A", "unique_id": "u/1"}
        ]
    }
    hub["open-r1/DAPO-Math-17k-Processed", "en"] = {"train": [{"prompt": "p", "solution": "34"}]}
    expected = {
        "aime2024": [("2024-II-4", "33", "")],
        "aime2025": [("aime2025-AIME2025-I-1", "70", ""), ("aime2025-AIME2025-II-1", "468", "")],
        "gsm8k": [("gsm8k-train-1", "72", "train"), ("gsm8k-test-1", "18", "test")],
        "math500": [("u/1", "3", "")],
        "dapo": [("dapo-1", "34", "")],
    }
    for name, problems in expected.items():
        found = read(name, data_dir=tmp_path)
        assert [(each.id, each.answer, each.split) for each in found] == problems
        assert {each.question.dataset for each in found} == {name}


def test_any_set_of_the_hub_is_read_with_its_splits(
    hub: dict[tuple[str, str | None], Mapping[str, list[Any]]],
) -> None:
    hub["org/name", None] = {"train": [ROW], "dev": [ROW], "extra": [ROW]}
    problems = read("hub/org/name")
    assert [(each.id, each.split) for each in problems] == [
        ("name-train-1", "train"),
        ("name-dev-1", "validation"),
        ("name-extra-1", ""),
    ]
    (problem,) = read("hub/org/name", split="dev")
    assert (problem.id, problem.split) == ("name-1", "")
    with pytest.raises(ProblemError, match="has no split 'tset'; it has train, dev, extra"):
        read("hub/org/name", split="tset")
    hub["org/other", "cfg"] = {"test": [{"Q": "x", "A": "y"}]}
    (problem,) = read("hub", path="org/other", config="cfg", problem_key="Q", answer_key="A")
    assert (problem.question.text, problem.split) == ("x", "")


def test_what_the_hub_says_is_told_in_one_line(
    hub: dict[tuple[str, str | None], Mapping[str, list[Any]]], tmp_path: Path
) -> None:
    with pytest.raises(
        ProblemError, match="ConnectionError: cannot reach org/gone at v1"
    ) as caught:
        read("hub/org/gone", revision="v1")
    assert "network" in caught.value.hint
    with pytest.raises(ProblemError, match=r"and on the hub: .*cannot reach openai/gsm8k"):
        read("gsm8k", data_dir=tmp_path)
    with pytest.raises(ProblemError, match="needs a data set"):
        read("hub")
    hub["org/name", None] = {"train": []}
    with pytest.raises(ProblemError, match="holds no problems"):
        read("hub/org/name")


def test_a_missing_library_says_how_to_install_it(no_hub: None) -> None:
    with pytest.raises(ProblemError) as caught:
        read("hub/org/name")
    assert caught.value.hint == "pip install 'grpo-problems[hub]'"


@pytest.mark.parametrize(
    ("name", "counts"),
    [("gsm8k", {"train": 200, "test": 200}), ("math500", {"": 200}), ("aime2024", {"": 30})],
)
def test_the_shared_data_is_read(name: str, counts: dict[str, int]) -> None:
    if not (SHARED_DATA / "aime2024.jsonl").is_file():
        pytest.skip("no shared data: set GRPO_SHARED_DATA")
    problems = read(name, data_dir=SHARED_DATA)
    found = {split: sum(each.split == split for each in problems) for split in counts}
    assert found == counts
    assert len({each.id for each in problems}) == sum(counts.values())
