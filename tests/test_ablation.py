"""Leave-one-out runs: who is asked, what is shared, what the items are found to be."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from attrs import evolve

from grpo_framework.abtest import Plan, Target, ablate, most_work
from grpo_framework.abtest.ablation import judge_items, leave_out
from grpo_framework.abtest.sharing import share_work
from grpo_framework.abtest.values import ArmUsage, Failures, Outcome, Pair
from grpo_framework.engine import Engine
from grpo_framework.errors import BudgetExhausted, ModelError
from grpo_framework.experience import Experience, Library
from grpo_framework.injection import Injection
from grpo_framework.records import Attempt, Problem, Question, Verdict

GOOD, BAD, IDLE = "be right", "be wrong", "be calm"


def library(owner, prefix, *texts):
    rows = tuple(Experience(f"{prefix}-{n:03}", text) for n, text in enumerate(texts, 1))
    return Library(owner, 3, rows, len(rows) + 1)


def say(shown, lucky):
    """Right with GOOD, wrong with BAD, else by luck."""
    texts = {each.content for each in shown.experiences}
    return "right" if GOOD in texts or (BAD not in texts and lucky) else "wrong"


class Generator:
    def __init__(self):
        self.asked = []

    async def attempt(self, question, shown, /, *, seed):
        if question.text == "boom":
            raise ModelError("gone", kind="connection", retryable=False)
        self.asked.append((question.id, shown.ids, seed))
        await asyncio.sleep(0)
        return Attempt(say(shown, seed % 2))


class Critic:
    def __init__(self):
        self.asked = []

    async def fuse(self, question, attempts, shown, /, *, seed):
        self.asked.append((question.id, tuple(each.text for each in attempts), shown.ids))
        return Attempt(say(shown, seed % 2))


class Comparator:
    def __init__(self):
        self.asked = []

    async def compare(self, problem, answer, /):
        self.asked.append((problem.id, answer))
        return Verdict(float(answer == "right"))


def problems(count=12):
    return tuple(Problem(Question(f"p{n}", f"question {n}"), "right") for n in range(count))


def make_engine(generators=2, **rest):
    made = tuple(Generator() for _ in range(generators))
    return Engine(made, Critic(), Comparator(), **rest)


def run(engine, libraries, asked, targets, plan=None):
    return asyncio.run(ablate(engine, asked, libraries, targets, plan or Plan(repeats=2)))


def targets_of(libraries, *ids):
    rows = [
        Target(owner, each) for owner, library in libraries.items() for each in library.experiences
    ]
    return tuple(row for row in rows if not ids or row.experience.id in ids)


def test_what_helps_harms_and_does_nothing_is_told_apart():
    """The effect is that of the item: with it minus without it, over problems."""
    libraries = {
        "generator_1": library("generator_1", "G1", GOOD, IDLE),
        "generator_2": library("generator_2", "G2", BAD),
    }
    measured = run(make_engine(), libraries, problems(24), targets_of(libraries))
    found = {item.id: item for item in measured.items}
    assert [item.verdict for item in measured.items] == ["helps", "unknown", "harms"]
    assert found["G1-001"].effect.mean > 0.3
    assert found["G1-001"].effect.ci95[0] > 0
    assert found["G1-002"].effect.mean == 0
    assert found["G2-001"].effect.mean < -0.3
    assert found["G1-001"].problems.fixed > 0
    assert found["G2-001"].problems.broken > 0
    assert measured.error is None


def test_only_owners_whose_prompts_change_are_asked():
    """A generator's item asks that generator; nobody else, and not the critic."""
    libraries = {
        "generator_1": library("generator_1", "G1", GOOD),
        "critic": library("critic", "C", IDLE),
    }
    engine = make_engine()
    measured = run(engine, libraries, problems(3), targets_of(libraries, "G1-001"))
    first, second = engine.generators
    assert len(first.asked) == 2 * 3 * 2
    assert second.asked == []
    assert engine.critic.asked == []
    assert measured.items[0].measured == ("generator_1",)
    assert {pair.owner for pair in measured.items[0].pairs} == {"generator_1"}


