"""Compares sums of products of roots, π, e, i, logarithms, angles and letters without the reader.

Every side is a polynomial over the rationals in symbols: primes with fractional powers, π, e, i,
letters, and functions of such polynomials that have no simpler form. Equal polynomials are equal;
unequal ones are different where their values in floating point are far apart, letters standing for
fixed positive numbers. All else is left to the reader.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from fractions import Fraction

from grpo_math.grammar import MINUS, POWER, TOKEN, Grammar, OtherError
from grpo_math.patterns import Pattern
from grpo_math.reading.bare import is_sure

Monomial = tuple[tuple[str, int], ...]
"""Symbols in order and their powers in sixtieths; a prime is a symbol with a power below one."""
Sum = tuple[dict[Monomial, int], int]
"""The coefficients above a common denominator, which is positive."""

_ONE = 60
_LETTERS = "abcknqrvwxyz"  # no units, constants or marks of something else
_GREEK = ("\\alpha", "\\beta", "\\theta", "\\phi")
_VALUES: dict[str, complex] = {
    "π": math.pi,
    "e": math.e,
    "i": 1j,
    **{sign: 1.1 + 0.618034 * (k * k % 7) + 0.0137 * k for k, sign in enumerate(_LETTERS)},
    **{sign: 0.37 + 0.211 * k for k, sign in enumerate(_GREEK)},
}
_VARIABLES = frozenset({*_LETTERS, *_GREEK})
_CONSTANTS = {"e": "e", "i": "i", "\\pi": "π", "π": "π"}
_FUNCTIONS: dict[str, Callable[[complex], complex]] = {
    "sin": cmath.sin, "cos": cmath.cos, "tan": cmath.tan, "asin": cmath.asin,
    "acos": cmath.acos, "atan": cmath.atan, "ln": cmath.log, "exp": cmath.exp,
    "sqrt": cmath.sqrt, "1/": lambda value: 1 / value, "abs": abs,
}  # fmt: skip
_TURNED = frozenset({"sin", "cos", "tan"})
_NAMES = {f"\\{name}": name for name in ("sin", "cos", "tan", "ln", "exp", "log", "lg")} | {
    f"\\arc{name}": f"a{name}" for name in _TURNED
}
_ROOTS = frozenset({"\\sqrt", "√"})
_WRITTEN = Pattern(
    r"(?<![a-zA-Z\\])(arcsin|arccos|arctan|sin|cos|tan|ln|exp|sqrt)(?=\s*\()|(?<![a-zA-Z\\])(pi)(?![a-zA-Z])"
)
_LONG = Pattern(r"[0-9.]{12}")
_MAX_TOKENS = 60
_MAX_TERMS = 16
_MAX_POWER = 12
_MAX_BITS = 200
_MAX_PRIME = 1000
_FAR = 1e-6
_SIZE = 1e9


def compare_sums(gold: str, pred: str) -> tuple[bool, str, str] | None:
    """Compare two texts of bare notation.

    Args:
        gold: One text.
        pred: The other.

    Returns:
        Whether they are equal, and the types of both; None where only the reader can tell.
    """
    if _LONG.search(gold) or _LONG.search(pred):
        return None  # a long decimal may round the exact value
    values = dict(_VALUES)
    first = _read(gold, values)
    second = _read(pred, values) if first is not None else None
    if first is None or second is None:
        return None
    (a, a_type), (b, b_type) = first, second
    if _reduce(a) == _reduce(b):
        return True, a_type, b_type
    try:
        (value, size), (other, other_size) = _weigh(a, values), _weigh(b, values)
    except (OverflowError, ZeroDivisionError):
        return None
    far = abs(value - other) > _FAR * (size + other_size)
    return (False, a_type, b_type) if far else None


def _read(text: str, values: dict[str, complex]) -> tuple[Sum, str] | None:
    text = text.strip()
    if text[:1] == text[-1:] == "$" and text.count("$") == 2:
        text = text[1:-1].strip()
    text = _WRITTEN.sub(lambda match: "\\" + match[0], text)
    if not is_sure(text):
        return None
    tokens = TOKEN.findall(text)
    if len(tokens) > _MAX_TOKENS:
        return None
    reader = _Sums(tokens)
    reader.values = values
    try:
        value = reader.read_sum()
    except (OtherError, IndexError, OverflowError, ZeroDivisionError, ValueError):
        return None
    if not reader.is_read():
        return None
    return value, "number" if _VARIABLES.isdisjoint(tokens) else "expression"


class _Sums(Grammar[Sum]):
    beside = _VARIABLES | _ROOTS | frozenset({"(", *_CONSTANTS, *_NAMES})
    values: dict[str, complex]
    turned = False
    """Whether this is the argument of a function of angles."""

    def make(self, high: int, low: int) -> Sum:
        if high.bit_length() > _MAX_BITS:
            raise OtherError
        return ({(): high} if high else {}), low

    def negate(self, value: Sum) -> Sum:
        return {mono: -high for mono, high in value[0].items()}, value[1]

    def add(self, a: Sum, b: Sum) -> Sum:
        (a_terms, a_low), (b_terms, b_low) = a, b
        if a_low != b_low:
            a_terms = {mono: high * b_low for mono, high in a_terms.items()}
            b_terms = {mono: high * a_low for mono, high in b_terms.items()}
            a_low *= b_low
        total = dict(a_terms)
        for mono, high in b_terms.items():
            total[mono] = total.get(mono, 0) + high
        return _check({mono: high for mono, high in total.items() if high}, a_low)

    def multiply(self, a: Sum, b: Sum) -> Sum:
        total: dict[Monomial, int] = {}
        for mono, high in a[0].items():
            for other, by in b[0].items():
                scale, _, joined = _settle([*mono, *other]) if mono and other else (1, 1, mono or other)
                total[joined] = total.get(joined, 0) + high * by * scale
        return _check({mono: high for mono, high in total.items() if high}, a[1] * b[1])

    def invert(self, value: Sum) -> Sum:
        terms, low = value
        if not terms:
            raise OtherError
        if len(terms) == 1:
            ((mono, high),) = terms.items()
            above, below, mono = _settle([(sign, -power) for sign, power in mono])
            below, above = below * abs(high), above * low * (1 if high > 0 else -1)
            return _check({mono: above}, below)
        if len(terms) == 2 and all(map(_is_square_root, terms)):
            first, second = ({mono: high} for mono, high in terms.items())
            other = self.add((first, low), self.negate((second, low)))
            norm = self.multiply(value, other)
            return self.multiply(other, self.invert(norm)) if len(norm[0]) == 1 else _refuse()
        shared = math.gcd(*terms.values()) * (1 if next(iter(terms.values())) > 0 else -1)
        inner = {mono: high // shared for mono, high in terms.items()}
        scale = Fraction(low, shared)
        return self.multiply(
            ({(): scale.numerator}, scale.denominator), self._name("1/", (inner, 1))
        )

    def read_power(self, base: Sum) -> Sum:
        if "\\circ" in self.tokens[self.at : self.at + 2]:
            return self.multiply(base, self._read_degrees())
        negative = self.tokens[self.at] in MINUS
        self.at += negative
        braced = self.tokens[self.at] == "{"
        exponent = self.read_postfix(self.read_atom())
        if not braced and self.tokens[self.at] in {"(", *POWER}:
            raise OtherError
        return self._raise(base, self.negate(exponent) if negative else exponent)

    def _read_degrees(self) -> Sum:
        if not self.turned:
            raise OtherError
        self.at += 1 if self.tokens[self.at] == "\\circ" else 3
        return {(("π", _ONE),): 1}, 180

    def read_postfix(self, value: Sum) -> Sum:
        if self.tokens[self.at] == "°":
            return self.multiply(value, self._read_sign())
        if self.tokens[self.at] != "!":
            return value
        self.at += 1
        number = _rational(value)
        if number is None or number.denominator != 1 or not 0 <= number <= 20:
            raise OtherError
        if self.tokens[self.at] == "!":
            raise OtherError
        return self.make(math.factorial(int(number)), 1)

    def _read_sign(self) -> Sum:
        if not self.turned:
            raise OtherError
        self.at += 1
        return {(("π", _ONE),): 1}, 180

    def _raise(self, base: Sum, exponent: Sum) -> Sum:
        number = _rational(exponent)
        if number is None:
            if base == ({(("e", _ONE),): 1}, 1):
                return self._exponential(exponent)
            return self._name("pow", base, exponent)
        if number.denominator != 1:
            return self._take_root(base, number)
        size = abs(int(number))
        if not base[0] and number <= 0:
            raise OtherError
        if size > _MAX_POWER and len(base[0]) > 1:
            raise OtherError
        power = self.make(1, 1)
        if len(base[0]) == 1:
            ((mono, high),) = base[0].items()
            if size * (high.bit_length() + base[1].bit_length()) > _MAX_BITS:
                raise OtherError
            above, below, mono = _settle([(sign, each * size) for sign, each in mono])
            power = _check({mono: high**size * above}, base[1] ** size * below)
        else:
            for _ in range(size):
                power = self.multiply(power, base)
        return power if number >= 0 else self.invert(power)

    def _take_root(self, base: Sum, exponent: Fraction) -> Sum:
        """Raise to a fractional power; of a negative number only the square root is certain."""
        if not base[0]:
            raise OtherError
        powers = _factorise_term(base)
        if powers is not None and _ONE % exponent.denominator == 0:
            sign, factors = powers
            if sign < 0 and exponent != Fraction(1, 2):
                raise OtherError
            scaled = [(name, Fraction(power) * exponent) for name, power in factors]
            if all(power.denominator == 1 for _, power in scaled):
                above, below, mono = _settle([(name, int(power)) for name, power in scaled])
                root = _check({mono: above}, below)
                return self.multiply(root, ({(("i", _ONE),): 1}, 1)) if sign < 0 else root
        value, _ = _weigh(base, self.values)
        if exponent != Fraction(1, 2) and (value.imag or value.real < 0):
            raise OtherError
        return self._name("pow", base, ({(): exponent.numerator}, exponent.denominator))

    def _exponential(self, exponent: Sum) -> Sum:
        """Raise e to logarithms and to simple angles."""
        if len(exponent[0]) != 1:
            return self._name("exp", exponent)
        ((mono, high),) = exponent[0].items()
        share = Fraction(high, exponent[1])
        if mono == (("i", _ONE), ("π", _ONE)):
            angle = {(("π", _ONE),): high}, exponent[1]
            imaginary = self.multiply(({(("i", _ONE),): 1}, 1), self._apply("sin", angle))
            return self.add(self._apply("cos", angle), imaginary)
        if len(mono) == 1 and mono[0][0][:3] == "ln " and mono[0][1] == _ONE:
            return self._raise(self.make(int(mono[0][0][3:]), 1), self._fraction(share))
        return self._name("exp", exponent)

    def _fraction(self, number: Fraction) -> Sum:
        return self.make(number.numerator, number.denominator)

    def read_other(self, sign: str) -> Sum:
        if sign in _VARIABLES:
            if self.tokens[self.at] == "(":
                raise OtherError  # n(x) may be a function
            return {((sign, _ONE),): 1}, 1
        if sign in _CONSTANTS:
            return {((_CONSTANTS[sign], _ONE),): 1}, 1
        if sign in _ROOTS:
            return self._read_root()
        if sign in _NAMES:
            return self._read_function(_NAMES[sign])
        if sign == "|":
            value = self.read_bracket("|")
            return self._apply("abs", value)
        raise OtherError

    def _read_root(self) -> Sum:
        index = 2
        if self.tokens[self.at] == "[":
            index = int(self.tokens[self.at + 1])
            if self.tokens[self.at + 2] != "]" or not 2 <= index <= 6:
                raise OtherError
            self.at += 3
        return self._raise(self.read_atom(), self.make(1, index))

    def _read_function(self, name: str) -> Sum:
        exponent = base = None
        if self.tokens[self.at] == "_" and name == "log":
            self.at += 1
            base = self._read_argument()
        if self.tokens[self.at] == "^":
            self.at += 1
            negative = self.tokens[self.at : self.at + 2] == ["{", "-"]
            exponent = _rational(self._read_argument())
            if exponent is None or (negative and exponent != -1):
                raise OtherError
            if exponent == -1 and name in _TURNED:
                name, exponent = f"a{name}", None
        turned, self.turned = self.turned, self.turned or name in _TURNED
        argument = self._read_operand()
        self.turned = turned
        if name in {"log", "lg"}:
            value = self._take_log(argument, base or self.make(10, 1))
        else:
            value = self._apply(name, argument)
        return value if exponent is None else self._raise(value, self._fraction(exponent))

    def _read_operand(self) -> Sum:
        """Read what a function is applied to: brackets, or factors up to another function."""
        sign = self.tokens[self.at]
        if sign in {"(", "{"}:
            self.at += 1
            return self.read_bracket(")" if sign == "(" else "}")
        negative = sign in MINUS
        self.at += negative
        value: Sum | None = None
        while True:
            sign = self.tokens[self.at]
            factor = self.read_postfix(self.read_atom())
            if self.tokens[self.at] in POWER:
                self.at += 1
                factor = self.read_power(factor)
            value = factor if value is None else self.multiply(value, factor)
            sign = self.tokens[self.at]
            if sign not in _VARIABLES and sign not in _CONSTANTS and sign not in _ROOTS:
                break
        if sign in {"/", "|", "["} or sign == "(":
            raise OtherError
        return self.negate(value) if negative else value

    def _take_log(self, value: Sum, base: Sum) -> Sum:
        over, under = self._apply("ln", value), self._apply("ln", base)
        ratio = _proportion(over, under)
        return self.multiply(over, self.invert(under)) if ratio is None else self._fraction(ratio)

    def _apply(self, name: str, argument: Sum) -> Sum:
        """Apply a function, in a simpler form where there is one."""
        if name in _TURNED:
            share = _share_of_pi(argument)
            if share is not None and (share * 12).denominator == 1:
                return self._turn(name, int(share * 12))
        if name == "exp":
            return self._raise(({(("e", _ONE),): 1}, 1), argument)
        if name == "ln":
            return self._log(argument)
        if name in {"asin", "acos", "atan"} and not (found := self._turn_back(name, argument)) is None:
            return found
        if name == "abs" and (number := _rational(argument)) is not None:
            return self._fraction(abs(number))
        return self._name(name, argument)

    def _turn(self, name: str, twelfths: int) -> Sum:
        if name == "cos":
            name, twelfths = "sin", twelfths + 6
        if name == "tan":
            return self.multiply(self._turn("sin", twelfths), self.invert(self._turn("cos", twelfths)))
        twelfths %= 24
        negative = twelfths >= 12
        twelfths %= 12
        terms, low = _SINES[min(twelfths, 12 - twelfths)]
        return self.negate((terms, low)) if negative else (terms, low)

    def _turn_back(self, name: str, argument: Sum) -> Sum | None:
        value, _ = _weigh(argument, self.values)
        if value.imag or (name != "atan" and abs(value) > 1):
            return None
        twelfths = round(_FUNCTIONS[name](value).real * 12 / math.pi)
        if name == "atan" and abs(twelfths) == 6:
            return None
        if _reduce(self._turn(name[1:], twelfths)) != _reduce(argument):
            return None
        return _check({(("π", _ONE),): twelfths} if twelfths else {}, 12)

    def _log(self, argument: Sum) -> Sum:
        powers = _factorise_term(argument)
        if powers is None or powers[0] < 0 or not all(n.isdigit() or n == "e" for n, _ in powers[1]):
            return self._name("ln", argument)
        total = self.make(0, 1)
        for name, power in powers[1]:
            mono = () if name == "e" else ((f"ln {name}", _ONE),)
            if name != "e":
                self.values[f"ln {name}"] = math.log(int(name))
            total = self.add(total, _check({mono: power}, _ONE))
        return total

    def _name(self, name: str, *arguments: Sum) -> Sum:
        """Make a symbol for a function of arguments that has no simpler form."""
        parts = [_reduce(each) for each in arguments]
        symbol = f"{name} {[(sorted(terms.items()), low) for terms, low in parts]}"
        if symbol not in self.values:
            values = [_weigh(each, self.values)[0] for each in arguments]
            self.values[symbol] = _evaluate(name, values)
        return {((symbol, _ONE),): 1}, 1


def _evaluate(name: str, values: list[complex]) -> complex:
    value = values[0]
    if max(map(abs, values)) > 60 or abs(value) < 1e-4:
        raise OtherError
    if name in {"asin", "acos"} and (value.imag or abs(value) > 0.999):
        raise OtherError
    if name in {"ln", "atan"} and (value.imag or (name == "ln" and value.real < 0)):
        raise OtherError
    result = value ** values[1] if name == "pow" else _FUNCTIONS[name](value)
    if not 1e-4 < abs(result) < _SIZE:
        raise OtherError
    return result


def _check(terms: dict[Monomial, int], low: int) -> Sum:
    if len(terms) > _MAX_TERMS or low.bit_length() > _MAX_BITS:
        raise OtherError
    if any(high.bit_length() > _MAX_BITS for high in terms.values()):
        raise OtherError
    return terms, low


def _refuse() -> Sum:
    raise OtherError


def _reduce(value: Sum) -> Sum:
    terms, low = value
    shared = math.gcd(low, *terms.values())
    return {mono: high // shared for mono, high in terms.items()}, low // shared


def _settle(powers: list[tuple[str, int]]) -> tuple[int, int, Monomial]:
    """Join powers of symbols: the whole powers of primes and of i go to the coefficient."""
    joined: dict[str, int] = {}
    for sign, power in powers:
        joined[sign] = joined.get(sign, 0) + power
    above = below = 1
    for sign, power in joined.items():
        if sign.isdigit():
            whole, joined[sign] = divmod(power, _ONE)
            if abs(whole) > _MAX_BITS:
                raise OtherError
            above *= int(sign) ** max(whole, 0)
            below *= int(sign) ** max(-whole, 0)
        elif sign == "i":
            if power % _ONE:
                raise OtherError
            turns = power // _ONE % 4
            above = -above if turns >= 2 else above
            joined[sign] = turns % 2 * _ONE
    return above, below, tuple(sorted((sign, power) for sign, power in joined.items() if power))


def _weigh(value: Sum, values: dict[str, complex]) -> tuple[complex, float]:
    """Evaluate a sum in floating point: its value, and the sum of the sizes of its terms."""
    total, size = 0j, 0.0
    for mono, high in value[0].items():
        term: complex = high / value[1]
        for sign, power in mono:
            base = float(sign) if sign.isdigit() else values[sign]
            term *= base ** (power // _ONE) if power % _ONE == 0 else base ** (power / _ONE)
        total += term
        size += abs(term)
    if size > _SIZE or (size and abs(total) < _FAR * size):
        raise OverflowError
    return (total.real if abs(total.imag) < 1e-12 * size else total), size


def _rational(value: Sum) -> Fraction | None:
    terms, low = value
    if not terms:
        return Fraction(0)
    return Fraction(terms[()], low) if len(terms) == 1 and () in terms else None


def _share_of_pi(value: Sum) -> Fraction | None:
    terms, low = value
    if not terms:
        return Fraction(0)
    mono = (("π", _ONE),)
    return Fraction(terms[mono], low) if len(terms) == 1 and mono in terms else None


def _proportion(a: Sum, b: Sum) -> Fraction | None:
    """Return the rational that b times makes a; None where there is none."""
    if not b[0] or a[0].keys() != b[0].keys():
        return None
    ratios = {Fraction(high * b[1], b[0][mono] * a[1]) for mono, high in a[0].items()}
    return ratios.pop() if len(ratios) == 1 else None


def _is_square_root(mono: Monomial) -> bool:
    return all((sign.isdigit() and power == _ONE // 2) or sign == "i" for sign, power in mono)


def _factorise_term(value: Sum) -> tuple[int, list[tuple[str, int]]] | None:
    """Write a single term without letters as a sign and powers of primes, π and e."""
    if len(value[0]) != 1:
        return None
    ((mono, high),) = value[0].items()
    if any(not (sign.isdigit() or sign in "πe") for sign, _ in mono):
        return None
    powers = dict(mono)
    for number, by in ((abs(high), _ONE), (value[1], -_ONE)):
        prime = 2
        while number > 1:
            if prime * prime > number:
                prime = number
            if prime > _MAX_PRIME and prime != number:
                return None
            while number % prime == 0:
                number //= prime
                powers[str(prime)] = powers.get(str(prime), 0) + by
            prime += 1 if prime == 2 else 2
    return (1 if high > 0 else -1), [(sign, power) for sign, power in powers.items() if power]


def _prime_roots(*terms: tuple[int, tuple[str, ...]]) -> dict[Monomial, int]:
    return {tuple((sign, _ONE // 2) for sign in signs): high for high, signs in terms}


_SINES: tuple[Sum, ...] = (
    ({}, 1),
    (_prime_roots((1, ("2", "3")), (-1, ("2",))), 4),
    ({(): 1}, 2),
    (_prime_roots((1, ("2",))), 2),
    (_prime_roots((1, ("3",))), 2),
    (_prime_roots((1, ("2", "3")), (1, ("2",))), 4),
    ({(): 1}, 1),
)
"""The sines of the twelfths of π up to a right angle."""
