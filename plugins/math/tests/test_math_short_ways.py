"""The short ways for simple answers and bare notation say what the long way says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from grpo_math import compare, comparing
from grpo_math.arithmetic import evaluate
from grpo_math.options import DEFAULT
from grpo_math.reading import reader
from grpo_math.residues import compare_expressions

ROWS = [
    json.loads(line)
    for path in sorted((Path(__file__).parent / "tables").glob("*.jsonl"))
    for line in path.read_text(encoding="utf-8").splitlines()
][::7]
SIDES = sorted({side for row in ROWS for side in (row["gold"], row["pred"])})


def test_rows_have_the_verdict_and_types_that_the_reader_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Deciding a row by patterns changes nothing but the name of the rule."""
    quick = [compare(row["gold"], row["pred"]) for row in ROWS]
    monkeypatch.setattr(comparing, "compare_simple", lambda *_: None)
    for row, short in zip(ROWS, quick, strict=True):
        long = compare(row["gold"], row["pred"])
        assert (short.verdict, short.gold_type, short.pred_type) == (
            long.verdict, long.gold_type, long.pred_type,
        ), row  # fmt: skip


MORE = [
    "2020-01-05", "1/5/2020", "12:30", "x 10^3", "(a)", "(i) 5", "2(m)", "3p", "2^o", "5 m", "2x 3",
    "1,234", "1, 2", "-7", "007", "0.50", r"\frac12", r"-\pi*10", "3 1/2", "2 h 30", "0b11", "x = 2",
    r"2\sin x + 1", "1.5.", "2^T", "[1, 2)", "{1, 2}", "a, b", "|x - 1|", "4!", "1 2 3", "+-3",
]  # fmt: skip


@pytest.mark.parametrize("sides", [SIDES, MORE], ids=["tables", "more"])
def test_bare_notation_has_the_reading_of_the_long_way(
    sides: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What skips normalising and the fixed forms is read as if it had gone through them."""
    short = {side: reader._read_bare(side.strip(), DEFAULT) for side in sides}
    taken = {side: reading for side, reading in short.items() if reading is not None}
    monkeypatch.setattr(reader, "_read_bare", lambda *_: None)
    assert len(taken) > len(sides) / 4
    for side, reading in taken.items():
        assert reading == reader.read(side, DEFAULT), side


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2^{10} - 1", (1023, 1, 1, 0)),
        (r"\frac{3\sqrt{2}}{4}", (3, 4, 2, 0)),
        (r"-\frac12\pi", (-1, 2, 1, 1)),
        (r"\sqrt{8}\cdot\sqrt 8", (8, 1, 1, 0)),
        ("10!/(7!3!)", None),
        (r"\frac{10!}{7!\cdot3!}", (120, 1, 1, 0)),
        ("8^{2/3}", (4, 1, 1, 0)),
        (r"\sqrt[3]{27}", (3, 1, 1, 0)),
        (r"\sqrt[3]{2}", None),
        (r"2\frac12", None),
        ("3 4", None),
        (r"\sqrt2 + 1", None),
        ("1/0", None),
        ("0^0", None),
        ("+-3", None),
        ("0.1(6)", None),
        ("2^3^2", None),
        ("5/3/2021", None),
        ("9^{999999}", None),
    ],
)
def test_plain_arithmetic_is_exact_or_left_to_the_reader(
    text: str, value: tuple[int, int, int, int] | None
) -> None:
    """A product of a rational, a root and π is found; what may mean two things is not."""
    found = evaluate(text)
    if value is None or found is None:
        assert found == value
        return
    high, low, under, pi = found
    assert high * value[1] == value[0] * low
    assert (under, pi) == value[2:]


@pytest.mark.parametrize(
    ("gold", "pred", "same"),
    [
        ("(x-1)(x+1)", "x^2 - 1", True),
        (r"\frac{x^2-1}{x-1}", "x+1", True),
        ("x^2 + y", "y^2 + x", False),
        ("2x - x", "(3x)/3", True),
        ("5", "5", None),
        ("x + 1", "2", None),
        ("5m", "5m + 1", None),
        ("n(n+1)", "n^2+n", None),
        ("x^k", "x", None),
        ("|x|", "x", None),
        ("1/(x-x)", "x", None),
    ],
)
def test_expressions_in_letters_are_compared_by_residues_or_left_to_the_reader(
    gold: str, pred: str, same: bool | None
) -> None:
    """Polynomials and quotients of them are decided; what has units, functions or bars is not."""
    assert compare_expressions(gold, pred) is same
    assert compare_expressions(pred, gold) is same
