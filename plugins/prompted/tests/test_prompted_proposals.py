"""Reading what a model proposes: strict, and never a crash."""

from __future__ import annotations

import json

import pytest
from grpo_prompted.proposals import answer_schema, content_schema, read_answer
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from grpo_framework.experience import Add, Delete, Keep, Malformed, Merge, Modify

CONTENT = content_schema(content_chars=200, opening="When ", plain_words=True)
GOOD = '{"operations": [{"op": "add", "content": "Check the units."}]}'
ADD = (Add("Check the units.", source_problem="P"),)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["op", "id", "ids", "content", "operations", "from", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
JUNK = st.lists(
    st.sampled_from(
        [
            "{",
            "}",
            "[",
            "]",
            '"',
            "```",
            "```json\n",
            "\n",
            ":",
            ",",
            GOOD,
            '{"operations":',
            "add",
            "\\",
            "NaN",
            "1e999",
        ]
    )
    | st.text(max_size=4),
    max_size=12,
).map("".join)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"  {GOOD}\n",
        f"```json\n{GOOD}\n```",
        f"Here is what I propose:\n```\n{GOOD}\n```\nThat is all {{really}}.",
        f"Sure! {GOOD} I hope that helps.",
        f"The set {{1, 2}} is finite.\n{GOOD}",
    ],
)
def test_one_object_is_found(text) -> None:
    """Whole, in a fence, or among other words, as long as there is one."""
    answer = read_answer(text, most=2, source="P")
    assert (answer.operations, answer.problems, answer.usable) == (ADD, (), True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not valid JSON"),
        ("I propose nothing.", "not valid JSON"),
        (f"{GOOD}\n{GOOD}", "2 JSON objects"),
        (f"```json\n{GOOD}\n```\n```json\n{GOOD}\n```", "2 JSON objects"),
        ("[]", "no JSON object"),
        ('"operations"', "no JSON object"),
        ("{}", "'operations' is missing"),
        ('{"operations": {"op": "add"}}', "not of type array"),
        ('{"operations": [], "more": 1}', "unknown key 'more'"),
        ('{"operations": [], "operations": []}', "not valid JSON"),
        ('{"operations": [NaN]}', "not valid JSON"),
        ('{"operations": [{"op": "add", "content": "Check', "not valid JSON"),
        ('{"operations": [{"op": "add", "content": "Check the units."}, {"op"', "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ('{"a":' * 100_000, "not valid JSON"),
    ],
)
def test_anything_else_is_unusable_and_says_why(text, words) -> None:
    """No part of an ambiguous or unfinished answer is taken."""
    answer = read_answer(text, most=2)
    assert not answer.usable
    assert answer.operations == ()
    assert words in answer.problems[0]


def test_a_bad_operation_does_not_spoil_the_others() -> None:
    """It stays as Malformed, with its number in the findings."""
    rows = [{"op": "add", "content": "Check the units."}, {"op": "drop"}, 5, {"op": "delete"}]
    answer = read_answer(json.dumps({"operations": rows}), most=4, source="P")
    assert answer.usable
    assert answer.operations[:1] == ADD
    assert all(isinstance(item, Malformed) for item in answer.operations[1:])
    assert [problem.split(":")[0] for problem in answer.problems] == [
        "operation 2",
        "operation 3",
        "operation 4",
    ]


def test_operations_above_the_limit_are_recorded_not_taken() -> None:
    """They are Malformed with that reason."""
    rows = [{"op": "add", "content": f"Check number {n}."} for n in range(3)]
    answer = read_answer(json.dumps({"operations": rows}), most=2)
    assert [type(item) for item in answer.operations] == [Add, Add, Malformed]
    assert "limit of 2" in answer.problems[0]


def test_the_model_cannot_name_the_source_problem() -> None:
    """Where an experience comes from is the framework's to say."""
    row = {"op": "add", "content": "Check the units.", "source_problem": "mine"}
    (operation,) = read_answer(json.dumps({"operations": [row]}), most=1, source="P").operations
    assert isinstance(operation, Malformed)


