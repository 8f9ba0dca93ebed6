"""A recursive-descent reader of one mathematical expression."""

from __future__ import annotations

from fractions import Fraction

from grpo_math.limits import OverLimitError, UnreadableError
from grpo_math.options import Options
from grpo_math.reading.atoms import add, divide, multiply, negate
from grpo_math.reading.operands import AtomReader
from grpo_math.reading.tokens import Token
from grpo_math.reading.vocabulary import (
    ACCENTS,
    BINOMIALS,
    CONSTANTS,
    FRACTIONS,
    FUNCTIONS,
    GREEK,
    OVER,
    TIMES,
)
from grpo_math.values import Call, Expr, Num, Var

_OPENING = frozenset({"(", "[", "{", "\\{", "\\lbrace", "\\lbrack"})
_FENCED = {"\\lfloor": "floor", "\\lceil": "ceil", "\\lvert": "abs", "\\lVert": "abs"}
_INFIX = frozenset({"\\choose", "\\over"})
_SIGNS = frozenset({"+", "-", "\\pm", "\\mp"})


def _cross(left: Expr, right: Expr) -> list[Expr]:
    """Tell the cross product of two vectors, one symbol, from a product of numbers."""
    vectors = [v.name for v in (left, right) if isinstance(v, Var) and v.name.startswith("vec ")]
    return [Var(f"{vectors[0]} × {vectors[1]}")] if len(vectors) == 2 else [left, right]


