"""Reads names: variables, constants, functions and their arguments."""

from __future__ import annotations

from fractions import Fraction

from grpo_math.limits import OverLimitError, UnreadableError
from grpo_math.patterns import Pattern
from grpo_math.reading.atoms import divide, is_number, make_log, multiply, negate, split_word
from grpo_math.reading.cursor import Cursor
from grpo_math.reading.tokens import Token
from grpo_math.reading.vocabulary import (
    CONSTANTS,
    FUNCTIONS,
    GREEK,
    GREEK_FORMS,
    INVERSE,
    TWO_ARGUMENTS,
)
from grpo_math.values import Call, Const, Expr, Num, Var

_MAX_DIGITS = 1000
_LONG_NAME = 5
_VOWEL = Pattern("[aeiouAEIOU]")


class NameReader(Cursor):
    """Reads names and what is applied to them."""

    def _read_text(self, token: Token) -> Expr:
        word = token.text.strip()
        if word in FUNCTIONS and len(word) > 1:
            self._at += 1
            return self._read_function(FUNCTIONS[word])
        if word in CONSTANTS:
            self._at += 1
            return Const(CONSTANTS[word])
        if len(word) == 1 and word.isalpha():
            self._at += 1
            return self._read_subscript(word)
        if word.isdigit() and len(word) < _MAX_DIGITS:
            self._at += 1
            return Num(Fraction(int(word)))
        raise UnreadableError("words stand where a number should")

    def _read_word(self, token: Token) -> Expr:
        word = token.text
        self._at += 1
        if word in FUNCTIONS:
            return self._read_function(FUNCTIONS[word])
        if word in CONSTANTS:
            return Const(CONSTANTS[word])
        if word in GREEK and len(word) > 2:
            return self._read_subscript(GREEK_FORMS.get(word, word))
        if len(word) == 1:
            return self._read_subscript(self._number_name(word))
        parts = split_word(word)
        if len(word) > 4 and len(parts) == len(word) and _VOWEL.search(word):
            raise UnreadableError(f"'{word[:20]}' is a word")
        factors: list[Expr] = []
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            if part in FUNCTIONS and len(part) > 1:
                if not last:
                    rest = [self._name_atom(p) for p in parts[index + 1 :]]
                    factors.append(self._apply(FUNCTIONS[part], multiply(rest)))
                    break
                factors.append(self._read_function(FUNCTIONS[part]))
            elif last:
                factors.append(self._read_last(part, factors))
            else:
                factors.append(self._name_atom(part))
        return factors[0] if len(factors) == 1 else multiply(factors)

    def _number_name(self, letter: str) -> str:
        """Attach a number right behind a letter, as its index: ``x1``; ``2x3`` is a size."""
        if self._at >= self._end or not letter.isascii():
            return letter
        token = self.tokens[self._at]
        glued = token.kind == "num" and not token.spaced and token.text.isdigit()
        size = self.tokens[0].kind == "num" and all(
            t.kind == "num" or t.text == "x" for t in self.tokens
        )
        if not glued or size:
            return letter
        self._at += 1
        return f"{letter}_{token.text}"

    def _read_last(self, part: str, factors: list[Expr]) -> Expr:
        """Read the last letter of a run: a power binds to it alone (``xy^2``)."""
        atom = self._name_atom(part) if part in CONSTANTS else self._read_subscript(part)
        atom = self._read_postfix(atom)
        if factors and self._peek() in {"^", "**"}:
            self._at += 1
            return Call("pow", (atom, self._read_exponent()))
        return atom

    @staticmethod
    def _name_atom(part: str) -> Expr:
        return Const(CONSTANTS[part]) if part in CONSTANTS else Var(GREEK_FORMS.get(part, part))

    def _read_subscript(self, name: str) -> Expr:
        """Attach a subscript to a name, and the brackets of an unknown function's argument."""
        if self._peek() == "_":
            self._at += 1
            spelled = self._spell_group().strip("()").replace(" ", "")
            name = f"{name}_{spelled}"
        counted = self._read_counting(name)
        if counted is not None:
            return counted
        if name in {"f", "g", "h", "F", "G", "P", "Q"} or name.startswith(("f_", "P_")):
            primes = ""
            if [t.text for t in self.tokens[self._at : self._at + 6]] == list("^{-1}("):
                self._at += 5
                primes = "^-1"
            while self._peek() == "'":
                self._at += 1
                primes += "'"
            if self._peek() == "(" and not self.tokens[self._at].spaced:
                opening = self._at
                inside = "".join(t.text for t in self.tokens[opening + 1 : self.pairs[opening]])
                if len(inside) <= 12:
                    self._at = self.pairs[opening] + 1
                    return Var(f"{name}{primes}({inside})")
            return Var(name + primes)
        return Var(name + self._read_argument_of(name))

    def _read_argument_of(self, name: str) -> str:
        r"""Read the letter in brackets behind a name such as ``k_{\max}``."""
        if not name[2:].lstrip("\\").isalpha() or len(name) < _LONG_NAME or self._peek() != "(":
            return ""
        closing = self.pairs[self._at]
        inside = self.tokens[self._at + 1 : closing]
        if self.tokens[self._at].spaced or len(inside) != 1 or not inside[0].text.isalpha():
            return ""
        self._at = closing + 1
        return f"({inside[0].text})"

    def _read_counting(self, name: str) -> Expr | None:
        """Read ``C(5,2)``, ``C_5^2`` and the like: combinations, and permutations P or A."""
        letter, _, below = name.partition("_")
        if letter not in {"C", "P", "A"} or (below and not below.isdigit()):
            return None
        start = self._at
        if not below and self._peek() == "(":
            closing = self.pairs[start]
            inside = self.tokens[start + 1 : closing]
            if [t.text for t in inside[1:2]] != [","] or len(inside) != 3:
                return None
            args: tuple[Expr, ...] = self._split_arguments(start + 1, closing)
            self._at = closing + 1
        elif below and self._peek() == "^":
            self._at += 1
            args = (Num(Fraction(int(below[:9]))), self._read_exponent())
        else:
            return None
        numbers = [arg.value for arg in args if isinstance(arg, Num)]
        if len(numbers) != 2 or not 0 <= numbers[1] <= numbers[0]:
            self._at = start
            return None
        chosen = Call("binom", args)
        return chosen if letter == "C" else multiply([chosen, Call("factorial", (args[1],))])

    def _read_function(self, op: str) -> Expr:
        exponent: Expr | None = None
        base: Expr | None = None
        for _ in range(2):
            if self._peek() == "^" and exponent is None:
                self._at += 1
                exponent = self._read_exponent()
            elif self._peek() == "_" and base is None:
                self._at += 1
                base = self._read_group()
        if exponent == Num(Fraction(-1)) and op in INVERSE:
            op, exponent = INVERSE[op], None
        if op == "log" and base is None and self._at + 1 < self._end:
            written = self.tokens[self._at]
            if written.text in {"2", "10"} and not written.spaced and (
                self.tokens[self._at + 1].text == "("
            ):  # fmt: skip
                self._at += 1
                base = Num(written.value)
        if op == "sqrt" and self._peek() != "(":
            return Call("sqrt", (self._read_group(),))
        args = self._read_arguments(op)
        if op in {"log", "ln", "lg", "lb"}:
            result = make_log(op, base, args)
        elif op in TWO_ARGUMENTS:
            result = Call(op, args)
        elif len(args) == 1:
            result = self._apply(op, args[0])
        else:
            raise UnreadableError(f"'{op}' takes one argument")
        return result if exponent is None else Call("pow", (result, exponent))

    @staticmethod
    def _apply(op: str, arg: Expr) -> Expr:
        if op == "cbrt":
            return Call("nroot", (arg, Num(Fraction(3))))
        if op == "root4":
            return Call("nroot", (arg, Num(Fraction(4))))
        if op == "exp":
            return Call("pow", (Const("e"), arg))
        if op == "cis":
            i_angle = multiply([Const("i"), arg])
            return Call("pow", (Const("e"), i_angle))
        if op in {"lg", "lb", "log"}:
            return make_log(op, None, (arg,))
        return Call(op, (arg,))

    def _read_arguments(self, op: str) -> tuple[Expr, ...]:
        if self._peek() in {"(", "[", "{", "\\{"}:
            opening = self._at
            closing = self.pairs[opening]
            args = self._split_arguments(opening + 1, closing)
            self._at = closing + 1
            if len(args) > 1 and op not in TWO_ARGUMENTS:
                raise UnreadableError(f"'{op}' takes one argument")
            return args
        return (self._read_bare_argument(),)

    def _split_arguments(self, start: int, end: int) -> tuple[Expr, ...]:
        args: list[Expr] = []
        at = begin = start
        while at < end:
            at = self.pairs.get(at, at)
            if self.tokens[at].text == ",":
                args.append(self.read(begin, at))
                begin = at + 1
            at += 1
        args.append(self.read(begin, end))
        return tuple(args)

    def _read_bare_argument(self) -> Expr:
        """Read the argument of a function written without brackets: ``sin 2x``, ``ln 3``."""
        self._depth += 1
        if self._depth > self.options.max_depth:
            raise OverLimitError(f"functions are nested deeper than {self.options.max_depth}")
        sign = self._peek() == "-"
        if sign:
            self._at += 1
        factors = [self._read_power()]
        while self._at < self._end and self._starts_atom():
            token = self.tokens[self._at]
            name = token.text.lstrip("\\").strip()
            starts_function = (name in FUNCTIONS or split_word(name)[0] in FUNCTIONS) and (
                token.kind != "op" and name != "sqrt"
            )
            if starts_function or token.text in {"(", "[", "|"} or token.kind == "num":
                break
            factors.append(self._read_power())
        if self._peek() == "/" and self._at + 1 < self._end and is_number(factors):
            following = self.tokens[self._at + 1]
            if following.kind == "num":
                self._at += 2
                factors.append(divide(Num(Fraction(1)), Num(following.value)))
        self._depth -= 1
        arg = factors[0] if len(factors) == 1 else multiply(factors)
        return negate(arg) if sign else arg
