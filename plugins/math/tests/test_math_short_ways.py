"""The short ways for simple answers and bare notation say what the long way says."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from grpo_math import compare, comparing
from grpo_math.arithmetic import evaluate
from grpo_math.assigned import read_assignments
from grpo_math.options import DEFAULT
from grpo_math.quick import compare_simple
from grpo_math.reading import reader
from grpo_math.residues import compare_equations, compare_expressions
from grpo_math.sums import compare_sums
from grpo_math.wording import words

ROWS = [
    json.loads(line)
    for path in sorted((Path(__file__).parent / "tables").glob("*.jsonl"))
    for line in path.read_text(encoding="utf-8").splitlines()
]
SIDES = sorted({side for row in ROWS for side in (row["gold"], row["pred"])})


def _is_short(row: dict[str, str]) -> bool:
    return compare_simple(row["gold"], row["pred"]) is not None


def test_rows_have_the_verdict_and_types_that_the_reader_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Deciding a row by patterns changes nothing but the name of the rule."""
    quick = [compare(row["gold"], row["pred"]) for row in ROWS]
    monkeypatch.setattr(comparing, "compare_simple", lambda *_: None)
    assert sum(_is_short(row) for row in ROWS) > len(ROWS) / 4
    for row, short in zip(ROWS, quick, strict=True):
        if not _is_short(row):
            continue  # the same comparison twice
        long = compare(row["gold"], row["pred"])
        assert (short.verdict, short.gold_type, short.pred_type) == (
            long.verdict, long.gold_type, long.pred_type,
        ), row  # fmt: skip


UNITS = [
    *words(
        "m cm km s min h hours ft inches lb kg g days weeks $ € % ° dollars miles mi/h km/h L apples "
        "people m^2 percent hundred thousand dozen pairs times points degrees °C K N Ω rad units USD "
        "more left total old long away faster too only half third quarters tenths squared cubed "
        "/dozen lakh"
    ),
    "sq ft", "square feet", "per hour", "per person", "a day", "an hour", "in total", "or more",
    "and a half", "per dozen", "to the right", "towards the north", "days a week",
]  # fmt: skip
NUMBERS = [
    *words("0 00 1.0 3 7 60 12 144 1,234 1/3 5/2 -4 0.5 2.25 1e3 0.333333333333 3.14159265358979"),
    "2 1/2", r"\frac{3}{4}", r"5\%", "seven", "Twenty-five", "one half", "negative seven", "two million",
    "one hundred and five", "six and two thirds", "minus three", "twelve point five", "a dozen", "third",
]  # fmt: skip
GAPS = ["", " ", " ", r"\,", r"\ ", "~"]
FORMS = (
    "{n}{g}{u}", "{n} {u} {m} {v}", "{n} {u} {v}", "${n} {u}", "${n}{g}{u}", "{n}:{m}", "{n} + {m} = {n}",
    "{n} {u} × {m} {v} = {m} {u}", "x = {n} {u}", "{n}, {m}", "({n}, {m})", r"\{{{n},{m}\}}",
    r"\text{{{n} {u}}}", r"{n}\text{{{g}{u}}}", "{n} ≈ {m}", "{n}_2",
    "{n}+{m}i", "{m}i + {n}", "({n}+i)^2", "{n} - {m}i", "x < {n}", r"{n} \le x < {m}", r"x \geq {n}", r"[{n}, {m})",
    r"(-\infty, {n}) \cup ({m}, \infty)", r"({n}, {m}] ∪ ({m}, \infty)",
    "{n} and {m}", "{n} or {m}", r"{n}\text{{ and }}{m}", "{n}; {m}", r"\langle {n}, {m}\rangle", "{{{n}, {m}}}",
    r"[{n}, \infty)", r"(-\infty, {n})", r"\begin{{pmatrix}}{n}&{m}\\{m}&1\end{{pmatrix}}", "f(x) = {n}", "f(x) = {n}x + {m}",
    "y = {n}x", "{n}x", "January {n}, 2020", "{n} March 2021", "2020-0{n}-1{m}", "(B) {n}", "B", "option B", "A, B", "B. {n}",
    "{n}:{m}:{n}", "{n}×{m}", "−{n}", "{n}²", "（{n}，{m}）", "{n} (seven)",
    "{n}", r"\mathbf{{{n}}}", "**{n}**", r"\textbf{{{n}}}", r"${n}$", "0{n}:30", "7:{m} am", "{n}:30 P.M.", "12:{m}",
)  # fmt: skip