class ExpressionReader(AtomReader):
    """Reads expressions: sums, products, powers, signs."""

    def __init__(self, tokens: list[Token], pairs: dict[int, int], options: Options) -> None:
        super().__init__(tokens, pairs, options)
        self._texts = frozenset([token.text for token in tokens])
        self._infix = not self._texts.isdisjoint(_INFIX)

    def read(self, start: int, end: int) -> Expr:
        """Read the tokens from ``start`` up to ``end`` as one expression.

        Raises:
            UnreadableError: They are no expression.
            OverLimitError: It is nested too deeply.
        """
        if self._infix:
            split = self._find_infix(start, end)
            if split is not None:
                top, bottom = self.read(start, split), self.read(split + 1, end)
                choose = self.tokens[split].text == "\\choose"
                return Call("binom", (top, bottom)) if choose else divide(top, bottom)
        if end - start == 1 and self.tokens[start].kind == "num":
            token = self.tokens[start]
            return Num(token.value, token.digits, token.ulp)
        saved = self._at, self._end, self._bars
        self._at, self._end, self._bars = start, end, 0
        try:
            expr = self._read_sum()
            if self._at > end:
                raise UnreadableError("the answer ends too early")
            if self._at != end:
                raise UnreadableError(f"'{self.tokens[self._at].text[:20]}' is not expected")
            return expr
        finally:
            self._at, self._end, self._bars = saved

    def _find_infix(self, start: int, end: int) -> int | None:
        at = start
        while at < end:
            if at in self.pairs:
                at = self.pairs[at] + 1
                continue
            if self.tokens[at].text in _INFIX and start < at:
                return at
            at += 1
        return None

    def _read_sum(self) -> Expr:
        self._depth += 1
        if self._depth > self.options.max_depth:
            raise OverLimitError(f"the answer is nested deeper than {self.options.max_depth}")
        terms: list[Expr] = []
        sign = "+"
        if self._peek() in _SIGNS:
            sign = self._peek()
            self._at += 1
        term = self._read_product()
        if sign == "-" and isinstance(term, Call) and term.op == "mod":
            terms.append(Call("mod", (negate(term.args[0]), term.args[1])))  # -1 mod 5 is 4
        else:
            terms.append(self._apply_sign(sign, term))
        while self._peek() in _SIGNS:
            sign = self._peek()
            self._at += 1
            terms.append(self._apply_sign(sign, self._read_product()))
        self._depth -= 1
        return terms[0] if len(terms) == 1 else add(terms)

    @staticmethod
    def _apply_sign(sign: str, term: Expr) -> Expr:
        if sign == "-":
            return negate(term)
        if sign in {"\\pm", "\\mp"}:
            return Call(sign[1:], (term,))
        return term

    def _read_product(self) -> Expr:
        factors = [self._read_factor()]
        while self._at < self._end:
            text = self._peek()
            if text in TIMES:
                self._at += 1
                factors.append(self._read_factor())
                if text == "\\times":
                    factors[-2:] = _cross(*factors[-2:])
            elif text in OVER:
                self._at += 1
                factors.append(divide(Num(Fraction(1)), self._read_factor()))
            elif text in {"\\bmod", "\\mod"} or self.tokens[self._at].text.strip() == "mod":
                self._at += 1
                factors = [Call("mod", (multiply(factors), self._read_factor()))]
            elif self._starts_atom():
                factors.append(self._read_adjacent(factors[-1]))
                if self._is_mixed(factors):
                    mixed = factors.pop()
                    factors[-1] = add([factors[-1], mixed])
            else:
                break
        return factors[0] if len(factors) == 1 else multiply(factors)

    def _read_adjacent(self, before: Expr) -> Expr:
        """Read a factor that follows another without a sign between them."""
        token = self.tokens[self._at]
        if token.kind == "num":
            previous = self.tokens[self._at - 1]
            factorised = isinstance(before, Call) and before.op == "pow" and self._follows_power()
            if previous.kind == "num" and not factorised:
                if not (self._follows_fraction() and isinstance(before, Num)):
                    raise UnreadableError("two numbers side by side")
                top, bottom = token.value, self.tokens[self._at + 2].value
                if before.value.denominator != 1 or not bottom or top >= bottom:
                    raise UnreadableError("no mixed number")
                self._at += 3
                return Num(top / bottom)
        return self._read_power()

    def _follows_power(self) -> bool:
        """Tell whether the number here has an exponent, as the factors of ``2^6 3^5`` have."""
        here = self.tokens[self._at]
        return here.spaced and self._at + 1 < self._end and self.tokens[self._at + 1].text == "^"

    def _follows_fraction(self) -> bool:
        if self._at + 2 >= self._end:
            return False
        slash, bottom = self.tokens[self._at + 1], self.tokens[self._at + 2]
        return (
            slash.text == "/" and bottom.kind == "num" and not slash.base
            and self.tokens[self._at].value.denominator == 1 and bottom.value.denominator == 1
        )  # fmt: skip

    def _is_mixed(self, factors: list[Expr]) -> bool:
        """Tell whether the last two factors are a mixed number such as 3 1/2."""
        whole, part = factors[-2], factors[-1]
        if not (isinstance(whole, Num) and isinstance(part, Num)) or whole.digits:
            return False
        previous = self.tokens[self._at - 1]
        closes = previous.text == "}" or previous.kind == "num"
        slashed = previous.kind == "num" and self.tokens[self._at - 2].text == "/"
        return (
            whole.value.denominator == 1 and (part.value.denominator != 1 or slashed)
            and part.digits == 0 and 0 <= part.value < 1 and whole.value >= 0 and closes
        )  # fmt: skip

    def _starts_atom(self) -> bool:
        token = self.tokens[self._at]
        if token.kind in {"num", "word", "text", "blackboard", "vector"}:
            return True
        if token.kind == "cmd":
            name = token.text[1:]
            return (
                token.text in FRACTIONS or token.text in BINOMIALS or name in CONSTANTS
                or name in GREEK or name in FUNCTIONS or token.text in _FENCED
                or token.text in ACCENTS or token.text in _OPENING
                or name in {"boxed", "angle", "triangle", "prime", "sum", "prod", "int", "lim"}
            )  # fmt: skip
        if token.text == "|":
            return self._bars == 0
        return token.text in {"(", "[", "{"}

    def _read_factor(self) -> Expr:
        negative = False
        while self._peek() in {"+", "-"}:
            negative ^= self._peek() == "-"
            self._at += 1
        if self._peek() in {"\\pm", "\\mp"}:
            name = self._peek()[1:]
            self._at += 1
            return Call(name, (self._read_power(),))
        power = self._read_power()
        return negate(power) if negative else power

    def _read_power(self) -> Expr:
        base = self._read_postfix(self._read_atom())
        while self._peek() in {"^", "**"}:
            self._at += 1
            if self._peek() == "\\prime" and isinstance(base, Var):
                self._at += 1
                base = Var(base.name + "'")
                continue
            base = self._read_postfix(Call("pow", (base, self._read_exponent())))
        return base

    def _read_exponent(self) -> Expr:
        self._depth += 1
        if self._depth > self.options.max_depth:
            raise OverLimitError(f"powers are nested deeper than {self.options.max_depth}")
        negative = False
        while self._peek() in {"+", "-"}:
            negative ^= self._peek() == "-"
            self._at += 1
        exponent = self._read_atom()
        while self._peek() == "!":
            self._at += 1
            exponent = Call("factorial", (exponent,))
        if self._peek() in {"^", "**"}:
            self._at += 1
            exponent = Call("pow", (exponent, self._read_exponent()))
        self._depth -= 1
        return negate(exponent) if negative else exponent

    def _read_postfix(self, base: Expr) -> Expr:
        while self._at < self._end:
            text = self._peek()
            if text == "!":
                self._at += 1
                op = "factorial"
                if self._peek() == "!" and not self.tokens[self._at].spaced:
                    self._at += 1
                    op = "factorial2"
                base = Call(op, (base,))
            elif text in {"%", "\\%"}:
                self._at += 1
                base = Call("percent", (base,))
            elif text == "°":
                self._at += 1
                base = Call("degree", (base,))
            elif text == "'" and isinstance(base, Var):
                self._at += 1
                base = Var(base.name + "'")
            else:
                break
        return base
