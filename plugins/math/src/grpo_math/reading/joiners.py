"""The words and signs that join the parts of an answer, and which of them stand in one."""

from __future__ import annotations

from typing import NamedTuple

from grpo_math.reading.logic import STATEMENT_MARKS
from grpo_math.reading.quantities import UNIT_SIGNS
from grpo_math.reading.tokens import Token
from grpo_math.reading.vocabulary import RELATIONS
from grpo_math.wording import words

JOINERS = frozenset(
    words("and or und oder et ou или и 或 和 与 及 以及 或者 且 also ; , & \\\\& \\\\")
)
OR = frozenset(words("or oder ou или 或 或者 \\lor \\vee"))
AND = frozenset(words("and und et и 和 与 且 \\land \\wedge"))
AND_SIGNS = frozenset({"\\land", "\\wedge"})
OR_SIGNS = frozenset({"\\lor", "\\vee"})
LOGIC = AND_SIGNS | OR_SIGNS
_ALL_JOINERS = JOINERS | LOGIC
GROUPERS = frozenset(words("; or 或 或者"))
SET_SIGNS = {"\\cup": "union", "\\cap": "meet", "\\setminus": "minus", "\\backslash": "minus",
              "\\bigcup": "union"}  # fmt: skip
_RATIO_MARKS = frozenset({":", "to", " to ", " to", "to "})
_SET_MARKS = frozenset(
    {*SET_SIGNS, "-"}
    | {word.format(u) for u in ("U", "u", "union", "Union", "UNION") for word in ("{}", " {} ")}
)
_RELATION_MARKS = frozenset({*RELATIONS, ":", "\\not", "\\begin"})


class Marks(NamedTuple):
    """What stands somewhere in an answer; the rest need not be looked for at each of its levels."""

    ratio: bool
    sets: bool
    matrix: bool
    comma: bool
    unit: bool
    relation: bool
    joiner: bool
    statement: bool


def find_marks(tokens: list[Token], texts: frozenset[str]) -> Marks:
    """Find which marks the tokens of an answer, whose texts are given too, hold."""
    kinds = {token.kind for token in tokens}
    named = "word" in kinds or "text" in kinds
    return Marks(
        ratio=not texts.isdisjoint(_RATIO_MARKS),
        sets=not texts.isdisjoint(_SET_MARKS),
        matrix="\\begin" in texts,
        comma="," in texts,
        unit=named or not texts.isdisjoint(UNIT_SIGNS),
        relation=not texts.isdisjoint(_RELATION_MARKS),
        statement=not texts.isdisjoint(STATEMENT_MARKS),
        joiner=not texts.isdisjoint(_ALL_JOINERS) or (named and _has_joining_words(tokens)),
    )


def _has_joining_words(tokens: list[Token]) -> bool:
    for token in tokens:
        unlike = token.kind == "text" or (token.kind == "word" and not token.text.islower())
        if unlike and is_joiner(token, JOINERS):
            return True
    return False


def is_joiner(token: Token, joiners: frozenset[str]) -> bool:
    """Tell whether a token is one of some joiners; signs of logic are among all of them."""
    text = token.text
    if text in LOGIC:
        return joiners is JOINERS or text in joiners
    return (text if token.kind == "op" else text.strip().strip(",").lower().strip()) in joiners
