"""The async Protocols that plugin authors implement: small, one verb each, their contract in prose.

Contract of all of them:

- A method may be called many times at once from one event loop; it must not block the loop.
- `asyncio.CancelledError` always passes through.
- A failure is raised (`ModelError`, `ComparatorError` … from `grpo_framework.errors`, or any
  exception); the framework turns it into a `Failure` of that unit. Never return a made-up answer.
- Values received are frozen; return new ones.
- What a method returned is remembered before it is used, and not asked for again after a crash.
  Only where it took less than 10 ms beside its calls of guarded models, whose answers are
  remembered one by one, may it be made again, with the same answers.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

from grpo_framework.events import Event
from grpo_framework.experience import Experience, Library, Operation, Version
from grpo_framework.records import (
    Attempt,
    ChatReply,
    ChatRequest,
    Contrast,
    Diagnosis,
    EmbedReply,
    Owner,
    Problem,
    Question,
    Verdict,
)


@runtime_checkable
class ChatModel(Protocol):
    """A language model behind a chat interface."""

    async def chat(self, request: ChatRequest, /) -> ChatReply:
        """Answer one request.

        An answer cut off at the token limit is a reply with ``finish="length"``, a refusal one with
        ``finish="refused"``. Do not retry here: one guard around every chat model does.

        Raises:
            ModelError: With its kind and, where the endpoint asked for it, `retry_after`.
        """
        ...


@runtime_checkable
class Embedder(Protocol):
    """Turns texts into vectors: those of like meaning, found relevant or twice, lie near others."""

    async def embed(self, texts: tuple[str, ...], /) -> EmbedReply:
        """Embed some texts, all at once.

        Do not retry here: one guard around every embedder does, and asks for no text twice.

        Args:
            texts: At least one, none of them blank.

        Returns:
            As many vectors as texts, in their order, of one length and not all zeros; the same
            text, the same vector, whatever it comes with.

        Raises:
            ModelError: With its kind and, where the endpoint asked for it, `retry_after`.
        """
        ...


@runtime_checkable
class Generator(Protocol):
    """Makes rollouts: the agent, or one of the agents, that is to become better."""

    async def attempt(self, question: Question, library: Library, /, *, seed: int) -> Attempt:
        """Answer the question once, with the experiences of `library` in the prompt.

        Args:
            question: What is asked; the reference answer is not in it.
            library: The owner's experiences and the shared ones, joined.
            seed: Differs between the rollouts of a group; same seed, same answer where the model
                allows it.
        """
        ...


@runtime_checkable
class Critic(Protocol):
    """Fuses one generator's rollouts of a problem into one final answer."""

    async def fuse(
        self, question: Question, attempts: tuple[Attempt, ...], library: Library, /, *, seed: int
    ) -> Attempt:
        """Answer the question from the attempts, whose rewards are not known yet.

        Args:
            question: What was asked.
            attempts: One generator's attempts, at least one, in the order of their index.
            library: The critic's experiences and the shared ones, joined.
            seed: For the critic's own sampling.
        """
        ...


@runtime_checkable
class Comparator(Protocol):
    """Judges answers against the reference."""

    async def compare(self, problem: Problem, answer: str | None, /) -> Verdict:
        """Judge an answer.

        Args:
            problem: The question with its reference answer.
            answer: The extracted final answer, or a whole response to extract it from; None where
                there is no text at all, which is a reward of 0 with that reason.

        Returns:
            A verdict whose `reason` and `extracted` do not tell the reference: advisors read them.

        Raises:
            ComparatorError: Where it cannot judge; that is a failure, not a wrong answer.
        """
        ...


@runtime_checkable
class AnswerComparator(Comparator, Protocol):
    """A comparator that can also take an answer as it is, without looking for one in a response.

    A comparator without it is asked by `compare` in both cases.
    """

    async def compare_answer(self, problem: Problem, answer: str | None, /) -> Verdict:
        """Judge a bare final answer; otherwise as `compare`.

        Args:
            problem: The question with its reference answer.
            answer: The final answer itself, never a whole response; None where there is none.

        Raises:
            ComparatorError: Where it cannot judge.
        """
        ...


@runtime_checkable
class ReferenceChecker(Comparator, Protocol):
    """A comparator that can tell beforehand which reference answers it cannot read.

    It is asked once for each problem, before the first model call; one without it finds out when
    it judges.
    """

    def check_reference(self, problem: Problem, /) -> str | None:
        """Check a reference answer.

        Args:
            problem: The question with its reference answer.

        Returns:
            None where it can be read, else the reason why not, on one line.
        """
        ...


