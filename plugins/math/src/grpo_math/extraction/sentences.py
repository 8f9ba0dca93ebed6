"""Find the value that a sentence states (so she pays 6 dollars: 6 dollars)."""

from __future__ import annotations

import re
from typing import Final

from grpo_math.extraction.cleaning import clean
from grpo_math.extraction.quantities import (
    find_main_quantities,
    find_quantities,
    read_quantity,
    strip_beside,
    trim_counter,
)
from grpo_math.patterns import Pattern

MAX_SENTENCE: Final = 1_200
_PARENTHESISED: Final = Pattern(r"\\\((.{1,400}?)\\\)")
_VERDICT: Final = Pattern(
    r"\s(?:is|are)\s(?:the|our|my)\s(?:final\s|correct\s|desired\s|required\s)?"
    r"(?:answer|solution|result|value)s?\b.{0,60}$"
)
_IS: Final = Pattern(
    r"\b(?:is|are|was|were|equals?|be|becomes|(?<=it|at|re|er)'s|'s(?=\s+[-+$€£(\\\d])|gives|"
    r"yields|gives us|results? in|obtain|get|est|"
    r"sont|"
    r"vaut|ist|sind|lautet|beträgt|es|son|"
    r"adalah|é|è|sono|são|равен|равна|равно|составляет|является)\b(?:\s+(?:equal to|exactly|simply|"
    r"just|only|therefore|thus|then|about|"
    r"approximately|(?:calculated|computed|found) (?:as|to be)|given by|égale? à|gleich|igual a|"
    r"also))?\s*[:：]?\s*|"
    r"(?:等于|应为|应该是|就是|是|为|為|共有|有|需要|得|は|＝|≈)\s*"
)
_WORD: Final = Pattern(r"(?<![\\A-Za-z])[^\W\d_]{2,}")
_KNOWN: Final = frozenset(
    {
        "pmatrix", "bmatrix", "vmatrix", "matrix", "array", "cases", "aligned",
        "and", "or", "und", "oder", "et", "ou", "sin", "cos", "tan", "cot", "sec", "csc",
        "log", "ln", "lg", "exp", "sqrt", "pi", "mod", "max", "min", "gcd", "lcm", "deg", "y",
        "o", "e", "и", "или", "inf", "infinity", "empty", "set", "no", "solution", "solutions",
        "real", "all", "numbers", "for", "any", "integer", "cm", "mm", "km", "kg", "mg", "ml",
        "ft", "hours", "hour", "minutes", "dollars", "degrees", "units", "square", "pm", "am",
    }
)  # fmt: skip
CONCLUSION: Final = Pattern(
    r"^(?:and\s+|but\s+|\W{1,3})?(?:therefore|thus|hence|so|consequently|finally|in conclusion|"
    r"in total|altogether|as a result|"
    r"accordingly|that means|this means|we (?:get|find|obtain|conclude)|it follows|"
    r"∴|\\therefore|⇒|=>|donc|ainsi|par conséquent|also|daher|damit|somit|folglich|por lo tanto|"
    r"por tanto|así que|luego|entonces|"
    r"portanto|logo|quindi|pertanto|dunque|следовательно|таким образом|значит|итак|поэтому|解得|"
    r"求得|可知|得到|所以|"
    r"因此|故|综上|从而|于是|可得|"
    r"即|よって|したがって|ゆえに|따라서|그러므로|vậy|jadi|dus|więc|zatem|bu nedenle)"
    r"(?![A-Za-z])[\s,:，：、]*(?:that\s+|所述[，,]?\s*|(?:we|you)\s+(?:get|have|find|obtain|"
    r"conclude|see)\s+(?:that\s+)?)?",
    re.IGNORECASE,
)
_LEAD: Final = Pattern(
    r"^(?:(?:is|are|be|ist|est|es|donc|also|daher|somit|approximately|about|exactly|precisely|"
    r"simply|just|roughly|"
    r"only|equal to|equals|given by|indeed|"
    r"ans\.?|clearly|therefore|thus|the number|the value|option|choice|选项|选)\s*[:：,]?\s+|"
    r"[:：=→】]\s*|"
    r"at\s+(?=\$?\\?\()|选项\s*|选\s*|(?:一共|总共|共|约|大约)有?\s*|(?:is|are)(?=\\|\$))",
    re.IGNORECASE,
)
_END: Final = Pattern(
    r"(?<=[^\s.])[.?](?=\s+[A-Z\"“(*\[]|\s*$)|[。！？]|[;；](?=\s|$)|\s+[—–]\s+(?=[a-zA-Z])|"
    r"[,，]?\s*(?:\bbecause\b|\bsince\b|(?<=[,，])\s*\bwhich\b|\bas required\b|\bas desired\b|"
    r"\binstead of\b|(?<=,)\s*or\s(?:about\s|approximately\s)?\d[\d.]*\s?\\?%|"
    r"(?<=[,，])\s*(?:and\s)?\bnot\b(?=\s[-\d$(A-E])|"
    r"\s*[(（]not\b|\s*,?\s*\bor,? equivalently\b|\bfor (?:all|every|any|each)\b|"
    r"\bwhile\b|\bwhen\b|\b(?:attained|achieved|occurring|reached|obtained)\b|\bbut\b|"
    r"\bhowever\b|因为|由于|，所以|，因此|，即|，其中|，(?=[^，。\n]{0,30}[当时得此故使取]))|"
    r",\s+(?:so|as|obviously|of course|clearly|and (?:this|that|the|we|it|so))\b"
)
_PRICED: Final = Pattern(r"(?=.*[$€£])[-+*/×÷x\d.,$€£\s()%=]+=\s*([$€£]\s?[\d.,]*\d)")
_SUM: Final = Pattern(r"[a-w](?:\s?\+\s?[a-w]){1,5}\s?=[^,;<>]+$")
_SEVERAL: Final = Pattern(r"\b(?:and|or)\b")
_WORD_FIRST: Final = Pattern(r"(?:an?\s+)?([^\W\d_]{2,})[^\d\\=]*\d")
_LIST_AFTER: Final = Pattern(r"(\d)\s[^\d:=$]{1,60}:\s.*$")
_POINT: Final = Pattern(
    r"\b(?:at|point|vertex|center|centre)\s(\(\s?-?[\d./]+(?:\s?,\s?-?[\d./]+){1,2}\s?\))\W*$"
)
_SPELLED: Final = Pattern(
    r"(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|"
    r"seven|eigh|nine)teen|(?:negative |positive |minus )?infinity|twenty|thirty|forty|"
    r"fifty|sixty|seventy|eighty|ninety)(?![a-z])",
    re.IGNORECASE,
)
_EMPTY: Final = Pattern(
    r"\b(?:done|complete[d]?|finished|clear|proved|proven|needed|required|valid|possible|follows|"
    r"shown|satisfied|correct|wrong|unclear|unknown|enough|sure|here|there|as)\b",
    re.IGNORECASE,
)
_DENIED: Final = Pattern(r"\b(?:is|are|was|were)(?:\s+not|n't)\s+\S{1,20}$", re.IGNORECASE)
_LETTER: Final = Pattern(r"\W*[A-Za-z]\s+")
_CHOICE_END: Final = Pattern(r"^\W{0,3}[A-Ja-j]$")
_ABSENCE: Final = Pattern(
    r"\b(?:no (?:real |positive |integer )?solutions?|does not exist|"
    r"infinitely many solutions)\b|无解|無解|不存在",
    re.IGNORECASE,
)
_DANGLING: Final = Pattern(
    r"(?:[=+×*/<>≤≥≈,(\[{^_\\:&]|(?<=\s)[-−]|\\(?:frac|cdot|times|left|sqrt|text|le|ge)|"
    r"\b(?:is|are|be|to|the|an|of|by|and|or|get|have|with|we|for|in|on|that|then|so|let|from|"
    r"as|it|our|first|next|if|when|"
    r"where|which|using|into|at|this|will|can|need|must|est|ist|es|le|la|der|die|das|und|et))$",
)
_BALANCE: Final = Pattern(r"\\.|[{}()\[\]]", re.DOTALL)


