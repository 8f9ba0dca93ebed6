"""Generator, critic, comparator, advisor and observer of the simulation: thin shells with I/O."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from pathlib import Path

from grpo_framework.codec import to_document
from grpo_framework.events import Event
from grpo_framework.experience import Library, Operation
from grpo_framework.records import Attempt, Contrast, Problem, Question, Usage, Verdict
from grpo_scripted.advising import Noise, advise_on, consolidate
from grpo_scripted.answers import read_answer
from grpo_scripted.lookup import AnswerIndex
from grpo_scripted.student import Ability, Response, fuse, solve

_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def _lessons_of(library: Library) -> str:
    return "\n".join(experience.content for experience in library.experiences)


def _attempt_of(response: Response, *read: str) -> Attempt:
    usage = Usage(
        input_tokens=sum(len(text.split()) for text in read),
        output_tokens=len(response.text.split()),
        calls=1,
    )
    return Attempt(response.text, answer=response.answer, usage=usage)


class ScriptedGenerator:
    """The simulated student as a generator: right by chance, better with the right lessons."""

    def __init__(self, answers: AnswerIndex, ability: Ability, *, latency: float) -> None:
        self._answers = answers
        self._ability = ability
        self._latency = latency

    async def attempt(self, question: Question, library: Library, /, *, seed: int) -> Attempt:
        """Answer the question once; the same question, library and seed, the same answer."""
        await asyncio.sleep(self._latency)
        lessons = _lessons_of(library)
        answer = self._answers.get(question.text)
        response = solve(self._ability, question.text, answer, lessons, seed)
        return _attempt_of(response, question.text, lessons)


class ScriptedCritic:
    """The simulated critic: the majority, and better than that with the right lessons."""

    def __init__(self, answers: AnswerIndex, ability: Ability, *, latency: float) -> None:
        self._answers = answers
        self._ability = ability
        self._latency = latency

    async def fuse(
        self, question: Question, attempts: tuple[Attempt, ...], library: Library, /, *, seed: int
    ) -> Attempt:
        """Fuse the final answers of the attempts into one of them."""
        await asyncio.sleep(self._latency)
        lessons = _lessons_of(library)
        answers = [read_answer(attempt.response) or "" for attempt in attempts]
        reference = self._answers.get(question.text)
        response = fuse(self._ability, question.text, reference, answers, lessons, seed)
        texts = (attempt.text for attempt in attempts)
        return _attempt_of(response, question.text, lessons, *texts)


class ScriptedComparator:
    """Compares the last box, or the last line, with the reference as text."""

    async def compare(self, problem: Problem, answer: str | None, /) -> Verdict:
        """Reward 1 where the final answer and the reference are the same text.

        Case, white space, a full stop at the end and commas between thousands do not matter.
        """
        found = None if answer is None else read_answer(answer)
        if found is None:
            return Verdict(0.0, reason="there is no answer")
        right = _plain(found) == _plain(problem.answer)
        reason = "the same text" if right else f"'{found}' is not the reference"
        return Verdict(float(right), reason=reason, extracted=found)


def _plain(answer: str) -> str:
    return _GROUPED.sub("", " ".join(answer.split()).casefold()).rstrip(".")


class ScriptedAdvisor:
    """Proposes the tactics that the good attempts of a group used and the bad ones did not."""

    def __init__(self, noise: Noise) -> None:
        self._noise = noise

    async def advise(
        self, contrasts: tuple[Contrast, ...], library: Library, /
    ) -> tuple[Operation, ...]:
        """Propose operations on the owner's library."""
        return tuple(
            operation for contrast in contrasts for operation in advise_on(contrast, library)
        )

    async def consolidate(
        self, proposals: tuple[Operation, ...], library: Library, /, *, seed: int
    ) -> tuple[Operation, ...]:
        """Drop repetitions, merge doubles of the library, add the noise asked for."""
        return consolidate(proposals, library, noise=self._noise, seed=seed)


class JsonLinesObserver:
    """Appends every event to a file, one JSON object a line, with the time under ``at``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = asyncio.Lock()

    async def notify(self, event: Event, /) -> None:
        """Append one event; the line is written when this returns."""
        document = {"at": datetime.now(UTC).isoformat(), **to_document(event)}
        line = json.dumps(document, ensure_ascii=False) + "\n"
        async with self._lock:
            await asyncio.to_thread(self._append, line)

    def _append(self, line: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(line)
