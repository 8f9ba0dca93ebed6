"""What texts mean: ranking, near duplicates, each text embedded once, limits of the run kept."""

from __future__ import annotations

import asyncio
import math
from decimal import Decimal

import pytest
from attrs import evolve

from grpo_framework.calls import Brake, Budget, CallRules, GuardedEmbedder
from grpo_framework.config import BudgetLimits, load_config
from grpo_framework.deciding import Decider
from grpo_framework.engine import Engine
from grpo_framework.errors import BudgetExhausted, ConfigError, ModelError
from grpo_framework.events import LibraryCommitted, UnitFailed
from grpo_framework.experience import (
    SHARED,
    Add,
    Alike,
    Delete,
    Experience,
    Library,
    Limits,
    Modify,
    Trial,
    estimate_tokens,
    find_promotions,
    normalise,
    plan,
)
from grpo_framework.injection import Injection
from grpo_framework.manager import ExperienceManager
from grpo_framework.meaning import LONGEST, TOGETHER, Meaning
from grpo_framework.plugins import EMBEDDER, Plugins
from grpo_framework.protocols import Embedder, Ranker
from grpo_framework.records import Attempt, EmbedReply, Price, Problem, Question, Usage, Verdict
from grpo_framework.trainer import TrainingFreeGRPOTrainer
from grpo_framework.workshop import Workshop

UNITS = "Always write the unit beside a number."
MEASURES = "Whenever you note a quantity, say what it is measured in."
PICTURE = "Draw a picture of the situation first."
TOPICS = {
    "unit": (1.0, 0.0, 0.0),
    "measured": (0.98, 0.2, 0.0),
    "picture": (0.0, 1.0, 0.0),
    "metres": (0.9, 0.0, 0.4),
}


class Words:
    """An embedder that knows a few words; it records what it was asked."""

    def __init__(self, *errors, tokens=10):
        self.errors = list(errors)
        self.asked = []
        self.tokens = tokens

    async def embed(self, texts, /):
        self.asked.append(texts)
        await asyncio.sleep(0)
        if self.errors and (error := self.errors.pop(0)) is not None:
            raise error
        return EmbedReply(
            tuple(self.vector(text) for text in texts), Usage(input_tokens=self.tokens, calls=1)
        )

    def vector(self, text):
        found = [vector for word, vector in TOPICS.items() if word in text.casefold()]
        return tuple(map(sum, zip((0.0, 0.0, 0.01), *found, strict=True)))


def library(owner, *texts, prefix="G1"):
    rows = tuple(Experience(f"{prefix}-{n:03}", text) for n, text in enumerate(texts, 1))
    return Library(owner, 1, rows, len(rows) + 1)


def alike(*pairs):
    return Alike(tuple((normalise(one), normalise(other)) for one, other in pairs))


# --- ranking --------------------------------------------------------------------------------------


def test_what_a_question_means_decides_what_goes_into_its_prompt():
    """No word is shared, so by words the better proven one would go in; by meaning the right one."""
    held = library("generator_1", PICTURE, MEASURES)
    question = Question("q", "How many metres is it?")
    words = asyncio.run(Injection(1).choose(question, held))
    meaning = Meaning(Words())
    assert isinstance(meaning, Ranker)
    assert isinstance(meaning.embedder, Embedder)
    shown = asyncio.run(Injection(1, meaning).choose(question, held))
    assert shown.ids == ("G1-002",)
    scores = asyncio.run(meaning.rank(question, held.experiences))
    assert scores[1] == pytest.approx(
        0.98 * 0.9 / math.hypot(0.98, 0.2) / math.hypot(0.9, 0.4), 0.02
    )
    assert asyncio.run(Injection(1).choose(Question("q", UNITS), held)).ids == words.ids


def test_each_text_is_embedded_once_also_by_many_at_once():
    """Rollouts that start together wait for one call, and the next question pays for itself only."""
    embedder = Words()
    meaning = Meaning(embedder)
    held = library("generator_1", PICTURE, MEASURES).experiences

    async def ask():
        question = Question("q", "How many metres?")
        await asyncio.gather(*(meaning.rank(question, held) for _ in range(9)))
        await meaning.rank(Question("p", "Which picture?"), held)

    asyncio.run(ask())
    asked = [text for texts in embedder.asked for text in texts]
    assert sorted(asked) == sorted(["How many metres?", PICTURE, MEASURES, "Which picture?"])


