"""Estimators against brute force, and the evaluation on engines made by hand."""

from __future__ import annotations

import asyncio
import math
from itertools import combinations, product
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grpo_framework.codec import to_document
from grpo_framework.engine import Engine
from grpo_framework.errors import BudgetExhausted, ComparatorError, ModelError
from grpo_framework.evaluation import (
    compare_answer,
    estimate,
    evaluate,
    majority_at_k,
    pass_at_k,
)
from grpo_framework.experience import Experience, Library
from grpo_framework.records import Attempt, Problem, Question, Verdict
from grpo_framework.validation import validate

REWARDS = st.lists(st.sampled_from([0.0, 0.25, 1.0]), min_size=1, max_size=7)


@given(REWARDS, st.integers(1, 8))
def test_pass_at_k_is_the_share_of_subsets_that_hold_a_success(rewards, k):
    if k > len(rewards):
        assert pass_at_k(rewards, k) is None
    else:
        subsets = list(combinations(rewards, k))
        share = fmean(any(reward >= 0.5 for reward in subset) for subset in subsets)
        assert pass_at_k(rewards, k) == pytest.approx(share)


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 2)), min_size=1, max_size=6))
def test_majority_of_one_is_the_mean_reward(rows):
    rewards, votes = [row[0] for row in rows], [row[1] for row in rows]
    assert majority_at_k(rewards, votes, 1) == pytest.approx(fmean(rewards))


def test_majority_takes_the_most_frequent_answer_and_shares_ties():
    assert majority_at_k([1.0, 1.0, 0.0], [0, 0, 1], 3) == 1.0
    assert majority_at_k([1.0, 0.0, 0.0], [0, 1, 2], 3) == pytest.approx(1 / 3)
    assert majority_at_k([1.0, 0.0, 0.0], [0, None, None], 3) == 1.0
    assert majority_at_k([0.0, 0.0], [None, None], 2) == 0.0
    assert majority_at_k([1.0, 1.0, 0.0], [0, 0, 1], 2) == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert majority_at_k([1.0], [0], 2) is None


def test_majority_over_too_many_subsets_is_drawn_and_near_the_truth():
    rewards, votes = [1.0] * 20 + [0.0] * 10, [0] * 20 + [1] * 10
    assert math.comb(30, 9) > 2_000
    exact = sum(
        math.comb(20, right) * math.comb(10, 9 - right) for right in range(5, 10)
    ) / math.comb(30, 9)
    drawn = majority_at_k(rewards, votes, 9)
    assert drawn == pytest.approx(exact, abs=0.03)
    assert drawn == majority_at_k(rewards, votes, 9)


@settings(max_examples=20)
@given(st.lists(st.sampled_from([0.0, 1 / 3, 2 / 3, 1.0]), min_size=1, max_size=12))
def test_an_interval_holds_its_mean_and_stays_within_the_bounds(values):
    found = estimate(values)
    assert found.value == pytest.approx(fmean(values))
    assert 0.0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1.0
    assert found.problems == len(values)


def test_without_spread_the_interval_is_that_of_never_having_seen_another_value():
    found = estimate([0.0] * 20)
    assert found.value == found.low == 0.0
    # Clopper and Pearson for 0 of 20, from their tables.
    assert found.high == pytest.approx(0.1684, abs=1e-4)
    assert estimate([1.0] * 20).low == pytest.approx(1 - 0.1684, abs=1e-4)


def test_problems_without_a_value_are_left_out_and_counted():
    assert estimate([None, 1.0, 0.0, None]).problems == 2
    empty = estimate([None])
    assert (empty.value, empty.low, empty.high, empty.problems) == (None, None, None, 0)


def test_the_intervals_of_many_samples_cover_the_truth():
    """Over all samples of 12 problems, weighted by their chance, coverage is near 95 %."""
    truth, covered = 0.5, 0.0
    for right in range(13):
        chance = math.comb(12, right) * truth**right * (1 - truth) ** (12 - right)
        found = estimate([1.0] * right + [0.0] * (12 - right))
        covered += chance * (found.low <= truth <= found.high)
    assert covered > 0.9


def problem(number, text="ask"):
    return Problem(Question(f"p{number}", text), "yes")


class Generator:
    """Answers by problem and turn; an exception is raised."""

    def __init__(self, table, default=("yes",)):
        self.table = table
        self.default = default
        self.asked = []

    async def attempt(self, question, library, /, *, seed):
        turn = sum(asked[0] == question.id for asked in self.asked)
        self.asked.append((question.id, library, seed))
        answers = self.table.get(question.id, self.default)
        answer = answers[turn % len(answers)]
        await asyncio.sleep(0)
        if isinstance(answer, Exception):
            raise answer
        return Attempt(answer)


class Critic:
    def __init__(self, says=None):
        self.says = says
        self.asked = []

    async def fuse(self, question, attempts, library, /, *, seed):
        self.asked.append((question.id, attempts, library, seed))
        return Attempt(self.says or attempts[0].text)


class Comparator:
    """'yes' and 'ja' mean the same."""

    async def compare(self, problem, answer, /):
        if answer == "unclear":
            raise ComparatorError("cannot tell", kind="timeout")
        if not answer or answer == "nothing":
            return Verdict(0.0, "no answer found")
        means = {"ja": "yes"}
        same = means.get(answer, answer) == means.get(problem.answer, problem.answer)
        return Verdict(float(same), "", answer)


def engine(*generators, critic=None, comparator=None):
    return Engine(generators, critic or Critic(), comparator or Comparator(), concurrency=4)


def run(engine, problems, libraries=None, **rest):
    return asyncio.run(evaluate(engine, problems, libraries or {}, **rest))


