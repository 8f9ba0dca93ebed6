"""A recursive-descent reader of one mathematical expression."""

from __future__ import annotations

from fractions import Fraction

from grpo_math.limits import OverLimitError, UnreadableError
from grpo_math.options import Options
from grpo_math.patterns import Pattern
from grpo_math.reading.atoms import add, divide, is_number, make_log, multiply, negate, split_word
from grpo_math.reading.tokens import Token
from grpo_math.reading.vocabulary import (
    ACCENTS,
    BINOMIALS,
    CONSTANTS,
    FRACTIONS,
    FUNCTIONS,
    GREEK,
    GREEK_FORMS,
    INVERSE,
    OVER,
    TIMES,
    TWO_ARGUMENTS,
)
from grpo_math.values import Call, Const, Expr, Num, Var

_VOWEL = Pattern("[aeiouAEIOU]")
_OPENING = frozenset({"(", "[", "{", "\\{", "\\lbrace", "\\lbrack"})
_FENCED = {"\\lfloor": "floor", "\\lceil": "ceil", "\\lvert": "abs", "\\lVert": "abs"}
_ARROWS = frozenset({"\\to", "\\rightarrow", "->"})
_INFIX = frozenset({"\\choose", "\\over"})
_SIGNS = frozenset({"+", "-", "\\pm", "\\mp"})


class ExpressionReader:
    """Reads expressions from a list of tokens whose brackets are matched.

    Attributes:
        tokens: All tokens of the answer.
        pairs: Index of each opening bracket → index of its closing one.
        options: For the limit on depth.
    """

    def __init__(self, tokens: list[Token], pairs: dict[int, int], options: Options) -> None:
        self.tokens = tokens
        self.pairs = pairs
        self.options = options
        self._at = 0
        self._end = 0
        self._depth = 0
        self._bars = 0
        self._infix = any(t.text in _INFIX for t in tokens)

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
        saved = self._at, self._end, self._bars
        self._at, self._end, self._bars = start, end, 0
        try:
            expr = self._read_sum()
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

    def _peek(self) -> str:
        if self._at < self._end:
            token = self.tokens[self._at]
            if token.kind in {"op", "cmd"}:
                return token.text
        return ""

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
            if previous.kind == "num":
                if not (self._follows_fraction() and isinstance(before, Num)):
                    raise UnreadableError("two numbers side by side")
                top, bottom = token.value, self.tokens[self._at + 2].value
                if before.value.denominator != 1 or not bottom or top >= bottom:
                    raise UnreadableError("no mixed number")
                self._at += 3
                return Num(top / bottom)
        return self._read_power()

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
        return (
            whole.value.denominator == 1 and part.value.denominator != 1 and part.digits == 0
            and 0 < part.value < 1 and whole.value >= 0 and closes
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

    def _read_group(self) -> Expr:
        """Read one braced argument or one single atom, as LaTeX takes arguments."""
        if self._peek() in {"{", "("}:
            opening = self._at
            closing = self.pairs[opening]
            expr = self.read(opening + 1, closing)
            self._at = closing + 1
            return expr
        return self._read_atom()

    def _read_fraction(self) -> Expr:
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
        return divide(parts[0], parts[1])

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
            return self._read_subscript("vec " + token.text.strip())
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
            return self._read_fraction()
        if text == "\\sqrt":
            return self._read_root()
        if text in BINOMIALS:
            return Call("binom", (self._read_group(), self._read_group()))
        if text == "\\boxed":
            return self._read_group()
        if text in ACCENTS:
            return self._read_subscript(f"{name} {self._spell_group()}")
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
        if name in FUNCTIONS:
            return self._read_function(FUNCTIONS[name])
        if name in CONSTANTS:
            return Const(CONSTANTS[name])
        if name in GREEK:
            return self._read_subscript(GREEK_FORMS.get(name, name))
        raise UnreadableError(f"'{text[:20]}' is not known")

    def _spell_group(self) -> str:
        start = self._at
        if self._peek() == "{":
            self._at = self.pairs[start] + 1
            return " ".join(t.text for t in self.tokens[start + 1 : self._at - 1])
        self._at += 1
        return self.tokens[start].text if start < self._end else ""

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
        return Call("limit", (index, self.read(arrows[0] + 1, end), self._read_product()))

    def _read_series(self, name: str) -> Expr:
        bounds = self._read_bounds("_^")
        start, end = bounds["_"]
        if end - start < 3 or self.tokens[start + 1].text != "=":
            raise UnreadableError("a sum without an index")
        index = self.read(start, start + 1)
        low = self.read(start + 2, end)
        high = self.read(*bounds["^"])
        if isinstance(index, Const):
            index = Var(index.name)
        body = self._read_product()
        return Call(name, (index, low, high, body))

    def _read_root(self) -> Expr:
        index: Expr | None = None
        if self._peek() == "[":
            opening = self._at
            closing = self.pairs[opening]
            index = self.read(opening + 1, closing)
            self._at = closing + 1
        radicand = self._read_group()
        if index is None:
            return Call("sqrt", (radicand,))
        return Call("nroot", (radicand, index))

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
            return self._read_subscript(word)
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
            elif last and part not in CONSTANTS:
                factors.append(self._read_last(part, factors))
            else:
                factors.append(self._name_atom(part))
        return factors[0] if len(factors) == 1 else multiply(factors)

    def _read_last(self, part: str, factors: list[Expr]) -> Expr:
        """Read the last letter of a run: a power binds to it alone (``xy^2``)."""
        atom = self._read_postfix(self._read_subscript(part))
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
        return Var(name)

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
