"""Reads numbers with units and money, and drops words that are no unit."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

from grpo_math.limits import UnreadableError
from grpo_math.patterns import Pattern
from grpo_math.reading.atoms import multiply
from grpo_math.reading.tokens import Token
from grpo_math.reading.vocabulary import FUNCTIONS
from grpo_math.units import PLAIN, Unit, UnitReading, is_product, read_unit
from grpo_math.values import Call, Expr, Num, Quantity, Value, collect_variables

MONEY = frozenset("$€£¥₹₩₽¢")
UNIT_SIGNS = frozenset({"°", "%", "\\%", "\\Omega", "\\mu", "¢", '"', "‰", *MONEY})
FRACTIONS = frozenset({"\\frac", "\\dfrac", "\\tfrac"})
_CODES = frozenset({"USD", "EUR", "GBP", "JPY", "CNY", "RMB", "INR", "CAD", "AUD", "CHF", "KRW"})
_ANGULAR = frozenset({"rad"})
_INSIDE = (
    FRACTIONS
    | frozenset({"^", "{", "}", "/", "*", "(", ")", "-", ".", "\\cdot", "\\times", "**"})
    | UNIT_SIGNS
)
_SURE_LETTERS = frozenset("msgLNJWVK")
# Behind an amount of money these are no units.
_SHORT_SCALES = {
    "k": Fraction(10**3), "K": Fraction(10**3), "M": Fraction(10**6), "m": Fraction(10**6),
    "mn": Fraction(10**6), "B": Fraction(10**9), "bn": Fraction(10**9),
}  # fmt: skip
_SIGNS = frozenset("+-")
_BINDING = frozenset({"^", "*", "/", "\\cdot", "\\times", "\\div", "e", "E"})
_COUNTS_UNITS = Pattern(r"^(?:square |cubic )?units?\b")
_PLURAL = Pattern(r"[a-z]{3,}(?<!s)s")
_MAX_TRIES = 6
_MAX_UNIT = 40


class NumberReader(Protocol):
    """What a quantity needs of the reader around it."""

    tokens: list[Token]
    pairs: dict[int, int]

    def read(self, start: int, end: int) -> Expr:
        """Read one expression."""
        ...


def spell(tokens: list[Token]) -> str:
    """Write tokens down again, as a unit phrase."""
    parts: list[str] = []
    for token in tokens:
        spaced = token.spaced or token.kind == "text"
        parts.append((" " if spaced else "") + token.text + (" " if token.kind == "text" else ""))
    return "".join(parts).strip()


def _is_unit_start(token: Token, following: Token | None = None) -> bool:
    if token.text in FRACTIONS and following is not None:
        return following.text == "{"
    return token.kind in {"word", "text"} or (
        token.kind in {"op", "cmd"} and token.text in UNIT_SIGNS
    )


def _find_unit_run(tokens: list[Token], start: int, end: int) -> int:
    """Find where the longest run of tokens that may be a unit begins."""
    at = end
    while at > max(start, end - _MAX_UNIT):
        token = tokens[at - 1]
        is_exponent = token.kind == "num" and token.text.isdigit() and len(token.text) < 3
        if not (token.kind in {"word", "text"} or token.text in _INSIDE or is_exponent):
            break
        at -= 1
    return at


def read_quantity(reader: NumberReader, start: int, end: int) -> Value | None:
    """Read a number with a unit, in front (money) or behind.

    Returns:
        A quantity; the bare number where the words behind it are no unit; None where the tokens
        are no number with something behind.
    """
    tokens = reader.tokens
    money = _read_money(reader, start, end)
    if money is not None:
        return money
    run = max(_find_unit_run(tokens, start, end), start + 1)
    tries = 0
    for at in range(run, end):
        if not _is_unit_start(tokens[at], tokens[at + 1] if at + 1 < end else None):
            continue
        glued = not tokens[at].spaced or tokens[at - 1].kind == "cmd"
        if glued and tokens[at].kind == "word" and is_product(tokens[at].text):
            continue
        tries += 1
        if tries > _MAX_TRIES:
            break
        try:
            reading = read_unit(spell(tokens[at:end]))
            if reading is None:
                continue
            amount = reader.read(start, at)
        except UnreadableError:
            continue
        single = at + 1 == end and tokens[at].kind == "word" and len(tokens[at].text) == 1
        counts = reading.known or _counts_things(tokens[at:end])
        if collect_variables(amount) and (not counts or _is_power(tokens[at:end])):
            continue
        if single and not (isinstance(amount, Num) or (tokens[at].spaced and _is_rational(amount))):
            continue
        if single and _is_sum(reader, start, at):
            continue  # 15 + 55m
        if tokens[at].text == "°":
            amount = _add_degrees(amount)
        if _ends_in_function(tokens, start, at) and {b for b, _ in reading.unit.dims} == _ANGULAR:
            return None
        if not reading.known:
            if _is_sum(reader, start, at) and not _COUNTS_UNITS.search(spell(tokens[at:end])):
                raise UnreadableError("a word stands where an unknown may be meant")
            return amount
        if reading.scale != 1 or reading.unit is PLAIN:
            percent = tokens[at].text in {"%", "\\%"} and reading.scale == Fraction(1, 100)
            amount = (
                Call("percent", (amount,)) if percent
                else multiply([amount, Num(reading.scale)])
            )  # fmt: skip
        if reading.unit.dims == () and reading.unit.factor == 1:
            return amount
        loose = single and tokens[at].text.isascii() and tokens[at].text not in _SURE_LETTERS
        return Quantity(amount, reading.unit, loose)
    return None


def read_angle(expr: Expr) -> Value:
    """Give a multiple of degrees, ``360° / 5``, its unit."""
    amount, taken = _take_degree(expr)
    reading = read_unit("°") if taken else None
    return expr if reading is None else Quantity(amount, reading.unit)


def _add_degrees(amount: Expr) -> Expr:
    """Take the degrees out of what stands before the last sign of degrees: ``90° - 30``."""
    if not isinstance(amount, Call) or amount.op != "add":
        return amount
    terms = [_take_degree(term) for term in amount.args]
    if not all(taken for _, taken in terms[:-1]):
        return amount
    return Call("add", tuple(term for term, _ in terms))


def _take_degree(term: Expr) -> tuple[Expr, bool]:
    if not isinstance(term, Call):
        return term, False
    if term.op == "degree":
        return term.args[0], True
    if term.op not in {"add", "mul"}:
        return term, False
    parts = [_take_degree(part) for part in term.args]
    taken = [took for _, took in parts]
    return Call(term.op, tuple(part for part, _ in parts)), (
        all(taken) if term.op == "add" else any(taken)
    )


def _counts_things(words: list[Token]) -> bool:
    """Tell whether words are the plural of what is counted: ``n! ways``."""
    return len(words) == 1 and _PLURAL.fullmatch(words[0].text.strip()) is not None


def _is_power(unit: list[Token]) -> bool:
    """Tell whether a unit is one letter, or a power of it, as a variable is: ``r^2 s^2``."""
    first = unit[0]
    power = len(unit) == 1 or unit[1].text == "^"
    return power and first.kind == "word" and len(first.text) == 1


def _is_sum(reader: NumberReader, start: int, end: int) -> bool:
    """Tell whether a word behind may belong to the last term alone: ``3 + 2 width``."""
    tokens = reader.tokens
    if tokens[end - 1].kind != "num":
        return False
    at = start + 1
    while at < end:
        if at in reader.pairs:
            at = reader.pairs[at]
        elif tokens[at].text in _SIGNS and tokens[at - 1].text not in _BINDING:
            return True
        at += 1
    return False


def _is_rational(expr: Expr) -> bool:
    if isinstance(expr, Call):
        return all(_is_rational(arg) for arg in expr.args)
    return isinstance(expr, Num)


def _ends_in_function(tokens: list[Token], start: int, end: int) -> bool:
    r"""Tell whether a function without brackets takes in the end (``\sin 30°``)."""
    return any(
        token.kind in {"cmd", "word", "text"} and token.text.strip(" \\") in FUNCTIONS
        and token.text not in {"\\sqrt", "sqrt"}
        for token in tokens[start:end]
    )  # fmt: skip


def _read_money(reader: NumberReader, start: int, end: int) -> Value | None:
    tokens = reader.tokens
    at = start
    negative = tokens[at].text == "-"
    at += negative
    if at >= end:
        return None
    prefix = ""
    if (
        at < end - 1
        and tokens[at].kind in {"word", "text"}
        and tokens[at].text.strip(" .") in {"US", "C", "A", "Rs"}
    ):
        prefix = tokens[at].text.strip(" .")
        at += 1
    if not prefix and tokens[at].text in _CODES and tokens[at].kind in {"word", "text"}:
        prefix = tokens[at].text
        at += 1
    named = prefix == "Rs" or prefix in _CODES
    if at >= end or not (tokens[at].text in MONEY or named):
        return None
    sign = prefix if named else prefix + tokens[at].text
    at += not named
    if at >= end:
        return None
    reading = read_unit(sign)
    if reading is None:
        return None
    run = max(_find_unit_run(tokens, at, end), at + 1)
    amount: Expr | None = None
    unit: Unit = reading.unit
    starts = [
        i for i in range(run, end)
        if _is_unit_start(tokens[i]) or (tokens[i].text == "/" and tokens[i + 1 : i + 2])
    ][:_MAX_TRIES]  # fmt: skip
    for split in [*starts, end]:
        spelled = spell(tokens[split:end])
        scale = _SHORT_SCALES.get(spelled)
        after = UnitReading(PLAIN, known=True, scale=scale) if scale else None
        if split < end and after is None:
            after = read_unit(spelled)
        if split < end and after is None:
            continue
        try:
            amount = reader.read(at, split)
        except UnreadableError:
            continue
        if after is not None:
            unit = _join_units(unit, after.unit)
            amount = multiply([amount, Num(after.scale)]) if after.scale != 1 else amount
        break
    if amount is None:
        return None
    if negative:
        amount = multiply([Num(Fraction(-1)), amount])
    return Quantity(amount, unit)


def _join_units(front: Unit, behind: Unit) -> Unit:
    """Join the sign before a number and the words behind it: ``$5 dollars``, ``$5/hour``."""
    return front if front.dims == behind.dims else front.times(behind)
