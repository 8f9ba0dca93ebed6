from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grpo_framework.codec import EXPERIENCE_KEYS, experiences_from_document
from grpo_framework.errors import ValidationFailed
from grpo_framework.exchange import (
    export_document,
    libraries_from_export,
    library_from_experiences,
    next_free_number,
    replace_content,
    success_rate,
)
from grpo_framework.experience import Experience, Library
from grpo_framework.validation import validate

ROW = {
    "id": "G1-001",
    "content": "Check the units.",
    "category": "general",
    "success_count": 1,
    "usage_count": 2,
    "created_at": "2025-11-22T10:00:00",
    "source_problem": "",
}
NOW = "2025-11-22T12:00:00+00:00"

experiences = st.builds(
    Experience,
    id=st.from_regex(r"(G1|C|X)-[0-9]{1,4}", fullmatch=True) | st.text(min_size=1),
    content=st.text(min_size=1),
    category=st.text(),
    success_count=st.integers(0, 5),
    usage_count=st.integers(5, 10),
    created_at=st.text(),
    source_problem=st.text(),
)
contents = st.lists(experiences, max_size=6, unique_by=lambda each: each.id).map(tuple)


@settings(deadline=None)
@given(held=st.dictionaries(st.sampled_from(["shared", "critic", "generator_1"]), contents))
def test_an_export_read_back_gives_the_same_experiences(
    held: dict[str, tuple[Experience, ...]],
) -> None:
    libraries = tuple(library_from_experiences(owner, each) for owner, each in held.items())
    document = export_document(libraries, export_time=NOW, training_stats={"epochs": 3})
    again = libraries_from_export(json.loads(json.dumps(document)))
    assert again == libraries


def test_the_export_has_the_keys_of_the_guide() -> None:
    first = Library("generator_1", 4, experiences_from_document([ROW]), 9)
    document = export_document(
        [first, Library("critic")], export_time=NOW, training_stats={"epochs": 3}
    )
    assert document == {
        "experiences": {"generator_1": [ROW], "critic": []},
        "statistics": {
            "training_stats": {"epochs": 3},
            "experience_counts": {"generator_1": 1, "critic": 0},
            "total_experiences": 1,
            "generator_1_success_rate": 0.5,
            "critic_success_rate": 0.0,
        },
        "export_time": NOW,
    }
    assert tuple(document["experiences"]["generator_1"][0]) == EXPERIENCE_KEYS


@pytest.mark.parametrize(
    ("spoil", "pointer"),
    [
        (lambda d: d.pop("export_time"), ""),
        (lambda d: d["experiences"]["generator_1"][0].pop("content"), "/experiences/generator_1/0"),
        (lambda d: d["experiences"]["generator_1"].append(ROW), "/experiences/generator_1/1/id"),
        (lambda d: d["experiences"].update({"../evil": []}), "/experiences"),
        (lambda d: d["statistics"].update(total_experiences="1"), "/statistics/total_experiences"),
    ],
)
def test_a_wrong_export_is_refused_with_file_and_pointer(spoil: Any, pointer: str) -> None:
    document = export_document(
        [library_from_experiences("generator_1", experiences_from_document([ROW]))],
        export_time=NOW,
    )
    spoil(document)
    with pytest.raises(ValidationFailed) as caught:
        libraries_from_export(document, path=Path("export.json"))
    assert caught.value.pointer == pointer
    assert caught.value.path == Path("export.json")


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([], 1),
        (["G1-001", "G1-012"], 13),
        (["G1-7"], 8),
        (["C-099", "old-20251122", "G1-5b", "G11-40"], 1),
        (["G1-999999999999999999999999"], 1),
    ],
)
def test_the_next_number_is_above_every_own_id_and_ignores_unusual_ones(
    ids: list[str], expected: int
) -> None:
    assert next_free_number("generator_1", [Experience(id_, "x") for id_ in ids]) == expected


def test_an_import_follows_the_current_version_and_reuses_no_number() -> None:
    current = Library("critic", 7, (Experience("C-020", "old"),), 31)
    imported = library_from_experiences("critic", (Experience("C-003", "new"),))
    assert replace_content(current, imported) == Library(
        "critic", 8, (Experience("C-003", "new"),), 31
    )
    with pytest.raises(ValueError, match="generator_1 cannot replace one of critic"):
        replace_content(current, Library("generator_1"))


def test_the_success_rate_never_passes_one_even_for_inconsistent_old_files() -> None:
    assert success_rate(Library("critic", 1, (Experience("C-1", "x", "", 5, 2),), 2)) == 1.0


junk = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([1.0, 0.5]) | st.text()


@settings(deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {key: st.just(value) | junk for key, value in ROW.items()}, optional={"extra": junk}
        )
        | st.dictionaries(st.sampled_from([*ROW, "extra"]), junk)
        | st.just(ROW),
        max_size=2,
        unique_by=lambda row: str(row.get("id")),
    )
)
def test_the_quick_check_of_rows_agrees_with_the_schema(rows: list[Any]) -> None:
    expected = refusal_of(validate, "experiences", rows)
    assert refusal_of(experiences_from_document, rows) == expected
    if expected is None:
        read = experiences_from_document(rows)
        assert all(type(each.success_count) is int for each in read)
        assert [each.id for each in read] == [row["id"] for row in rows]


def refusal_of(check: Callable[..., object], *arguments: Any) -> str | None:
    try:
        check(*arguments)
    except ValidationFailed as error:
        return str(error)
    return None
