"""Functions of sums, in a simpler form where there is one: angles, logarithms, powers of e."""

from __future__ import annotations

import math
from fractions import Fraction

from grpo_math.surds import (
    FUNCTIONS,
    ONE,
    Field,
    Monomial,
    Sum,
    check,
    factorise_term,
    lowest_terms,
    weigh,
)

INVERTED = frozenset({"sin", "cos", "tan"})
"""Functions whose inverse is known."""
TURNED = INVERTED | {"cot", "sec", "csc"}
"""Functions of angles."""
_QUOTIENTS = {"tan": ("sin", "cos"), "cot": ("cos", "sin"), "sec": ("", "cos"), "csc": ("", "sin")}
_E: Sum = ({(("e", ONE),): 1}, 1)


class Functions(Field):
    """A field with the elementary functions."""

    def exponential(self, base: Sum, exponent: Sum) -> Sum:
        """Raise e to logarithms and to simple angles, and any other base to a symbol."""
        if base != _E:
            return super().exponential(base, exponent)
        if len(exponent[0]) != 1:
            return self.make_symbol("exp", exponent)
        ((mono, high),) = exponent[0].items()
        share = Fraction(high, exponent[1])
        if mono == (("i", ONE), ("π", ONE)):
            angle: Sum = {(("π", ONE),): high}, exponent[1]
            imaginary = self.multiply(({(("i", ONE),): 1}, 1), self.apply("sin", angle))
            return self.add(self.apply("cos", angle), imaginary)
        if len(mono) == 1 and mono[0][0][:3] == "ln " and mono[0][1] == ONE:
            return self.power(self.make(int(mono[0][0][3:]), 1), self.fraction(share))
        return self.make_symbol("exp", exponent)

    def log(self, value: Sum, base: Sum) -> Sum:
        """Take a logarithm to any base."""
        over, under = self.apply("ln", value), self.apply("ln", base)
        ratio = _proportion(over, under)
        return self.multiply(over, self.invert(under)) if ratio is None else self.fraction(ratio)

    def apply(self, name: str, argument: Sum) -> Sum:
        """Apply a function, in a simpler form where there is one."""
        if name in _QUOTIENTS:
            top, bottom = _QUOTIENTS[name]
            below = self.invert(self.apply(bottom, argument))
            return self.multiply(self.apply(top, argument), below) if top else below
        if name in {"sinh", "cosh"}:
            up, down = self.power(_E, argument), self.power(_E, self.negate(argument))
            total = self.add(up, down if name == "cosh" else self.negate(down))
            return self.multiply(total, self.make(1, 2))
        if name in TURNED:
            share = _share_of_pi(argument)
            if share is not None and (share * 12).denominator == 1:
                return self._turn(name, int(share * 12))
        if name == "exp":
            return self.power(_E, argument)
        if name == "ln":
            return self._log(argument)
        if name in {"asin", "acos", "atan"}:
            found = self._turn_back(name, argument)
            if found is not None:
                return found
        if name == "abs":
            return self._abs(argument)
        return self.make_symbol(name, argument)

    def _turn(self, name: str, twelfths: int) -> Sum:
        if name == "cos":
            name, twelfths = "sin", twelfths + 6
        twelfths %= 24
        negative = twelfths >= 12
        twelfths %= 12
        terms, low = _SINES[min(twelfths, 12 - twelfths)]
        return self.negate((terms, low)) if negative else (terms, low)

    def _turn_back(self, name: str, argument: Sum) -> Sum | None:
        value, _ = weigh(argument, self.values)
        if value.imag or (name != "atan" and abs(value) > 1):
            return None
        twelfths = round(FUNCTIONS[name](value).real * 12 / math.pi)
        if name == "atan" and abs(twelfths) == 6:
            return None
        angle: Sum = {(("π", ONE),): twelfths} if twelfths else {}, 12
        if lowest_terms(self.apply(name[1:], angle)) != lowest_terms(argument):
            return None
        return angle

    def _abs(self, argument: Sum) -> Sum:
        """Take the size of a rational or of a complex number with rational parts."""
        terms, low = argument
        if not terms.keys() <= {(), (("i", ONE),)}:
            return self.make_symbol("abs", argument)
        square = sum(high * high for high in terms.values())
        return self.power(self.make(square, low * low), self.make(1, 2)) if square else argument

    def _log(self, argument: Sum) -> Sum:
        powers = factorise_term(argument)
        if (
            powers is None
            or powers[0] < 0
            or not all(n.isdigit() or n == "e" for n, _ in powers[1])
        ):
            return self.make_symbol("ln", argument)
        total = self.make(0, 1)
        for name, power in powers[1]:
            mono = () if name == "e" else ((f"ln {name}", ONE),)
            if name != "e":
                self.values[f"ln {name}"] = math.log(int(name))
            total = self.add(total, check({mono: power}, ONE))
        return total


def _share_of_pi(value: Sum) -> Fraction | None:
    terms, low = value
    if not terms:
        return Fraction(0)
    mono = (("π", ONE),)
    return Fraction(terms[mono], low) if len(terms) == 1 and mono in terms else None


def _proportion(a: Sum, b: Sum) -> Fraction | None:
    """Return the rational that b times makes a; None where there is none."""
    if not b[0] or a[0].keys() != b[0].keys():
        return None
    ratios = {Fraction(high * b[1], b[0][mono] * a[1]) for mono, high in a[0].items()}
    return ratios.pop() if len(ratios) == 1 else None


def _prime_roots(*terms: tuple[int, tuple[str, ...]]) -> dict[Monomial, int]:
    return {tuple((sign, ONE // 2) for sign in signs): high for high, signs in terms}


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