def test_who_waited_for_a_call_that_failed_tries_again():
    """One failure is one unit's; the text is not lost for the others, and not the waiters."""
    meaning = Meaning(Words(ModelError("busy", kind="overloaded")))
    held = library("generator_1", PICTURE).experiences
    question = Question("q", "How many metres?")

    async def ask():
        rows = (meaning.rank(question, held) for _ in range(3))
        return await asyncio.gather(*rows, return_exceptions=True)

    failed, *others = asyncio.run(ask())
    assert isinstance(failed, ModelError)
    assert all(isinstance(each, tuple) for each in others)


def test_a_cancelled_call_leaves_no_one_waiting():
    """Cancellation passes, and whoever waited for the same text embeds it."""
    meaning = Meaning(Words())
    held = library("generator_1", PICTURE).experiences

    async def ask():
        first = asyncio.create_task(meaning.rank(Question("q", "metres"), held))
        second = asyncio.create_task(meaning.rank(Question("q", "metres"), held))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        async with asyncio.timeout(300):
            return await second

    assert len(asyncio.run(ask())) == 1


def test_long_texts_are_cut_and_blank_ones_are_near_nothing():
    """What many models could not read is not sent; a call has no more than so many texts."""
    embedder = Words()
    meaning = Meaning(embedder)
    held = library("generator_1", *(f"picture {n}" for n in range(150))).experiences
    scores = asyncio.run(meaning.rank(Question("q", "unit " * 3000), held))
    assert len(scores) == 150
    assert max(map(len, embedder.asked)) <= TOGETHER
    sent = embedder.asked[0][0]
    assert LONGEST * 0.9 < estimate_tokens(sent) <= LONGEST
    assert asyncio.run(meaning.rank(Question("q", "  "), held)) == (0.0,) * 150


# --- near duplicates ------------------------------------------------------------------------------


def test_texts_that_mean_the_same_are_found_among_proposals_and_libraries():
    """By cosine, in a fixed order; where nothing is proposed nothing is asked."""
    libraries = {
        "generator_1": library("generator_1", UNITS, PICTURE),
        SHARED: library(SHARED, "The unit, again!", prefix="S"),
    }
    embedder = Words()
    meaning = Meaning(embedder, threshold=0.95)
    found = asyncio.run(meaning.find_alike(libraries, {"generator_1": (Add(MEASURES),)}))
    assert set(found.pairs) == {
        tuple(sorted((normalise(UNITS), normalise(MEASURES)))),
        tuple(sorted((normalise(UNITS), normalise("The unit, again!")))),
        tuple(sorted((normalise(MEASURES), normalise("The unit, again!")))),
    }
    strict = asyncio.run(Meaning(Words(), 1.0).find_alike(libraries, {"generator_1": ()}))
    assert strict == Alike()
    calls = len(embedder.asked)
    asyncio.run(meaning.find_alike(libraries, {"generator_1": (Delete("G1-001"),)}))
    assert len(embedder.asked) == calls


def test_a_proposal_that_means_the_same_is_no_second_entry():
    """It is refused with the id of its twin and the advice to make one of both."""
    held = library("generator_1", UNITS)
    judged = plan(held, [Add(MEASURES)], alike=alike((UNITS, MEASURES)))
    (refused,) = judged.refused
    assert refused.rule == "duplicate"
    assert (
        refused.reason
        == "means nearly the same as G1-001; modify G1-001 where both should become one"
    )
    assert plan(held, [Add(MEASURES)]).accepted == (Add(MEASURES),)
    # An edit of the twin itself is welcome, and so is what means something else.
    assert plan(held, [Modify("G1-001", MEASURES)], alike=alike((UNITS, MEASURES))).accepted
    assert plan(held, [Add(PICTURE)], alike=alike((UNITS, MEASURES))).accepted


def test_two_proposals_of_a_batch_that_mean_the_same_become_one():
    """Also where neither stood in the library before."""
    judged = plan(
        Library("generator_1"), [Add(UNITS), Add(MEASURES)], alike=alike((UNITS, MEASURES))
    )
    assert judged.accepted == (Add(UNITS),)


def test_what_says_more_becomes_an_edit_of_its_twin():
    """As with near duplicates by letters."""
    more = f"{UNITS} Then compare it with the unit that is asked for."
    judged = plan(library("generator_1", UNITS), [Add(more)], alike=alike((UNITS, more)))
    (edit,) = judged.accepted
    assert (edit.id, edit.content) == ("G1-001", more)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Check the result 2 times.", "Go over what you found 3 times."),
        ("Round at the end.", "Never round at the end, unless told."),
        ("先化简再代入。", "不要先化简再代入。"),
    ],
)
def test_numbers_and_negations_keep_texts_apart_that_embedders_find_alike(one, other):
    """To an embedder "do" and "do not" are near; to a student they are not."""
    judged = plan(library("generator_1", one), [Add(other)], alike=alike((one, other)))
    assert judged.accepted == (Add(other),)


