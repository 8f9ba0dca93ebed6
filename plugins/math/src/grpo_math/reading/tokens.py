"""The tokenizer: a flat list of tokens and a table of matching brackets."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from grpo_math.limits import OverLimitError, UnreadableError
from grpo_math.options import Options
from grpo_math.patterns import Pattern
from grpo_math.reading.atoms import is_letters
from grpo_math.reading.normalise import find_closing
from grpo_math.wording import words

MAX_TOKENS = 4000
ZERO = Fraction(0)
_TOKEN = Pattern(
    r"\s*(?:(?P<repeat>\d*\.\d*(?:\\(?:overline|bar|overset\s*\{\s*\\frown\s*\})\s*\{\s*\d+\s*\}|\(\d+\)(?!\s*[\^!])"
    r"|(?:\d*\\dot\s*\{?\s*\d\s*\}?)+))"
    r"|(?P<base>\d[0-9A-F]*_(?:\d{1,2}|\{\s*\(?\s*\d{1,2}\s*\)?\s*\})(?!\d))"
    r"|(?P<sci>(?:\d+(?:,\d{3})*(?:\.\d*)?|\.\d+)[eE][+-]?\d+(?![a-zA-Z\d]))"
    r"|(?P<num>%s)"
    r"|(?P<word>[^\W\d_]+)"
    r"|(?P<cmd>\\(?:[a-zA-Z]+\*?|.))"
    r"|(?P<op>\*\*|\.\.\.|<=|>=|!=|=>|->|:=|==|\S)|(?<=\s)$)",
    re.DOTALL,
)
_NUMBER = r"\d+(?:\.\d+)?(?:\.(?!\d|\.))?|\.\d+"
_JOINED = Pattern(_TOKEN.pattern % (r"\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|" + _NUMBER), re.DOTALL)
_SPLIT = Pattern(_TOKEN.pattern % _NUMBER, re.DOTALL)
_COMMA = Pattern(
    _TOKEN.pattern % (r"\d{1,3}(?:\.\d{3})+(?!\d)(?:,\d+)?|\d+,\d+|\d+(?:\.\d+)?"), re.DOTALL
)
_POINTED_THOUSANDS = Pattern(r"\d{1,3}(?:\.\d{3})+")
_SPACED_THOUSANDS = Pattern(
    r"(?<![\d.,_^])\d{1,3}(?: \d{3})+(?:(?= +\d+\s*/\s*\d+\s*$)|(?![\d ]*\d)(?!/))"
)
_TEXT_COMMANDS = frozenset(
    words(
        "text textbf textit textrm textsf texttt mathrm mathbf mathit mathsf mathtt mbox hbox "
        "operatorname operatorname* textnormal textup emph mathcal mathfrak mathscr bold unit si "
        "mathbb vec"
    )
)
_CLOSERS = {")": "(", "]": "[", "}": "{", "\\}": "\\{", "\\rangle": "\\langle",
            "\\rfloor": "\\lfloor", "\\rceil": "\\lceil", "\\rvert": "\\lvert",
            "\\rVert": "\\lVert", "\\rbrace": "\\lbrace", "\\rbrack": "\\lbrack"}  # fmt: skip
_OPENERS = frozenset(_CLOSERS.values())


class Token(NamedTuple):
    r"""One token; a tuple, because an answer makes many and attrs takes twice as long for each.

    Attributes:
        kind: ``num``, ``word`` (a run of letters), ``cmd`` (with its backslash), ``text`` (what a
            ``\text{}`` holds) or ``op``.
        text: As written.
        spaced: True where white space stands before it.
        value: The number, for ``num``.
        digits: Significant digits, for decimals; else 0.
        ulp: Weight of the last digit, for decimals.
        base: The base, for a number in another base; else 0.
    """

    kind: str
    text: str
    spaced: bool = False
    value: Fraction = ZERO
    digits: int = 0
    ulp: Fraction = ZERO
    base: int = 0


def make_number(text: str, options: Options, *, spaced: bool = False) -> Token:
    """Read a decimal numeral such as ``12``, ``.5``, ``1.50`` or ``2.5e-7`` exactly.

    Raises:
        OverLimitError: It has too many digits, or too large an exponent.
    """
    mantissa, _, exponent_text = text.lower().rstrip(".").partition("e")
    if len(text) > options.max_digits or len(exponent_text) > 6:
        raise OverLimitError(f"a number has more than {options.max_digits} digits")
    exponent = int(exponent_text or 0)
    if abs(exponent) > options.max_digits:
        raise OverLimitError(f"a number has more than {options.max_digits} digits")
    whole, _, decimals = mantissa.partition(".")
    number = parse_integer((whole + decimals) or "0")
    if not decimals and not exponent:
        return Token("num", text, spaced, Fraction(number))
    places = len(decimals) - exponent
    ulp = Fraction(1, 10**places) if places > 0 else Fraction(10**-places)
    digits = len((whole + decimals).lstrip("0"))
    return Token("num", text, spaced, number * ulp, digits, ulp)


def parse_integer(digits: str) -> int:
    """Read a run of decimal digits of any length, past the interpreter's own limit."""
    if len(digits) <= 4000:
        return int(digits)
    number = 0
    for at in range(0, len(digits), 4000):
        part = digits[at : at + 4000]
        number = number * 10 ** len(part) + int(part)
    return number


