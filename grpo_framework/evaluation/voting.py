"""Which rollouts of a problem give the same answer."""

from __future__ import annotations

from collections.abc import Sequence

from grpo_framework.errors import ComparatorError
from grpo_framework.protocols import AnswerComparator, Comparator
from grpo_framework.records import Problem, Question, Rollout, Verdict


async def count_votes(
    comparator: Comparator, question: Question, rollouts: Sequence[Rollout]
) -> tuple[int | None, ...]:
    """Which rollouts give the same answer: the same text, or equal by the comparator.

    Args:
        comparator: Asked whether one extracted answer equals another, in place of the reference.
        question: What was asked.
        rollouts: Judged.

    Returns:
        One number a rollout, counted from 0 in order of first appearance; None for no answer.
    """
    answers: list[str] = []
    numbers: dict[str, int] = {}
    votes: list[int | None] = []
    for rollout in rollouts:
        text = _answer(rollout)
        if text is not None and text not in numbers:
            number = await _equal_to(comparator, question, answers, text)
            if number is None:
                number = len(answers)
                answers.append(text)
            numbers[text] = number
        votes.append(None if text is None else numbers[text])
    return tuple(votes)


async def compare_answer(comparator: Comparator, problem: Problem, answer: str | None) -> Verdict:
    """Judge a bare answer, by the comparator's own way for these, if it has one.

    Raises:
        ComparatorError: It cannot judge.
    """
    if isinstance(comparator, AnswerComparator):
        return await comparator.compare_answer(problem, answer)
    return await comparator.compare(problem, answer)


def _answer(rollout: Rollout) -> str | None:
    """What a rollout votes for: the answer as the comparator or the generator extracted it."""
    found = rollout.verdict.extracted
    found = rollout.attempt.answer if found is None else found
    text = "" if found is None else " ".join(found.split())
    return text or None


async def _equal_to(
    comparator: Comparator, question: Question, answers: Sequence[str], text: str
) -> int | None:
    for number, answer in enumerate(answers):
        try:
            verdict = await compare_answer(comparator, Problem(question, answer), text)
        except ComparatorError:
            continue  # what cannot be compared stays a vote of its own
        if verdict.success:
            return number
    return None
