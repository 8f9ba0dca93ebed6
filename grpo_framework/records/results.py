"""What came of the work: attempts, verdicts, groups, contrasts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from attrs import field, frozen

from grpo_framework.records.chat import Usage
from grpo_framework.records.diagnosis import Diagnosis
from grpo_framework.records.work import Failure, Owner, Question, Unit

SUCCESS_REWARD = 0.5
"""A reward of at least this counts as a success in `Experience.success_count` and in the report."""

ROUNDING = 1e-9
"""Rewards that are no further apart are the same: partial credit is a sum of fractions."""


def rewards_differ(rewards: Sequence[float]) -> bool:
    """Whether a group's rewards differ by more than rounding; only then can it teach."""
    return len(rewards) > 1 and max(rewards) - min(rewards) > ROUNDING


def _freeze(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping))


@frozen
class Mask:
    """What the lot decided of the experiences chosen for one prompt.

    Attributes:
        shown: Ids of those that were handed over.
        withheld: Ids of those that were left out, so that their effect can be measured.
    """

    shown: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


@frozen
class Attempt:
    """One answer to a question, by a generator (a rollout) or a critic (a fusion).

    Attributes:
        text: The whole response.
        answer: The final answer if the maker extracted one; None leaves the extraction to the
            comparator, which then reads `text`.
        finish: ``stop``, ``length`` (cut off) or ``refused``.
        usage: What it cost, as far as the maker knows; the framework's own count is kept beside it.
        experiences: Ids of the experiences that were in the prompt; None means all it was given.
        mask: Set by the framework where lots were drawn over the experiences; None elsewhere.
    """

    text: str
    answer: str | None = None
    finish: Literal["stop", "length", "refused"] = "stop"
    usage: Usage = field(factory=Usage)
    experiences: tuple[str, ...] | None = None
    mask: Mask | None = None

    @property
    def response(self) -> str:
        """What the comparator reads: the extracted answer, or the whole text."""
        return self.text if self.answer is None else self.answer


def _check_reward(_: Any, __: Any, reward: float) -> None:
    if not 0.0 <= reward <= 1.0:
        message = f"a reward is from 0 to 1, not {reward}"
        raise ValueError(message)


@frozen
class Verdict:
    """What a comparator says of an answer.

    Attributes:
        reward: From 0.0 (wrong) to 1.0 (right).
        reason: Why, in one line.
        extracted: The final answer as it was read, None if none was found.
        details: Anything else worth keeping, as plain JSON values.
    """

    reward: float = field(validator=_check_reward)
    reason: str = ""
    extracted: str | None = None
    details: Mapping[str, Any] = field(factory=dict, converter=_freeze, hash=False)

    @property
    def success(self) -> bool:
        """Whether the reward reaches `SUCCESS_REWARD`."""
        return self.reward >= SUCCESS_REWARD


@frozen
class Judged:
    """An answer with its verdict: what rollouts and fused answers have in common.

    Attributes:
        unit: Its address.
        attempt: What was answered.
        verdict: What the comparator said.
        seed: The seed it was made with.
        experiences: Ids of the experiences whose text was in the prompt.
        library_version: Version of the answering owner's library that the prompt was made from.
    """

    unit: Unit
    attempt: Attempt
    verdict: Verdict
    seed: int = 0
    experiences: tuple[str, ...] = ()
    library_version: int = 0

    @property
    def reward(self) -> float:
        """The verdict's reward."""
        return self.verdict.reward


@frozen
class Rollout(Judged):
    """An attempt of a generator with its verdict; `unit.index` counts the k of the group."""


@frozen
class FinalAnswer(Judged):
    """The critic's fusion of the rollouts of one generator, which is `unit.owner`."""


@frozen
class GroupResult:
    """All that came of one problem at one generator.

    Attributes:
        question: What was asked.
        owner: The generator.
        rollouts: The judged attempts, by index; failed ones are in `failures`.
        final: The critic's fusion, None where there was nothing to fuse or it failed.
        failures: What failed, of any stage.
    """

    question: Question
    owner: Owner
    rollouts: tuple[Rollout, ...]
    final: FinalAnswer | None = None
    failures: tuple[Failure, ...] = ()


@frozen
class OwnerScore:
    """How an owner's library did on the validation problems.

    Attributes:
        owner: A generator, or the critic with its fusions.
        mean: Mean over problems of the mean reward; None where nothing was judged.
        problems: Problems with a judged answer.
        wording: Of all that can go into the owner's prompts: equal wording is not scored twice.
    """

    owner: Owner
    mean: float | None
    problems: int
    wording: str


@frozen
class Sample:
    """One member of a contrast: an attempt with its reward and group-relative advantage.

    Attributes:
        attempt: The text.
        reward: Its reward.
        advantage: (reward − mean) / std of the group, population standard deviation.
        reason: The verdict's reason.
        extracted: The final answer as it was read.
        inputs: For a fusion: the rollouts it was made from, with their own rewards and advantages.
    """

    attempt: Attempt
    reward: float
    advantage: float
    reason: str = ""
    extracted: str | None = None
    inputs: tuple[Sample, ...] = ()


@frozen
class Contrast:
    """A group whose rewards differ: what a semantic advantage is drawn from.

    Attributes:
        owner: Who learns from it.
        question: What was asked.
        samples: The group, best reward first.
        notes: What the framework observed, one line each (``a right attempt was fused away``).
        seed: For the advisor's own model calls.
        diagnosis: What the framework measured; None for a contrast made by hand.
    """

    owner: Owner
    question: Question
    samples: tuple[Sample, ...]
    notes: tuple[str, ...] = ()
    seed: int = 0
    diagnosis: Diagnosis | None = None

    @property
    def good(self) -> tuple[Sample, ...]:
        """The samples with a positive advantage."""
        return tuple(sample for sample in self.samples if sample.advantage > 0)

    @property
    def bad(self) -> tuple[Sample, ...]:
        """The samples with a negative advantage."""
        return tuple(sample for sample in self.samples if sample.advantage < 0)
