"""Which part of a library goes into the prompts of one question, and the note of it."""

from __future__ import annotations

from attrs import evolve, frozen

from grpo_framework.experience import Library
from grpo_framework.experience.relevance import CORE_SHARE, bm25, proven, select
from grpo_framework.protocols import Ranker
from grpo_framework.records import Attempt, Question


@frozen
class Injection:
    """How a prompt's experiences are chosen.

    Attributes:
        top: Most experiences in one prompt; None for all.
        ranker: Says how relevant each is; None asks BM25 over the words.
    """

    top: int | None = None
    ranker: Ranker | None = None

    async def choose(self, question: Question, library: Library) -> Library:
        """The part of a library for a question; the library itself where all of it goes in.

        Args:
            question: What is asked.
            library: The owner's experiences and the shared ones, joined.

        Raises:
            ValueError: The ranker gave another number of scores than there are experiences.
        """
        if self.top is None or len(library) <= self.top:
            return library
        if self.ranker is None:
            texts = [f"{item.content} {item.category}" for item in library.experiences]
            scores = bm25(f"{question.text} {question.subject}", texts)
        else:
            scores = await self.ranker.rank(question, library.experiences)
            if len(scores) != len(library):
                message = f"a ranker gave {len(scores)} scores for {len(library)} experiences"
                raise ValueError(message)
        return select(library, scores, top=self.top, core=proven(library, self.top // CORE_SHARE))


def note_shown(attempt: Attempt, shown: Library, library: Library) -> Attempt:
    """The attempt with the ids that were in its prompt, where these are not the whole library.

    What the attempt's maker reports itself goes before.
    """
    if attempt.experiences is not None or shown is library:
        return attempt
    return evolve(attempt, experiences=shown.ids)
