"""The comparator math/equivalence, as the framework uses it."""

from __future__ import annotations

import asyncio

import pytest
from grpo_math import Options, plugin

from grpo_framework.component import Wiring
from grpo_framework.errors import ComparatorError
from grpo_framework.protocols import AnswerComparator
from grpo_framework.records import Problem, Question


async def judge(gold, answer, options=None, *, bare=False):
    """Open the component and judge one answer with it."""
    (component,) = plugin.grpo_comparators()
    problem = Problem(Question(id="p1", text="How far?"), gold)
    async with component.factory(Wiring("equivalence", options=options or {})) as comparator:
        assert isinstance(comparator, AnswerComparator)
        ask = comparator.compare_answer if bare else comparator.compare
        return await ask(problem, answer)


def test_an_answer_is_judged_with_its_details():
    """The verdict carries the reward, what was extracted, the types and the rule."""
    verdict = asyncio.run(judge("5 km", "The answer is 5000 m."))
    assert verdict.reward == 1.0
    assert verdict.extracted == "5000 m"
    assert verdict.details["gold_type"] == "quantity"
    assert asyncio.run(judge("5 km", "6 km", bare=True)).reward == 0.0


def test_no_answer_is_a_reward_of_0_with_that_reason():
    """None, and a response without an answer, are wrong and say why."""
    for answer in (None, ""):
        verdict = asyncio.run(judge("5", answer))
        assert verdict.reward == 0.0
        assert verdict.reason.startswith("no answer found")


def test_any_other_unknown_is_a_failure():
    """What cannot be judged is raised with its kind, so that it is never a reward."""
    with pytest.raises(ComparatorError) as caught:
        asyncio.run(judge(r"\frac{1}{", "5"))
    assert caught.value.kind == "unparsed reference"


def test_options_reach_the_comparison():
    """The options of the component are those of the package, and their schema names each."""
    assert asyncio.run(judge("12", "12 cm", {"strict_units": True})).reward == 0.0
    (component,) = plugin.grpo_comparators()
    assert set(component.options["properties"]) == set(Options._fields)
