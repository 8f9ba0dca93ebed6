"""A/B tests of the simulated student, through the engine and the runner that `grpo-cli ab` uses.

The student's chances are known: without a lesson they are spread from 0 to 0.8 by the problem's
text, and a lesson lifts those of the half of the problems that need its skill by 0.20, which is
+0.10. Any change of the lessons throws its dice again (`redraw`), as with a real model.
"""

from __future__ import annotations

import asyncio

from attrs import frozen
from grpo_scripted.components import ScriptedComparator, ScriptedCritic, ScriptedGenerator
from grpo_scripted.lookup import index_answers
from grpo_scripted.problems import ArithmeticProblems
from grpo_scripted.student import Ability
from grpo_scripted.tactics import SKILLS, USELESS_TACTICS

from grpo_framework.abtest import Plan, compare_pairs, run_arms
from grpo_framework.engine import Engine
from grpo_framework.experience import Experience, Library

OWNER = "generator_1"
REPEATS = 4
STUDENT = Ability(p0=0.4, p1=0.6, spread=0.4, skills=2, redraw=True)


@frozen
class Taught:
    """One A/B test of the student: what was said, and what is true."""

    verdict: str
    covered: bool
    problems: int


def teach(job: tuple[int, int, bool, bool]) -> Taught:
    """One test of 100 fresh problems: with a lesson that helps half of them, or a useless one."""
    seed, number, helps, sequential = job
    lesson = SKILLS[0] if helps else USELESS_TACTICS[0]
    return asyncio.run(_teach(seed * 100_000 + number, lesson.sentence, helps, sequential))


async def _teach(seed: int, lesson: str, helps: bool, sequential: bool) -> Taught:
    source = ArithmeticProblems(count=100, seed=seed, validation=0.0, test=0.0)
    problems = await source.problems()
    answers = index_answers({each.question.text: each.answer for each in problems})
    engine = Engine(
        (ScriptedGenerator(answers, STUDENT, latency=0.0),),
        ScriptedCritic(answers, STUDENT, latency=0.0),
        ScriptedComparator(),
    )
    taught = Library(OWNER, 1, (Experience("G1-001", lesson),), 2)
    plan = Plan(repeats=REPEATS, seed=seed, with_critic=False, sequential=sequential)
    outcome = await run_arms(engine, problems, {"a": {}, "b": {OWNER: taught}}, plan)
    said = compare_pairs(outcome.pairs, sequential=sequential)
    truth = 0.5 * (STUDENT.p1 - STUDENT.p0) if helps else 0.0
    assert said.difference.ci95 is not None
    low, high = said.difference.ci95
    return Taught(said.verdict, low <= truth <= high, outcome.problems)