def _read_repeating(text: str) -> Fraction:
    whole, _, rest = text.partition(".")
    dot = re.findall(r"\\dot\s*\{?\s*(\d)\s*\}?", rest)
    if dot:
        start = rest.index("\\dot")
        fixed = rest[:start]
        period = re.sub(r"\D", "", rest[start:])
    else:
        match = re.match(r"(\d*)\D+(\d+)", rest)
        if match is None:
            raise UnreadableError("a repeating decimal without a period")
        fixed, period = match.groups()
    if len(fixed) + len(period) > 400:
        raise OverLimitError("a repeating decimal with too many digits")
    nines = 10 ** len(period) - 1
    base = Fraction(int((whole + fixed) or "0"), 10 ** len(fixed))
    return base + Fraction(int(period), nines * 10 ** len(fixed))


def _read_base(text: str, *, spaced: bool) -> Token:
    digits, _, base_text = text.partition("_")
    base = int(re.sub(r"\D", "", base_text))
    if not 2 <= base <= 36 or len(digits) > 400 or any(int(c, 36) >= base for c in digits):
        raise UnreadableError("a digit that its base does not have")
    return Token("num", text, spaced, Fraction(int(digits, base)), base=base)


def tokenise(text: str, options: Options, *, join_thousands: bool = True) -> list[Token]:
    """Split a normalised answer into tokens.

    Args:
        text: A normalised answer.
        options: For the limits and the decimal comma.
        join_thousands: Read ``1,234`` as one number.

    Returns:
        The tokens in order, without spaces.

    Raises:
        OverLimitError: Too many tokens, or a number with too many digits.
    """
    whole = _JOINED if join_thousands else _SPLIT
    pattern = _COMMA if options.decimal_comma else whole
    if " " in text:
        text = _SPACED_THOUSANDS.sub(lambda m: m.group().replace(" ", ""), text)
    tokens: list[Token] = []
    at: int | None = 0
    while at is not None:
        at = _tokenise_from(text, at, tokens, pattern, options)
    return tokens


def _tokenise_from(
    text: str, start: int, tokens: list[Token], pattern: Pattern, options: Options
) -> int | None:
    r"""Append the tokens up to the end, or up to a command whose argument is no notation.

    Returns:
        Where to go on, behind the argument of that command; None at the end.
    """
    append = tokens.append
    for match in pattern.finditer(text, start):
        kind = match.lastgroup
        if kind is None:  # the space at the end
            return None
        value = match.group(kind)
        spaced = match.start() != match.start(kind)
        if len(tokens) > MAX_TOKENS:
            raise OverLimitError(f"the answer has more than {MAX_TOKENS} tokens")
        if kind == "op":
            append(Token(kind, value, spaced))
        elif kind == "num":
            if value.isdigit() and len(value) < 1000:
                append(Token(kind, value, spaced, Fraction(int(value))))
            else:
                plain = _with_point(value) if options.decimal_comma else value.replace(",", "")
                append(make_number(plain, options, spaced=spaced))
        elif kind == "cmd":
            if value[1:] in _TEXT_COMMANDS:
                arguments, at = _read_text_command(text, match.end(), value, spaced=spaced)
                tokens += arguments
                return at
            append(Token(kind, value, spaced))
        elif kind == "word":
            if tokens and tokens[-1].text == "^" and is_letters(value):
                append(Token(kind, value[0], spaced))
                append(Token(kind, value[1:]))
            else:
                append(Token(kind, value, spaced))
        elif kind == "sci":
            plain = _with_point(value) if options.decimal_comma else value.replace(",", "")
            append(make_number(plain, options, spaced=spaced))
        elif kind == "repeat":
            append(Token("num", value, spaced, _read_repeating(value)))
        else:
            append(_read_base(value, spaced=spaced))
    return None


def _read_text_command(
    text: str, at: int, command: str, *, spaced: bool
) -> tuple[list[Token], int]:
    r"""Read the argument of a command such as ``\text``; an empty one is no token."""
    opening = at
    while opening < len(text) and text[opening] == " ":
        opening += 1
    if text[opening : opening + 1] != "{":
        return [Token("cmd", command, spaced)], at
    closing = find_closing(text, opening)
    if closing < 0:
        raise UnreadableError("a brace is not closed")
    inside = text[opening + 1 : closing]
    if not inside.strip():
        return [], closing + 1
    return [Token(_name_text(command, inside), inside, spaced)], closing + 1


def _with_point(numeral: str) -> str:
    """Write a numeral with a decimal comma, or with points between thousands, the other way."""
    if "," in numeral or _POINTED_THOUSANDS.fullmatch(numeral):
        return numeral.replace(".", "").replace(",", ".")
    return numeral


def _name_text(command: str, inside: str) -> str:
    if command == "\\mathbf" and inside.strip() in {"i", "j", "k"}:
        return "vector"
    return {"\\mathbb": "blackboard", "\\vec": "vector"}.get(command, "text")


def match_brackets(tokens: list[Token], options: Options) -> dict[int, int]:
    """Match every opening bracket with its closing one, half-open intervals allowed.

    Returns:
        Index of each opening token → index of its closing token.

    Raises:
        UnreadableError: A bracket has no partner.
        OverLimitError: Brackets are nested too deeply.
    """
    stack: list[int] = []
    pairs: dict[int, int] = {}
    for index, token in enumerate(tokens):
        if token.kind not in {"op", "cmd"}:
            continue
        if token.text in _OPENERS:
            stack.append(index)
            if len(stack) > options.max_depth:
                raise OverLimitError(f"brackets are nested deeper than {options.max_depth}")
        elif token.text in _CLOSERS:
            if not stack:
                raise UnreadableError(f"'{token.text}' closes nothing")
            opening = tokens[stack[-1]].text
            wanted = _CLOSERS[token.text]
            if opening != wanted and not (opening in "([" and wanted in "(["):
                raise UnreadableError(f"'{opening}' is closed by '{token.text}'")
            pairs[stack.pop()] = index
    if stack:
        raise UnreadableError(f"'{tokens[stack[-1]].text}' is not closed")
    return pairs