def test_the_source_of_a_joined_proposal_is_its_first() -> None:
    """Labels lead back to the problem; an unknown label leads nowhere."""
    for labels, source in ((["P2", "P1"], "two"), (["P9"], ""), ("P1", "one"), ([["P1"]], "")):
        row = {"op": "add", "from": labels, "content": "Check the units."}
        answer = read_answer(
            json.dumps({"operations": [row]}), most=1, sources={"P1": "one", "P2": "two"}
        )
        assert answer.operations == (Add("Check the units.", source_problem=source),)


def test_every_kind_is_read() -> None:
    """Each operation becomes its value; line breaks within a text become spaces."""
    rows = [
        {"op": "modify", "id": "G1-001", "content": "Check\n the\x00 units."},
        {"op": "merge", "ids": ["G1-002", "G1-003"], "content": "Be brief.", "category": "style"},
        {"op": "delete", "id": "G1-004", "reason": "wrong"},
        {"op": "keep", "id": "G1-005"},
    ]
    assert read_answer(json.dumps({"operations": rows}), most=9).operations == (
        Modify("G1-001", "Check the units."),
        Merge(("G1-002", "G1-003"), "Be brief.", "style"),
        Delete("G1-004", "wrong"),
        Keep("G1-005"),
    )


@given(
    JUNK
    | JSON.map(json.dumps)
    | st.lists(JSON, max_size=4).map(lambda rows: json.dumps({"operations": rows}))
)
def test_junk_never_raises_and_is_never_taken_silently(text) -> None:
    """Whatever the reply: operations are valid or Malformed, and nothing bad is without a finding."""
    answer = read_answer(text, most=3, sources={"P1": "one"})
    assert answer.usable or (answer.problems and not answer.operations)
    bad = [item for item in answer.operations if isinstance(item, Malformed)]
    assert len(bad) == len(answer.problems) or not answer.usable


@pytest.mark.parametrize(
    ("ids", "kinds"),
    [
        ((), {"add"}),
        (("G1-001",), {"add", "modify", "delete", "keep"}),
        (("G1-001", "G1-002"), {"add", "modify", "merge", "delete", "keep"}),
    ],
)
def test_the_schema_offers_what_is_possible(ids, kinds) -> None:
    """Without experiences only add; a merge needs two; every key of a variant is required."""
    schema = answer_schema(ids, most=2, content=CONTENT)
    Draft202012Validator.check_schema(schema)
    items = schema["properties"]["operations"]["items"]
    variants = items.get("anyOf", [items])
    assert {variant["properties"]["op"]["const"] for variant in variants} == kinds
    assert all(set(variant["required"]) == set(variant["properties"]) for variant in variants)


def test_what_fits_the_schema_is_read_without_findings() -> None:
    """The schema sent along never invites what is then refused."""
    schema = answer_schema(("G1-001", "G1-002"), most=5, content=CONTENT, labels=("P1",))
    text = {
        "content": "When in doubt, check the units.",
        "category": "units",
        "reason": "r",
        "from": ["P1"],
    }
    rows = [
        {"op": "add", **text},
        {"op": "modify", "id": "G1-001", **text},
        {"op": "merge", "ids": ["G1-001", "G1-002"], **text},
        {"op": "delete", "id": "G1-001", "reason": "r"},
        {"op": "keep", "id": "G1-002", "reason": "r"},
    ]
    document = {"operations": rows}
    Draft202012Validator(schema).validate(document)
    answer = read_answer(json.dumps(document), most=5, sources={"P1": "one"})
    assert answer.problems == ()
    assert len(answer.operations) == 5


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("When things are shared equally, divide the total.", True),
        ("Divide the total.", False),
        ("When 27 sweets are shared, divide.", False),
        ("When things are shared. When not.", False),
        ("When " + "x" * 250 + ".", False),
    ],
)
def test_plain_words_are_one_general_sentence(text, fits) -> None:
    """The constraint holds numbers out and has an end; without it only the length is bounded."""
    assert Draft202012Validator(CONTENT).is_valid(text) is fits
    free = content_schema(content_chars=200, opening="When ", plain_words=False)
    assert Draft202012Validator(free).is_valid(text) is (len(text) <= 200)
