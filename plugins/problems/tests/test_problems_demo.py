"""The demo set: its answers are computed again from the texts, its splits are apart."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import Counter
from fractions import Fraction

from grpo_problems import open_demo
from grpo_problems.demo import KINDS, SIZES, make_problems

from grpo_framework.component import Wiring
from grpo_framework.records import Problem

PROBLEMS = make_problems()


def solve(text: str) -> Fraction:
    """An answer found from the text alone."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    if text.startswith("Compute"):
        if fraction := re.fullmatch(r"Compute \$\\frac\{(\d+)\}\{(\d+)\}\$\.", text):
            return Fraction(int(fraction[1]), int(fraction[2]))
        first, second = numbers
        return Fraction(first + second if "+" in text else first * second)
    if "more" in text:
        return Fraction(sum(numbers))
    if text.startswith("Each"):
        return Fraction(numbers[0] * numbers[1])
    if part := re.fullmatch(r"What is 1/(\d+) of (\d+)\?", text):
        return Fraction(int(part[2]), int(part[1]))
    factors = {"days are": 7, "feet are": 3, "quarts are": 4}
    (factor,) = (value for words, value in factors.items() if words in text)
    return Fraction(numbers[0] * factor)


def test_every_answer_is_right() -> None:
    for problem in PROBLEMS:
        assert Fraction(problem.answer) == solve(problem.question.text), problem


def test_the_splits_are_large_enough_and_apart() -> None:
    sizes = Counter(problem.split for problem in PROBLEMS)
    assert sizes == {split: size * len(KINDS) for split, size in SIZES.items()}
    assert sizes["train"] >= 60
    assert sizes["validation"] >= 40
    assert sizes["test"] >= 60
    assert len({problem.id for problem in PROBLEMS}) == len(PROBLEMS)
    assert len({problem.question.text.casefold() for problem in PROBLEMS}) == len(PROBLEMS)


def test_no_numbers_of_a_kind_stand_in_two_problems() -> None:
    def key(problem: Problem) -> tuple[str, ...]:
        kind = problem.id.split("-")[1]
        words = re.findall(r"days|feet|quarts", problem.question.text)
        return (kind, *words, *re.findall(r"\d+", problem.question.text))

    assert len({key(problem) for problem in PROBLEMS}) == len(PROBLEMS)


def test_the_first_problems_of_a_split_show_every_kind_and_subject() -> None:
    for split in SIZES:
        first = [problem for problem in PROBLEMS if problem.split == split][: len(KINDS)]
        assert len({problem.id.split("-")[1] for problem in first}) == len(KINDS)
        assert {problem.question.subject for problem in first} == {
            "word problems",
            "fractions",
            "units",
            "LaTeX",
        }


def test_the_set_is_the_same_on_every_machine() -> None:
    text = "\n".join(
        f"{each.id} {each.split} {each.question.text} {each.answer}" for each in PROBLEMS
    )
    assert hashlib.sha256(text.encode()).hexdigest().startswith("e6778d925003a016")


def test_the_source_brings_it() -> None:
    async def run() -> tuple[Problem, ...]:
        async with open_demo(Wiring("demo")) as source:
            return await source.problems()

    assert asyncio.run(run()) == PROBLEMS
