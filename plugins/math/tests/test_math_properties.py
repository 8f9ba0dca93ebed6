"""Properties: symmetric, reflexive under rewriting, sharp under a changed digit, never raising."""

from __future__ import annotations

import json
import os
import re
from fractions import Fraction
from pathlib import Path

import pytest
from grpo_math import Verdict, compare
from hypothesis import given, settings
from hypothesis import strategies as st

BOUNDED = settings(max_examples=120, deadline=None, derandomize=True)
PIECE_TABLE = (
    r"1 2 12 0.5 x y \frac { } ( ) [ ] + - * / ^ _ \sqrt \pi e i \sin \log = < \le \in \cup \{ \} | , ; : ! ' "
    r"\text{ cm km/h % $ \$ ° and or \infty \pm \begin{pmatrix} \end{pmatrix} & \\ C ½ ² √ π ≤ 三 pm 1,234 \binom "
    r"\overline \mathbb{R} \sum_{k=1}^{3} \pmod{5} \boxed{ \left( \right) 1e5 _2 \ \choose 0.(3) dozen half"
)
PIECES = st.sampled_from(PIECE_TABLE.split(" "))
GARBAGE = st.lists(PIECES, min_size=1, max_size=8).map("".join)
NUMBERS = st.fractions(min_value=-1000, max_value=1000, max_denominator=200)


@st.composite
def expressions(draw, depth=2):
    """Expressions as LaTeX and as plain text, of the same meaning."""
    if depth == 0 or draw(st.booleans()):
        leaf = draw(st.sampled_from(["x", "y", "2", "3", "7", "11"]))
        return leaf, leaf
    kind = draw(st.sampled_from(["sum", "product", "quotient", "power", "root"]))
    a, b = draw(expressions(depth=depth - 1)), draw(expressions(depth=depth - 1))
    return {
        "sum": (f"{a[0]} + {b[0]}", f"({b[1]})+({a[1]})"),
        "product": (rf"\left({a[0]}\right) \cdot \left({b[0]}\right)", f"({b[1]})*({a[1]})"),
        "quotient": (rf"\dfrac{{{a[0]}}}{{{b[0]}}}", f"({a[1]})/({b[1]})"),
        "power": (rf"\left({a[0]}\right)^{{2}}", f"({a[1]})*({a[1]})"),
        "root": (rf"\sqrt{{{a[0]}}}", f"sqrt({a[1]})"),
    }[kind]


@BOUNDED
@given(GARBAGE, GARBAGE)
def test_comparison_is_symmetric_and_never_raises(a, b):
    """Whatever the texts hold, both directions give the same verdict."""
    assert compare(a, b).verdict is compare(b, a).verdict


@BOUNDED
@given(st.text(max_size=30))
def test_any_text_equals_itself(text):
    """A text equals itself, and differs from nothing that is only spaced otherwise."""
    if text.strip():
        assert compare(text, text).verdict is Verdict.EQUAL
        assert compare(text, f" {text} ").verdict is not Verdict.DIFFERENT


@BOUNDED
@given(expressions())
def test_latex_and_plain_text_mean_the_same(pair):
    """An expression in LaTeX equals its plain form with terms and factors swapped."""
    assert compare(*pair).verdict is Verdict.EQUAL


@BOUNDED
@given(expressions())
def test_an_expression_is_not_its_successor(pair):
    """Adding one to an expression makes another value."""
    assert compare(pair[0], f"{pair[1]} + 1").verdict is Verdict.DIFFERENT


def write_sum(letters, weights):
    """Write a sum of letters, each with its weight."""
    terms = [
        f"{weight:+d}{letter}" for letter, weight in zip(letters, weights, strict=True) if weight
    ]
    return "".join(terms).lstrip("+").replace("+1", "+").replace("-1", "-") or "0"


LETTERS = st.sampled_from(["abc", "xyz", "abcd", "wxyz", "kmn", "pqrs", "uvwt", "xyab", "ABCD"])


