"""Compares polynomials and rational expressions in single letters without the reader.

Both are evaluated at the points and modulo the primes of `grpo_math.equality.modular`, whose
reasons hold here too; whatever is not surely bare notation is left to the reader.
"""

from __future__ import annotations

from grpo_math.equality.modular import POINTS, SURE, Height, add_heights, draw
from grpo_math.grammar import MINUS, TOKEN, Grammar, OtherError
from grpo_math.reading.bare import LETTERS, is_sure

_MORE_POINTS = (*POINTS, (POINTS[1][0], 32_452_843))
"""Two points modulo each of two primes."""
_MAX_TOKENS = 60
_MAX_BITS = 40
_MAX_EXPONENT = 10_000


def compare_expressions(gold: str, pred: str) -> bool | None:
    """Tell whether two expressions in single letters are the same function.

    Args:
        gold: One text.
        pred: The other.

    Returns:
        None where one has no letter, or only the reader can tell.
    """
    sides = [gold.strip(), pred.strip()]
    tokens = [TOKEN.findall(side) if is_sure(side) else [] for side in sides]
    if not all(_LETTER_SET.intersection(side) for side in tokens):
        return None
    if max(map(len, tokens)) > _MAX_TOKENS:
        return None
    try:
        for prime, seed in POINTS:
            values = [_evaluate(side, prime, seed) for side in tokens]
            if values[0] != values[1]:
                return False
        high, _ = add_heights(_measure(tokens[0]), _measure(tokens[1]))
    except (OtherError, IndexError, OverflowError):
        return None
    return True if high < SURE else None


def compare_equations(gold: str, pred: str) -> bool | None:
    """Tell whether two equations in single letters are the same up to a constant factor.

    Args:
        gold: A text with one sign of equality.
        pred: Another one.

    Returns:
        None where one is divided by letters, or only the reader can tell.
    """
    sides = [
        [TOKEN.findall(part) for part in text.split("=")] if is_sure(text.strip()) else []
        for text in (gold, pred)
    ]
    tokens = [[token for part in parts for token in part] for parts in sides]
    if not all(_LETTER_SET.intersection(each) for each in tokens):
        return None
    if max(map(len, tokens)) > _MAX_TOKENS:
        return None
    try:
        ratios: dict[int, tuple[int, int]] = {}
        divided = False
        for prime, seed in _MORE_POINTS:
            inverted: list[int] = []
            first, second = (_find_gap(parts, prime, seed, inverted) for parts in sides)
            divided = divided or bool(inverted)
            if not first or not second:
                return None
            above, below = ratios.setdefault(prime, (first, second))
            if (first * below - second * above) % prime:
                return None if divided and _depends_on_letters(sides) else False
        heights = [add_heights(*map(_measure, parts)) for parts in sides]
        high = 2 * heights[0][0] * heights[0][1] * heights[1][0] * heights[1][1]
    except (OtherError, IndexError, OverflowError):
        return None
    return True if high < SURE else None


def _depends_on_letters(sides: list[list[list[str]]]) -> bool:
    """Tell whether a divisor is another one at another point."""
    found: list[list[int]] = []
    for prime, seed in _MORE_POINTS[1::2]:
        inverted: list[int] = []
        for parts in sides:
            _find_gap(parts, prime, seed, inverted)
        found.append(inverted)
    return found[0] != found[1]


def _find_gap(parts: list[list[str]], prime: int, seed: int, inverted: list[int]) -> int:
    left, right = (_evaluate(part, prime, seed, inverted) for part in parts)
    return (left - right) % prime


def _measure(tokens: list[str]) -> Height:
    return _Heights(tokens).read_sum()


def _evaluate(tokens: list[str], prime: int, seed: int, inverted: list[int] | None = None) -> int:
    reader = _Residues(tokens)
    reader.prime, reader.seed = prime, seed
    reader.inverted = [] if inverted is None else inverted
    value = reader.read_sum()
    if not reader.is_read():
        raise OtherError
    return value % prime


_LETTER_SET = frozenset(LETTERS)


class _Residues(Grammar[int]):
    beside = _LETTER_SET | {"("}
    prime = seed = 0
    inverted: list[int]
    """What has been divided by."""

    def make(self, high: int, low: int) -> int:
        if high.bit_length() > _MAX_BITS:
            raise OtherError
        return high if low == 1 else high * pow(low, -1, self.prime) % self.prime

    def negate(self, value: int) -> int:
        return -value

    def add(self, a: int, b: int) -> int:
        return a + b

    def multiply(self, a: int, b: int) -> int:
        return a * b % self.prime

    def invert(self, value: int) -> int:
        if not value % self.prime:
            raise OtherError
        self.inverted.append(value % self.prime)
        return pow(value, -1, self.prime)

    def read_power(self, base: int) -> int:
        exponent = _read_exponent(self)
        if not base % self.prime:
            raise OtherError
        if exponent < 0:
            self.inverted.append(base % self.prime)
        return pow(base, exponent, self.prime)

    def read_other(self, sign: str) -> int:
        if sign not in _LETTER_SET or self.tokens[self.at] == "(":
            raise OtherError  # n(x) may be a function
        return draw(self.prime, self.seed, LETTERS.index(sign))


class _Heights(Grammar[Height]):
    """Bounds the constants of an expression, for which equal residues leave no room for chance."""

    beside = _LETTER_SET | {"("}

    def make(self, high: int, low: int) -> Height:
        return float(high), float(low)

    def negate(self, value: Height) -> Height:
        return value

    def add(self, a: Height, b: Height) -> Height:
        return add_heights(a, b)

    def multiply(self, a: Height, b: Height) -> Height:
        return a[0] * b[0], a[1] * b[1]

    def invert(self, value: Height) -> Height:
        return value[1], value[0]

    def read_power(self, base: Height) -> Height:
        exponent = _read_exponent(self)
        top, bottom = base if exponent >= 0 else base[::-1]
        return top ** abs(exponent), bottom ** abs(exponent)

    def read_other(self, sign: str) -> Height:
        if sign not in _LETTER_SET:
            raise OtherError
        return 1.0, 1.0


def _read_exponent(reader: Grammar[int] | Grammar[Height]) -> int:
    braced = reader.tokens[reader.at] == "{"
    reader.at += braced
    negative = reader.tokens[reader.at] in MINUS
    reader.at += negative
    numeral = reader.tokens[reader.at]
    if not numeral.isdecimal() or int(numeral) > _MAX_EXPONENT:
        raise OtherError
    reader.at += 1
    if braced:
        if reader.tokens[reader.at] != "}":
            raise OtherError
        reader.at += 1
    return -int(numeral) if negative else int(numeral)
