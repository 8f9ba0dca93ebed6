"""Reads atoms: numbers, brackets, fractions, roots, sums, integrals, limits."""

from __future__ import annotations

from fractions import Fraction

from grpo_math.limits import UnreadableError
from grpo_math.patterns import Pattern
from grpo_math.reading.atoms import divide
from grpo_math.reading.derivatives import differentiate
from grpo_math.reading.names import NameReader
from grpo_math.reading.tokens import Token
from grpo_math.reading.vocabulary import (
    ACCENTS,
    BINOMIALS,
    CONSTANTS,
    FRACTIONS,
    FUNCTIONS,
    GREEK,
    GREEK_FORMS,
)
from grpo_math.values import Call, Const, Expr, Num, Var, collect_variables

_OPENING = frozenset({"(", "[", "{", "\\{", "\\lbrace", "\\lbrack"})
_FENCED = {"\\lfloor": "floor", "\\lceil": "ceil", "\\lvert": "abs", "\\lVert": "abs"}
_DIFFERENTIAL = Pattern(r"\{d\}\{d([a-zA-Z])\}")
_DOTLESS = {
    "\\imath": "i",
    "\\jmath": "j",
    "\\mathbf{i}": "i",
    "\\mathbf{j}": "j",
    "\\mathbf{k}": "k",
}
_ARROWS = frozenset({"\\to", "\\rightarrow", "->"})