def test_what_two_generators_learned_in_other_words_is_promoted():
    """And what the shared library says in other words leaves the generator's."""
    libraries = [
        library("generator_1", UNITS),
        library("generator_2", MEASURES, prefix="G2"),
    ]
    assert find_promotions(libraries, limits=Limits()) == ()
    (promotion,) = find_promotions(libraries, limits=Limits(), alike=alike((UNITS, MEASURES)))
    assert promotion.add.content == UNITS
    assert [owner for owner, _ in promotion.deletes] == ["generator_1", "generator_2"]
    decider = Decider(alike=alike((UNITS, MEASURES)))
    snapshot = {
        "generator_1": library("generator_1", UNITS),
        "critic": Library("critic"),
        SHARED: library(SHARED, MEASURES, prefix="S"),
    }
    commits = {each.plan.owner: each for each in decider.decide(snapshot, {}, {}, now="")}
    assert commits["generator_1"].after.experiences == ()
    assert commits[SHARED].after.ids == ("S-001",)


def test_a_rejected_edit_is_recognised_in_other_words():
    """By letters without an embedder, by meaning with one: the same dead end is not bought twice."""
    trials = (Trial(Add(UNITS), "rejected", "worse in 40 pairs"),)
    nearly = UNITS.replace("Always", "Always,").replace("a number", "a  numbers")
    for text, known in ((nearly, Alike()), (MEASURES, alike((UNITS, MEASURES)))):
        (refused,) = plan(Library("generator_1"), [Add(text)], trials=trials, alike=known).refused
        assert refused.reason == "rejected before: worse in 40 pairs"
    assert plan(Library("generator_1"), [Add(MEASURES)], trials=trials).accepted
    # A text that looks like the reason is nothing that was tried.
    assert plan(Library("generator_1"), [Add("Say worse in 40 pairs.")], trials=trials).accepted


def test_edits_on_trial_are_compared_too():
    """What is proposed once more, and what was rejected, is embedded with the rest."""
    held = library("generator_1", UNITS)
    tried = evolve(held, trials=(Trial(Add(MEASURES), "provisional", "undecided"),))
    found = asyncio.run(Meaning(Words(), 0.95).find_alike({"generator_1": tried}, {}))
    assert len(found.pairs) == 1
    assert asyncio.run(Meaning(Words(), 0.95).find_alike({"generator_1": held}, {})) == Alike()


# --- the guard ------------------------------------------------------------------------------------


async def _no_pause(_):
    """Retries are instant."""


def guarded(embedder, **rest):
    return GuardedEmbedder(embedder, name="words", pause=_no_pause, **rest)


def test_the_guard_tries_again_and_hands_vectors_on_in_single_precision():
    """Retry, usage and order are those of the chat models' guard."""
    embedder = Words(ModelError("busy", kind="overloaded"), ModelError("busy", kind="timeout"))
    reply = asyncio.run(guarded(embedder).embed((UNITS, PICTURE)))
    assert reply.vectors[0] == pytest.approx((1.0, 0.0, 0.01))
    assert reply.vectors[1] == pytest.approx((0.0, 1.0, 0.01))
    assert len(embedder.asked) == 3
    assert reply.usage.input_tokens == 10


def test_embeddings_count_in_the_budget_and_stop_at_it():
    """Tokens and dollars of a paid embedder are the run's."""
    brake = Brake()
    budget = Budget(BudgetLimits(max_cost=1.0), brake)
    embedder = guarded(
        Words(tokens=60_000), brake=brake, budget=budget, price=Price(Decimal(10), Decimal(0))
    )

    async def spend():
        await embedder.embed((UNITS,))
        assert budget.spent.cost == Decimal("0.6")
        await embedder.embed((PICTURE,))
        await embedder.embed((MEASURES,))

    with pytest.raises(BudgetExhausted):
        asyncio.run(spend())
    assert budget.spent.calls == 2


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        ((), "0 vectors for 1"),
        (((1.0,), (1.0,)), "2 vectors for 1"),
        (((),), "no length"),
        (((math.nan, 1.0),), "no finite number"),
        (((0.0, 0.0),), "zeros"),
    ],
)
def test_nonsense_of_an_embedder_is_a_bad_reply(vectors, said):
    """It never becomes a direction."""

    class Broken:
        async def embed(self, texts, /):
            return EmbedReply(vectors)

    with pytest.raises(ModelError, match=said) as caught:
        asyncio.run(guarded(Broken(), rules=CallRules(tries=1)).embed((UNITS,)))
    assert caught.value.kind == "bad_reply"


