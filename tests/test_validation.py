"""JSON Schema in one place: telling errors with a JSON pointer."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from grpo_framework.component import NO_OPTIONS
from grpo_framework.errors import ValidationFailed
from grpo_framework.validation import (
    check_schema,
    kinds,
    pointer,
    schema,
    validate,
    validate_with,
)


def test_every_schema_of_the_folder_is_found_and_valid():
    """The package ships what lies in ``schemas/``; each is a schema and says what it is of."""
    folder = Path(__file__).parents[1] / "schemas"
    on_disk = {path.name.removesuffix(".schema.json") for path in folder.glob("*.schema.json")}
    assert set(kinds()) == on_disk
    assert {"config", "experiences", "operation"} <= on_disk
    for kind in kinds():
        check_schema(schema(kind))
        assert schema(kind)["$schema"].endswith("2020-12/schema")
        assert schema(kind)["title"]


EXPERIENCE = {
    "id": "G1-001",
    "content": "Check the units.",
    "category": "general",
    "success_count": 0,
    "usage_count": 0,
    "created_at": "2025-01-01T00:00:00",
    "source_problem": "",
}


def test_a_valid_document_passes():
    """Nothing is returned and nothing raised."""
    validate("experiences", [EXPERIENCE])
    validate("experiences", [])


@pytest.mark.parametrize(
    ("change", "where", "reason"),
    [
        ({"usage_count": "3"}, "/0/usage_count", '"3" is not of type integer'),
        ({"success_count": -1}, "/0/success_count", "-1 is less than the minimum of 0"),
        ({"content": None}, "/0/content", "null is not of type string"),
        ({"extra": 1}, "/0", "unknown key 'extra'; known keys: category, content, "),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change, where, reason):
    """Pointer and reason are what a user needs to mend the file."""
    with pytest.raises(ValidationFailed) as caught:
        validate("experiences", [EXPERIENCE | change], path=Path("x.json"), line=3)
    assert caught.value.pointer == where
    assert caught.value.reason.startswith(reason)
    assert str(caught.value).startswith(f"x.json:3: not a valid experiences at {where}: ")


def test_missing_keys_are_named():
    """All of them at once."""
    row = {key: value for key, value in EXPERIENCE.items() if key not in ("id", "category")}
    with pytest.raises(ValidationFailed, match="the key 'id', 'category' is missing"):
        validate("experiences", [row])


def test_a_long_instance_is_not_repeated():
    """The message stays readable."""
    with pytest.raises(ValidationFailed) as caught:
        validate("experiences", {"text": "x" * 10_000})
    assert len(str(caught.value)) < 400


def test_options_are_validated_with_a_schema_given_in_place():
    """Also with the empty one that a component has by default."""
    validate_with("options", NO_OPTIONS, {})
    with pytest.raises(ValidationFailed, match="unknown key 'a'"):
        validate_with("options", NO_OPTIONS, {"a": 1})


def test_options_may_be_read_only():
    """A frozen component may hold read-only mappings."""
    given = MappingProxyType({"type": "object", "required": ["a"]})
    check_schema(given)
    with pytest.raises(ValidationFailed, match="the key 'a' is missing"):
        validate_with("options", given, {})


def test_a_wrong_schema_is_an_error_of_its_own():
    """A plugin author learns where the schema is wrong."""
    with pytest.raises(ValidationFailed, match="JSON Schema") as caught:
        check_schema({"type": "object", "properties": {"a": {"type": "number?"}}})
    assert caught.value.pointer == "/properties/a/type"


def test_pointers_escape_their_separators():
    """RFC 6901."""
    assert pointer(["a/b", 0, "c~d"]) == "/a~1b/0/c~0d"
    assert pointer([]) == ""


_WORDS = (
    "type",
    "default",
    "enum",
    "minimum",
    "maxLength",
    "description",
    "items",
    "additionalProperties",
)
_VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.floats()
    | st.sampled_from(["string", "objekt"])
)
_SCHEMAS = st.recursive(
    st.dictionaries(st.sampled_from((*_WORDS, "$ref", "format")), _VALUES | st.lists(_VALUES)),
    lambda inner: (
        st.dictionaries(st.sampled_from(_WORDS), inner)
        | st.fixed_dictionaries({"properties": st.dictionaries(st.text(max_size=3), inner)})
    ),
    max_leaves=4,
)


@given(_SCHEMAS)
def test_what_is_taken_for_a_schema_is_one(inline):
    """The quick look at a component's options accepts nothing that the whole check refuses."""
    try:
        check_schema(inline)
    except ValidationFailed:
        return
    Draft202012Validator.check_schema(inline)
