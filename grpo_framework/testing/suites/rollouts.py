"""The suites of generators and critics."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest
from attrs import evolve

from grpo_framework.component import Component, Wiring
from grpo_framework.experience import Library
from grpo_framework.protocols import ChatModel, Critic, Generator
from grpo_framework.records import Attempt, Usage
from grpo_framework.testing.models import GatheringChatModel, HangingChatModel
from grpo_framework.testing.samples import (
    ATTEMPTS,
    AWKWARD_TEXTS,
    CUT_OFF_ATTEMPT,
    OTHER_QUESTION,
    QUESTION,
    make_library,
)
from grpo_framework.testing.suites.base import ComponentSuite, Drive, cancel_when_asked


class _AnsweringSuite(ComponentSuite):
    """What generators and critics share; `_answer` calls the one verb.

    Attributes:
        deterministic: Whether equal arguments and seed give an equal attempt.
    """

    deterministic: ClassVar[bool] = True

    async def _answer(self, product: Any, library: Library, seed: int) -> Attempt:
        raise NotImplementedError

    def _library(self, *contents: str) -> Library:
        return make_library("generator_1", *contents)

    def test_answers_with_an_attempt(self, drive: Drive) -> None:
        """With experiences and without: text, a known finish, only ids that it was given."""

        async def use(product: Any) -> None:
            for library in (Library("generator_1"), self._library(*AWKWARD_TEXTS)):
                attempt = await self._answer(product, library, 1)
                assert isinstance(attempt, Attempt)
                assert isinstance(attempt.text, str)
                assert attempt.answer is None or isinstance(attempt.answer, str)
                assert attempt.finish in ("stop", "length", "refused")
                assert isinstance(attempt.usage, Usage)
                assert min(attempt.usage.input_tokens, attempt.usage.output_tokens) >= 0
                if attempt.experiences is not None:
                    assert set(attempt.experiences) <= set(library.ids)

        drive(use)

    def test_same_seed_same_answer(self, drive: Drive) -> None:
        """Equal arguments and seed give the same text; every seed gives an attempt."""

        async def use(product: Any) -> None:
            library = self._library()
            for seed in (0, 1, 2**31, 2**53):
                first = await self._answer(product, library, seed)
                again = await self._answer(product, library, seed)
                if self.deterministic:
                    assert (first.text, first.answer) == (again.text, again.answer)

        drive(use)

    def test_answers_many_at_once(self, drive: Drive) -> None:
        """Many calls at once give what they give one by one."""

        async def use(product: Any) -> None:
            library = self._library()
            together = await asyncio.gather(
                *(self._answer(product, library, seed) for seed in range(8))
            )
            assert all(isinstance(attempt, Attempt) for attempt in together)
            if self.deterministic:
                alone = [await self._answer(product, library, seed) for seed in range(8)]
                assert [each.text for each in together] == [each.text for each in alone]

        drive(use)

    def test_calls_overlap(
        self, component: Component[Any], wiring: Wiring, chat_model: ChatModel
    ) -> None:
        """Calls reach the chat model at the same time: one does not block the loop or the next."""
        if not component.uses_chat_model:
            pytest.skip("the component has no chat model whose calls could overlap")
        gathering = GatheringChatModel(chat_model, size=4)

        async def run() -> None:
            wired = evolve(wiring, chat_model=gathering)
            async with asyncio.timeout(self.seconds), component.factory(wired) as product:
                await asyncio.gather(
                    *(self._answer(product, self._library(), seed) for seed in range(4))
                )

        asyncio.run(run())

    def test_cancellation_passes(self, component: Component[Any], wiring: Wiring) -> None:
        """A cancelled call raises CancelledError and does not answer."""
        if not component.uses_chat_model:
            pytest.skip("the component has no chat model to wait for")

        async def run() -> None:
            hanging = HangingChatModel()
            wired = evolve(wiring, chat_model=hanging)
            async with asyncio.timeout(self.seconds), component.factory(wired) as product:
                await cancel_when_asked(self._answer(product, self._library(), 1), hanging.asked)

        asyncio.run(run())


class GeneratorSuite(_AnsweringSuite):
    """What every generator must do."""

    protocol: ClassVar[type] = Generator

    @pytest.fixture
    def owner(self) -> str:
        """A generator's owner."""
        return "generator_1"

    async def _answer(self, product: Any, library: Library, seed: int) -> Attempt:
        attempt: Attempt = await product.attempt(QUESTION, library, seed=seed)
        return attempt

    def test_answers_any_question(self, drive: Drive) -> None:
        """Questions in any script, long or with braces, get an attempt."""

        async def use(generator: Generator) -> None:
            for text in (OTHER_QUESTION.text, *AWKWARD_TEXTS):
                question = evolve(QUESTION, text=text)
                attempt = await generator.attempt(question, Library("generator_1"), seed=3)
                assert isinstance(attempt, Attempt)

        drive(use)


class CriticSuite(_AnsweringSuite):
    """What every critic must do."""

    protocol: ClassVar[type] = Critic

    @pytest.fixture
    def owner(self) -> str:
        """The critic."""
        return "critic"

    def _library(self, *contents: str) -> Library:
        return make_library("critic", *contents, prefix="C")

    async def _answer(self, product: Any, library: Library, seed: int) -> Attempt:
        attempt: Attempt = await product.fuse(QUESTION, ATTEMPTS, library, seed=seed)
        return attempt

    def test_fuses_any_attempts(self, drive: Drive) -> None:
        """One attempt, many, cut-off and empty ones are fused into one attempt."""

        async def use(critic: Critic) -> None:
            library = Library("critic")
            empty = Attempt("", finish="refused")
            groups = ((ATTEMPTS[0],), ATTEMPTS * 3, (CUT_OFF_ATTEMPT, ATTEMPTS[1]), (empty,))
            for attempts in groups:
                attempt = await critic.fuse(QUESTION, attempts, library, seed=5)
                assert isinstance(attempt, Attempt)

        drive(use)
