"""Equality of single values: numbers, quantities, ratios, times, words."""

from __future__ import annotations

from fractions import Fraction

from grpo_math.equality.expressions import ExpressionJudge
from grpo_math.equality.realsets import SetReader
from grpo_math.limits import Deadline
from grpo_math.options import Options
from grpo_math.patterns import Pattern
from grpo_math.reading.atoms import multiply
from grpo_math.reading.shapes import MEMBER, rename
from grpo_math.units import Unit
from grpo_math.values import (
    NUMBER_TYPES,
    Call,
    Choice,
    Clock,
    Const,
    Expr,
    Num,
    Quantity,
    Ratio,
    Text,
    Value,
    Var,
    collect_variables,
)

_ENUMERATION = Pattern(r"\s*,\s*(?:and\s+)?|\s+(?:and|&)\s+")
_SUBJECT = Pattern(r"^(?:it|this|that|(?:\w+\s+)?\w+)(?:\s+(?:is|are)|'s)\s+(?=\S)")
_SPACING = Pattern(r"[\s.'\-]+")
_WHOLE = frozenset("kmn")
_ANGLE = (("rad", Fraction(1)),)


class ScalarRules:
    """Decides about single values.

    Attributes:
        options: Leniency and limits.
        deadline: When to give up.
        expressions: Decides about numbers and expressions.
        rule: The rule that decided last.
    """

    def __init__(self, options: Options, deadline: Deadline) -> None:
        self.options = options
        self.deadline = deadline
        self.expressions = ExpressionJudge(options, deadline)
        self.rule = ""
        self._depth = 0

    def equal(self, a: Value, b: Value) -> bool:
        """Tell whether two values are equal, whatever their types."""
        raise NotImplementedError

    def _as_sets(self, a: Value, b: Value) -> bool:
        reader = SetReader(self.deadline)
        first = reader.read(a)
        second = reader.read(b) if first is not None else None
        self.rule = "set of reals"
        if first is None or second is None:
            return False
        return reader.equal(first, second)

    def _numbers(self, a: Expr, b: Expr) -> bool:
        result = self.expressions.equal(*_share_constant(*_share_parameter(a, b)))
        if not result and self.options.percent_as_number:
            bare = [_drop_percent(a), _drop_percent(b)]
            if (bare[0] is a) != (bare[1] is b):
                result = self.expressions.equal(*bare)
        self.rule = self.expressions.rule
        return result

    def _quantities(self, a: Quantity, b: Quantity) -> bool:
        if a.unit.dims != b.unit.dims:
            self.rule = "different dimensions"
            return False
        if a.unit == b.unit:
            result = self._numbers(a.amount, b.amount)
        else:
            result = self._numbers(convert(a.amount, a.unit), convert(b.amount, b.unit))
        self.rule = f"same dimension, {self.rule}"
        return result

    def _number_quantity(self, number: Expr, quantity: Quantity) -> bool:
        if quantity.unit.dims == _ANGLE and _is_radian(number) and not _has_pi(quantity.amount):
            return self._numbers(number, convert(quantity.amount, quantity.unit))
        if self.options.strict_units or quantity.loose:
            self.rule = "unit on one side only"
            return False
        return self._numbers(number, quantity.amount)

    def _ratios(self, a: Ratio, b: Ratio) -> bool:
        if len(a.terms) != len(b.terms):
            self.rule = "ratios of different lengths"
            return False
        zero = Num(Fraction(0))
        if any((x == zero) != (y == zero) for x, y in zip(a.terms, b.terms, strict=True)):
            return False
        result = all(
            self.expressions.equal(multiply([x, b.terms[0]]), multiply([a.terms[0], y]))
            for x, y in zip(a.terms[1:], b.terms[1:], strict=True)
        )
        self.rule = "ratio by proportion"
        return result

    def _ratio_number(self, ratio: Ratio, number: Expr) -> bool:
        self.rule = "ratio as a quotient"
        if len(ratio.terms) != 2:
            return False
        return self.expressions.equal(ratio.terms[0], multiply([number, ratio.terms[1]]))

    def _clocks(self, a: Clock, b: Clock) -> bool:
        self.rule = "time of day"
        return same_time(a, b)

    def _texts(self, a: Text, b: Text) -> bool:
        self.rule = "text"
        forms = [(_squeeze(t.words), _squeeze(_SUBJECT.sub("", t.words))) for t in (a, b)]
        if forms[0][0] in forms[1] or forms[1][0] in forms[0]:
            return True
        first, second = (_ENUMERATION.split(text.words) for text in (a, b))
        if len(first) != len(second) or len(first) < 2 or self.options.ordered_lists:
            return False
        self.rule = "words in any order"
        return sorted(first) == sorted(second)

    def _choices(self, a: Choice, b: Choice) -> bool:
        self.rule = "letters"
        if self.options.case_sensitive_letters:
            return a.letters == b.letters
        return a.letters.upper() == b.letters.upper()

    def _text_choice(self, text: Text, choice: Choice) -> bool:
        self.rule = "text of a choice"
        return bool(choice.content) and text.words == choice.content.casefold()


