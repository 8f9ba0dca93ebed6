"""Tells bare notation, which means one thing, from what may be words, a date or a choice."""

from __future__ import annotations

from fractions import Fraction

from grpo_math.patterns import Pattern
from grpo_math.values import Num

_NUMERAL = Pattern(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,15}))?")
# No o, p or j, no two letters in a row, and only commands that nothing rewrites.
_NOTATION = Pattern(
    r"(?=[0-9a-z(\[\\|+-])(?:[0-9(){}\[\]+\-*/^=|!,. ]++|[a-ik-nq-z](?![a-zA-Z])"
    r"|\\(?:[dt]?frac|sqrt|pi|cdot|times|sin|cos|tan|ln|log|[dt]?binom|infty|pm|theta|alpha)"
    r"(?![a-zA-Z]))*+(?<=[^\s.,=\\])"
)
# What a step before the tokenizer rewrites, or a reader of fixed forms takes.
_RISKY = Pattern(
    r"^[^0-9\\]*$|\(\s*=|\([iv]\)|x\s*10|\+[-/]|\.\.|\{,|\{\}|\( *\)|0[bx]|[0-9],[0-9]{3}"
    r"|[0-9]{4} *[-/.]|[0-9] *[-/.] *[0-9]{1,2} *[-/.] *[0-9]{4}"
    r"|[0-9.] *[a-z](?: *,)? *[0-9]|[0-9}] *\([a-z^0-9/ ]+\) *\}?$|\^ *T"
    r"|[0-9}] \([^()]*\)$|^[0-9 ]*h[0-9 ]*$|[0-9]\.(?![0-9])"
)
# The same with brackets that grow, more functions and roots; runs of these letters are products.
_SURE = Pattern(
    r"(?=[0-9a-z(\[\\|+-])(?:[0-9(){}\[\]+\-*/^|!=. °]++|[a-ik-nq-z](?![a-zA-Z])"
    r"|(?:(?<=[0-9(){}+\-*=])|(?<=[0-9(){}+\-*=] )|(?<!.))(?:xyz?|yz|xz|abc?|bc)(?![a-zA-Z])"
    r"|\\(?:left|right|[dt]?frac|sqrt|pi|cdot|times|(?:arc)?(?:sin|cos|tan)|cot|sec|csc|sinh|cosh"
    r"|ln|lg|log(?:_(?:[0-9](?![0-9])|(?=\{)))?|exp|circ|theta|alpha|beta|phi)(?![a-zA-Z]))*+"
    r"(?<=[^\s.=\\])"
)
LETTERS = "abcknqrvwxyz"
"""Variables that are no units, constants or marks of something else."""
_MAX_LENGTH = 160


def read_numeral(text: str) -> Num | None:
    """Read a whole number or decimal of few digits; None for anything else."""
    match = _NUMERAL.fullmatch(text)
    if match is None:
        return None
    sign, whole, decimals = match.groups()
    if decimals is None:
        return Num(Fraction(-int(whole) if sign else int(whole)))
    digits, scale = whole + decimals, 10 ** len(decimals)
    value = Fraction(-int(digits) if sign else int(digits), scale)
    return Num(value, len(digits.lstrip("0")), Fraction(1, scale))


def is_bare(text: str) -> bool:
    """Tell whether a text is notation that can be tokenised as it stands, and means one thing."""
    return (
        len(text) <= _MAX_LENGTH
        and _NOTATION.fullmatch(text) is not None
        and _RISKY.search(text) is None
    )


def is_sure(text: str) -> bool:
    """Tell whether a text means one thing, with notation that is rewritten without doubt too."""
    return (
        len(text) <= _MAX_LENGTH
        and _SURE.fullmatch(text) is not None
        and _RISKY.search(text) is None
    )