def test_the_full_store_answers_once_for_all_items():
    """Three items cost one full arm and three without, never six arms."""
    libraries = {"generator_1": library("generator_1", "G1", IDLE, "other", "third")}
    engine = make_engine(1)
    run(engine, libraries, problems(4), targets_of(libraries))
    times = Counter(engine.generators[0].asked)
    assert set(times.values()) == {1}
    assert len(times) == 4 * 2 * (1 + 3)
    work = most_work(targets_of(libraries), engine.owners, 4, Plan(repeats=2))
    assert work["attempt", "generator_1"] == len(times)
    assert max(Counter(engine.comparator.asked).values()) == 1


def test_a_prompt_that_an_item_is_not_in_is_not_paid_for_again():
    """With inject_top, a question for which the item is not chosen is the same in both arms."""
    libraries = {
        "generator_1": library("generator_1", "G1", "question 1 apples", "question 2 pears")
    }
    engine = make_engine(1, injection=Injection(1))
    asked = (
        Problem(Question("a", "how many apples"), "right"),
        Problem(Question("b", "how many pears"), "right"),
    )
    run(engine, libraries, asked, targets_of(libraries, "G1-001"), Plan(repeats=1))
    shown = sorted((id_, ids) for id_, ids, _ in engine.generators[0].asked)
    assert shown == [("a", ("G1-001",)), ("a", ("G1-002",)), ("b", ("G1-002",))]


def test_a_critics_item_is_measured_on_fusions_of_the_same_attempts():
    """The generators answer once; only the critic's fusions differ."""
    libraries = {"critic": library("critic", "C", GOOD)}
    engine = make_engine()
    measured = run(engine, libraries, problems(16), targets_of(libraries))
    (item,) = measured.items
    assert (item.verdict, item.measured) == ("helps", ("critic",))
    assert {pair.owner for pair in item.pairs} == {"critic"}
    assert [row.owner for row in item.per_owner] == ["critic"]
    assert item.effect.mean == pytest.approx(item.per_owner[0].difference.mean)
    for generator in engine.generators:
        assert len(generator.asked) == 16 * 2
    assert len(engine.critic.asked) == 16 * 2 * 2
    work = most_work(targets_of(libraries), engine.owners, 16, Plan(repeats=2))
    assert work["attempt", "generator_2"] == 32
    assert work["fusion", "generator_1"] == 32


def test_a_shared_item_is_measured_by_all_generators_and_the_critic_has_its_row():
    """All prompts change; the effect is the generators', and --no-critic leaves the critic out."""
    libraries = {"shared": library("shared", "S", GOOD)}
    (item,) = run(make_engine(), libraries, problems(16), targets_of(libraries)).items
    assert item.measured == ("generator_1", "generator_2")
    assert [row.owner for row in item.per_owner] == ["generator_1", "generator_2", "critic"]
    assert item.verdict == "helps"
    engine = make_engine()
    plan = Plan(repeats=2, with_critic=False)
    (item,) = run(engine, libraries, problems(4), targets_of(libraries), plan).items
    assert engine.critic.asked == []
    assert [row.owner for row in item.per_owner] == ["generator_1", "generator_2"]


def test_sequential_stops_each_item_at_its_share_of_the_error():
    """With many items more certainty is needed for each; a clear one still ends early."""
    libraries = {"generator_1": library("generator_1", "G1", GOOD)}
    plan = Plan(repeats=4, sequential=True)
    alone = run(make_engine(1), libraries, problems(150), targets_of(libraries), plan)
    ten = tuple(f"idle {n}" for n in range(9))
    many = {"generator_1": library("generator_1", "G1", GOOD, *ten)}
    engine = make_engine(1)
    targets = targets_of(many)
    among = run(engine, many, problems(150), targets, plan)
    first, last = alone.items[0], among.items[0]
    assert first.sequential.stopped_early
    assert last.sequential.stopped_early
    assert first.sequential.looks < last.sequential.looks < 150
    assert first.verdict == last.verdict == "helps"
    assert last.effect.p_value < 0.05 / 10
    assert not among.items[1].sequential.stopped_early


