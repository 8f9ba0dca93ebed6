"""From a whole response to its final answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from grpo_math.extraction import MAX_RESPONSE, Extraction, extract
from grpo_math.options import DEFAULT, Options
from hypothesis import given, settings
from hypothesis import strategies as st

RESPONSES = Path(__file__).parent / "responses"


def find(response: str) -> Extraction:
    return extract(response, options=DEFAULT)


@pytest.mark.parametrize(
    ("response", "answers"),
    [
        (r"So \boxed{\frac{1}{2}}.", (r"\frac{1}{2}",)),
        (r"$\boxed{2}$ and $\boxed{3}$", ("2", "3")),
        (r"First \boxed{2}. Then we find \boxed{3}.", ("3",)),
        (r"$x=\boxed{1}$, $y=\boxed{2}$", ("x = 1", "y = 2")),
        (r"$\boxed{50}\%$", (r"50\%",)),
        (r"\boxed{5}. Wait, actually it should be 7.", ("7",)),
        (r"<think>\boxed{3}</think>The answer is 4.", ("4",)),
        ("**Final Answer**\n\n$$\\frac{3}{4}$$", (r"\frac{3}{4}",)),
        ("**Answer:**\n- $x = 2$\n- $x = -2$", ("x = 2", "x = -2")),
        ('{"answer": "\\frac12"}', (r"\frac12",)),
        ('{"answer": [2, -2]}', ("2", "-2")),
        ("#### 1,234", ("1,234",)),
        ("故选：C。", ("C",)),
        ("So Janet makes $18 every day at the farmers' market.", ("$18",)),
        ("The answer is not 5, it's 7.", ("7",)),
        ("Answer: 5!", ("5!",)),
        ("Therefore, x = 2 or x = -2.", ("x = 2 or x = -2",)),
    ],
)
def test_answer_is_found(response: str, answers: tuple[str, ...]) -> None:
    """The answer comes without markdown, delimiters and final punctuation."""
    assert find(response).answers == answers


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (r"So \boxed{\frac{1}{2}", "unclosed box"),
        (r"We found \boxed{11}, but it is \boxed{1", "unclosed box"),
        ("The answer is", "truncated"),
        ("The total is 3 + 4 =", "truncated"),
        ("<think>so the answer is 12. But", "truncated"),
        ("", "no answer found"),
        ("Answer: I don't know", "no answer"),
    ],
)
def test_no_answer_has_a_reason(response: str, reason: str) -> None:
    """What holds no answer gives none, and says why."""
    found = find(response)
    assert found.answers == ()
    assert found.how == ""
    assert found.reason.startswith(reason)


def test_rows_without_an_answer_give_none() -> None:
    """No row of the response tables that is labelled `none` yields an answer."""
    rows = [
        json.loads(line)
        for path in sorted(RESPONSES.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert [row for row in rows if row["expect"] == "none" and find(row["response"]).answers] == []
    assert [
        row for row in rows if row["expect"] != "none" and not find(row["response"]).answers
    ] == []


def test_answer_over_the_limit_is_refused_with_its_reason() -> None:
    """An answer longer than `max_chars` is not handed on."""
    found = extract(r"\boxed{" + "1" * 50 + "}", options=Options(max_chars=20))
    assert found.answers == ()
    assert found.reason.startswith("over a limit")


def test_only_the_end_of_a_long_response_is_read() -> None:
    """An answer at the end is found however long the response is."""
    assert find("word " * MAX_RESPONSE + r"\boxed{7}").answers == ("7",)


FRAGMENTS = st.sampled_from(
    [r"\boxed{", "}", "{", "$", "$$", "answer is ", "Answer:", "<answer>", "</answer>", "```", "**", "\n", "5",
     '{"answer": ', '"', "\\", "####", "答案是", "故选", "wait, ", "</think>", "<think>", " and ", "x = ", "\x00",
     "\ud800", "\u0301", ".", "therefore ", "(", ")", "\\text{", "is ", "B"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(FRAGMENTS | st.text(max_size=8), max_size=40).map("".join))
def test_any_text_gives_an_extraction(response: str) -> None:
    """Extraction never raises; it has answers or a reason, never both and never neither."""
    found = find(response)
    assert bool(found.answers) != bool(found.reason)
    assert bool(found.how) == bool(found.answers)
    assert all(found.answers)


@pytest.mark.parametrize(
    "unit",
    [r"\boxed{", r"\boxed{} ", "{", "```", "answer is ", "answer (", "$ a", "**", "<answer>", "wait ", "Q:\n", "- 1\n",
     "Question: answer\n", r"\text{", "1,", "is ", "\u0301", "\ud800", "。", "A. B "],
)  # fmt: skip
def test_floods_come_to_an_end(unit: str) -> None:
    """A repeated fragment of 200,000 characters is searched in linear time: the test would hang
    otherwise."""
    found = find(unit * (200_000 // len(unit)))
    assert bool(found.answers) != bool(found.reason)