@runtime_checkable
class Advisor(Protocol):
    """Draws the semantic advantage: reads good and bad attempts, proposes edits of the library."""

    async def advise(
        self, contrasts: tuple[Contrast, ...], library: Library, /
    ) -> tuple[Operation, ...]:
        """Propose operations on the owner's library.

        Called for one group as soon as the group is judged. What is proposed is judged again by
        `grpo_framework.experience.plan`; an empty tuple is a good answer.
        """
        ...


@runtime_checkable
class Consolidator(Protocol):
    """An advisor that can also merge the proposals of a whole batch into fewer, better ones.

    An advisor of a batch that does not implement it has its proposals planned as they are.
    """

    async def consolidate(
        self, proposals: tuple[Operation, ...], library: Library, /, *, seed: int
    ) -> tuple[Operation, ...]:
        """Turn the batch's proposals for one owner into the operations to apply."""
        ...


@runtime_checkable
class BatchAdvisor(Protocol):
    """An advisor that also proposes from what was measured of a whole batch, without a contrast.

    Groups whose attempts all came to the same have no contrast. Where all of them were cut off
    before an answer, there is much to learn all the same, and what was measured says it.
    """

    async def advise_batch(
        self, diagnosis: Diagnosis, library: Library, /, *, seed: int
    ) -> tuple[Operation, ...]:
        """Propose operations on the owner's library.

        Called once for each generator and batch in which not every attempt was right, when all
        its groups are judged. What is proposed joins what `advise` proposed for the groups.

        Args:
            diagnosis: Of all the owner's attempts of the batch, with the owner's past.
            library: The owner's own.
            seed: For the advisor's own choices.
        """
        ...


@runtime_checkable
class Ranker(Protocol):
    """Says which experiences matter for a question, where not all go into its prompts."""

    async def rank(
        self, question: Question, experiences: tuple[Experience, ...], /
    ) -> tuple[float, ...]:
        """Score each experience, in the order given; the highest go in.

        Args:
            question: What is asked.
            experiences: All that could be shown.

        Returns:
            As many finite numbers as experiences; the same arguments, the same numbers.
        """
        ...


@runtime_checkable
class ExperienceStore(Protocol):
    """Keeps the libraries, one per owner, with their versions."""

    async def load(self, owner: Owner, /, *, version: int | None = None) -> Library:
        """Return a library; an owner that was never committed has an empty one at version 0.

        Args:
            owner: Whose library.
            version: Which version; None is the newest.

        Raises:
            StoreError: The content is damaged, or the version is not there. Nothing is overwritten.
        """
        ...

    async def commit(self, library: Library, /, *, expected_version: int) -> None:
        """Write a library, whose `version` is above `expected_version`, all or nothing.

        Raises:
            VersionConflict: The newest version in the store is not `expected_version`.
            StoreError: It cannot be written; what was there is unharmed.
        """
        ...


@runtime_checkable
class VersionedStore(ExperienceStore, Protocol):
    """A store that can also list its versions and say when each was written.

    One without it is asked for every version up to the newest, and knows no times.
    """

    async def list_versions(self, owner: Owner, /) -> tuple[Version, ...]:
        """The versions that `load` can return, oldest first; without the empty one, 0.

        Raises:
            StoreError: The content is damaged.
        """
        ...


@runtime_checkable
class ProbedStore(ExperienceStore, Protocol):
    """A store that says before anything is paid for whether a training can write to it."""

    async def probe(self) -> None:
        """See that a training could commit, or raise a StoreError; no content changes."""
        ...

    def hold(self) -> AbstractAsyncContextManager[None]:
        """Keep other trainings away, in this process or another, until the context is left.

        Raises:
            StoreError: Another training works on it, or it cannot be written.
        """
        ...


@runtime_checkable
class ProblemSource(Protocol):
    """Brings problems."""

    async def problems(self) -> tuple[Problem, ...]:
        """Return all problems, in a stable order.

        Raises:
            ProblemError: With file and line of what cannot be used.
        """
        ...


@runtime_checkable
class Observer(Protocol):
    """Sees every event of a run and cannot change it."""

    async def notify(self, event: Event, /) -> None:
        """Take one event; after an exception, reported once, the observer gets no more."""
        ...
