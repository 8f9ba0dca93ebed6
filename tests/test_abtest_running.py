"""The runner of A/B tests: same seeds, both arms side by side, failures apart, early stops."""

from __future__ import annotations

import asyncio

import pytest

from grpo_framework.abtest import Plan, compare_pairs, run_arms
from grpo_framework.engine import Engine
from grpo_framework.errors import BudgetExhausted, ModelError
from grpo_framework.experience import Experience, Library
from grpo_framework.records import Attempt, Problem, Question, Verdict

TAUGHT = {"generator_1": Library("generator_1", 4, (Experience("G1-001", "do it"),), 2)}


class Generator:
    """Right with experiences; `answers` is asked first and may raise."""

    def __init__(self, answers=lambda question, taught: None):
        self.answers = answers
        self.asked = []

    async def attempt(self, question, library, /, *, seed):
        taught = bool(len(library))
        self.asked.append((question.id, taught, seed))
        await asyncio.sleep(0)
        said = self.answers(question, taught)
        return Attempt(("yes" if taught else "no") if said is None else said)


class Critic:
    async def fuse(self, question, attempts, library, /, *, seed):
        return attempts[0]


class Comparator:
    async def compare(self, problem, answer, /):
        return Verdict(float(answer == problem.answer), "", answer)


def problems(count):
    return [Problem(Question(f"p{number:03}", "ask"), "yes") for number in range(count)]


def run(generator, count=12, arms=None, concurrency=4, **plan):
    engine = Engine((generator,), Critic(), Comparator(), concurrency=concurrency)
    arms = arms or {"a": {}, "b": TAUGHT}
    return asyncio.run(run_arms(engine, problems(count), arms, Plan(**plan)))


def test_both_arms_get_the_same_problems_and_seeds():
    generator = Generator()
    outcome = run(generator, repeats=3, seed=7)
    bare = {(id_, seed) for id_, taught, seed in generator.asked if not taught}
    taught = {(id_, seed) for id_, taught, seed in generator.asked if taught}
    assert bare == taught
    assert len(bare) == 12 * 3
    assert len(outcome.pairs) == 12 * 3 + 12
    assert all((pair.a, pair.b) == (0.0, 1.0) for pair in outcome.pairs)
    assert {pair.repeat for pair in outcome.pairs if pair.owner == "critic"} == {0}


def test_both_sides_of_a_pair_run_close_together_and_either_may_be_first():
    generator = Generator()
    run(generator, count=60, repeats=2, concurrency=2, with_critic=False)
    places = {}
    for place, (id_, taught, _) in enumerate(generator.asked):
        places.setdefault((id_, taught), []).append(place)
    firsts = []
    for number in range(60):
        id_ = f"p{number:03}"
        both = [*places[id_, False], *places[id_, True]]
        assert max(both) - min(both) < 24  # of 240 attempts
        firsts.append(min(places[id_, False]) < min(places[id_, True]))
    assert 15 < sum(firsts) < 45


def refuses(ids):
    """B fails at these problems."""

    def fails(question, taught):
        if taught and question.id in ids:
            raise ModelError("gone", kind="connection", retryable=False)
        return "yes" if taught or question.id in ids else None

    return Generator(fails)


def test_an_arm_that_is_better_only_where_it_does_not_fail_is_not_called_better():
    outcome = run(refuses({f"p{number:03}" for number in range(6, 12)}), with_critic=False)
    said = compare_pairs(outcome.pairs, outcome.halves)
    assert compare_pairs(outcome.pairs).verdict == "better"
    assert said.difference == compare_pairs(outcome.pairs).difference
    assert said.difference.mean == 1.0
    assert said.strict.mean == 0.0
    assert {(pair.a, pair.b) for pair in outcome.halves} == {(1.0, 0.0)}
    assert said.verdict == "undecided"
    assert [row.verdict for row in said.per_owner] == ["undecided"]


def test_few_failures_of_one_arm_leave_its_verdict():
    outcome = run(refuses({"p003"}), with_critic=False)
    said = compare_pairs(outcome.pairs, outcome.halves)
    assert said.strict.mean == pytest.approx(10 / 12)
    assert said.verdict == "better"


