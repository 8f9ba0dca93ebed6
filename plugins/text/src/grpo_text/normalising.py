"""Texts made comparable: what two answers may differ in and still be the same."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from attrs import frozen

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_INSIDE_NUMBER = re.compile(r"(?<=\d)\.(?=\d)|(?<=\d),(?=\d{3}(?!\d))|-(?=\d)|%|/(?=\d)")
# Kana and Han: scripts that put no space between words.
_UNSPACED = r"\u3040-\u30ff\u3400-\u9fff"


@frozen
class Normalisation:
    """What is set aside before texts are compared.

    Attributes:
        case: Upper and lower case.
        articles: English articles.
        punctuation: Punctuation and currency signs; what belongs to a number (``-3``, ``1.5``,
            ``2/3``, ``50%``) and mathematical signs (``<``, ``=``, ``+``) stay.
        accents: Accents and other combining marks.
    """

    case: bool = True
    articles: bool = True
    punctuation: bool = True
    accents: bool = False

    def apply(self, text: str) -> str:
        """The text in NFKC, single-spaced, without what is set aside.

        If nothing is left of a text that is all articles, punctuation or accents, it is kept
        (``the``, ``?``, ``¯``), so that no two such answers are the same.
        """
        plain = unicodedata.normalize("NFKC", text)
        if self.case:
            plain = unicodedata.normalize("NFKC", plain.casefold())
        if self.accents:
            parts = unicodedata.normalize("NFD", plain)
            bare = "".join(letter for letter in parts if not unicodedata.combining(letter))
            plain = unicodedata.normalize("NFKC", bare) if bare.strip() else plain
        bare = _drop_punctuation(plain) if self.punctuation else plain
        if self.articles:
            bare = re.sub(_ARTICLES.pattern, " ", bare, flags=re.IGNORECASE)
        return " ".join(bare.split()) or " ".join(plain.split())


def _drop_punctuation(text: str) -> str:
    numeric = {match.start() for match in _INSIDE_NUMBER.finditer(text)}
    letters = []
    for place, letter in enumerate(text):
        kind = unicodedata.category(letter)
        if letter == "," and place in numeric:
            continue  # it parts thousands
        if kind == "Sm":
            letters.append(f" {letter} ")
        elif kind[0] in "PS" and place not in numeric:
            letters.append("" if letter in "'’`" else " ")
        else:
            letters.append(letter)
    # Marks that stood apart have an order of their own now.
    return unicodedata.normalize("NFKC", "".join(letters))


DEFAULT = Normalisation()


def tokenise(text: str) -> tuple[str, ...]:
    """The tokens of a normalised text: words, and single characters of scripts without spaces."""
    return tuple(re.findall(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+", text))


def token_f1(answer: str, reference: str) -> tuple[float, float, float]:
    """F1, precision and recall of the tokens that two normalised texts share, as SQuAD scores.

    Source: Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text", 2016.
    """
    given, wanted = Counter(tokenise(answer)), Counter(tokenise(reference))
    shared = sum((given & wanted).values())
    if shared == 0:
        return 0.0, 0.0, 0.0
    precision, recall = shared / given.total(), shared / wanted.total()
    # 2 s / (g + w) is the same as 2 p r / (p + r), and exactly 1.0 for equal texts.
    return 2 * shared / (given.total() + wanted.total()), precision, recall
