"""The suite of comparators."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest
from attrs import frozen

from grpo_framework.errors import ComparatorError
from grpo_framework.protocols import Comparator
from grpo_framework.records import SUCCESS_REWARD, Problem, Question, Verdict
from grpo_framework.testing.suites.base import ComponentSuite, Drive


@frozen
class ComparatorCase:
    """A reference with answers that are right and answers that are wrong.

    Attributes:
        reference: The reference answer.
        right: Answers, extracted or whole responses, that must be a success.
        wrong: Answers that must not be.
        question: The problem's text.
    """

    reference: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    question: str = "What is asked?"

    @property
    def problem(self) -> Problem:
        """The problem that is compared with."""
        return Problem(Question("case", self.question), self.reference)


AWKWARD_ANSWERS: tuple[str, ...] = (
    "",
    " \n\t ",
    "\x00",
    "(((((",
    "\\boxed{",
    "{" * 200,
    "a" * 20_000,
    "½ 𝟜𝟚 ４２ 四十二 🙂",
    "\ud800",
)
"""Answers that are no answers; a comparator judges them, or says in its error why it cannot."""


class ComparatorSuite(ComponentSuite):
    """What every comparator must do; `cases` are texts that any comparator of answers can tell."""

    protocol: ClassVar[type] = Comparator

    @pytest.fixture
    def cases(self) -> tuple[ComparatorCase, ...]:
        """References with right and wrong answers; the first right answer equals the reference."""
        return (
            ComparatorCase("42", ("42", " 42 "), ("43", "the weather is fine")),
            ComparatorCase("7", ("7",), ("8",)),
        )

    def test_tells_right_from_wrong(self, drive: Drive, cases: tuple[ComparatorCase, ...]) -> None:
        """Right answers succeed, wrong ones do not, rewards lie from 0 to 1."""

        async def use(comparator: Comparator) -> None:
            for case in cases:
                for answers, success in ((case.right, True), (case.wrong, False)):
                    for answer in answers:
                        verdict = await comparator.compare(case.problem, answer)
                        _check(verdict)
                        assert verdict.success is success, (case.reference, answer, verdict)

        drive(use)

    def test_reference_equals_itself(self, drive: Drive, cases: tuple[ComparatorCase, ...]) -> None:
        """The first right answer of a case, as a rule the reference itself, gets reward 1."""

        async def use(comparator: Comparator) -> None:
            for case in cases:
                verdict = await comparator.compare(case.problem, case.right[0])
                assert verdict.reward == 1.0, (case.reference, verdict)

        drive(use)

    def test_no_answer_is_reward_zero(
        self, drive: Drive, cases: tuple[ComparatorCase, ...]
    ) -> None:
        """None is a reward of 0 with a reason, and nothing extracted."""

        async def use(comparator: Comparator) -> None:
            verdict = await comparator.compare(cases[0].problem, None)
            assert verdict.reward == 0.0
            assert verdict.reason.strip(), "a missing answer needs its reason"
            assert verdict.extracted is None

        drive(use)

    def test_is_deterministic(self, drive: Drive, cases: tuple[ComparatorCase, ...]) -> None:
        """The same answer gets the same verdict."""

        async def use(comparator: Comparator) -> None:
            for case in cases:
                for answer in (*case.right, *case.wrong):
                    first = await comparator.compare(case.problem, answer)
                    assert await comparator.compare(case.problem, answer) == first

        drive(use)

    def test_judges_many_at_once(self, drive: Drive, cases: tuple[ComparatorCase, ...]) -> None:
        """Comparisons at once give the verdicts that they give one by one, in their order."""

        async def use(comparator: Comparator) -> None:
            pairs = [(case.problem, text) for case in cases for text in (*case.right, *case.wrong)]
            alone = [await comparator.compare(problem, text) for problem, text in pairs]
            together = await asyncio.gather(
                *(comparator.compare(problem, text) for problem, text in pairs * 5)
            )
            assert list(together) == alone * 5

        drive(use)

    @pytest.mark.parametrize("answer", AWKWARD_ANSWERS, ids=range(len(AWKWARD_ANSWERS)))
    def test_awkward_answers_are_never_right(
        self, drive: Drive, cases: tuple[ComparatorCase, ...], answer: str
    ) -> None:
        """Empty, broken or huge answers are wrong, or a ComparatorError with its kind."""

        async def use(comparator: Comparator) -> None:
            try:
                verdict = await comparator.compare(cases[-1].problem, answer)
            except ComparatorError as error:
                assert error.kind, "the error must say why it cannot be judged"  # noqa: PT017 - or a verdict
                return
            _check(verdict)
            assert not verdict.success

        drive(use)


def _check(verdict: Any) -> None:
    assert isinstance(verdict, Verdict)
    assert isinstance(verdict.reward, float)
    assert 0.0 <= verdict.reward <= 1.0
    assert verdict.success is (verdict.reward >= SUCCESS_REWARD)
    assert "\n" not in verdict.reason