class AtomReader(NameReader):
    """Reads what stands between two operators."""

    def _read_group(self) -> Expr:
        """Read one braced argument or one single atom, as LaTeX takes arguments."""
        if self._peek() in {"{", "("}:
            opening = self._at
            closing = self.pairs[opening]
            expr = self.read(opening + 1, closing)
            self._at = closing + 1
            return expr
        return self._read_atom()

    def _read_pair(self) -> tuple[Expr, Expr]:
        r"""Read the two arguments of a fraction or binomial; ``\frac12`` has two too."""
        parts: list[Expr] = []
        for place in (0, 1):
            if self._at >= self._end:
                raise UnreadableError("a fraction without its parts")
            token = self.tokens[self._at]
            if token.kind == "num" and not token.digits:
                parts += self._split_digits(token, place)
                if len(parts) == 2:
                    break
            else:
                parts.append(self._read_group() if token.text != "(" else self._read_atom())
        return parts[0], parts[1]

    def _split_digits(self, token: Token, place: int) -> list[Expr]:
        r"""Split ``\frac12`` into its digits; a single number stays whole."""
        text = token.text
        self._at += 1
        if len(text) == 1 or not text.isdigit():
            return [Num(token.value)]
        if place == 0 and len(text) == 2:
            return [Num(Fraction(int(text[0]))), Num(Fraction(int(text[1])))]
        if place == 0:
            raise UnreadableError("a fraction without braces")
        return [Num(token.value)] if token.spaced else [
            divide(Num(Fraction(int(text[0]))), Num(Fraction(1, int(text[1:]))))
            if int(text[1:]) else Num(token.value)
        ]  # fmt: skip

    def _read_atom(self) -> Expr:
        if self._at >= self._end:
            raise UnreadableError("the answer ends too early")
        token = self.tokens[self._at]
        if token.kind == "num":
            self._at += 1
            return Num(token.value, token.digits, token.ulp)
        if token.kind == "word":
            return self._read_word(token)
        if token.kind == "text":
            return self._read_text(token)
        if token.kind == "vector":
            self._at += 1
            return self._read_subscript(
                "vec " + _DOTLESS.get(token.text.strip(), token.text.strip())
            )
        if token.kind == "blackboard":
            raise UnreadableError("a set stands where a number should")
        if token.kind == "cmd":
            return self._read_command(token)
        return self._read_bracket(token)

    def _read_bracket(self, token: Token) -> Expr:
        text = token.text
        if text in _OPENING:
            opening = self._at
            if opening not in self.pairs:
                raise UnreadableError(f"'{text}' is not closed")
            closing = self.pairs[opening]
            if (text == "(") != (self.tokens[closing].text == ")"):
                raise UnreadableError("brackets of two kinds")
            expr = self.read(opening + 1, closing)
            self._at = closing + 1
            return expr
        if text in {"|", "\\|", "\\vert", "\\Vert"}:
            self._at += 1
            self._bars += 1
            saved, self._bars = self._bars, 1
            inner = self._read_sum()
            self._bars = saved - 1
            if self._peek() != text:
                raise UnreadableError("a bar that is not closed")
            self._at += 1
            return Call("abs", (inner,))
        raise UnreadableError(f"'{text[:20]}' is not expected")

    def _read_command(self, token: Token) -> Expr:
        text, name = token.text, token.text[1:]
        if text in _FENCED:
            opening = self._at
            closing = self.pairs[opening]
            inner = self.read(opening + 1, closing)
            self._at = closing + 1
            return Call(_FENCED[text], (inner,))
        if text in _OPENING or text in {"\\|", "\\vert", "\\Vert"}:
            return self._read_bracket(token)
        self._at += 1
        if text in FRACTIONS:
            by = self._read_differential()
            if by:
                return differentiate(self._read_product(), by)
            return divide(*self._read_pair())
        if text == "\\sqrt":
            return self._read_root()
        if text in BINOMIALS:
            top, bottom = self._read_pair()
            return Call("binom", (top, bottom))
        if text == "\\boxed":
            return self._read_group()
        if text in {"\\overline", "\\bar"} and self._peek() == "{":
            barred = self._read_conjugate()
            if barred is not None:
                return barred
        if text in {"\\hat", "\\widehat"}:
            spelled = self._spell_group()
            return self._read_subscript(f"vec {_DOTLESS.get(spelled, spelled)}")
        if text in ACCENTS:
            accent = "vec" if name == "overrightarrow" else name
            return self._read_subscript(f"{accent} {self._spell_group()}")
        if text in {"\\angle", "\\triangle"}:
            start = self._at
            self._read_atom()
            spelled = "".join(t.text for t in self.tokens[start : self._at])
            return Var(f"{name} {spelled}")
        if text in {"\\sum", "\\prod"}:
            return self._read_series(name)
        if text == "\\int":
            return self._read_integral()
        if text == "\\lim":
            return self._read_limit()
        if name == "Gamma" and self._peek() == "(":
            return self._read_function("gamma")
        if name in FUNCTIONS:
            return self._read_function(FUNCTIONS[name])
        if name in CONSTANTS:
            return Const(CONSTANTS[name])
        if name in GREEK:
            return self._read_subscript(GREEK_FORMS.get(name, name))
        raise UnreadableError(f"'{text[:20]}' is not known")

    def _read_differential(self) -> str:
        r"""Read the rest of ``\frac{d}{dx}`` in front of what is differentiated; its variable."""
        tokens = self.tokens[self._at : self._at + 7]
        spelled = "".join(token.text for token in tokens).replace("\\partial", "d")
        match = _DIFFERENTIAL.match(spelled)
        if match is None or not any(token.text == "}" for token in tokens[2:3]):
            return ""
        after = self.pairs[self._at + 3] + 1
        if after >= self._end:
            return ""
        self._at = after
        return match[1]

    def _read_conjugate(self) -> Expr | None:
        """Read a bar over a number; one over letters is part of a name."""
        start = self._at
        closing = self.pairs[start]
        if not any(self.tokens[i].kind == "num" for i in range(start, closing)):
            return None
        inner = self.read(start + 1, closing)
        if collect_variables(inner):
            return None
        self._at = closing + 1
        return Call("conj", (inner,))

    def _read_bounds(self, signs: str) -> dict[str, tuple[int, int]]:
        """Read the places of what stands below and above a sign such as a sum."""
        bounds: dict[str, tuple[int, int]] = {}
        for _ in signs:
            sign = self._peek()
            if sign not in set(signs):
                raise UnreadableError("bounds are missing")
            self._at += 1
            if self._peek() == "{":
                bounds[sign] = (self._at + 1, self.pairs[self._at])
                self._at = self.pairs[self._at] + 1
            elif self._at >= self._end:
                raise UnreadableError("bounds are missing")
            else:
                bounds[sign] = (self._at, self._at + 1)
                self._at += 1
        if len(bounds) != len(signs):
            raise UnreadableError("bounds are missing")
        return bounds

    def _read_integral(self) -> Expr:
        """Read a definite integral: everything up to its differential."""
        bounds = self._read_bounds("_^")
        start = at = self._at
        while at < self._end:
            if at in self.pairs:
                at = self.pairs[at] + 1
                continue
            token = self.tokens[at]
            if token.kind == "word" and len(token.text) == 2 and token.text[0] == "d":
                name, after = token.text[1], at + 1
                break
            if token.text == "d" and at + 1 < self._end and len(self.tokens[at + 1].text) == 1:
                name, after = self.tokens[at + 1].text, at + 2
                break
            at += 1
        else:
            raise UnreadableError("an integral without its differential")
        body: Expr = self.read(start, at) if at > start else Num(Fraction(1))
        self._at = after
        low, high = self.read(*bounds["_"]), self.read(*bounds["^"])
        return Call("integral", (Var(name), low, high, body))

    def _read_limit(self) -> Expr:
        start, end = self._read_bounds("_")["_"]
        arrows = [i for i in range(start, end) if self.tokens[i].text in _ARROWS]
        if len(arrows) != 1:
            raise UnreadableError("a limit without its point")
        index = self.read(start, arrows[0])
        if self.tokens[end - 1].text in {"+", "-"} or not isinstance(index, Var):
            raise UnreadableError("a limit from one side")
        body_start = self._at
        point, body = self.read(arrows[0] + 1, end), self._read_product()
        unknown = self._spell_unknown("lim", body, start, end, body_start)
        return unknown or Call("limit", (index, point, body))

    def _spell_unknown(self, sign: str, body: Expr, start: int, end: int, then: int) -> Var | None:
        """Spell out a limit or sum of an unknown function: it is one symbol, not a number."""
        if not any("(" in name for name in collect_variables(body)):
            return None
        tokens = self.tokens[start:end] + self.tokens[then : self._at]
        return Var(f"{sign} {' '.join(token.text for token in tokens)}")

    def _read_series(self, name: str) -> Expr:
        bounds = self._read_bounds("_^")
        start, end = bounds["_"]
        if end - start < 3 or self.tokens[start + 1].text != "=":
            raise UnreadableError("a sum without an index")
        index = self.read(start, start + 1)
        low = self.read(start + 2, end)
        high = self.read(*bounds["^"])
        body_start = self._at
        body = self._read_product()
        if isinstance(index, Const):
            body = _replace(body, index, Var(index.name))
            index = Var(index.name)
        unknown = self._spell_unknown(name, body, start, end, body_start)
        return unknown or Call(name, (index, low, high, body))

    def _read_root(self) -> Expr:
        index: Expr | None = None
        if self._peek() == "[":
            opening = self._at
            closing = self.pairs[opening]
            index = self.read(opening + 1, closing) if closing > opening + 1 else None
            self._at = closing + 1
        radicand = self._read_group()
        if index is None:
            return Call("sqrt", (radicand,))
        return Call("nroot", (radicand, index))


def _replace(expr: Expr, old: Expr, new: Expr) -> Expr:
    """Put one expression in the place of another, as the index i for the imaginary unit."""
    if expr == old:
        return new
    if isinstance(expr, Call):
        return Call(expr.op, tuple(_replace(arg, old, new) for arg in expr.args))
    return expr
