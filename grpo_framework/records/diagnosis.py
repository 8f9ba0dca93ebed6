"""What the framework measured of attempts: what an advisor and a report are told beside texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from attrs import field, frozen

Outcome = Literal["right", "wrong", "no_answer", "cut_off", "refused"]
"""What became of an attempt; see `grpo_framework.records.outcome_of`."""


CreditStatus = Literal["proven", "harmful", "unknown"]
"""What is known of an experience's effect: surely good, surely bad, or neither."""


@frozen
class Outcomes:
    """How many attempts came to what.

    Attributes:
        right: The reward counts as a success.
        wrong: A final answer was found, and it is not right.
        no_answer: The attempt ended by itself, and no final answer was found in it.
        cut_off: The token limit ended it before it was right.
        refused: The model refused to answer.
    """

    right: int = 0
    wrong: int = 0
    no_answer: int = 0
    cut_off: int = 0
    refused: int = 0

    @classmethod
    def of(cls, kinds: Iterable[Outcome]) -> Outcomes:
        """Count kinds."""
        counts: dict[str, int] = {}
        for kind in kinds:
            counts[kind] = counts.get(kind, 0) + 1
        return cls(**counts)

    def __add__(self, other: Outcomes) -> Outcomes:
        return Outcomes(
            self.right + other.right,
            self.wrong + other.wrong,
            self.no_answer + other.no_answer,
            self.cut_off + other.cut_off,
            self.refused + other.refused,
        )

    @property
    def total(self) -> int:
        """All attempts."""
        return self.right + self.wrong + self.no_answer + self.cut_off + self.refused

    @property
    def failures(self) -> tuple[tuple[Outcome, int], ...]:
        """The kinds that are no success and that occurred, the commonest first."""
        rows: tuple[tuple[Outcome, int], ...] = (
            ("cut_off", self.cut_off),
            ("no_answer", self.no_answer),
            ("wrong", self.wrong),
            ("refused", self.refused),
        )
        return tuple(sorted((row for row in rows if row[1]), key=lambda row: -row[1]))


@frozen
class Measured:
    """Sums over attempts; two of them can be added.

    Attributes:
        outcomes: How many came to what.
        right_chars: Characters of the right ones together.
        other_chars: Characters of the others together.
        injected: Tokens, estimated, of the experiences in their prompts together.
    """

    outcomes: Outcomes = field(factory=Outcomes)
    right_chars: int = 0
    other_chars: int = 0
    injected: int = 0

    def __add__(self, other: Measured) -> Measured:
        return Measured(
            self.outcomes + other.outcomes,
            self.right_chars + other.right_chars,
            self.other_chars + other.other_chars,
            self.injected + other.injected,
        )

    @property
    def mean_right_chars(self) -> float | None:
        """Mean length of a right attempt, None without any."""
        return self.right_chars / self.outcomes.right if self.outcomes.right else None

    @property
    def mean_other_chars(self) -> float | None:
        """Mean length of an attempt that is not right, None without any."""
        others = self.outcomes.total - self.outcomes.right
        return self.other_chars / others if others else None

    @property
    def mean_injected(self) -> float | None:
        """Mean tokens of the experiences in a prompt, None without any attempt."""
        return self.injected / self.outcomes.total if self.outcomes.total else None


@frozen
class Shown:
    """An experience that was in the prompts of a group.

    Attributes:
        id: Its id.
        uses: Judged rollouts so far whose prompt held it; 0 where that is not known.
        successes: Those of them that succeeded.
        effect: Its measured effect on the reward, None where that was not measured.
        weight: How many answers' worth of evidence the effect rests on; 0 where it was not
            measured.
        status: What is known of the effect.
    """

    id: str
    uses: int = 0
    successes: int = 0
    effect: float | None = None
    weight: float = 0.0
    status: CreditStatus = "unknown"


@frozen
class Rejected:
    """A proposal of an earlier batch that was refused.

    Attributes:
        text: As it was proposed; empty where it may not be repeated.
        rule: Name of the rule that refused it.
        reason: Why, in one line.
    """

    text: str
    rule: str
    reason: str


@frozen
class Past:
    """What an owner's earlier batches of the run came to.

    Attributes:
        measured: All their attempts.
        rejected: The latest refused proposals, oldest first, each once.
    """

    measured: Measured = field(factory=Measured)
    rejected: tuple[Rejected, ...] = ()


@frozen
class Diagnosis:
    """What the framework measured of a group, beside the texts of its attempts.

    Attributes:
        measured: Of the group.
        agreement: Share (0 to 1) of the attempts that gave the commonest answer; None where no
            answer was found.
        shown: The experiences that were in its prompts.
        past: The owner's earlier batches.
    """

    measured: Measured = field(factory=Measured)
    agreement: float | None = None
    shown: tuple[Shown, ...] = ()
    past: Past = field(factory=Past)
