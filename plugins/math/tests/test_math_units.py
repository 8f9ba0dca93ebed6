"""Units: the table, prefixes, compounds, and words that are no unit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from grpo_math import Verdict, compare
from grpo_math.units import read_unit
from grpo_math.units.table import load_units


@pytest.mark.parametrize(
    ("text", "factor", "dims"),
    [
        ("km", 1000, {"m": 1}),
        ("kilometres", 1000, {"m": 1}),
        ("m/s^2", 1, {"m": 1, "s": -2}),
        ("m s^{-2}", 1, {"m": 1, "s": -2}),
        ("miles per hour", Fraction(1397, 3125), {"m": 1, "s": -1}),
        ("square feet", Fraction(145161, 1562500), {"m": 2}),
        ("cm2", Fraction(1, 10000), {"m": 2}),
        ("kWh", 3600000, {"kg": 1, "m": 2, "s": -2}),
        ("J/(kg·K)", 1, {"m": 2, "s": -2, "K": -1}),
        ("平方米", 1, {"m": 2}),
        ("eggs per day", Fraction(1, 86400), {"s": -1}),
    ],
)
def test_units_have_exact_factors(text, factor, dims):
    """A unit phrase becomes an exact factor to SI base units."""
    reading = read_unit(text)
    assert reading is not None
    assert reading.known
    assert reading.unit.factor == factor
    assert dict(reading.unit.dims) == dims


@pytest.mark.parametrize("text", ["stamps", "square units", "apples"])
def test_words_are_no_unit(text):
    """Generic words are read, but are no unit."""
    reading = read_unit(text)
    assert reading is not None
    assert not reading.known


@pytest.mark.parametrize("text", ["and", "+", "x^", "not"])
def test_other_text_is_not_read(text):
    """What is neither unit nor word is refused."""
    assert read_unit(text) is None


def test_a_prefix_never_hides_a_unit():
    """Names that look prefixed mean the unit itself: minute, candela, foot, pint."""
    units = load_units()
    assert units["min"].factor == 60
    assert dict(units["cd"].dims) == {"cd": 1}
    assert dict(units["ft"].dims) == {"m": 1}
    assert dict(units["pt"].dims) == {"m": 3}


@pytest.mark.parametrize(
    ("gold", "pred"),
    [
        ("25 °C", "77 °F"),
        ("25 °C", "298.15 K"),
        ("90 min", "1.5 h"),
        (r"1\text{ L}", r"1000\text{ cm}^3"),
        ("5 ft 6 in", "66 inches"),
        ("1 hour 30 minutes", "90 min"),
        ("$0.50", "50 cents"),
        ("3 million dollars", "$3,000,000"),
        ("¥100", "100 yen"),
        ("¥100", "100 yuan"),
        ("180^\\circ", "\\pi \\text{ radians}"),
        ("9.8 m/s^2", "9.8\\,\\frac{\\text{m}}{\\text{s}^2}"),
    ],
)
def test_equal_quantities(gold, pred):
    """The same quantity in other units is equal, either way round."""
    assert compare(gold, pred).verdict is Verdict.EQUAL
    assert compare(pred, gold).verdict is Verdict.EQUAL


@pytest.mark.parametrize(
    ("gold", "pred"),
    [
        ("25 °C", "25 °F"),
        ("5 m/s", "5 m/s^2"),
        ("90 min", "1.6 h"),
        ("100 yen", "100 yuan"),
        ("5 mg", "5 Mg"),
        ("36^\\circ", "36 °C"),
    ],
)
def test_different_quantities(gold, pred):
    """Another amount or dimension is different, either way round."""
    assert compare(gold, pred).verdict is Verdict.DIFFERENT
    assert compare(pred, gold).verdict is Verdict.DIFFERENT
