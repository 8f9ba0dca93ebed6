"""Plain text answers: when a text is words, and how words are normalised."""

from __future__ import annotations

import functools
import re
import unicodedata

from grpo_math.options import Options
from grpo_math.patterns import Pattern
from grpo_math.reading.atoms import split_word
from grpo_math.reading.vocabulary import CONSTANTS, FUNCTIONS, GREEK
from grpo_math.values import NamedSet, Text, Truth, Value
from grpo_math.wording import words

_WORDS = Pattern(r"[^\W\d_]+(?:['’\-. ,]+[^\W\d_]+)*[.!?]?")
_ARTICLES = Pattern(r"\b(?:a|an|the)\b\s*", re.IGNORECASE)
_TRUTHS = {
    **dict.fromkeys(
        words(
            "yes true correct 是 对 正确 ja wahr richtig oui vrai sí sì verdadero vero "
            "verdadeiro sim да верно правда истина نعم صحيح はい 正しい 예 네 참 "
            "evet doğru tak prawda có đúng हाँ"
        ),
        "yes",
    ),
    **dict.fromkeys(
        words(
            "no false incorrect 否 不是 错误 错 nein falsch non faux falso não нет неверно ложь لا "
            "いいえ 아니요 아니오 거짓 hayır yanlış nie fałsz không sai नहीं"
        ),
        "no",
    ),
}
_NOTHING = frozenset(
    (
        "no solution", "no solutions", "no real solution", "no real solutions", "none",
        "there is no solution", "there are no solutions", "empty set", "null set", "nothing",
        "no such number exists", "no values", "no real roots", "has no solution",
        "no solution exists", "no solutions exist", "无解", "空集",
    )
)  # fmt: skip
_SYNONYMS = {
    "dne": "does not exist", "doesn't exist": "does not exist", "doesnt exist": "does not exist",
    "limit does not exist": "does not exist", "not defined": "undefined",
    "不存在": "does not exist",
    "infinitely many": "infinitely many solutions",
    "infinite solutions": "infinitely many solutions",
    "infinite number of solutions": "infinitely many solutions",
    "an infinite number of solutions": "infinitely many solutions",
    "all real number": "all real numbers", "all reals": "all real numbers",
    "diverges": "divergent", "converges": "convergent", "it diverges": "divergent",
    "it converges": "convergent", "diverge": "divergent", "converge": "convergent",
    "impossible": "not possible",
    "mon": "monday", "tue": "tuesday", "tues": "tuesday", "wed": "wednesday", "thu": "thursday",
    "thurs": "thursday", "thur": "thursday", "fri": "friday", "sat": "saturday", "sun": "sunday",
    **{
        f"{week}{day}": name
        for week in ("星期", "周", "礼拜")
        for day, name in zip(
            "一二三四五六日天",
            words("monday tuesday wednesday thursday friday saturday sunday sunday"),
            strict=True,
        )
    },
}  # fmt: skip
_SHORT_WORDS = frozenset(
    words(
        "ad ah am an as at ax be by do ed eh go ha he hi id if in is it ja la ma me mi my no of oh "
        "ok on or ox oz pa pi re si so to uh um up us we ye yo"
    )
)
_LETTERS = frozenset(words("abc acb bac bca cba abd acd ade abe abcd"))
"""Products of letters that would else be words."""
_HYPHEN = Pattern(r"(?<=\w)-(?=\w)")
_NOTATION = Pattern(r"[\\{}^_=<>\ufffd]")
_GAPS = Pattern(r"[\s,.\-]+")
_POLAR = Pattern(
    r"(yes|no|true|false|correct|incorrect)\s*[,.;:!]\s*\S(?!.*\b(?:but|not?|maybe|perhaps|yes|true|false)\b)"
)
_REASONED = Pattern(r"(yes|no|true|false)\s*[,.;:]\s*(?:because|since|as|it|the|they|this|that)\b")
_LATEX = Pattern(r"\\(?:text|textbf|textit|mathrm|mathbf|mbox|operatorname|emph|textrm)\s*"
                    r"\{([^{}]*)\}")  # fmt: skip


def looks_like_text(text: str) -> bool:
    """Tell whether a normalised text is words rather than mathematics."""
    if not _WORDS.fullmatch(text):
        return False
    if not text.isascii() and text in _TRUTHS:
        return True
    words = _GAPS.split(text.rstrip(".!?"))
    known = [_is_math_word(word) for word in words]
    if len(words) == 1:
        return not known[0]
    return not all(known)


@functools.lru_cache(maxsize=1024)
def _is_math_word(word: str) -> bool:
    if word in CONSTANTS or word in FUNCTIONS or word in GREEK or len(word) == 1:
        return True
    if word.lower() in {"or", "and"}:
        return True
    parts = split_word(word)
    long = [part for part in parts if len(part) > 1]
    if any(part in FUNCTIONS or part == "pi" for part in long):
        return len(parts) <= 4 and len(parts) - len(long) <= 2
    if word in _LETTERS or (len(word) == 2 and word.islower() and word not in _SHORT_WORDS):
        return word.isascii()
    return len(word) <= 3 and not re.search(r"[aeiouAEIOU]", word) and word.isascii()


def normalise_words(text: str, *, fold: bool = True) -> str:
    """Normalise words: case, Unicode form, articles, spacing, final punctuation."""
    for _ in range(4 if "\\" in text else 0):
        text, count = _LATEX.subn(r" \1 ", text)
        if not count:
            break
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.casefold() if fold else text
    text = text.replace("’", "'").strip(" \t\r\n.!?,;:\"'`*")
    if text[:1] == "(" and text.find(")") == len(text) - 1:
        text = text[1:-1].strip()
    text = _ARTICLES.sub("", text) if " " in text else text
    text = _HYPHEN.sub(" ", text) if "-" in text else text
    return " ".join(text.split())


def read_text(text: str, options: Options) -> Value | None:
    """Read a text as words; None where it is notation that should have been mathematics."""
    words = normalise_words(text)
    reasoned = _REASONED.match(words)
    if reasoned:
        return Truth(_TRUTHS[reasoned[1]])
    if not any(c.isalpha() for c in words) or _NOTATION.search(words):
        return None
    if words in _TRUTHS:
        return Truth(_TRUTHS[words])
    polar = _POLAR.match(words)
    if polar:
        return Truth(_TRUTHS[polar[1]])
    if words in _NOTHING:
        return NamedSet("empty")
    if options.case_sensitive_text:
        return Text(normalise_words(text, fold=False))
    words = _SYNONYMS.get(words, words)
    if words == "all real numbers":
        return NamedSet("R")
    return Text(words)
