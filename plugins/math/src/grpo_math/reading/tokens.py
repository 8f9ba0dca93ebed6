"""The tokenizer: a flat list of tokens and a table of matching brackets."""

from __future__ import annotations

import functools
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
_TEXT_COMMANDS = frozenset(
    words(
        "text textbf textit textrm textsf texttt mathrm mathbf mathit mathsf mathtt mbox hbox "
        "operatorname operatorname* textnormal textup emph mathcal mathfrak mathscr bold unit si "
        "mathbb vec"
    )
)
_TEXT_NAMES = "|".join(map(re.escape, sorted(_TEXT_COMMANDS, key=len, reverse=True)))
_TEXT_COMMAND = Pattern(rf"\\(?:{_TEXT_NAMES})(?![a-zA-Z*])")
_NESTED_TEXT = Pattern(_TEXT_COMMAND.pattern + r"(?!\s*\{[^{}]*\})")
_TOKEN = Pattern(
    r"(\s*)(?:(?P<repeat>\d*\.\d*(?:\\(?:overline|bar|overset\s*\{\s*\\frown\s*\})\s*\{\s*\d+\s*\}|\(\d+\)(?!\s*[\^!])"
    r"|(?:\d*\\dot\s*\{?\s*\d\s*\}?)+))"
    r"|(?P<base>\d[0-9A-F]*_(?:\d{1,2}|\{\s*\(?\s*\d{1,2}\s*\)?\s*\})(?!\d))"
    r"|(?P<sci>(?:\d+(?:,\d{3})*(?:\.\d*)?|\.\d+)[eE][+-]?\d+(?![a-zA-Z\d]))"
    r"|(?P<num>%s)"
    r"|(?P<word>[^\W\d_]+)"
    r"|(?P<command>" + _TEXT_COMMAND.pattern + r")\s*\{(?P<argument>[^{}]*)\}"
    r"|(?P<cmd>\\(?:[a-zA-Z]+|.))"
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
    if "\\" in text and _NESTED_TEXT.search(text):
        return _tokenise_nested(text, pattern, options)
    return _make_tokens(pattern.findall(text), options)


def _tokenise_nested(text: str, pattern: Pattern, options: Options) -> list[Token]:
    r"""Tokenise where a command such as ``\text`` has braces in its argument, or none."""
    tokens: list[Token] = []
    at = 0
    for match in _TEXT_COMMAND.finditer(text):
        if match.start() < at:
            continue
        tokens += _make_tokens(pattern.findall(text[at : match.start()]), options)
        spaced = text[match.start() - 1 : match.start()].isspace()
        arguments, at = _read_text_command(text, match.end(), match.group(), spaced=spaced)
        tokens += arguments
    return tokens + _make_tokens(pattern.findall(text[at:]), options)


def _make_tokens(found: list[tuple[str, ...]], options: Options) -> list[Token]:
    """Make tokens of what the pattern found; the groups are in the order of the pattern."""
    if len(found) > MAX_TOKENS:
        raise OverLimitError(f"the answer has more than {MAX_TOKENS} tokens")
    tokens: list[Token] = []
    append = tokens.append
    for space, repeat, base, sci, num, word, command, argument, cmd, op in found:
        spaced = space != ""
        if op:
            append(Token("op", op, spaced))
        elif num:
            if num.isdigit() and len(num) < 1000:
                append(Token("num", num, spaced, _whole(num)))
            else:
                plain = _with_point(num) if options.decimal_comma else num.replace(",", "")
                append(make_number(plain, options, spaced=spaced))
        elif cmd:
            append(Token("cmd", cmd, spaced))
        elif word:
            if tokens and tokens[-1].text == "^" and is_letters(word):
                append(Token("word", word[0], spaced))
                append(Token("word", word[1:]))
            else:
                append(Token("word", word, spaced))
        elif command:
            if argument.strip():
                append(Token(_name_text(command, argument), argument, spaced))
        elif sci:
            plain = _with_point(sci) if options.decimal_comma else sci.replace(",", "")
            append(make_number(plain, options, spaced=spaced))
        elif repeat:
            append(Token("num", repeat, spaced, _read_repeating(repeat)))
        elif base:
            append(_read_base(base, spaced=spaced))
    return tokens


@functools.lru_cache(maxsize=1024)
def _whole(digits: str) -> Fraction:
    return Fraction(int(digits))


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
