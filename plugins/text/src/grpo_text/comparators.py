"""The comparators: each a small class over the pure functions of this package."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

from attrs import frozen

from grpo_framework.errors import ComparatorError
from grpo_framework.records import Problem, Verdict
from grpo_text.choices import read_choice, read_offer, read_reference
from grpo_text.finding import Find, candidates
from grpo_text.normalising import DEFAULT, Normalisation, token_f1
from grpo_text.patterns import BadPatternError, BoundedPattern, compile_pattern

NOTHING = Verdict(0.0, reason="there is no answer")


def _quote(text: str) -> str:
    line = " ".join(text.split())
    return f"'{line}'" if len(line) <= 80 else f"'{line[:77]}…'"


Readings: TypeAlias = tuple[str, ...]
"""What an answer may be read as, best first; empty where there is no text."""


def bare(answer: str | None) -> Readings:
    """The one reading of a bare answer: itself."""
    return () if answer is None or not answer.strip() else (answer.strip(),)


@frozen
class Reading:
    """How a comparator reads answers and references.

    Attributes:
        find: Where the answer stands in a response.
        separator: What parts the alternatives of a reference; empty if it has none.
    """

    find: Find = "auto"
    separator: str = ""

    def answers(self, answer: str | None) -> Readings:
        """The readings of an answer, best first."""
        return () if answer is None else candidates(answer, self.find)

    def references(self, problem: Problem) -> tuple[str, ...]:
        """The alternatives of the reference.

        Raises:
            ComparatorError: The reference is empty.
        """
        given = problem.answer.split(self.separator) if self.separator else [problem.answer]
        found = tuple(part.strip() for part in given if part.strip())
        if not found:
            message = f"the reference answer of problem {problem.id} is empty"
            raise ComparatorError(message, kind="unparsed reference", hint="mend the data set")
        return found


@frozen
class EqualText:
    """Reward 1 where the answer is one of the reference's alternatives, after normalisation."""

    reading: Reading
    normalisation: Normalisation

    async def compare(self, problem: Problem, answer: str | None, /) -> Verdict:
        """Compare as text."""
        return self._judge(problem, self.reading.answers(answer))

    async def compare_answer(self, problem: Problem, answer: str | None, /) -> Verdict:
        """Compare a bare answer as text."""
        return self._judge(problem, bare(answer))

    def _judge(self, problem: Problem, readings: Readings) -> Verdict:
        wanted = {self.normalisation.apply(each) for each in self.reading.references(problem)}
        if not readings:
            return NOTHING
        for reading in readings:
            if self.normalisation.apply(reading) in wanted:
                return Verdict(1.0, reason="the same text", extracted=reading)
        reason = f"{_quote(readings[0])} is not the reference"
        return Verdict(0.0, reason=reason, extracted=readings[0])


@frozen
class ContainsText:
    """Reward 1 where the answer holds the reference as whole words.

    Attributes:
        reading: How answers and references are read.
        every: Whether all alternatives of the reference must stand in the answer, not one.
    """

    reading: Reading
    every: bool

    async def compare(self, problem: Problem, answer: str | None, /) -> Verdict:
        """Look for the reference in the answer."""
        return self._judge(problem, self.reading.answers(answer))

    async def compare_answer(self, problem: Problem, answer: str | None, /) -> Verdict:
        """Look for the reference in a bare answer."""
        return self._judge(problem, bare(answer))

    def _judge(self, problem: Problem, readings: Readings) -> Verdict:
        references = self.reading.references(problem)
        if not readings:
            return NOTHING
        text = _pad(readings[0])
        missing = [each for each in references if _pad(each) not in text]
        right = not missing if self.every else len(missing) < len(references)
        reason = "holds the reference" if right else "does not hold the reference"
        return Verdict(float(right), reason=reason, extracted=readings[0])


_CONTAINED = Normalisation(articles=False)


def _pad(text: str) -> str:
    """Normalised text in which words can be found as a whole; CJK text has no spaces to pad."""
    plain = _CONTAINED.apply(text)
    return plain if plain and _is_unspaced(plain) else f" {plain} "


def _is_unspaced(text: str) -> bool:
    return any("\u3040" <= letter <= "\u9fff" for letter in text)