def test_holm_counts_all_items_also_those_that_were_not_reached():
    """The same pairs are worth less among many than alone."""
    pairs = tuple(Pair(f"p{n}", "generator_1", 0, 0.0, 1.0 if n < 7 else 0.0) for n in range(14))
    usage = {"a": ArmUsage(), "b": ArmUsage()}
    outcome = Outcome(pairs, (), 14, Failures(0, 0, 0, ()), usage, 28, 1.0)
    libraries = {"generator_1": library("generator_1", "G1", *map(str, range(8)))}
    targets = targets_of(libraries)
    owners = ("generator_1", "critic")
    (alone,) = judge_items(targets[:1], [outcome], owners, sequential=False)
    among = judge_items(targets, [outcome], owners, sequential=False)
    assert alone.effect == among[0].effect
    assert (alone.verdict, among[0].verdict) == ("helps", "unknown")
    assert among[0].p_adjusted == pytest.approx(8 * alone.p_adjusted)
    assert among[-1].pairs == ()
    assert among[-1].effect.mean is None
    assert among[-1].verdict == "unknown"


class Till:
    """A generator whose budget ends after so many attempts."""

    def __init__(self, most):
        self.left = most

    async def attempt(self, question, shown, /, *, seed):
        if not self.left:
            raise BudgetExhausted("the budget is exhausted", limit="max_calls")
        self.left -= 1
        return Attempt(say(shown, seed % 2))


@pytest.mark.parametrize("most", [24, 21])
def test_an_exhausted_budget_ends_with_what_was_measured(most):
    """Between two items or within one: what is there is judged, the rest is unknown."""
    libraries = {"generator_1": library("generator_1", "G1", GOOD, "x", "y")}
    engine = Engine((Till(most),), Critic(), Comparator(), concurrency=1)
    measured = run(engine, libraries, problems(6), targets_of(libraries))
    assert isinstance(measured.error, BudgetExhausted)
    assert len(measured.items) == 3
    assert (len(measured.items[0].pairs) == 12) == (most == 24)
    assert measured.items[0].pairs
    assert measured.items[2].pairs == ()
    nothing = Engine((Till(0),), Critic(), Comparator(), concurrency=1)
    with pytest.raises(BudgetExhausted):
        run(nothing, libraries, problems(6), targets_of(libraries))


def test_failures_are_left_out_and_tried_again_for_the_next_item():
    """A failed side loses its pair; it is no reward of 0 and is not shared."""
    libraries = {"generator_1": library("generator_1", "G1", GOOD, IDLE)}
    asked = (*problems(8), Problem(Question("x", "boom"), "right"))
    measured = run(make_engine(1), libraries, asked, targets_of(libraries))
    for item in measured.items:
        assert item.failures.pairs == 2
        assert item.failures.units == 4
        assert len(item.pairs) == 16
    assert measured.items[1].effect.mean == 0


def test_leaving_out_changes_one_library_and_no_version():
    """Nothing is renumbered, other owners' libraries are the same objects."""
    libraries = {
        "generator_1": library("generator_1", "G1", GOOD, IDLE),
        "shared": library("shared", "S", GOOD),
    }
    left = leave_out(libraries, targets_of(libraries, "G1-001")[0])
    assert left["generator_1"].ids == ("G1-002",)
    assert left["generator_1"].version == 3
    assert left["shared"] is libraries["shared"]
    assert len(libraries["generator_1"]) == 2


def test_shared_work_differs_where_anything_seen_differs():
    """Another seed, text, count of uses or question is other work; equal work is done once."""
    engine = make_engine(1)
    shared = share_work(engine)
    held = library("generator_1", "G1", IDLE)
    counted = evolve(held, experiences=(evolve(held.experiences[0], usage_count=1),))
    question = Question("p", "text")

    async def ask():
        generator = shared.generators[0]
        same = [generator.attempt(question, held, seed=1) for _ in range(5)]
        await asyncio.gather(*same)
        await generator.attempt(question, held, seed=2)
        await generator.attempt(question, counted, seed=1)
        await generator.attempt(Question("p", "another"), held, seed=1)

    asyncio.run(ask())
    assert len(engine.generators[0].asked) == 4
