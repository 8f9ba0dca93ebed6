"""The suite of problem sources."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from grpo_framework.component import Component, Wiring
from grpo_framework.protocols import ProblemSource
from grpo_framework.records import Problem
from grpo_framework.testing.suites.base import ComponentSuite, Drive


class ProblemSourceSuite(ComponentSuite):
    """What every problem source must do, opened with options that give it some problems."""

    protocol: ClassVar[type] = ProblemSource

    def test_problems_are_whole(self, drive: Drive) -> None:
        """There are problems, each with an id, a text, a reference answer and a known split."""

        async def use(source: ProblemSource) -> None:
            problems = await source.problems()
            assert isinstance(problems, tuple)
            assert problems, "the source is empty"
            for problem in problems:
                assert isinstance(problem, Problem)
                assert problem.id.strip()
                assert problem.question.text.strip()
                assert isinstance(problem.answer, str)
                assert problem.answer.strip(), f"{problem.id} has no answer"
                assert problem.split in ("train", "validation", "test", "")

        drive(use)

    def test_ids_are_unique(self, drive: Drive) -> None:
        """No two problems share an id."""

        async def use(source: ProblemSource) -> None:
            ids = [problem.id for problem in await source.problems()]
            twice = sorted({id_ for id_ in ids if ids.count(id_) > 1})
            assert not twice, f"ids that stand twice: {twice[:5]}"

        drive(use)

    def test_order_is_stable(self, component: Component[Any], wiring: Wiring) -> None:
        """The problems come in the same order, asked twice, at once, and opened again."""

        async def ask() -> list[tuple[Problem, ...]]:
            async with asyncio.timeout(self.seconds), component.factory(wiring) as source:
                first = await source.problems()
                return [first, *(await asyncio.gather(source.problems(), source.problems()))]

        first, *others = [*asyncio.run(ask()), *asyncio.run(ask())]
        assert all(other == first for other in others)
