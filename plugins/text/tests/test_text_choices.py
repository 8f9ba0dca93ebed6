"""Reading letters from whole responses."""

from __future__ import annotations

import pytest
from grpo_text.choices import read_choice, read_offer, read_reference
from hypothesis import given, settings
from hypothesis import strategies as st

QUESTION = "How many?\n(A) 10\n(B) 12\n(C) 14\n(D) none of these"

SINGLE = [
    ("C", "C"),
    ("(C)", "C"),
    ("c", "C"),
    ("(c)", "C"),
    ("C.", "C"),
    ("C. 12", "C"),
    ("C) 12", "C"),
    ("(C) 12", "C"),
    ("**C**", "C"),
    ("**C. 12**", "C"),
    ("option C", "C"),
    ("Option (C) fits best.", "C"),
    ("I choose option C", "C"),
    ("The answer is C", "C"),
    ("The answer is C because it is the largest.", "C"),
    ("The correct answer is **C**.", "C"),
    ("The correct answer is option C.", "C"),
    ("the answer is (c).", "C"),
    ("Answer: C", "C"),
    ("ANSWER: C", "C"),
    ("Answer: (C) 12", "C"),
    ("Answer: C. 12", "C"),
    ("Final answer:\nC", "C"),
    ("答案是 C", "C"),
    ("答案:C", "C"),
    ("答案：C。", "C"),
    ("正确答案为 C", "C"),
    ("故选C", "C"),
    ("所以选 C。", "C"),
    ("选项 C 正确", "C"),
    ("(Ｃ)", "C"),
    (r"so \boxed{C}", "C"),
    (r"so \boxed{\text{C}}", "C"),
    (r"so \boxed{\text{(C)}}", "C"),
    (r"so \boxed{\textbf{(C) } 12}", "C"),
    (r"first \boxed{A}, no: \boxed{C}", "C"),
    ("<answer>C</answer>", "C"),
    ("#### C", "C"),
    ("At first A looks good.\nThe answer is A.\nNo, wait. The answer is C.", "C"),
    ("Option A is wrong. Option B is too small. Option C is right.", "C"),
    ("Option C is right. Option A is wrong.", "C"),
    ("The answer is not B. The answer is C.", "C"),
    ("A. 10 is too small\nB. 12 is too large\nC", "C"),
    ("I think that it must be 12.\n(C)", "C"),
    ("A", "A"),
    ("Answer: A", "A"),
    ("The answer is A.", "A"),
    ("The answer is A because B is not.", "A"),
]

NOTHING = [
    "",
    "a cat sat on the mat",
    "The answer is correct.",
    "The answer is YES",
    "I do not know.",
    "Answer: I am not sure",
    "The answer is A number that nobody knows",
    "The answer is not C.",
    "Option C is wrong.",
    "12",
    "A or B",
    "The answer is A or B",
    "A. 10\nB. 12\nC. 14",
]


@pytest.mark.parametrize(("response", "letter"), SINGLE)
def test_single_letters(response, letter):
    """The letter that a response settles on is read from any usual way of saying it."""
    assert read_choice(response, offered={}, several=False).letters == letter


@pytest.mark.parametrize("response", NOTHING)
def test_no_letter(response):
    """Words are no letters, a denied letter is no choice, two letters are none."""
    assert read_choice(response, offered={}, several=False).letters == ""


@pytest.mark.parametrize(
    ("response", "letters"),
    [
        ("A, C", "AC"),
        ("A and C", "AC"),
        ("AC", "AC"),
        ("CA", "AC"),
        ("(A), (C)", "AC"),
        ("The answers are A and C.", "AC"),
        ("答案是 A、C", "AC"),
        (r"\boxed{A, C}", "AC"),
        ("Answer: C", "C"),
    ],
)
def test_several_letters(response, letters):
    """Where several may be chosen, lists of letters are read, in any order."""
    assert read_choice(response, offered={}, several=True).letters == letters


def test_offer_is_read():
    """The choices of a question are known by letter, in its usual spellings."""
    assert read_offer(QUESTION) == {"A": "10", "B": "12", "C": "14", "D": "none of these"}
    assert read_offer("Pick: A. red B. green C. blue") == {"A": "red", "B": "green", "C": "blue"}
    assert read_offer("What is 2 + 2?") == {}


def test_offer_tells_letters_from_words():
    """A letter that the question does not offer is not the answer; a choice's text is."""
    offered = read_offer(QUESTION)
    assert read_choice("Answer: X", offered=offered, several=False).letters == ""
    assert read_choice("So it is\n14", offered=offered, several=False).letters == "C"
    assert read_choice("Answer: 12", offered=offered, several=False).letters == "B"
    assert read_choice("Answer: none of these.", offered=offered, several=False).letters == "D"


@pytest.mark.parametrize(
    ("reference", "letters"),
    [
        ("C", "C"),
        ("c", "C"),
        ("(C)", "C"),
        ("C. 14", "C"),
        ("A, C", "AC"),
        ("14", "C"),
        ("x y", ""),
    ],
)
def test_references(reference, letters):
    """References are letters, letters with text, or the text of a choice."""
    assert read_reference(reference, offered=read_offer(QUESTION)) == letters


@settings(deadline=None)
@given(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), st.sampled_from(SINGLE[:36]))
def test_every_letter_reads_like_c(letter, case):
    """What is read as C is read as any other letter in its place."""
    response, wanted = case
    if wanted == "C" and not any(other in response for other in (" A", "B")):
        swapped = response.replace("(C", f"({letter}").replace("C", letter)
        swapped = swapped.replace(f"{letter}orrect", "Correct")
        if response.isascii() and "c" not in response.replace("\\boxed", ""):
            assert read_choice(swapped, offered={}, several=False).letters == letter


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read(text):
    """No text raises, and what is read is at most one letter."""
    assert len(read_choice(text, offered={}, several=False).letters) <= 1


@pytest.mark.parametrize(
    "piece",
    ["answer ", "<answer>", "\\boxed{", "the ", "A ", "(A", "option is ", "答案", "A, ", "\n "],
)
def test_long_repetitions_are_bounded(piece):
    """A response that repeats itself until the token limit is read like any other."""
    read_choice(piece * 20_000, offered={}, several=True)