def count_words(text: str) -> int:
    """Count the ordinary words of a text: commands, units, functions and joining words are none."""
    words = [word for word in _WORD.findall(text) if word.lower() not in _KNOWN]
    return (
        len(words)
        if text.isascii()
        else sum(1 if word[0] < "\u2e80" else (len(word) + 1) // 2 for word in words)
    )


def is_cut_short(text: str) -> bool:
    """Tell whether a text stops in the middle: open braces, or a word that wants another."""
    text = text.rstrip()
    if not text or _DANGLING.search(text[-24:]):
        return True
    opened = text.rfind("(") > max(text.rfind(")"), text.rfind("]"))
    if opened and not text.endswith((":(", ": (")):
        return True
    depth = 0
    for match in _BALANCE.finditer(text):
        sign = match.group()
        depth += 1 if sign == "{" else -1 if sign == "}" else 0
    if depth > 0 or text.count("\\(") > text.count("\\)") or text.count("\\[") > text.count("\\]"):
        return True
    if text.count("\\left") > text.count("\\right") + text.count("\\leftarrow"):
        return True
    dollars = text.count("$") - text.count("\\$")
    if text[-1] == "$" and text[-2:-1].isdigit() and dollars == 1:  # the sign behind the amount
        return False
    return dollars % 2 == 1 and re.search(r"\$\s?-?[\d.,]*\d(?!\S*[\\^{])", text) is None


def cut_at_end(text: str) -> str:
    """Return the first statement of a line, without the reason it may go on to give."""
    position = 0
    for match in _END.finditer(text, 0, MAX_SENTENCE):
        head = text[: match.start()]
        if _inside_math(head):
            continue
        if match.group()[0] in ";；,，—– " and _DENIED.search(head):
            continue  # what it is stands behind what it is not
        if (
            match.group().strip() == "."
            and _CHOICE_END.match(head)
            and count_words(text[match.end() :]) < 6
        ):
            continue
        position = match.start()
        if text[max(0, position - 3) : position + 1].lower() in {"a.m.", "p.m."}:
            position += 1
        return text[:position].rstrip(" (（,，:")
    return text[:MAX_SENTENCE]


def _inside_math(head: str) -> bool:
    if head.count("\\(") > head.count("\\)") or head.count("{") - head.count("\\{") > head.count(
        "}"
    ) - head.count("\\}"):
        return True
    dollars = head.count("$") - head.count("\\$")
    return dollars % 2 == 1 and re.search(r"\$\s?[\d,.]+(?:\s|$)", head) is None


def strip_lead(text: str) -> str:
    """Return a value without the words that lead to it: `approximately`, `equal to`, `option`."""
    for _ in range(4):
        shorter = _LEAD.sub("", text.lstrip(), count=1)
        if shorter == text or not shorter.strip():
            break
        text = shorter
    return text


def is_value(text: str, most_words: int = 3) -> bool:
    """Tell whether a text can be an answer by itself rather than a sentence around one."""
    if not text or len(text) > MAX_SENTENCE:
        return False
    return count_words(text) <= most_words


def find_absence(sentence: str) -> str | None:
    """Find the statement that there is no solution, no limit, or no end of solutions."""
    match = _ABSENCE.search(sentence)
    return match.group() if match else None


def states_value(text: str) -> bool:
    """Tell whether a text is a sentence with a verb before its value (`The probability is 1/4`)."""
    match = _IS.search(text)
    if match is None:
        return False
    subject, end = text[: match.start()], match.end()
    named = _LETTER.fullmatch(subject) and (
        text[end : end + 1].isdigit() or _SPELLED.match(text, end)
    )
    return count_words(subject) > 0 or bool(named)


def starts_with_word(value: str) -> bool:
    """Tell whether an ordinary word stands before the number of a value (`us 113`)."""
    match = _WORD_FIRST.match(value)
    return match is not None and match.group(1).lower() not in _KNOWN


def strip_words(value: str) -> str:
    """Return the single quantity of a value that starts with an ordinary word."""
    if starts_with_word(value):
        quantities = find_quantities(value)
        if len(quantities) == 1:
            return quantities[0]
    return value


def strip_sum(value: str) -> str:
    """Return the number of a final sum of letters or chain (`m + n = 100 + 13 = 113`)."""
    priced = _PRICED.fullmatch(value)
    if priced:
        return str(priced.group(1))
    if _SUM.match(value) and not _SEVERAL.search(value):
        last = clean(value.rsplit("=", 1)[1])
        return last if any(map(str.isdigit, last)) else value
    return value


def _is_formula(piece: str) -> bool:
    return bool(piece) and count_words(piece) < 4 and not _DANGLING.search(piece.strip()[-24:])


def find_formulas(sentence: str) -> list[str]:
    """Find the formulas of a sentence between math delimiters; amounts of money are none."""
    pieces = sentence.replace("\\$", "").split("$")
    formulas = [match.group(1) for match in _PARENTHESISED.finditer(sentence)]
    if len(pieces) % 2 == 0:
        return formulas
    return formulas + [piece.strip() for piece in pieces[1::2] if _is_formula(piece)]


def strip_verdict(sentence: str) -> str:
    """Return what a sentence calls the answer (`x > 5 is the solution`)."""
    match = _VERDICT.search(sentence)
    return sentence[: match.start()] if match and match.start() else sentence


def value_in(sentence: str, *, concluding: bool) -> str | None:
    """Find the value that a sentence states.

    Args:
        sentence: one sentence.
        concluding: whether it draws a conclusion; then its last number counts even among several.

    Returns:
        The value, or None when the sentence states none.
    """
    sentence = sentence[:MAX_SENTENCE]
    none = find_absence(sentence)
    if none:
        return none
    sentence = _LIST_AFTER.sub(r"\1", sentence)
    for match in list(_IS.finditer(sentence))[:-6:-1]:
        tail = trim_counter(clean(strip_lead(sentence[match.end() :])))
        if (
            tail
            and is_value(tail)
            and (
                any(map(str.isdigit, tail))
                or "\\" in tail
                or "=" in tail
                or len(tail) <= 3
                or _SPELLED.match(tail)
                or (0 < count_words(tail) <= 1 + concluding and not _EMPTY.search(tail))
            )
        ):
            leading = read_quantity(sentence)
            if leading and not any(map(str.isdigit, tail)) and "\\" not in tail:
                return leading
            return strip_beside(strip_words(tail))
    point = _POINT.search(sentence)
    if point:
        return point.group(1)
    formulas = find_formulas(sentence)
    if formulas and (concluding or len(formulas) == 1):
        return clean(formulas[-1])
    if "=" in sentence:
        tail = clean(sentence.rsplit("=", 1)[1])
        if is_value(tail) and any(map(str.isdigit, tail)):
            return tail
        amount = read_quantity(tail)
        if amount:
            return amount
    quantities = find_main_quantities(sentence)
    if quantities and (concluding or len(quantities) == 1):
        return clean(quantities[-1])
    return None
