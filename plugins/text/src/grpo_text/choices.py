"""Read the letter, or letters, of a multiple-choice answer from a whole response."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from attrs import frozen

from grpo_text.finding import find_marked
from grpo_text.normalising import DEFAULT

_LONGEST = 20_000

_LETTER = r"[A-Z](?![A-Za-z0-9'])"
_ONE = rf"(?:{_LETTER}|\({_LETTER}\)|\[{_LETTER}\]|\([a-z]\))"
_JOIN = r"\s?(?:,\s?and|,|、|;|/|&|\+|and|or|和|以及|及|或)?\s?"
_LIST = rf"(?P<letters>{_ONE}(?:{_JOIN}{_ONE}){{0,7}}|[A-Z]{{2,8}}(?![A-Za-z0-9']))"
# 'I think' and 'A number' are no letters; 'A because' is one.
_NO_WORD = (
    r"(?!I\s+[a-z])"
    r"(?!A\s+(?!(?:because|since|as|and|or|which|due|for|is|with|among|from|in|by)\b)[a-z])"
)
_IS = (
    r"\s?(?:(?i:is|are|would be|should be|must be|will be)\s?|[:=是为]\s?|应为\s?|应该是\s?|选\s?)*"
)
_ANSWER = re.compile(
    rf"(?:\b(?i:answers?)\b(?:\(s\))?|答案|故选|应选|选择|选){_IS}"
    rf"(?:(?i:the\s)?(?i:options?|choices?|letters?)\s|选项\s?)?{_NO_WORD}{_LIST}"
)
_OPTION = re.compile(rf"(?:\b(?i:options?|choices?|letters?)\b|选项){_IS}{_NO_WORD}{_LIST}")
_NEGATED = re.compile(
    r"(?:\b(?:not|isn't|never|rules? out|eliminates?|excludes?)|不|非|排除)\s?(?:the\s)?$"
)
_DENIED = re.compile(
    r"\s?(?:(?:is|are|was|can be|cannot be|must be)\s)?"
    r"(?:also\s|clearly\s|obviously\s)?"
    r"(?:not\b|wrong|incorrect|false|invalid|eliminated|ruled out|excluded|错|不)"
)
_ALONE = re.compile(rf"{_NO_WORD}{_LIST}\s?(?:[.。:)](?:\s.*)?)?")
_BARE = re.compile(rf"{_LIST}[.。)]?")
_PARENTHESES = re.compile(r"[(\[]([A-Z])[)\]]")
_OFFERED = re.compile(
    r"(?<![A-Za-z0-9])[(\[]?([A-Z])[).\]:、]\s*(.+?)(?=\s[(\[]?[A-Z][).\]:、]\s?\S|\s*$)",
    re.MULTILINE,
)
_MARKUP = re.compile(r"[*_`$]+|\\(?:text|textbf|mathrm|mathbf|mbox|boxed)\s?(?=\{)|[{}]")


@frozen
class Choice:
    """The letters of an answer, sorted, and where they were read; empty letters if none were."""

    letters: str
    place: str = ""


def read_offer(question: str) -> dict[str, str]:
    """The choices that a question offers, letter → text; empty unless they begin with A, B."""
    plain = unicodedata.normalize("NFKC", question[-_LONGEST:])
    offered: dict[str, str] = {}
    for letter, text in _OFFERED.findall(plain):
        if letter == chr(ord("A") + len(offered)):
            offered[letter] = text.strip()
    return offered if len(offered) > 1 else {}


def read_choice(response: str, *, offered: Mapping[str, str], several: bool) -> Choice:
    """Read the letters that a response settles on.

    The strongest sign wins, and of equals the last: a marked final answer (box, tags, ``answer:``),
    a phrase (``the answer is C``, ``故选 C``, then ``option C``), the one line that is a choice
    (``C``, ``(C)``, ``C. 12``), a letter in parentheses, the text of an offered choice.

    Args:
        response: The whole response, or an extracted answer; of a very long one, its end.
        offered: The choices of the question, to tell a letter from a word; may be empty.
        several: Whether more than one letter can be the answer.
    """
    reader = _Reader(offered, several)
    whole = response[-_LONGEST:]
    marked = find_marked(whole)
    text = _clean(whole)
    lines = text.splitlines()
    if not lines:
        return Choice("")
    signs = (
        ("the whole answer", reader.read_short(text) if len(text) <= len("(c).") else ""),
        ("the marked answer", reader.read_short(_clean(marked or ""))),
        ("a phrase", reader.read_phrase(_ANSWER, text)),
        ("a phrase", reader.read_phrase(_OPTION, text)),
        ("a line", reader.read_lines(lines)),
        ("parentheses", reader.read_last(_PARENTHESES.findall(text))),
        ("the text of a choice", reader.read_text(marked or lines[-1])),
    )
    return next((Choice(letters, place) for place, letters in signs if letters), Choice(""))


def read_reference(reference: str, *, offered: Mapping[str, str]) -> str:
    """The letters of a reference (``C``, ``(c)``, ``C. 12``, ``A, C``), empty if it has none."""
    reader = _Reader(offered, several=True)
    text = _clean(reference)
    if len(text.strip("()[]. ")) == 1:
        text = text.upper()
    anywhere = _Reader({}, several=True)
    return anywhere.read_line(text) or anywhere.read_short(text) or reader.read_text(text)


def _clean(text: str) -> str:
    """NFKC without mark-up, every run of white space as one space or line break."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'")
    plain = re.sub(r"[^\S\n]+", " ", _MARKUP.sub("", plain))
    return re.sub(r" ?\n\s*", "\n", plain).strip()


@frozen
class _Reader:
    offered: Mapping[str, str]
    several: bool

    def _known(self, letters: str) -> str:
        """The sorted letters, if they are choices and as many as there may be."""
        found = sorted(set(re.findall(r"[A-Z]", re.sub(r"\(([a-z])\)", _upper, letters))))
        if self.offered and not set(found) <= set(self.offered):
            return ""
        return "".join(found) if self.several or len(found) == 1 else ""

    def read_short(self, text: str) -> str:
        """The letters of a text that is meant to be an answer."""
        short = text.upper() if len(text.strip("()[]. ")) == 1 else text
        return self.read_line(short) or self.read_phrase(_ANSWER, f"answer: {short}")

    def read_phrase(self, pattern: re.Pattern[str], text: str) -> str:
        found = ""
        for match in pattern.finditer(text):
            denied = _DENIED.match(text, match.end()) or _NEGATED.search(
                text[max(0, match.start() - 20) : match.start()]
            )
            if not denied:
                found = self._known(match["letters"]) or found
        return found

    def read_line(self, line: str) -> str:
        match = _ALONE.fullmatch(line)
        return self._known(match["letters"]) if match else ""

    def read_lines(self, lines: list[str]) -> str:
        """The one choice that stands as a line; where several do, only a bare last line counts."""
        read = {letters for line in lines if (letters := self.read_line(line))}
        if len(read) == 1:
            return read.pop()
        return self.read_line(lines[-1]) if _BARE.fullmatch(lines[-1]) else ""

    def read_last(self, letters: list[str]) -> str:
        known = [letter for letter in letters if not self.offered or letter in self.offered]
        return known[-1] if known else ""

    def read_text(self, text: str) -> str:
        wanted = DEFAULT.apply(text)
        same = [key for key, choice in self.offered.items() if DEFAULT.apply(choice) == wanted]
        return same[0] if len(same) == 1 else ""


def _upper(match: re.Match[str]) -> str:
    return match[1].upper()
