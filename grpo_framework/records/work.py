"""What is asked, and the address of a piece of work on it."""

from __future__ import annotations

import hashlib
from typing import Literal, TypeAlias

from attrs import frozen

Owner: TypeAlias = str
"""Who holds a library: ``generator_1`` …, ``critic`` or ``shared``."""

Stage = Literal[
    "attempt",
    "verdict",
    "fusion",
    "fusion_verdict",
    "advice",
    "batch_advice",
    "consolidation",
    "likeness",
    "commit",
]
"""The step of a unit of work; failures, seeds and usage are kept by it."""

Purpose = Literal["learn", "gate", "validation"]
"""What a unit of work is for: to learn from, to judge an edit, or to score a version."""


@frozen
class Question:
    """What a generator or critic is asked; it holds no reference answer.

    Attributes:
        id: Stable within its data set.
        text: The problem's text.
        subject: Field of the problem, empty if not given.
        dataset: The data set it comes from, empty if not given.
    """

    id: str
    text: str
    subject: str = ""
    dataset: str = ""


@frozen
class Problem:
    """A question with its reference answer; only comparators receive it.

    Attributes:
        question: What is asked.
        answer: The reference answer as text.
        split: ``train``, ``validation``, ``test`` or empty where the source has no splits.
        source: Where it was read (``file.jsonl:7``), for error messages.
    """

    question: Question
    answer: str
    split: str = ""
    source: str = ""

    @property
    def id(self) -> str:
        """The question's id."""
        return self.question.id


@frozen
class Unit:
    """The address of a piece of work within a run; seeds and accounts are kept by it.

    Attributes:
        epoch: Counted from 1; 0 outside of training.
        batch: Counted from 1 within the epoch.
        problem: Problem id, empty for work on a whole batch.
        owner: Whose work it is.
        stage: Which step.
        index: Which of the k, counted from 0.
        purpose: What it is for.
    """

    epoch: int
    batch: int
    problem: str
    owner: Owner
    stage: Stage
    index: int = 0
    purpose: Purpose = "learn"

    @property
    def address(self) -> str:
        """The address in one line, without the stage."""
        line = f"{self.epoch}/{self.batch}/{self.problem}/{self.owner}/{self.index}"
        return line if self.purpose == "learn" else f"{self.purpose}/{line}"

    def seed(self, run_seed: int) -> int:
        """A seed of 31 bits, derived from the run's seed and this address alone."""
        # Versions are compared on the same seeds, whichever the epoch.
        epoch = 0 if self.purpose == "validation" else self.epoch
        address = (run_seed, epoch, self.problem, self.owner, self.stage, self.index)
        own = () if self.purpose == "learn" else (self.purpose,)
        digest = hashlib.sha256(repr((*address, *own)).encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:4], "big") >> 1


@frozen
class Failure:
    """The failure of a unit, as a value: never a reward of 0, never swallowed.

    Attributes:
        unit: What failed.
        kind: The cause's kind (``timeout``, ``bad_reply``, an exception's name …).
        message: The cause in one line.
    """

    unit: Unit
    kind: str
    message: str