def test_a_sequential_test_stops_when_failures_do_not_make_the_difference():
    everyother = {f"p{number:03}" for number in range(0, 60, 2)}
    settings = {"count": 60, "repeats": 1, "sequential": True, "with_critic": False}
    failing = run(refuses(everyother), **settings)
    assert not failing.looks.stopped_early
    said = compare_pairs(failing.pairs, failing.halves, sequential=True)
    assert said.difference.p_value < 0.05
    assert said.verdict == "undecided"
    assert run(refuses(set()), **settings).looks.stopped_early


def test_a_failed_side_takes_its_pair_out_and_is_never_a_zero():
    def fails(question, taught):
        if question.id == "p003" and taught:
            raise ModelError("gone", kind="connection", retryable=False)

    outcome = run(Generator(fails), repeats=2)
    assert "p003" not in {pair.problem for pair in outcome.pairs}
    assert outcome.failures.pairs == 3
    assert outcome.failures.problems == 1
    by_arm = {row.arm: row.causes for row in outcome.failures.arms}
    assert by_arm["a"] == ()
    assert {cause.kind for cause in by_arm["b"]} == {"connection"}
    assert outcome.units == outcome.failures.units + 2 * len(outcome.pairs) + 3


def test_a_sequential_test_sees_problems_in_an_order_drawn_by_the_seed():
    def order(seed):
        outcome = run(
            Generator(), count=60, repeats=1, seed=seed, sequential=True, with_critic=False
        )
        assert outcome.looks.stopped_early
        return [pair.problem for pair in outcome.pairs]

    assert order(1) == order(1)
    assert order(1) != order(2)
    assert order(1) != sorted(order(1))


@pytest.mark.parametrize("concurrency", [8, 64])
def test_a_sequential_test_ends_where_it_is_decided_however_many_answers_come_at_once(concurrency):
    settings = {"count": 40, "repeats": 1, "sequential": True, "with_critic": False}
    plain = run(Generator(), concurrency=1, **settings)
    first = [pair.problem for pair in plain.pairs]
    assert plain.looks.stopped_early

    def turns(question, taught):
        """B is worse at all problems but those that decide it."""
        return None if question.id in first else ("no" if taught else "yes")

    outcome = run(Generator(turns), concurrency=concurrency, **settings)
    assert outcome.looks == plain.looks
    assert [pair.problem for pair in outcome.pairs] == first
    assert compare_pairs(outcome.pairs, sequential=True).verdict == "better"


def test_what_a_fixed_sample_asked_until_the_money_ran_out_is_drawn_and_reported_in_order():
    left = iter(range(20))

    def spends(question, taught):
        if next(left, None) is None:
            raise BudgetExhausted("the budget is exhausted", limit="max_calls")

    outcome = run(Generator(spends), count=60, repeats=1, concurrency=2, with_critic=False)
    asked = [pair.problem for pair in outcome.pairs]
    assert asked == sorted(asked)
    assert max(asked) > "p030"


def test_a_sequential_test_without_a_difference_asks_all_problems():
    outcome = run(Generator(), arms={"a": TAUGHT, "b": TAUGHT}, repeats=1, sequential=True)
    assert not outcome.looks.stopped_early
    assert outcome.looks.looks == outcome.problems == 12


def test_an_exhausted_budget_keeps_what_was_asked_until_then():
    left = iter(range(40))

    def spends(question, taught):
        if next(left, None) is None:
            raise BudgetExhausted("the budget is exhausted", limit="max_calls")

    outcome = run(Generator(spends), count=30, repeats=2, concurrency=2)
    assert "budget" in outcome.stopped
    assert 0 < outcome.problems < 30
    assert {pair.problem for pair in outcome.pairs} <= {f"p{n:03}" for n in range(30)}


def test_a_budget_that_is_exhausted_at_once_is_an_error():
    def spends(question, taught):
        raise BudgetExhausted("the budget is exhausted", limit="max_calls")

    with pytest.raises(BudgetExhausted):
        run(Generator(spends))
