"""Frozen values of a rollout: what is asked, tried, judged, and what failed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

Owner: TypeAlias = str
"""Who holds a library: ``generator_1`` …, ``critic`` or ``shared``."""

Stage = Literal[
    "attempt", "verdict", "fusion", "fusion_verdict", "advice", "consolidation", "commit"
]
"""The step of a unit of work; failures, seeds and usage are kept by it."""

SUCCESS_REWARD = 0.5
"""A reward of at least this counts as a success in `Experience.success_count` and in the report."""


def _freeze(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping))


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
class Usage:
    """What model calls cost.

    Attributes:
        input_tokens: Tokens of the prompts.
        output_tokens: Tokens of the answers.
        calls: Answered calls.
        seconds: Time spent in the calls, summed over calls.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    calls: int = 0
    seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.calls + other.calls,
            self.seconds + other.seconds,
        )


@frozen
class Message:
    """One turn of a chat; `role` is ``system``, ``user`` or ``assistant``."""

    role: Literal["system", "user", "assistant"]
    content: str


@frozen
class ChatRequest:
    """One call to a chat model.

    Attributes:
        messages: The chat so far, at least one turn.
        seed: Seed of the sampling, where the model has one.
        temperature: Sampling temperature; None leaves it to the model's options.
        max_tokens: Upper limit of the answer's tokens; None leaves it to the model's options.
        stop: Texts that end the answer.
        schema: JSON Schema that the answer must satisfy; the caller still validates the answer.
    """

    messages: tuple[Message, ...]
    seed: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = field(default=None, hash=False)


@frozen
class ChatReply:
    """The answer of a chat model.

    Attributes:
        text: What it said.
        finish: ``stop``, ``length`` (cut off at the token limit) or ``refused``.
        usage: Tokens of this call, as the model counted them; `calls` is 1.
        model: The model's name as the endpoint gave it.
    """

    text: str
    finish: Literal["stop", "length", "refused"] = "stop"
    usage: Usage = Usage(calls=1)
    model: str = ""


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
    """

    text: str
    answer: str | None = None
    finish: Literal["stop", "length", "refused"] = "stop"
    usage: Usage = Usage()
    experiences: tuple[str, ...] | None = None

    @property
    def response(self) -> str:
        """What the comparator reads: the extracted answer, or the whole text."""
        return self.text if self.answer is None else self.answer


@frozen
class Verdict:
    """What a comparator says of an answer.

    Attributes:
        reward: From 0.0 (wrong) to 1.0 (right).
        reason: Why, in one line.
        extracted: The final answer as it was read, None if none was found.
        details: Anything else worth keeping, as plain JSON values.
    """

    reward: float
    reason: str = ""
    extracted: str | None = None
    details: Mapping[str, Any] = field(factory=dict, converter=_freeze, hash=False)

    @property
    def success(self) -> bool:
        """Whether the reward reaches `SUCCESS_REWARD`."""
        return self.reward >= SUCCESS_REWARD


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
    """

    epoch: int
    batch: int
    problem: str
    owner: Owner
    stage: Stage
    index: int = 0

    def seed(self, run_seed: int) -> int:
        """A seed of 31 bits, derived from the run's seed and this address alone."""
        address = (run_seed, self.epoch, self.problem, self.owner, self.stage, self.index)
        digest = hashlib.sha256(repr(address).encode("utf-8", "surrogatepass")).digest()
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


@frozen
class Rollout:
    """An attempt of a generator with its verdict.

    Attributes:
        unit: Its address; `unit.index` counts the k rollouts of the group.
        attempt: What the generator answered.
        verdict: What the comparator said.
        seed: The seed it was made with.
        experiences: Ids of the experiences whose text was in the prompt.
        library_version: Version of the owner's library that the prompt was made from.
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
class FinalAnswer:
    """The critic's fusion of one generator's rollouts, with its verdict.

    Attributes:
        unit: Its address; `unit.owner` is the generator whose rollouts were fused.
        attempt: What the critic answered.
        verdict: What the comparator said.
        seed: The seed it was made with.
        experiences: Ids of the critic's experiences that were in the prompt.
        library_version: Version of the critic's library.
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
    """

    owner: Owner
    question: Question
    samples: tuple[Sample, ...]
    notes: tuple[str, ...] = ()
    seed: int = 0

    @property
    def good(self) -> tuple[Sample, ...]:
        """The samples with a positive advantage."""
        return tuple(sample for sample in self.samples if sample.advantage > 0)

    @property
    def bad(self) -> tuple[Sample, ...]:
        """The samples with a negative advantage."""
        return tuple(sample for sample in self.samples if sample.advantage < 0)
