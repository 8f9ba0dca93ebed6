"""The exception tree: drawn as it is, fields where a caller needs them."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from grpo_framework import errors


def drawn_tree() -> dict[str, str]:
    """Class → base, as the module's docstring draws it."""
    drawn: dict[str, str] = {}
    stack: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^    ([│├└─ ]*)([A-Z]\w+)  ", line)
        if match:
            depth = len(match[1]) // 4
            del stack[depth:]
            if stack:
                drawn[match[2]] = stack[-1]
            stack.append(match[2])
    return drawn


def real_tree() -> dict[str, str]:
    classes = [
        cls
        for _, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, errors.GrpoError) and cls is not errors.GrpoError
    ]
    return {cls.__name__: cls.__bases__[0].__name__ for cls in classes}


def test_the_drawn_tree_is_the_real_one():
    """The docstring draws every class below the base it really has, and no other."""
    assert drawn_tree() == real_tree()


def test_text_is_message_and_hint_on_one_line():
    """What is printed says what was wrong and, in brackets, how to mend it."""
    assert str(errors.GrpoError("it broke", hint="mend it")) == "it broke (mend it)"
    assert str(errors.GrpoError("it broke")) == "it broke"


def test_data_errors_start_with_their_place():
    """File and line come first, as compilers write them, and are fields too."""
    error = errors.ProblemError("no answer", path=Path("p.jsonl"), line=7, pointer="/answer")
    assert str(error) == "p.jsonl:7: no answer"
    assert (error.path, error.line, error.pointer) == (Path("p.jsonl"), 7, "/answer")
    assert str(errors.StoreError("damaged", path=Path("s.json"))) == "s.json: damaged"
    assert str(errors.DataError("odd")) == "odd"


def test_validation_says_kind_pointer_and_reason():
    """A document's error names its kind and the place in it."""
    error = errors.ValidationFailed("operation", "the key 'id' is missing", pointer="/0")
    assert str(error) == "not a valid operation at /0: the key 'id' is missing"
    assert (error.kind, error.reason) == ("operation", "the key 'id' is missing")


def test_an_unknown_component_lists_the_known_ones_in_their_order():
    """The order, nearest first, is the finder's; without any it says so."""
    error = errors.UnknownComponent("generator", "x/y", ["a/b", "c/d"])
    assert error.known == ("a/b", "c/d")
    assert str(error).endswith("known, nearest first: a/b, c/d")
    assert str(errors.UnknownComponent("critic", "x", [])).endswith("nearest first: none")


@pytest.mark.parametrize(
    ("kind", "retryable"),
    [
        ("rate_limited", True),
        ("overloaded", True),
        ("timeout", True),
        ("connection", True),
        ("bad_reply", True),
        ("truncated", False),
        ("refused", False),
        ("context_too_long", False),
        ("authentication", False),
        ("not_found", False),
        ("bad_request", False),
    ],
)
def test_each_kind_of_model_error_has_its_retry_policy(kind, retryable):
    """What a second try cannot mend is not retryable, unless the raiser knows better."""
    assert errors.ModelError("m", kind=kind).retryable is retryable
    assert errors.ModelError("m", kind=kind, retryable=not retryable).retryable is not retryable


def test_a_version_conflict_names_both_versions():
    """A stale writer learns whose library it was, what it expected and what is there."""
    error = errors.VersionConflict("critic", expected=3, found=5)
    assert (error.owner, error.expected, error.found) == ("critic", 3, 5)
    assert "version 5" in str(error)
    assert "expected 3" in str(error)


def test_other_errors_carry_their_fields():
    """A caller reads fields and never parses a message."""
    plugin = errors.PluginError("m", plugin="math", distribution="grpo-math 1.0")
    assert (plugin.plugin, plugin.distribution) == ("math", "grpo-math 1.0")
    assert errors.ReplyRefused("m", reply="{", problems=["a", "b"]).problems == ("a", "b")
    assert errors.BudgetExhausted("m", limit="max_calls").limit == "max_calls"
    failed = errors.RunFailed("m", failures=3, units=4)
    assert (failed.failures, failed.units) == (3, 4)
    assert errors.ConfigError("m", pointer="/a", path=Path("c.toml")).path == Path("c.toml")
    assert errors.ComparatorError("m", kind="timeout").kind == "timeout"


def test_a_near_misspelling_is_asked_about_and_a_far_one_is_not():
    known = ["openai/chat", "openai/gpt-4.1", "scripted/default", "problems/*.csv"]
    assert errors.UnknownComponent("chat model", "openia/gpt-4.1", known).hint == (
        "did you mean openai/gpt-4.1?"
    )
    assert errors.UnknownComponent("chat model", "opnai", known).hint == "did you mean openai/chat?"
    assert errors.UnknownComponent("chat model", "something", known).hint == ""
    # A pattern is no name that one could have meant.
    assert errors.UnknownComponent("problem source", "problems/my.csv", known).known[-1] == known[3]


def test_a_long_list_of_known_references_is_cut():
    error = errors.UnknownComponent("chat model", "z", [f"a/{n}" for n in range(10)])
    assert str(error).endswith("a/5 and 4 more, see grpo-cli plugins")
    assert len(error.known) == 10


def test_a_name_without_its_plugin_is_told_the_plugin_that_takes_any():
    """A model's name as the endpoint knows it lacks only the prefix."""
    known = ["openai/chat", "other/default"]
    one = errors.UnknownComponent("chat model", "gpt-4.1-mini", known, open_to=["openai"])
    assert one.hint == "did you mean openai/gpt-4.1-mini?"
    two = errors.UnknownComponent("chat model", "gpt-4.1-mini", known, open_to=["openai", "x"])
    assert two.hint == ""
