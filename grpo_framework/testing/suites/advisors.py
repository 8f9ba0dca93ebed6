"""The suite of advisors."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, get_args

import pytest
from attrs import evolve

from grpo_framework.component import Component, Wiring
from grpo_framework.experience import (
    CRITIC,
    Add,
    Delete,
    Keep,
    Library,
    Operation,
    apply,
    plan,
)
from grpo_framework.protocols import Advisor, ChatModel, Consolidator
from grpo_framework.testing.models import HangingChatModel, ScriptedReplies
from grpo_framework.testing.samples import make_contrast, make_library
from grpo_framework.testing.suites.base import ComponentSuite, Drive, cancel_when_asked

_OPERATIONS = get_args(Operation)


class AdvisorSuite(ComponentSuite):
    """What every advisor must do; an advisor that consolidates is tested in that too.

    An advisor over a chat model must define `chat_model` with replies that it understands.
    """

    protocol: ClassVar[type] = Advisor

    @pytest.fixture
    def owner(self) -> str:
        """A generator's advisor."""
        return "generator_1"

    @pytest.fixture
    def chat_model(self) -> ChatModel:
        """A model that proposes nothing."""
        return ScriptedReplies(default='{"operations": []}')

    def test_advises_on_a_full_library(self, drive: Drive) -> None:
        """Proposals for a full library are operations that can be planned and applied."""

        async def use(advisor: Advisor) -> None:
            for owner, prefix in (("generator_1", "G1"), (CRITIC, "C")):
                library = make_library(owner, prefix=prefix)
                _check(await advisor.advise((make_contrast(owner),), library), library)

        drive(use)

    def test_advises_on_an_empty_library(self, drive: Drive) -> None:
        """With nothing learned yet, what is accepted are additions only."""

        async def use(advisor: Advisor) -> None:
            library = Library("generator_1")
            operations = await advisor.advise((make_contrast(),), library)
            _check(operations, library)
            accepted = plan(library, operations).accepted
            assert all(isinstance(operation, Add) for operation in accepted)

        drive(use)

    def test_no_contrast_no_proposal(self, drive: Drive) -> None:
        """Without contrasts there is nothing to learn from."""

        async def use(advisor: Advisor) -> None:
            assert await advisor.advise((), make_library()) == ()

        drive(use)

    def test_advises_many_at_once(self, drive: Drive) -> None:
        """Groups are advised on at the same time."""

        async def use(advisor: Advisor) -> None:
            library = make_library()
            contrasts = [evolve(make_contrast(), seed=seed) for seed in range(6)]
            answers = await asyncio.gather(
                *(advisor.advise((contrast,), library) for contrast in contrasts)
            )
            for operations in answers:
                _check(operations, library)

        drive(use)

    def test_consolidates(self, drive: Drive) -> None:
        """A batch's proposals, repeated and contradictory, become operations; none are fine too."""

        async def use(advisor: Advisor) -> None:
            if not isinstance(advisor, Consolidator):
                pytest.skip("the advisor does not consolidate")
            library = make_library()
            proposals = (
                Add("Write every step on its own line."),
                Add("Write every step on its own line!"),
                Keep("G1-001"),
                Delete("G1-002", reason="it misled"),
                Delete("G1-999"),
            )
            for given in (proposals, ()):
                operations = await advisor.consolidate(given, library, seed=4)
                _check(operations, library)

        drive(use)

    def test_cancellation_passes(self, component: Component[Any], wiring: Wiring) -> None:
        """A cancelled call raises CancelledError and proposes nothing."""
        if not component.uses_chat_model:
            pytest.skip("the component has no chat model to wait for")

        async def run() -> None:
            hanging = HangingChatModel()
            wired = evolve(wiring, chat_model=hanging)
            async with asyncio.timeout(self.seconds), component.factory(wired) as advisor:
                work = advisor.advise((make_contrast(),), make_library())
                await cancel_when_asked(work, hanging.asked)

        asyncio.run(run())


def _check(operations: Any, library: Library) -> None:
    assert isinstance(operations, tuple)
    assert all(isinstance(operation, _OPERATIONS) for operation in operations)
    made = plan(library, operations)
    assert len(made.accepted) + len(made.refused) == len(operations)
    after = apply(library, made, now="2026-01-02T03:04:05+00:00")
    assert after.version == library.version + 1
