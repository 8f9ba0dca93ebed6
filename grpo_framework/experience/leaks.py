"""Whether a text carries a training problem's answer, or a long stretch of its wording.

An experience that does is no advice but the solution of one problem: it would make the training
reward rise and nothing else. What counts is set down, with both sides of each border, in
``docs/explanation/hygiene.md`` and in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from attrs import field, frozen

from grpo_framework.experience.similarity import normalise
from grpo_framework.experience.untrusted import visible
from grpo_framework.experience.wording import content_words, numbers_of
from grpo_framework.records import Problem

STRETCH_WORDS = 8
STRETCH_CHARS = 32
"""A stretch of a problem's words in a row that is this long, in words and in characters, is a
quotation; a Chinese character is half a word."""

WHOLE_WORDS = 4
"""A problem shorter than a stretch is quoted where it stands there whole, with this many words."""

KNOWN_VALUES = frozenset(
    [
        "100",
        "180",
        "360",
        "365",
        "366",
        "1000",
        "3600",
        "1440",
        "10000",
        "1000000",
        "3.14",
        "3.1416",
    ]
)
"""Numbers that belong to general advice; as a mere mention they give no answer away."""

_UNIT = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")
_NUMBER = re.compile(r"-?\d+(?:,\d{3})+(?:\.\d+)?|-?\d+(?:\.\d+)?")
_STATED = re.compile(
    r"(?P<before>(?:\b(?:if|when|whenever|whether|unless|until|once|where|that|suppose)\s+|如果|若|当)?"
    r"(?:the|an|your|its|this|that|a)?\s*)"
    r"(?:\b(?:final |correct |right )?(?:answer|result|solution|total|value)\b"
    r"(?: (?:to|of|for) [^.,;:!?]{1,40}?)?|答案|结果|得数)"
    r"\s*(?:\bis\b|\bequals\b|\bwill be\b|\bshould be\b|\bwas\b|=|:|：|应该是|应为|等于|为|是)+"
    r"\s*[\"'“‘(\[]*(?P<value>[^\n;!?。；！？]{1,80})"
)
_TOLD = re.compile(
    r"\b(?:answer|reply|respond|guess)\b(?: with| by saying)?\s*:?\s*[\"'“‘(\[]*"
    r"(?=(?P<value>[^\n;!?。；！？]{1,80}))"
)
_AFTER_TOLD = re.compile(
    r"^[\"'”’)\]]*\s*(?:$|[.,;:!?]|(?:when|whenever|if|where|for|to|as|because)\b)"
)
_TAIL = re.compile(r"[.,，](?!\d)|\s(?:because|since|and|so|for|when|whenever|where|if)\b")
"""What follows an answer and is no part of it."""

_CONDITION = re.compile(r"^(?:if|when|whe|unless|until|once|suppose|如果|若|当)")
_WRAPPING = re.compile(r"\\boxed|\\text|\\\(|\\\)|\\dfrac|\\tfrac|[${}]|\\left|\\right")


@frozen(slots=False)
class Guards:
    """What must not come back as an experience: the texts and answers of a run's problems.

    Generators, critics and advisors never see it; only the judging of their proposals does.

    Attributes:
        texts: Of the problems.
        answers: Their reference answers, in the same order.
    """

    texts: tuple[str, ...] = field(default=(), repr=False)
    answers: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> Guards:
        """The guards against these problems."""
        rows = tuple(problems)
        texts = tuple(problem.question.text for problem in rows)
        return cls(texts, tuple(str(problem.answer) for problem in rows))

    @cached_property
    def stretches(self) -> frozenset[int]:
        """Hashes of all stretches of all texts: a set lookup a word, however many problems."""
        return frozenset(hash(stretch) for text in self.texts for stretch in _stretches(text))

    @cached_property
    def short_texts(self) -> frozenset[str]:
        """Normalised texts that are shorter than a stretch and yet more than a few words."""
        return frozenset(
            " ".join(units)
            for text in self.texts
            if len(units := _units(text)) >= WHOLE_WORDS and not any(_stretches(text))
        )

    @cached_property
    def by_answer(self) -> dict[str, tuple[int, ...]]:
        """Answer in its plain form → which problems have it."""
        found: dict[str, tuple[int, ...]] = {}
        for index, answer in enumerate(self.answers):
            for form in {_plain(answer), _number_in(answer)} - {""}:
                found[form] = (*found.get(form, ()), index)
        return found


def _units(text: str) -> list[str]:
    return _UNIT.findall(visible(text).casefold())


def _stretches(text: str) -> Iterator[str]:
    """From each word on, the shortest run that is long enough to be a quotation."""
    units = _units(text)
    for start in range(len(units)):
        words, chars = 0.0, 0
        for end in range(start, len(units)):
            wide = "\u3400" <= units[end] <= "\u9fff"
            words += 0.5 if wide else 1
            chars += 2 if wide else len(units[end]) + 1
            if words >= STRETCH_WORDS and chars >= STRETCH_CHARS:
                yield " ".join(units[start : end + 1])
                break


def find_quote(text: str, guards: Guards) -> str | None:
    """Why a text is a quotation of a problem, or None."""
    if not guards.texts:
        return None
    if any(hash(stretch) in guards.stretches for stretch in _stretches(text)):
        return f"it repeats {STRETCH_WORDS} or more words in a row of a training problem"
    padded = f" {' '.join(_units(text))} "
    if any(f" {short} " in padded for short in guards.short_texts):
        return "it repeats a whole training problem"
    return None


def find_answer(text: str, guards: Guards) -> str | None:
    """Why a text gives an answer away, or None; the reason does not name the answer."""
    if not guards.by_answer:
        return None
    plain = visible(text).replace("**", "")
    for stated in _STATED.finditer(plain.casefold()):
        if _CONDITION.match(stated["before"].strip()):
            continue
        if any(form in guards.by_answer for form in _leading_forms(stated["value"])):
            return "it states the answer of a training problem as the result"
    if any(_is_told(told["value"], guards) for told in _TOLD.finditer(plain.casefold())):
        return "it tells to give the answer of a training problem"
    boxed = re.findall(r"\\boxed\s*\{((?:[^{}]|\{[^{}]{0,40}\}){1,80})\}", plain)
    if any(_plain(box) in guards.by_answer and _telling(_plain(box)) for box in boxed):
        return "it states the answer of a training problem as the result"
    return _mentioned(plain, guards)


def _is_told(value: str, guards: Guards) -> bool:
    """Whether the student is told to say an answer: 'answer 2 when …', but not '2 questions'.

    What several problems have for an answer, as 'yes', is a kind of answer and gives none away.
    """
    number = re.match(_NUMBER.pattern, value)
    if number is None:
        forms = [form for form in _leading_forms(value) if len(form) >= 3]
    elif _AFTER_TOLD.match(value[number.end() :]):
        forms = [_canonical(number[0])]
    else:
        forms = []
    return any(len(guards.by_answer.get(form, ())) == 1 for form in forms)


def _mentioned(plain: str, guards: Guards) -> str | None:
    """A distinctive answer in the text together with words or numbers of its problem."""
    values = {_canonical(value) for value in _NUMBER.findall(plain)} - KNOWN_VALUES
    for value in values & guards.by_answer.keys():
        if len(value.strip("-0").replace(".", "").strip("0")) >= 5:
            return "it holds the answer of a training problem"
        # General advice hardly ever holds such a number: two words of its problem are enough.
        if _digits(value) >= 3 and _is_about(plain, value, guards, words_needed=2):
            return "it holds the answer of a training problem beside words of that problem"
    words = _plain(plain).split()
    for length in range(1, 9):
        for start in range(len(words) - length + 1):
            form = " ".join(words[start : start + length])
            telling = len(form) >= 3 and not _NUMBER.fullmatch(form)
            if telling and form in guards.by_answer and _is_about(plain, form, guards):
                return "it holds the answer of a training problem beside words of that problem"
    return None


def _is_about(text: str, answer: str, guards: Guards, *, words_needed: int = 3) -> bool:
    """Whether the text shares some words, or a number, with a problem that has this answer."""
    own = content_words(answer)
    words, numbers = content_words(text) - own, numbers_of(text) - {answer}
    for index in guards.by_answer[answer]:
        problem = guards.texts[index]
        shared = words & content_words(problem)
        if numbers & numbers_of(problem) or len(shared) >= words_needed:
            return True
    return False


def _telling(form: str) -> bool:
    """Whether a boxed text is more than a sample of how to write, as a 5 in a box is."""
    return _digits(form) >= 2 or not _NUMBER.fullmatch(form)


def _digits(value: str) -> int:
    return sum(character.isdigit() for character in value)


def _leading_forms(value: str) -> Iterator[str]:
    """The forms that a stated value may be: its first number, and its first words."""
    number = re.match(rf"[^\w.-]*({_NUMBER.pattern})(?![\w.]*\d)", value)
    if number is not None:
        # '3 times the width' is no value but a step; '3 dollars' is one.
        rest = value[number.end() :]
        if not re.match(r"\s*(?:[*/+^×÷-]|times\b|more\b|less\b|倍|\\)", rest):
            yield _canonical(number[1])
    head = _TAIL.split(value)[0]
    words = _plain(head).split()
    for length in range(1, min(len(words), 8) + 1):
        form = " ".join(words[:length])
        if not _NUMBER.fullmatch(form) and (length == len(words) or len(form) >= 8):
            yield form


def _plain(text: str) -> str:
    """An answer without what is only notation around it."""
    return normalise(_WRAPPING.sub(" ", text.rpartition("####")[2]))


def _number_in(answer: str) -> str:
    """The number of an answer that is one number, perhaps with a unit; else nothing."""
    tail = answer.rpartition("####")[2]
    found = _NUMBER.findall(tail)
    rest = _NUMBER.sub(" ", _WRAPPING.sub(" ", tail))
    return _canonical(found[0]) if len(found) == 1 and len(rest.split()) <= 2 else ""


def _canonical(number: str) -> str:
    plain = number.replace(",", "")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