def _draw(chance: random.Random) -> str:
    return chance.choice(FORMS).format(
        n=chance.choice(NUMBERS), m=chance.choice(NUMBERS), g=chance.choice(GAPS),
        u=chance.choice(UNITS), v=chance.choice(UNITS),
    )  # fmt: skip


def _change(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    changed = (
        text[:at] + text[at + 1 :],
        text[:at] + chance.choice(" ()-^.,/$%s°05") + text[at:],
        text.partition(" ")[0],
        text.replace(chance.choice(UNITS), chance.choice(UNITS)),
    )
    return chance.choice(changed)


@pytest.mark.parametrize("seed", range(4))
def test_drawn_pairs_have_the_verdict_that_the_reader_gives(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Amounts, lists and chains drawn at random are decided by patterns as by the reader."""
    chance = random.Random(seed)
    drawn = [_draw(chance) for _ in range(3_000)]
    pairs = [(text, _change(text, chance)) for text in drawn]
    pairs += [(text, f"{chance.choice(NUMBERS)} {chance.choice(UNITS)}") for text in drawn]
    short = {
        (gold, pred): found[0]
        for gold, pred in pairs
        if gold != pred and (found := compare_simple(gold, pred)) is not None
    }
    assert len(short) > len(pairs) / 20
    monkeypatch.setattr(comparing, "compare_simple", lambda *_: None)
    wrong = [
        (pair, str(verdict), equal)
        for pair, equal in short.items()
        if (verdict := compare(*pair).verdict) != ("equal" if equal else "different")
    ]
    assert not wrong, wrong[:20]


OPERANDS = [
    *words(r"2 3 10 0.5 27 x y n xy ab \pi e i r π \theta \sqrt2 √5 \sqrt{12} \sqrt[3]{8} sqrt(3) |x| 4!"),
    r"\frac{1}{x}", r"\frac{\pi}{6}", "(x+1)", "(1-i)", r"\sin x", r"\cos(2x)", r"\sin^2 x", r"\tan 45^\circ",
    r"\ln 4", r"\log_2 8", r"\log 100", r"e^{2x}", r"e^{i\pi/3}", r"\arctan 1", r"\sin^{-1}(1/2)", "ln(9)",
    r"\left(\frac{3}{2}\right)", "2^{1/2}", "x^{-1}", r"\exp(2)", r"\sin 2\pi", r"\frac{\ln 8}{\ln 2}",
]  # fmt: skip
SIGNS = ["+", " - ", "", " ", r"\cdot ", "/", "^2", "^{-1}", "^", "*", " + "]
SHAPES = [
    "{a}", "{a}", "{a}", "x = {a}", "f(x) = {a}", "({a}, {b})", "{a} = {b}", "y = {a}x + {b}",
    "a = {a}, b = {b}", "x = {a} and y = {b}", "${a}$", r"{a} \approx 2.3", "({a})({b})", r"\infty", r"-\infty",
]  # fmt: skip


def _draw_notation(chance: random.Random, shape: str) -> str:
    sums = []
    for _ in range(2):
        drawn = chance.choice(OPERANDS)
        for _ in range(chance.randrange(4)):
            drawn += chance.choice(SIGNS) + chance.choice(OPERANDS)
        sums.append(drawn)
    return shape.replace("{a}", sums[0]).replace("{b}", sums[1])


@pytest.mark.parametrize("seed", range(2))
def test_drawn_notation_has_the_verdict_that_the_reader_gives(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sums of roots, constants, functions and letters are decided as by the reader, both ways."""
    chance = random.Random(seed)
    pairs: list[tuple[str, str]] = []
    for _ in range(2_000):
        shape = chance.choice(SHAPES)
        text = _draw_notation(chance, shape)
        pairs.append((text, _change(text, chance)))
        pairs.append((text, _draw_notation(chance, shape)))
        pairs.append((text, text.replace(" ", "").replace(r"\frac", r"\dfrac")))
    short = {pair: compare_simple(*pair) for pair in pairs if pair[0] != pair[1]}
    turned = {pair: compare_simple(*pair[::-1]) for pair in short}
    assert [found and found[0] for found in short.values()] == [
        found and found[0] for found in turned.values()
    ]
    taken = {pair: found[0] for pair, found in short.items() if found is not None}
    assert len(taken) > len(pairs) / 10
    assert {*taken.values()} == {True, False}
    monkeypatch.setattr(comparing, "compare_simple", lambda *_: None)
    wrong = [
        (pair, str(verdict), equal)
        for pair, equal in taken.items()
        if (verdict := compare(*pair).verdict) != ("equal" if equal else "different")
    ]
    assert not wrong, wrong[:20]


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


NUMERIC = ("number", "number")
EXPRESSIONS = ("expression", "expression")


@pytest.mark.parametrize(
    ("gold", "pred", "found"),
    [
        (r"\frac{1}{\sqrt{3}-\sqrt{2}}", r"\sqrt{3}+\sqrt{2}", (True, *NUMERIC)),
        (r"\frac{\ln 8}{\ln 2}", "3", (True, *NUMERIC)),
        (r"\log_{10} 1000", "3", (True, *NUMERIC)),
        (r"2e^{i\pi/3}", r"1+i\sqrt3", (True, *NUMERIC)),
        (r"\cos 75^\circ", r"\frac{\sqrt6-\sqrt2}{4}", (True, *NUMERIC)),
        (r"\sin 30^\circ", r"\sin 30", (False, *NUMERIC)),
        (r"\arctan 1", r"\pi/4", (True, *NUMERIC)),
        (r"\sqrt{-9}", "3i", (True, *NUMERIC)),
        (r"2\pi\sqrt{x}", r"\pi\sqrt{x}", (False, *EXPRESSIONS)),
        (r"\sin(x)^2", r"\sin^2 x", (True, *EXPRESSIONS)),
        (r"\sin x^2", r"\sin^2 x", (False, *EXPRESSIONS)),
        (r"\sqrt{x^2}", "x", None),
        (r"\ln(xy)", r"\ln x + \ln y", None),
        (r"\sin^2 x + \cos^2 x", "1", None),
        (r"\sqrt[3]{-8}", "-2", None),
        (r"\pi", "3.14159265358979", None),
        ("1/(1-1)", "0", None),
        ("0^0", "1", None),
        (r"2^{2^{2^{2^{2^2}}}}", "1", None),
        (r"\frac{\sqrt{1-x^2}}{1-x}", r"\sqrt{\frac{1+x}{1-x}}", None),
        (r"\sqrt{1-x}\sqrt{1-y}", r"\sqrt{(1-x)(1-y)}", None),
        ("|" * 24 + r"\pi x" + "|" * 24, "x+2", None),
        (r"\sin 30^{\circ c", "1/2", None),
    ],
)
def test_sums_are_decided_exactly_or_left_to_the_reader(
    gold: str, pred: str, found: tuple[bool, str, str] | None
) -> None:
    """Equal polynomials in roots and constants are equal, values far apart different."""
    assert compare_sums(gold, pred) == found
    assert compare_sums(pred, gold) == (found and (found[0], found[2], found[1]))


@pytest.mark.parametrize(
    ("gold", "pred", "same"),
    [
        ("y = 2x+3", "2x - y + 3 = 0", True),
        (r"\frac{x^2}{9}+\frac{y^2}{4}=1", "4x^2+9y^2=36", True),
        ("x = 5", "5 = x", True),
        ("x^2 = x", "x = 1", False),
        ("xy = 3x/3", "y = 1", False),
        ("x = 2", "y = 2", False),
        ("y = 1/x", "xy = 1", None),
        ("y = x^{-1}", "x y = 1", None),
        ("x = x + 0", "y = 2", None),
        ("3 + 4 = 7", "x = 7", None),
    ],
)
def test_equations_are_compared_up_to_a_factor_or_left_to_the_reader(
    gold: str, pred: str, same: bool | None
) -> None:
    """A constant factor leaves an equation as it is; what letters divide is left to the reader."""
    assert compare_equations(gold, pred) is same
    assert compare_equations(pred, gold) is same


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a = 3, b = 4", {"a": 3, "b": 4}),
        (r"$x=1$ and $y=\frac12$", None),
        (r"x=1,\; y=2", None),
        ("m=2; n=7.", {"m": 2, "n": 7}),
        ("x = 1 or x = 2", None),
        ("x = 1, x = 2", None),
        ("a = 1,234, b = 2", None),
        ("a = 3", None),
        ("a = b, c = 2", None),
    ],
)
def test_named_numbers_are_read_by_their_letters(text: str, values: dict[str, int] | None) -> None:
    """Only numbers with a letter each, and no letter twice."""
    assert read_assignments(text) == values
