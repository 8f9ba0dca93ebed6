"""Find which known question a prompt holds, fast also among many thousands."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping

from attrs import field, frozen

from grpo_scripted.tactics import normalise_question

_HEAD = 8
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)")


@frozen
class Known:
    """A question of the answer key, with its reference answer."""

    question: str
    answer: str


@frozen
class AnswerIndex:
    """The questions of an answer key, sorted: a prompt is read once, not once a question.

    A question that starts at some place of the prompt is, or is a prefix of, the nearest entry that
    sorts before the rest of the prompt; `shorter` links each entry to the longest other entry that
    is a prefix of it. So each place costs one binary search.

    Attributes:
        entries: Normalised questions, sorted.
        answers: Their answers.
        shorter: For each entry the index of its longest proper prefix among the entries, or -1.
        heads: The first characters of all entries, by which most places are passed over.
        longest: Characters of the longest entry.
    """

    entries: tuple[str, ...]
    answers: tuple[str, ...]
    shorter: tuple[int, ...]
    heads: frozenset[str] = field(repr=False)
    longest: int

    def get(self, question: str) -> str | None:
        """The answer to a question given by its own text, or None."""
        text = normalise_question(question)
        place = bisect_right(self.entries, text) - 1
        return self.answers[place] if place >= 0 and self.entries[place] == text else None

    def find(self, prompt: str) -> Known | None:
        """The longest known question within a prompt (of equals the last one), or None.

        Line breaks do not matter; a prompt that quotes the question as JSON is read too.
        """
        text = normalise_question(prompt)
        found = self._find_longest(text)
        if found is None and "\\" in text:
            found = self._find_longest(normalise_question(_ESCAPE.sub(_unescape, text)))
        return found

    def _find_longest(self, text: str) -> Known | None:
        best = -1
        for place in self._matches(text):
            if best < 0 or len(self.entries[place]) >= len(self.entries[best]):
                best = place
        return Known(self.entries[best], self.answers[best]) if best >= 0 else None

    def _matches(self, text: str) -> Iterator[int]:
        """The index of the longest entry at each word start of the text that has one."""
        sizes = {len(head) for head in self.heads}
        for start, letter in enumerate(text):
            if letter == " " or (start and letter.isalnum() and text[start - 1].isalnum()):
                continue
            if not any(text[start : start + size] in self.heads for size in sizes):
                continue
            rest = text[start : start + self.longest]
            place = bisect_right(self.entries, rest) - 1
            while place >= 0 and not self._stands_at(text, start, place):
                place = self.shorter[place]
            if place >= 0:
                yield place

    def _stands_at(self, text: str, start: int, place: int) -> bool:
        entry = self.entries[place]
        if not text.startswith(entry, start):
            return False
        end = start + len(entry)
        return end == len(text) or not (text[end].isalnum() and text[end - 1].isalnum())


def _unescape(escape: re.Match[str]) -> str:
    """The character behind an escape of a JSON text."""
    code = escape[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return {"n": " ", "t": " ", "r": " "}.get(code, code)


def index_answers(answer_key: Mapping[str, str]) -> AnswerIndex:
    """Make the index of an answer key (question text → reference answer)."""
    known = {normalise_question(text): answer for text, answer in answer_key.items()}
    known.pop("", None)
    entries = tuple(sorted(known))
    shorter: list[int] = []
    for place, entry in enumerate(entries):
        candidate = place - 1
        while candidate >= 0 and not entry.startswith(entries[candidate]):
            candidate = shorter[candidate]
        shorter.append(candidate)
    return AnswerIndex(
        entries=entries,
        answers=tuple(known[entry] for entry in entries),
        shorter=tuple(shorter),
        heads=frozenset(entry[:_HEAD] for entry in entries),
        longest=max(map(len, entries), default=0),
    )
