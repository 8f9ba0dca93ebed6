r"""Reads sets by their names (``ℝ``, ``\mathbb{Z}^+``), and operations on sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from grpo_math.reading.joiners import SET_SIGNS
from grpo_math.reading.tokens import Token
from grpo_math.reading.vocabulary import SAME_SETS, SET_SUFFIXES, SETS
from grpo_math.values import NamedSet, SetOperation, Value

FENCES: Mapping[str, str] = {
    "(": "(", ")": ")", "[": "[", "]": "]", "\\lbrack": "[", "\\rbrack": "]",
    "\\{": "{", "\\}": "}", "{": "{", "}": "}", "\\lbrace": "{", "\\rbrace": "}",
    "\\langle": "<", "\\rangle": ">",
}  # fmt: skip
"""The brackets around tuples, intervals and sets, and which they are."""


class SideReader(Protocol):
    """What an operation on sets needs of the reader around it."""

    tokens: list[Token]
    pairs: dict[int, int]

    def read_side(self, start: int, end: int) -> Value:
        """Read one value."""
        ...


def read_named_set(tokens: Sequence[Token]) -> NamedSet | None:
    """Read a set's name with what stands above or below it; None where it is none."""
    if not tokens:
        return None
    token = tokens[0]
    if token.kind == "cmd" and len(tokens) == 1:
        name = SETS.get(token.text[1:]) if len(token.text) > 2 else None
        return None if name is None else NamedSet(name)
    if token.kind != "blackboard":
        return None
    signs = [t.text for t in tokens[1:] if t.text not in "{}"]
    suffix = "".join(sign for sign in signs if sign not in {"^", "_"})
    base = SETS.get(token.text.strip(), "")
    if not base or suffix not in SET_SUFFIXES:
        return None
    # ℤ_2 has two members, ℤ^2 is a plane; ℕ_0 has a zero more than ℕ.
    mark = signs[0] if suffix.isalnum() and signs[0] != "_^"[suffix != "0"] else ""
    return NamedSet(SAME_SETS.get(base + suffix, base + mark + suffix))


def read_set_operation(reader: SideReader, start: int, end: int) -> Value | None:
    """Read sets joined by union, intersection or difference; None for what is none."""
    parts: list[tuple[int, int]] = []
    ops: list[str] = []
    at = begin = start
    while at < end:
        if at in reader.pairs:
            at = reader.pairs[at] + 1
            continue
        token = reader.tokens[at]
        op = SET_SIGNS.get(token.text, "") if token.kind == "cmd" else ""
        beside = start < at < end - 1 and reader.tokens[at - 1].text in FENCES
        if token.kind == "word" and token.text.lower() in {"u", "union"} and beside:
            op = "union"
        if token.text == "-" and at > start and reader.tokens[at - 1].kind == "blackboard":
            op = "minus"
        if op:
            parts.append((begin, at))
            ops.append(op)
            begin = at + 1
        at += 1
    if not ops:
        return None
    parts.append((begin, end))
    values = [reader.read_side(*part) for part in parts]
    if len(set(ops)) == 1:
        return SetOperation(ops[0], tuple(values))
    result = values[0]
    for op, value in zip(ops, values[1:], strict=True):
        result = SetOperation(op, (result, value))
    return result
