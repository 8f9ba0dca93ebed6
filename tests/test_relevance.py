"""Which experiences go into a prompt where not all can, and what is recorded of it."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpo_framework.engine import Engine
from grpo_framework.events import AnswerFused, RolloutFinished
from grpo_framework.experience import CRITIC, SHARED, Experience, Library, apply, plan
from grpo_framework.experience.relevance import ENOUGH_USES, bm25, proven, select
from grpo_framework.injection import Injection, note_shown
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins
from grpo_framework.records import Attempt, Problem, Question, Verdict
from grpo_framework.trainer import TrainingFreeGRPOTrainer

TEXTS = (
    "When there is a percentage, turn it into an amount.",
    "Angles in a triangle sum to 180 degrees.",
    "Check the units of the result.",
    "当题目给出百分比时，先把它换算成数量。",
)
PERCENT = Question("p", "What percentages of the triangle is left?")


def library(*rows, owner="generator_1", prefix="G1"):
    items = (
        Experience(f"{prefix}-{n:03d}", text, "general", *counts)
        for n, (text, *counts) in enumerate(rows, 1)
    )
    return Library(owner, 1, tuple(items), len(rows) + 1)


def test_bm25_ranks_by_shared_words():
    """Rare words weigh more, plural or not; Chinese too; nothing shared is 0."""
    scores = bm25("Which percentage is it, in which triangle?", TEXTS)
    assert scores[2] < min(scores[:2])
    assert scores[3] == 0
    chinese = bm25("降价百分比是多少？", TEXTS)
    assert max(chinese) == chinese[3] > 0
    assert bm25("anything", ()) == ()
    assert bm25("the of", TEXTS) == (*bm25("word", ("", "...")), 0, 0) == (0, 0, 0, 0)


def test_bm25_knows_the_formula():
    """One document with the word once: idf · f · (k + 1) / (f + k · (1 − b + b · length/mean))."""
    (score, zero) = bm25("apple", ("apple pie", "plain bread roll now"))
    idf, length = 0.6931471805599453, 1.2 * (1 - 0.75 + 0.75 * 2 / 3)
    assert score == pytest.approx(idf * 2.2 / (1 + length))
    assert zero == 0


def test_the_core_is_what_is_proven():
    """Enough uses first, then the lower end of the rate's interval; never more than asked for."""
    held = library(
        ("a", 10, 10), ("b", 95, 100), ("c", 20, 20), ("d", 10, 100), ("e", 0, ENOUGH_USES)
    )
    assert proven(held, 2) == {"G1-002", "G1-003"}
    assert proven(held, 9) == {"G1-002", "G1-003", "G1-004", "G1-005"}
    assert proven(held, 0) == frozenset()


def test_core_and_the_most_relevant_go_in_in_the_librarys_order():
    """Of equals the better proven, then the newer."""
    held = library(("a", 0, 0), ("b", 0, 0), ("c", 5, 50), ("d", 0, 0), ("e", 0, 0))
    chosen = select(held, (0, 3, 0, 0, 0), top=3, core={"G1-004"})
    assert chosen.ids == ("G1-002", "G1-003", "G1-004")
    assert select(held, (0,) * 5, top=1).ids == ("G1-003",)
    assert select(held, (), top=5) is held
    with pytest.raises(ValueError):
        select(held, (1.0,), top=2)


@given(st.lists(st.text(max_size=12), max_size=8), st.text(max_size=20), st.integers(1, 9))
def test_any_text_can_be_ranked(texts, query, top):
    """Never more than `top`, in order, the same each time."""
    held = library(*((text, 0, 0) for text in texts))
    injection = Injection(top)
    one = asyncio.run(injection.choose(Question("q", query), held))
    assert one == asyncio.run(injection.choose(Question("q", query), held))
    assert len(one) == min(top, len(held))
    assert list(one.ids) == sorted(one.ids)