@frozen
class SharedTokens:
    """Reward: the F1 of the tokens that answer and reference share, the best alternative's."""

    reading: Reading

    async def compare(self, problem: Problem, answer: str | None, /) -> Verdict:
        """Score the overlap as SQuAD does."""
        return self._judge(problem, self.reading.answers(answer))

    async def compare_answer(self, problem: Problem, answer: str | None, /) -> Verdict:
        """Score the overlap with a bare answer."""
        return self._judge(problem, bare(answer))

    def _judge(self, problem: Problem, readings: Readings) -> Verdict:
        references = self.reading.references(problem)
        if not readings:
            return NOTHING
        scored = [
            (*token_f1(DEFAULT.apply(reading), DEFAULT.apply(reference)), -place, reading)
            for place, reading in enumerate(readings)
            for reference in references
        ]
        reward, precision, recall, _, reading = max(scored)
        reason = f"F1 {reward:.3f}, precision {precision:.3f}, recall {recall:.3f}"
        details = {"precision": precision, "recall": recall}
        return Verdict(reward, reason=reason, extracted=reading, details=details)


@frozen
class ChosenLetter:
    """Reward 1 where the response settles on the letters of the reference.

    Attributes:
        several: Whether several letters may be chosen: ``yes``, ``no``, or ``auto``: where the
            reference has several.
    """

    several: str

    async def compare(self, problem: Problem, answer: str | None, /) -> Verdict:
        """Read the chosen letters and compare them."""
        offered = read_offer(problem.question.text)
        wanted = read_reference(problem.answer, offered=offered)
        if not wanted:
            message = f"the reference answer of problem {problem.id} names no letter"
            hint = "multiple-choice references look like 'C', '(C)' or 'C. 12'"
            raise ComparatorError(message, kind="unparsed reference", hint=hint)
        if answer is None or not answer.strip():
            return NOTHING
        several = len(wanted) > 1 if self.several == "auto" else self.several == "yes"
        choice = read_choice(answer, offered=offered, several=several)
        if not choice.letters:
            return Verdict(0.0, reason="no choice found in the response")
        right = choice.letters == wanted
        reason = f"chose {choice.letters} ({choice.place}), {'right' if right else 'wrong'}"
        return Verdict(float(right), reason=reason, extracted=choice.letters)


@frozen
class MatchingPattern:
    """Reward 1 where a regular expression matches.

    Without `extract` the reference is the pattern and the answer must match it. With `extract`,
    its last match in the answer (its first group, if it has one) is the final answer, which must
    equal the reference after normalisation.
    """

    reading: Reading
    extract: BoundedPattern | None
    ignore_case: bool
    whole: bool
    seconds: float

    async def compare(self, problem: Problem, answer: str | None, /) -> Verdict:
        """Match in a thread, within the time limit."""
        references = self.reading.references(problem)
        patterns = (
            () if self.extract else tuple(self._compile(problem, each) for each in references)
        )
        if answer is None:
            return NOTHING
        if self.extract is not None:
            found = await self._search(problem, self.extract, answer)
            return _judge_extracted(found, references)
        readings = self.reading.answers(answer)
        for reading in readings:
            for pattern in patterns:
                if await self._search(problem, pattern, reading) is not None:
                    return Verdict(1.0, reason="the pattern matches", extracted=reading)
        first = readings[0] if readings else None
        return Verdict(0.0, reason="the pattern does not match", extracted=first)

    def _compile(self, problem: Problem, pattern: str) -> BoundedPattern:
        try:
            return _compile_cached(pattern, self.ignore_case, self.whole, self.seconds)
        except BadPatternError as error:
            message = f"the reference of problem {problem.id} is no regular expression: {error}"
            hint = "mend the reference, or use another comparator"
            raise ComparatorError(message, kind="bad pattern", hint=hint) from error

    async def _search(
        self, problem: Problem, pattern: BoundedPattern, text: str
    ) -> tuple[str, ...] | None:
        try:
            return await asyncio.to_thread(pattern.search, text)
        except TimeoutError as error:
            message = f"the pattern of problem {problem.id} ran longer than {self.seconds} s"
            hint = "write it without nested repetitions"
            raise ComparatorError(message, kind="timeout", hint=hint) from error


@lru_cache(maxsize=1024)
def _compile_cached(pattern: str, ignore_case: bool, whole: bool, seconds: float) -> BoundedPattern:
    return compile_pattern(pattern, ignore_case=ignore_case, whole=whole, seconds=seconds)


def _judge_extracted(found: tuple[str, ...] | None, references: Iterable[str]) -> Verdict:
    if found is None:
        return Verdict(0.0, reason="the pattern finds no answer")
    answer = found[1] if len(found) > 1 else found[0]
    right = DEFAULT.apply(answer) in {DEFAULT.apply(each) for each in references}
    reason = "the same text" if right else f"{_quote(answer)} is not the reference"
    return Verdict(float(right), reason=reason, extracted=answer)
