"""What every layer of the expression reader shares: where it stands, and what is above it."""

from __future__ import annotations

from grpo_math.limits import UnreadableError
from grpo_math.options import Options
from grpo_math.reading.tokens import Token
from grpo_math.values import Expr


class Cursor:
    """A place in a list of tokens whose brackets are matched.

    Attributes:
        tokens: All tokens of the answer.
        pairs: Index of each opening bracket → index of its closing one.
        options: For the limit on depth.
    """

    def __init__(self, tokens: list[Token], pairs: dict[int, int], options: Options) -> None:
        self.tokens = tokens
        self.pairs = pairs
        self.options = options
        self._signs = [t.text if t.kind in {"op", "cmd"} else "" for t in tokens]
        self._at = 0
        self._end = 0
        self._depth = 0
        self._bars = 0

    def _peek(self) -> str:
        return self._signs[self._at] if self._at < self._end else ""

    def _spell_group(self) -> str:
        start = self._at
        if start >= self._end:
            raise UnreadableError("an argument is missing")
        if self._peek() == "{":
            self._at = self.pairs[start] + 1
            return " ".join(t.text for t in self.tokens[start + 1 : self._at - 1])
        self._at += 1
        return self.tokens[start].text if start < self._end else ""

    def read(self, start: int, end: int) -> Expr:
        """Read the tokens from ``start`` up to ``end`` as one expression."""
        raise NotImplementedError

    def _read_sum(self) -> Expr:
        raise NotImplementedError

    def _read_product(self) -> Expr:
        raise NotImplementedError

    def _read_power(self) -> Expr:
        raise NotImplementedError

    def _read_exponent(self) -> Expr:
        raise NotImplementedError

    def _read_postfix(self, base: Expr) -> Expr:
        raise NotImplementedError

    def _read_group(self) -> Expr:
        raise NotImplementedError

    def _starts_atom(self) -> bool:
        raise NotImplementedError
