"""References that the comparator cannot read are reported when the problems are loaded."""

from __future__ import annotations

import asyncio

import pytest

from grpo_framework.config import load_config
from grpo_framework.errors import ProblemError
from grpo_framework.opening import ConfiguredEngine, check_references
from grpo_framework.plugins import Plugins
from grpo_framework.records import Problem, Question, Verdict


class Strict:
    """Reads digits only."""

    async def compare(self, problem, answer, /):
        return Verdict(float(problem.answer == answer), "same text or not", answer)

    def check_reference(self, problem, /):
        return None if problem.answer.isdigit() else "no digits"


class Lenient:
    """Cannot tell beforehand."""

    async def compare(self, problem, answer, /):
        return Verdict(float(problem.answer == answer), "same text or not", answer)


def make(*answers):
    return [
        Problem(Question(f"p{line}", "How many?"), answer, source=f"train.jsonl:{line}")
        for line, answer in enumerate(answers, 1)
    ]


def test_the_first_unreadable_reference_is_named_with_its_place_and_how_many_follow():
    """The error has file and line, the answer, the reason, and the number of the others."""
    with pytest.raises(ProblemError) as caught:
        check_references(Strict(), make("1", "two", "3", "four", "five"))
    assert caught.value.message == (
        "train.jsonl:2: the reference answer 'two' cannot be read: no digits (and 2 more)"
    )


def test_readable_references_and_comparators_that_cannot_tell_pass():
    """Nothing is raised where all can be read, or where nobody can say."""
    check_references(Strict(), make("1", "2"))
    check_references(Lenient(), make("two"))


def test_an_engine_does_not_open_with_a_reference_its_comparator_cannot_read():
    """The engine of a run checks before it is handed out."""
    config = load_config(flags={"model": "scripted/default", "comparator": "math/equivalence"})
    problems = tuple(make("7", r"\frac{1}{"))

    async def start():
        engine = ConfiguredEngine(config, Plugins.discover(), learning=False, preflight=False)
        async with engine.open(problems):
            pytest.fail("the engine opened")

    with pytest.raises(ProblemError, match=r"^train\.jsonl:2: .*unparsed reference"):
        asyncio.run(start())