def _squeeze(words: str) -> str:
    """Write words without spaces, points and hyphens: `St. Louis` is `st louis`."""
    return _SPACING.sub("", words) or words


def convert(amount: Expr, unit: Unit) -> Expr:
    """Convert an amount to base units, as an exact expression."""
    factors: list[Expr] = [amount, Num(unit.factor)]
    if unit.pi:
        factors.append(Call("pow", (Const("pi"), Num(Fraction(unit.pi)))))
    scaled = amount if unit.factor == 1 and not unit.pi else multiply(factors)
    return Call("add", (scaled, Num(unit.offset))) if unit.offset else scaled


def _share_parameter(a: Expr, b: Expr) -> tuple[Expr, Expr]:
    """Give a whole-number parameter that one side declares (k ∈ ℤ) its name on the other, too."""
    if isinstance(a, Num) or isinstance(b, Num):
        return a, b
    names = [collect_variables(expr) for expr in (a, b)]
    declared = [len(each) == 1 and next(iter(each)).startswith(MEMBER) for each in names]
    if declared[0] == declared[1]:
        return a, b
    (bound,), bare = (names[0], names[1]) if declared[0] else (names[1], names[0])
    if len(bare) != 1 or not bare <= _WHOLE:
        return a, b
    (name,) = bare
    return _rename(a, name, bound), _rename(b, name, bound)


_CONSTANTS = tuple(f"c_{number}" for number in range(1, 5))


def _share_constant(a: Expr, b: Expr) -> tuple[Expr, Expr]:
    """Write the constant of an indefinite integral, ``+ C`` or ``+ c``, alike on both sides."""
    named = [collect_variables(expr) for expr in (a, b)]
    for one, other in (named, named[::-1]):
        small = [name for name in _CONSTANTS if name in one and name not in other]
        if small and all(name.upper() in other and name.upper() not in one for name in small):
            for name in small:  # c_1 and C_1 of a general solution
                a, b = _rename(a, name, name.upper()), _rename(b, name, name.upper())
            return a, b
    terms = [_adds_constant(expr) for expr in (a, b)]
    if None in terms or terms[0] == terms[1]:
        return a, b
    return _rename(a, "c", "C"), _rename(b, "c", "C")


def _adds_constant(expr: Expr) -> str | None:
    """Tell which of C and c is added at the end; None where none is, or where both stand."""
    if not isinstance(expr, Call) or expr.op != "add":
        return None
    added = [x.name for x in expr.args if isinstance(x, Var) and x.name in {"C", "c"}]
    only = len(added) == 1 and len(collect_variables(expr) & {"C", "c"}) == 1
    return added[0] if only else None


def _rename(expr: Expr, name: str, bound: str) -> Expr:
    renamed = rename(expr, name, bound)
    return renamed if isinstance(renamed, NUMBER_TYPES) else expr


def _drop_percent(expr: Expr) -> Expr:
    return expr.args[0] if isinstance(expr, Call) and expr.op == "percent" else expr


def _has_pi(expr: Expr) -> bool:
    if isinstance(expr, Call):
        return any(_has_pi(arg) for arg in expr.args)
    return expr == Const("pi")


def _is_radian(expr: Expr) -> bool:
    """Tell whether a number is surely an angle in radians: a multiple of π, or an inverse sine."""
    if isinstance(expr, Call) and expr.op in {"asin", "acos", "atan", "acot", "asec", "acsc"}:
        return True
    return _has_pi(expr) or (isinstance(expr, Call) and any(map(_is_radian, expr.args)))


def same_time(a: Clock, b: Clock) -> bool:
    """Tell whether two times of day are the same; one may leave its half of the day open."""
    half_day = 12 * 3600
    if a.half is not None and b.half is not None:
        return _on_the_day(a) == _on_the_day(b)
    if a.half is None and b.half is None:
        return a.seconds == b.seconds
    bare, full = (a, b) if a.half is None else (b, a)
    if bare.seconds == _on_the_day(full):
        return True
    return 3600 <= bare.seconds < 13 * 3600 and bare.seconds % half_day == full.seconds % half_day


def _on_the_day(clock: Clock) -> int:
    half_day = 12 * 3600
    if clock.half is None or clock.seconds >= 13 * 3600:
        return clock.seconds
    return clock.seconds % half_day + (half_day if clock.half == "pm" else 0)