@BOUNDED
@given(LETTERS, st.data())
def test_letters_are_unknowns_of_their_own(letters, data):
    """Sums, products and equations of several letters are equal where all powers and weights are."""
    weights = st.tuples(*[st.integers(-2, 3)] * len(letters))
    first, second = data.draw(weights), data.draw(weights)
    expected = Verdict.EQUAL if first == second else Verdict.DIFFERENT
    assert compare(write_sum(letters, first), write_sum(letters, second)).verdict is expected
    products = [
        "".join(rf"\left({x}\right)^{{{power}}}" for x, power in zip(letters, powers, strict=True))
        for powers in (first, second)
    ]
    assert compare(*products).verdict is expected
    if sum(map(bool, first)) > 1 and sum(map(bool, second)) > 1:
        scaled = {
            Fraction(a, b) if b else None for a, b in zip(first, second, strict=True) if a or b
        }
        expected = Verdict.EQUAL if len(scaled) == 1 and scaled != {None} else Verdict.DIFFERENT
        equations = [f"{write_sum(letters, side)}=0" for side in (first, second)]
        assert compare(*equations).verdict is expected


@BOUNDED
@given(NUMBERS)
def test_numbers_in_every_notation(value):
    """A rational number is equal in all its notations, and different from its negative."""
    sign = "-" if value < 0 else ""
    top, bottom = abs(value.numerator), value.denominator
    forms = [
        f"{value.numerator}/{bottom}",
        rf"{sign}\frac{{{top}}}{{{bottom}}}",
        rf"$\dfrac{{{sign}{top}}}{{{bottom}}}$",
        rf"\boxed{{{3 * value.numerator}/{3 * bottom}}}",
        f"x = {value.numerator}/{bottom}",
    ]
    for form in forms:
        assert compare(forms[0], form).verdict is Verdict.EQUAL
        if value:
            assert compare(str(-value), form).verdict is Verdict.DIFFERENT


@BOUNDED
@given(st.integers(0, 10**30), st.data())
def test_one_digit_changed_is_different(number, data):
    """An integer of any size with one digit changed is another number."""
    digits = str(number)
    place = data.draw(st.integers(0, len(digits) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != digits[place]]))
    changed = digits[:place] + other + digits[place + 1 :]
    assert compare(digits, changed).verdict is Verdict.DIFFERENT
    grouped = f"{int(changed):,}"
    assert compare(rf"{digits} \text{{ cm}}", f"{grouped} cm").verdict is Verdict.DIFFERENT


@BOUNDED
@given(st.decimals(min_value=0, max_value=10**6, places=4, allow_nan=False))
def test_decimals_are_exact(value):
    """A decimal equals the fraction it is, and no other."""
    fraction = Fraction(value)
    assert compare(str(value), f"{fraction.numerator}/{fraction.denominator}").reward == 1.0
    assert compare(str(value), f"{fraction.numerator + 1}/{fraction.denominator}").reward == 0.0


def read_answers() -> list[str]:
    """Read the reference answers of the shared data sets, where they lie beside the repository."""
    default = Path(__file__).resolve().parents[4] / "shared" / "data"
    folder = Path(os.environ.get("GRPO_SHARED_DATA", default))
    answers: list[str] = []
    for path in sorted(folder.glob("*.jsonl")) if folder.is_dir() else ():
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            answers.append(str(row.get("answer", row.get("Answer"))))
    return sorted(set(answers))


ANSWERS = read_answers()
needs_data = pytest.mark.skipif(not ANSWERS, reason="the shared data sets are not there")


def rewrite(answer: str) -> list[str]:
    """Write an answer in other notations that mean the same."""
    return [
        f"${answer}$",
        rf"\boxed{{{answer}}}",
        answer.replace(r"\frac", r"\dfrac").replace(r"\dfrac", r"\tfrac"),
        answer.replace("(", r"\left(").replace(")", r"\right)").replace(r"\left\left", r"\left")
        .replace(r"\right\right", r"\right"),
        f"  {answer} ",
        answer + ".",
        re.sub(r"(?<=\d) (?=[+\-])", "", answer),
    ]  # fmt: skip


@needs_data
def test_references_equal_their_rewritings():
    """Every public reference answer equals itself in other notations."""
    wrong = [(a, w) for a in ANSWERS for w in rewrite(a) if compare(a, w).reward != 1.0]
    assert wrong == []


@needs_data
def test_references_differ_from_a_changed_digit():
    """A public reference answer with any digit changed is another answer."""
    wrong: list[tuple[str, str]] = []
    for answer in ANSWERS:
        for match in re.finditer(r"\d", answer):
            digit = str((int(match.group()) + 1) % 10)
            changed = answer[: match.start()] + digit + answer[match.end() :]
            if compare(answer, changed).reward == 1.0:
                wrong.append((answer, changed))
    assert wrong == []
