"""Which part of a library goes into the prompts of one question, and the note of it."""

from __future__ import annotations

import hashlib

from attrs import evolve, frozen

from grpo_framework.experience import Library
from grpo_framework.experience.relevance import CORE_SHARE, bm25, proven, select
from grpo_framework.protocols import Ranker
from grpo_framework.records import Attempt, Mask, Question


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


def draw_lots(chosen: Library, dropout: float, seed: int) -> tuple[Library, Mask | None]:
    """Leave each experience out with a probability, independently of everything else; pure.

    So what the others' answers owe to an experience can be told from those that went without it.

    Args:
        chosen: What would go into a prompt; never more goes in.
        dropout: The probability; 0 draws no lots.
        seed: Of the attempt; the same seed and id, the same lot.

    Returns:
        What does go in, and the record of it; the library itself and None without lots.
    """
    if not dropout:
        return chosen, None
    kept = tuple(item for item in chosen.experiences if _lot(seed, item.id) >= dropout)
    shown = chosen if len(kept) == len(chosen) else evolve(chosen, experiences=kept)
    held = set(shown.ids)
    return shown, Mask(shown.ids, tuple(id_ for id_ in chosen.ids if id_ not in held))


def _lot(seed: int, id_: str) -> float:
    """A number from 0 to 1 that seed and id decide, the same on every machine."""
    digest = hashlib.sha256(f"withhold/{seed}/{id_}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def note_shown(
    attempt: Attempt, shown: Library, library: Library, mask: Mask | None = None
) -> Attempt:
    """The attempt with its mask, and with the ids that were in its prompt, where not all were.

    What the attempt's maker reports itself goes before.
    """
    mask = attempt.mask if mask is None else mask
    if attempt.experiences is not None or shown is library:
        return attempt if mask is attempt.mask else evolve(attempt, mask=mask)
    return evolve(attempt, mask=mask, experiences=shown.ids)