def test_every_figure_follows_from_the_scores():
    first = Generator({"p1": ("yes", "no", "ja"), "p2": ("no", "no", "nein")})
    second = Generator({}, ("yes",))
    result = run(engine(first, second), [problem(1), problem(2)], rollouts=3)
    by_owner = {row.owner: row for row in result.owners}
    assert by_owner["generator_1"].mean_at_k.value == pytest.approx(fmean([2 / 3, 0]))
    assert by_owner["generator_2"].mean_at_k.value == 1.0
    assert result.overall.mean_at_k.value == pytest.approx(fmean([fmean([2 / 3, 1]), 0.5]))
    assert [row.k for row in result.overall.at_k] == [1, 2, 3]
    assert by_owner["generator_1"].at_k[-1].pass_at_k.value == 0.5
    # 'yes' and 'ja' are one answer by the comparator, so they outvote 'no'.
    assert result.scores[0].votes == (0, 1, 0)
    assert by_owner["generator_1"].at_k[-1].majority_at_k.value == 0.5
    assert by_owner["generator_1"].fused.value == 0.5
    assert by_owner["generator_1"].critic_lift.value == pytest.approx(fmean([1 - 2 / 3, 0]))
    document = to_document(result)
    validate("evaluation", document)
    rewards = [row["rewards"] for row in document["scores"] if row["owner"] == "generator_1"]
    assert rewards == [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]


def test_a_failure_is_counted_and_is_in_no_mean():
    gone = ModelError("gone", kind="connection", retryable=False)
    generator = Generator({"p1": ("yes", gone, "unclear"), "p2": (gone,)})
    result = run(engine(generator), [problem(1), problem(2)], rollouts=3)
    row = result.owners[0]
    assert row.rollouts == 1
    assert row.mean_at_k.value == 1.0
    assert row.mean_at_k.problems == 1
    assert row.at_k[-1].pass_at_k.problems == 0
    assert row.at_k[-1].pass_at_k.value is None
    kinds = {(each.stage, each.kind): each.count for each in result.failures}
    assert kinds[("attempt", "connection")] == 4
    assert kinds[("verdict", "timeout")] == 1
    assert result.failed_units == 5
    assert result.units == result.failed_units + 2
    validate("evaluation", to_document(result))


def test_the_given_libraries_are_in_the_prompts_and_the_critic_gets_its_own():
    def library(owner, id_):
        return Library(owner, 3, (Experience(id_, f"text {id_}"),), 2)

    libraries = {
        owner: library(owner, id_)
        for owner, id_ in (("generator_1", "G1-001"), ("critic", "C-001"), ("shared", "S-001"))
    }
    generator, critic = Generator({}), Critic()
    result = run(engine(generator, critic=critic), [problem(1)], libraries, rollouts=2)
    assert {asked[1].ids for asked in generator.asked} == {("G1-001", "S-001")}
    assert {asked[2].ids for asked in critic.asked} == {("C-001", "S-001")}
    assert result.owners[0].experiences == 2
    assert result.owners[0].library_version == 3
    assert result.libraries["critic"].experiences == 1


def test_seeds_are_those_of_the_run_and_do_not_depend_on_the_libraries():
    def seeds(libraries, seed):
        generator = Generator({})
        run(engine(generator), [problem(1), problem(2)], libraries, rollouts=2, seed=seed)
        return sorted(asked[2] for asked in generator.asked)

    held = {"generator_1": Library("generator_1", 1, (Experience("G1-001", "x"),), 2)}
    assert seeds({}, 1) == seeds(held, 1)
    assert seeds({}, 1) != seeds({}, 2)
    assert len(set(seeds({}, 1))) == 4


def test_without_the_critic_nothing_is_fused():
    critic = Critic()
    result = run(engine(Generator({}), critic=critic), [problem(1)], with_critic=False)
    assert critic.asked == []
    assert result.overall.fused is None
    assert result.overall.critic_lift is None
    validate("evaluation", to_document(result))


def test_an_exhausted_budget_ends_the_evaluation_as_itself():
    generator = Generator({"p1": (BudgetExhausted("enough", limit="max_calls"),)})
    with pytest.raises(BudgetExhausted, match="enough"):
        run(engine(generator), [problem(number) for number in range(1, 9)])


def test_a_k_beyond_the_rollouts_is_refused():
    for ks in ((4,), (0,)):
        with pytest.raises(ValueError, match="from 1 to the number of rollouts, 3"):
            run(engine(Generator({})), [problem(1)], ks=ks)


def test_scores_come_in_the_order_of_the_problems_whatever_is_ready_first():
    problems = [problem(number) for number in range(1, 12)]
    seen = []
    two = engine(Generator({}), Generator({}))
    result = run(two, problems, finished=lambda row: seen.append(row.problem))
    wanted = list(product([each.id for each in problems], ["generator_1", "generator_2"]))
    assert [(row.problem, row.owner) for row in result.scores] == wanted
    assert len(seen) == len(wanted)


def test_a_comparator_that_takes_bare_answers_is_asked_for_them():
    class Both(Comparator):
        async def compare_answer(self, problem, answer, /):
            return Verdict(1.0, "as an answer", answer)

    verdict = asyncio.run(compare_answer(Both(), problem(1), "x"))
    assert verdict.reason == "as an answer"
    assert asyncio.run(compare_answer(Comparator(), problem(1), "x")).reward == 0.0


def test_a_budget_exhausted_on_the_way_leaves_the_problems_done_by_then():
    generator = Generator({"p30": (BudgetExhausted("enough", limit="max_calls"),)})
    result = run(engine(generator), [problem(number) for number in range(1, 60)])
    assert result.stopped == "enough"
    asked = {row.problem for row in result.scores}
    assert "p1" in asked
    assert "p30" not in asked
    assert result.problems == len(asked) < 59
    validate("evaluation", to_document(result))
