"""Records and their written form: what is written reads back the same."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grpo_framework import codec, events
from grpo_framework.codec import (
    EXPERIENCE_KEYS,
    event_from_document,
    experience_to_document,
    experiences_from_document,
    from_document,
    operations_from_rows,
    to_document,
)
from grpo_framework.errors import ValidationFailed
from grpo_framework.experience import (
    Add,
    Delete,
    Experience,
    Keep,
    Library,
    Malformed,
    Merge,
    Modify,
    Plan,
    Refusal,
)
from grpo_framework.records import Rollout, Verdict

EVENT_CLASSES = events.Event.__args__
numbers = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
operations = st.one_of(
    *(st.from_type(cls) for cls in (Add, Modify, Delete, Merge, Keep, Malformed))
)
st.register_type_strategy(float, numbers)
st.register_type_strategy(
    Verdict,
    st.builds(
        Verdict,
        st.floats(0.0, 1.0),
        st.text(),
        st.none() | st.text(),
        st.dictionaries(st.text(), values, max_size=3),
    ),
)
st.register_type_strategy(Refusal, st.builds(Refusal, operations, st.text(), st.text()))
few = st.lists(operations, max_size=3).map(tuple)
refusals = st.lists(st.builds(Refusal, operations, st.text(), st.text()), max_size=2).map(tuple)
st.register_type_strategy(Plan, st.builds(Plan, st.text(), st.integers(), few, refusals))


@pytest.mark.parametrize("cls", EVENT_CLASSES, ids=lambda cls: cls.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_event_reads_back_the_same(cls, data):
    """Any event of any class survives JSON text, and a time stamp beside it."""
    event = data.draw(st.builds(cls))
    line = json.dumps({"at": "2026-01-01T00:00:00+00:00", **to_document(event)}, allow_nan=False)
    assert event_from_document(json.loads(line)) == event


def test_the_kind_of_an_event_stands_first():
    """A reader of ``events.jsonl`` sees at once what a line is."""
    document = to_document(events.RunFinished("finished", 0.5))
    assert list(document.items()) == [
        ("event", "RunFinished"),
        ("outcome", "finished"),
        ("seconds", 0.5),
    ]


@given(operations)
def test_every_operation_reads_back_the_same(operation):
    """Also through a library of a plan."""
    document = json.loads(json.dumps(to_document(operation)))
    assert document["op"] == type(operation).__name__.lower()
    assert from_document({"operation": document, "rule": "r", "reason": "x"}, Refusal) == Refusal(
        operation, "r", "x"
    )


def test_a_library_reads_back_the_same():
    """With parents, which the guide's format does not have."""
    library = Library("critic", 3, (Experience("C-001", "t", parents=("C-000",)),), 2)
    assert from_document(json.loads(json.dumps(to_document(library))), Library) == library


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"event": "Nothing"},
        {"event": None},
        {"event": ["EpochFinished"]},
        {"event": "EpochFinished"},
        {"event": "RunFinished", "outcome": "finished"},
        {"event": "RunFinished", "outcome": "finished", "seconds": "long"},
        {"event": "RunFinished", "outcome": "finished", "seconds": 1.0, "extra": 1},
        {"event": "LibraryCommitted", "plan": {"accepted": [{"op": "erase"}]}},
    ],
)
def test_what_is_no_event_is_a_value_error(document):
    """A damaged line is an error that can be caught, not a half-read event."""
    with pytest.raises(ValueError, match=r"\w"):
        event_from_document(document)


ROWS = {
    "add": ({"op": "add", "content": "c"}, Add("c")),
    "modify": ({"op": "modify", "id": "C-001", "content": "c"}, Modify("C-001", "c")),
    "delete": ({"op": "delete", "id": "C-001", "reason": "r"}, Delete("C-001", "r")),
    "merge": (
        {"op": "merge", "ids": ["C-001", "C-002"], "content": "c", "category": "k"},
        Merge(("C-001", "C-002"), "c", "k"),
    ),
    "keep": ({"op": "keep", "id": "C-001"}, Keep("C-001")),
}


@pytest.mark.parametrize(("row", "operation"), ROWS.values(), ids=ROWS)
def test_a_proposed_row_becomes_its_operation(row, operation):
    """Each kind has its keys."""
    assert operations_from_rows([row]) == (operation,)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"op": "erase", "id": "C-001"}, "/op"),
        ({"op": "malformed", "document": "x", "reason": "y"}, "/op"),
        ({"id": "C-001"}, "'op' is missing"),
        ({"op": "delete"}, "'id' is missing"),
        ({"op": "delete", "id": 7}, "/id"),
        ({"op": "add", "content": ""}, "/content"),
        ({"op": "add", "content": "c", "id": "C-001"}, "unknown key 'id'"),
        ({"op": "merge", "ids": ["C-001"], "content": "c"}, "/ids"),
        ({"op": "merge", "ids": "C-001", "content": "c"}, "/ids"),
        ("delete C-001", "not of type object"),
        (None, "not of type object"),
        (["add"], "not of type object"),
    ],
)
def test_a_row_that_is_no_operation_is_kept_as_malformed(row, reason):
    """Rows come from a language model: a wrong one is recorded with its reason, never guessed."""
    (operation,) = operations_from_rows([row])
    assert isinstance(operation, Malformed)
    assert reason in operation.reason
    assert json.loads(operation.document) == row


@given(values)
def test_any_json_value_is_an_operation_or_malformed(row):
    """Nothing a model writes raises."""
    assert len(operations_from_rows([row, {"op": row}])) == 2


EXPERIENCE = Experience("G1-001", "Check.", "general", 1, 2, "2025-01-01T00:00:00", "2 + 2")


def test_an_experience_is_written_with_exactly_the_guides_keys():
    """In the guide's order; what is newer lives elsewhere."""
    document = experience_to_document(attrs.evolve(EXPERIENCE, parents=("G1-000",)))
    assert tuple(document) == EXPERIENCE_KEYS
    assert experiences_from_document([document]) == (EXPERIENCE,)


def test_an_id_that_stands_twice_is_an_error():
    """Which of the two is meant could only be guessed."""
    document = experience_to_document(EXPERIENCE)
    with pytest.raises(ValidationFailed, match="G1-001") as caught:
        experiences_from_document([document, document], path=Path("x.json"))
    assert caught.value.pointer == "/1/id"


def test_the_function_that_writes_a_class_is_made_once():
    """Not once more for each class that has a field of it: that took 15 ms of a run."""
    converter = codec._make_converter()
    first, second = (converter.get_unstructure_hook(Rollout, cache_result=False) for _ in range(2))
    assert first is second