def test_the_memory_answers_in_place_of_the_embedder():
    """A resumed unit does not pay again."""
    from grpo_framework.calls import within
    from grpo_framework.records import Unit

    class Memory(dict):
        async def get(self, kind, key):
            return dict.get(self, (kind, key))

        async def put(self, kind, key, value):
            self[kind, key] = value

    async def silent(_):
        pass

    embedder, memory = Words(), Memory()
    unit = Unit(1, 1, "p", "generator_1", "attempt")

    async def ask():
        replies = []
        for _ in range(2):
            with within(unit, silent, memory):
                replies.append(await guarded(embedder).embed((UNITS,)))
        return replies

    first, second = asyncio.run(ask())
    assert first.vectors == second.vectors
    assert len(embedder.asked) == 1


# --- a run ----------------------------------------------------------------------------------------


class Student:
    """Generator, critic and advisor at once: half right, and proposes one text after the other."""

    def __init__(self, *texts):
        self.texts = list(texts)

    async def attempt(self, question, library, /, *, seed):
        return Attempt("right" if seed % 2 else "wrong")

    async def fuse(self, question, attempts, library, /, *, seed):
        return attempts[0]

    async def compare(self, problem, answer, /):
        return Verdict(float(answer == "right"), extracted=answer)

    async def advise(self, contrasts, library, /):
        return (Add(self.texts.pop(0)),) if library.owner == "generator_1" and self.texts else ()


class Shelf:
    def __init__(self):
        self.kept = {}

    async def load(self, owner, /, *, version=None):
        return self.kept.get(owner, Library(owner))

    async def commit(self, library, /, *, expected_version):
        self.kept[library.owner] = library


class Seen(list):
    async def notify(self, event, /):
        self.append(event)


def train(embedder, *texts):
    student, shelf, seen = Student(*texts), Shelf(), Seen()
    engine = Engine(
        (student,),
        student,
        student,
        student,
        observers=(seen,),
        meaning=None if embedder is None else Meaning(embedder, 0.95),
    )
    trainer = TrainingFreeGRPOTrainer(
        engine,
        ExperienceManager(shelf, plugins=Plugins(())),
        num_epochs=2,
        rollouts_per_generator=6,
        batch_size=1,
        verbose=False,
    )
    report = trainer.train([Problem(Question(f"p{n}", f"question {n}"), "x") for n in range(2)])
    held = [item.content for item in shelf.kept["generator_1"].experiences]
    return held, seen, report


def test_a_run_with_an_embedder_holds_one_entry_where_words_would_hold_two():
    """The same proposals, with and without."""
    by_words, _, _ = train(None, UNITS, MEASURES, PICTURE)
    by_meaning, seen, _ = train(Words(), UNITS, MEASURES, PICTURE)
    assert by_words == [UNITS, MEASURES, PICTURE]
    assert by_meaning == [UNITS, PICTURE]
    reasons = [
        refused.reason
        for event in seen
        if isinstance(event, LibraryCommitted)
        for refused in event.plan.refused
    ]
    assert any(reason.startswith("means nearly the same as G1-001") for reason in reasons)


def test_an_embedder_that_fails_is_told_and_words_decide():
    """The run goes on; the failure stands in its events as one of the stage `likeness`."""
    broken = Words(*[ModelError("gone", kind="connection", retryable=False)] * 99)
    held, seen, report = train(broken, UNITS, MEASURES, PICTURE)
    assert held == [UNITS, MEASURES, PICTURE]
    failures = [event.failure for event in seen if isinstance(event, UnitFailed)]
    assert {failure.unit.stage for failure in failures} == {"likeness"}
    assert report.outcome == "finished"


# --- configuration --------------------------------------------------------------------------------


def test_no_embedder_is_the_default_and_a_reference_names_one():
    """As a text or a table, with options; the threshold is a limit of the library."""
    assert load_config().embedder is None
    flags = {"embedder": "openai/text-embedding-3-small"}
    config = load_config(flags=flags, settings=["limits.near_meaning=0.8"])
    assert config.embedder.use == "openai/text-embedding-3-small"
    assert config.limits.near_meaning == 0.8
    with pytest.raises(ConfigError, match="near_meaning"):
        load_config(settings=["limits.near_meaning=90"])


def test_a_wrong_embedder_or_option_is_an_error_before_anything_runs():
    """With the place in the configuration."""
    pytest.importorskip("grpo_openai")
    plugins = Plugins.discover()
    flags = {"embedder": {"use": "openai/m", "options": {"dimension": 3}}}
    config = load_config(flags=flags)
    with pytest.raises(ConfigError, match="/embedder/options"):
        Workshop(config, plugins).find(EMBEDDER, config.embedder)
    with pytest.raises(ConfigError, match="/embedder/options"):
        Workshop(config, plugins).find_all()