class Backwards:
    """A ranker that likes the last best."""

    def __init__(self, missing=0):
        self.missing = missing

    async def rank(self, question, experiences, /):
        return tuple(range(len(experiences) - self.missing))


def test_a_ranker_takes_the_place_of_bm25():
    """It is asked only where not all go in; a wrong number of scores is an error."""
    held = library(*((text, 0, 0) for text in TEXTS))
    by_words = asyncio.run(Injection(2).choose(PERCENT, held))
    assert by_words.ids == ("G1-001", "G1-002")
    chosen = asyncio.run(Injection(2, Backwards()).choose(PERCENT, held))
    assert chosen.ids == ("G1-003", "G1-004")
    assert asyncio.run(Injection(4, Backwards(9)).choose(PERCENT, held)) is held
    with pytest.raises(ValueError, match="3 scores for 4"):
        asyncio.run(Injection(2, Backwards(1)).choose(PERCENT, held))


def test_the_note_says_what_was_shown():
    """All of the library needs no note; what the maker reports goes before."""
    held = library(("a", 0, 0), ("b", 0, 0))
    part = select(held, (0, 1), top=1)
    assert note_shown(Attempt("t"), part, held).experiences == ("G1-002",)
    assert note_shown(Attempt("t"), held, held).experiences is None
    assert note_shown(Attempt("t", experiences=()), part, held).experiences == ()


class Student:
    """Keeps what it is shown."""

    def __init__(self):
        self.seen = []

    async def attempt(self, question, library, /, *, seed):
        self.seen.append(library.ids)
        return Attempt("x" * 8)

    async def fuse(self, question, attempts, library, /, *, seed):
        return await self.attempt(question, library, seed=seed)

    async def compare(self, problem, answer, /):
        return Verdict(1.0, "", "x")


class Store:
    def __init__(self, *libraries):
        self.kept = {held.owner: held for held in libraries}

    async def load(self, owner, /, *, version=None):
        return self.kept.get(owner, Library(owner))

    async def commit(self, library, /, *, expected_version):
        self.kept[library.owner] = library


def test_a_run_shows_and_records_only_the_chosen_ones():
    """Own and shared ones compete; use is counted for those in the prompt; tokens are reported."""
    rows = [(text, 0, 0) for text in TEXTS]
    own, shared = library(*rows[1:]), library(rows[0], owner=SHARED, prefix="S")
    critics = library(*rows, owner=CRITIC, prefix="C")
    student, store, events = Student(), Store(own, shared, critics), []

    class Watch:
        async def notify(self, event, /):
            events.append(event)

    engine = Engine((student,), Student(), student, injection=Injection(2))
    manager = ExperienceManager(store, plugins=Plugins(()))
    trainer = TrainingFreeGRPOTrainer(
        engine,
        manager,
        num_epochs=1,
        verbose=False,
        rollouts_per_generator=2,
        observers=[Watch()],
        credit_dropout=0,
    )
    report = trainer.train([Problem(PERCENT, "60")])
    assert student.seen == [("G1-001", "S-001")] * 2
    rollouts = [event.rollout for event in events if isinstance(event, RolloutFinished)]
    assert {rollout.experiences for rollout in rollouts} == {("G1-001", "S-001")}
    fused = next(event.final for event in events if isinstance(event, AnswerFused))
    assert len(fused.experiences) == 2
    used = {item.id: item.usage_count for item in store.kept["generator_1"].experiences}
    assert used == {"G1-001": 2, "G1-002": 0, "G1-003": 0}
    owner = next(each for each in report.epochs[0].owners if each.owner == "generator_1")
    assert owner.mean_injected_tokens == 40
    assert owner.mean_right_chars == 8


def test_all_goes_in_where_nothing_is_said():
    """An engine made by hand shows everything."""
    held = library(*((text, 0, 0) for text in TEXTS * 20))
    assert asyncio.run(Injection().choose(PERCENT, held)) is held
    assert apply(held, plan(held, []), now="").ids == held.ids
