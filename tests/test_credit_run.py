"""Measured credit in a run: lots in training alone, evidence at each commit, what follows from it."""

from __future__ import annotations

import asyncio

import pytest
from attrs import evolve

from grpo_framework.codec import event_from_document, from_document, to_document
from grpo_framework.deciding import Decider, Grounds
from grpo_framework.engine import Engine
from grpo_framework.evaluation import evaluate
from grpo_framework.events import AnswerFused, LibraryCommitted, RolloutFinished
from grpo_framework.experience import (
    HARMFUL,
    ROOM,
    SHARED,
    Add,
    Credit,
    Delete,
    Experience,
    Library,
    Limits,
    Modify,
    Ruling,
)
from grpo_framework.lanes import Learned, evidence_of
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins
from grpo_framework.records import Attempt, Mask, Problem, Question, Rollout, Unit, Verdict
from grpo_framework.reports import ReportFold, fold
from grpo_framework.settling import edits_of, settle
from grpo_framework.trainer import TrainingFreeGRPOTrainer

HELPS, HARMS, IDLE = "End with the answer.", "Answer with a poem.", "Draw a picture first."
CELL = Credit.of_cell((0.0, 0.0), (1.0,))
BAD = Credit.sum(20 * [CELL])
EMPTY = Library("generator_1")


class Student:
    """Right with one experience and not with another; otherwise every second time."""

    def __init__(self):
        self.seen = []

    async def attempt(self, question, library, /, *, seed):
        texts = {item.content for item in library.experiences}
        self.seen.append(library.ids)
        chance = 0.5 + 0.45 * (HELPS in texts) - 0.45 * (HARMS in texts)
        return Attempt("right" if seed % 1000 < 1000 * chance else "wrong")


class Critic:
    async def fuse(self, question, attempts, library, /, *, seed):
        return attempts[-1]


class Comparator:
    async def compare(self, problem, answer, /):
        return Verdict(float(answer == problem.answer), extracted=answer)


class Advisor:
    def __init__(self):
        self.told = []

    async def advise(self, contrasts, library, /):
        self.told += contrasts
        return ()


class Store:
    def __init__(self, *libraries):
        self.kept = {library.owner: library for library in libraries}

    async def load(self, owner, /, *, version=None):
        return self.kept.get(owner, Library(owner))

    async def commit(self, library, /, *, expected_version):
        self.kept[library.owner] = library


class Watch(list):
    async def notify(self, event, /):
        self.append(event)

    def of(self, cls):
        return [event for event in self if isinstance(event, cls)]


def held(owner, prefix, *texts):
    items = tuple(Experience(f"{prefix}-{n:03d}", text) for n, text in enumerate(texts, 1))
    return Library(owner, 1, items, len(items) + 1)


PROBLEMS = [Problem(Question(f"p{number}", f"How many {number}?"), "right") for number in range(24)]


def train(student=None, advisor=None, problems=PROBLEMS, validation=(), **more):
    """One owner with three experiences, the critic with two, a shared one."""
    store, watch = (
        Store(
            held("generator_1", "G1", HELPS, HARMS, IDLE),
            held("critic", "C", HELPS, IDLE),
            held(SHARED, "S", "Read the question twice."),
        ),
        Watch(),
    )
    engine = Engine((student or Student(),), Critic(), Comparator(), advisor or Advisor())
    manager = ExperienceManager(store, plugins=Plugins(()))
    trainer = TrainingFreeGRPOTrainer(
        engine, manager, verbose=False, observers=[watch], **{"num_epochs": 4, **more}
    )
    return trainer.train(problems, validation), store, watch


@pytest.fixture(scope="module")
def trained():
    advisor = Advisor()
    report, store, watch = train(advisor=advisor, credit_dropout=0.3)
    return report, store, watch, advisor


def test_attempts_and_fusions_carry_their_masks(trained):
    """What was shown and what was withheld, together all that was chosen; so do the events."""
    _, _, watch, _ = trained
    rollouts = [event.rollout for event in watch.of(RolloutFinished)]
    fused = [event.final for event in watch.of(AnswerFused)]
    first = [each for each in rollouts if each.library_version == 1]
    chosen = ["G1-001", "G1-002", "G1-003", "S-001"]
    assert all(sorted((*x.attempt.mask.shown, *x.attempt.mask.withheld)) == chosen for x in first)
    assert all(x.experiences == x.attempt.mask.shown for x in (*rollouts, *fused))
    assert {id_ for x in fused for id_ in x.attempt.mask.withheld} == {"C-001", "C-002", "S-001"}
    withheld = sum(len(x.attempt.mask.withheld) for x in rollouts)
    offered = withheld + sum(len(x.attempt.mask.shown) for x in rollouts)
    assert 0.2 < withheld / offered < 0.4
    event = watch.of(RolloutFinished)[0]
    assert event_from_document(to_document(event)) == event


def test_the_harmful_one_goes_and_the_good_one_is_proven(trained):
    """Removed at a commit with that as the reason; the report says so, and keeps the rest."""
    report, store, watch, _ = trained
    library = store.kept["generator_1"]
    assert "G1-002" not in library.ids
    credit = {item.content: item.credit for item in library.experiences}
    assert credit[HELPS].status == "proven"
    assert credit[HELPS].effect > 0.2
    assert credit[IDLE].status == "unknown"
    removals = [
        item
        for event in watch.of(LibraryCommitted)
        for item in event.plan.accepted
        if isinstance(item, Delete)
    ]
    assert [(item.id, item.rule, item.content) for item in removals] == [("G1-002", HARMFUL, HARMS)]
    owners = [row for epoch in report.epochs for row in epoch.owners if row.owner == "generator_1"]
    (removed,) = [removed for row in owners for removed in row.removed]
    assert (removed.id, removed.rule, removed.text) == ("G1-002", HARMFUL, HARMS)
    rows = {row.id: row for row in owners[-1].experiences}
    assert rows.keys() == {"G1-001", "G1-003"}
    assert rows["G1-001"].status == "proven"
    assert rows["G1-001"].low > 0
    assert rows["G1-001"].withheld == credit[HELPS].withheld > 0


def test_the_report_is_a_fold_over_the_events(trained):
    """Also from their written form, and from a state written in between."""
    report, _, watch, _ = trained
    again = [event_from_document(to_document(event)) for event in watch]
    assert fold(again).epochs == report.epochs
    first, second = ReportFold(), ReportFold()
    for event in again[: len(again) // 2]:
        first.add(event)
    second.restore(first.state)
    for event in again[len(again) // 2 :]:
        second.add(event)
    assert second.report().epochs == report.epochs


def test_the_advisor_is_told_the_effects_and_what_was_removed(trained):
    """Own and shared ones, once enough is known; the harmful text is among the refused."""
    _, _, _, advisor = trained
    own = [told for told in advisor.told if told.owner == "generator_1"]
    first = next(row for told in own for row in told.diagnosis.shown if row.id == "G1-001")
    assert first.effect is None
    last = {row.id: row for row in own[-1].diagnosis.shown}
    assert last["G1-001"].effect > 0.2
    assert last["G1-001"].status == "proven"
    assert last["G1-001"].weight > 10
    assert last["S-001"].effect is not None
    rejected = own[-1].diagnosis.past.rejected
    assert [(row.text, row.rule) for row in rejected] == [(HARMS, HARMFUL)]


def test_the_same_run_measures_the_same(trained):
    """Masks follow from the seeds, so a second run ends in the same credit to the last bit."""
    again, store, _ = train(credit_dropout=0.3)
    assert again.epochs[-1].owners[0].experiences == trained[0].epochs[-1].owners[0].experiences
    for owner, library in trained[1].kept.items():
        now = [(item.id, item.credit) for item in store.kept[owner].experiences]
        assert now == [(item.id, item.credit) for item in library.experiences]


def test_without_dropout_nothing_is_left_out_and_nothing_measured():
    """Every prompt holds all."""
    student = Student()
    _, store, watch = train(student, credit_dropout=0, num_epochs=1)
    assert set(student.seen) == {("G1-001", "G1-002", "G1-003", "S-001")}
    assert all(event.rollout.attempt.mask is None for event in watch.of(RolloutFinished))
    assert all(x.credit == Credit() for x in store.kept["generator_1"].experiences)


def test_an_evaluation_draws_no_lots():
    """It asks with the whole library, whatever training does."""
    student = Student()
    engine = Engine((student,), Critic(), Comparator())
    libraries = {
        "generator_1": held("generator_1", "G1", HELPS, IDLE),
        "critic": Library("critic"),
        SHARED: Library(SHARED),
    }
    asyncio.run(evaluate(engine, PROBLEMS[:8], libraries))
    assert set(student.seen) == {("G1-001", "G1-002")}


@pytest.mark.parametrize("dropout", [-0.1, 1.0, 2])
def test_a_dropout_that_is_no_probability_below_1_is_refused(dropout):
    with pytest.raises(ValueError, match="credit_dropout must be at least 0 and below 1"):
        train(credit_dropout=dropout)


# What the manager decides.


def decide(library, proposals, evidence, **limits):
    manager = ExperienceManager(Store(), limits=Limits(**limits), plugins=Plugins(()))
    snapshot = {library.owner: library, SHARED: Library(SHARED)}
    commits = manager.decider.decide(
        snapshot, {library.owner: proposals}, {}, now="2026-01-01", evidence=evidence
    )
    return next(commit for commit in commits if commit.plan.owner == library.owner)


def test_harm_that_a_batch_shows_is_removed_at_its_commit():
    """The batch's own evidence counts, and alone is reason enough for a commit."""
    library = held("generator_1", "G1", HELPS, HARMS)
    commit = decide(library, (), {"G1-002": BAD, "G1-001": CELL})
    assert commit.after.ids == ("G1-001",)
    assert commit.after.version == 2
    assert commit.after.experiences[0].credit == CELL
    assert [item.rule for item in commit.plan.accepted] == [HARMFUL]
    assert commit.before is library


def test_what_a_batch_measured_of_the_old_text_is_not_the_new_ones():
    """It is added before the edit, which starts anew."""
    library = held("generator_1", "G1", IDLE)
    commit = decide(library, [Modify("G1-001", "Draw a large picture first.")], {"G1-001": CELL})
    assert commit.after.experiences[0].credit == Credit()


def test_promotion_throws_nothing_out_of_a_full_shared_library():
    """What two generators learned alike stays with them."""
    manager = ExperienceManager(Store(), limits=Limits(capacity=1), plugins=Plugins(()))
    snapshot = {
        "generator_1": Library("generator_1"),
        "generator_2": Library("generator_2"),
        SHARED: held(SHARED, "S", IDLE),
    }
    proposals = {owner: [Add(HELPS)] for owner in ("generator_1", "generator_2")}
    commits = manager.decider.decide(snapshot, proposals, {}, now="")
    after = {commit.plan.owner: commit.after for commit in commits}
    assert [item.content for item in after[SHARED].experiences] == [IDLE]
    assert [len(after[owner]) for owner in proposals] == [1, 1]


def test_a_stale_batch_says_nothing_of_a_text_that_it_did_not_see():
    """It was made with the libraries of one commit before; what changed since starts with nothing."""
    seen = {"generator_1": held("generator_1", "G1", HELPS, HARMS)}
    other = evolve(seen["generator_1"].experiences[1], content=IDLE)
    newest = {
        "generator_1": evolve(
            seen["generator_1"], experiences=(seen["generator_1"].experiences[0], other)
        )
    }
    unit = Unit(1, 2, "p", "generator_1", "attempt")
    both = Mask(("G1-001", "G1-002"))
    learned = [Learned((Rollout(unit, Attempt("t", mask=both), Verdict(1.0)),), (), seen)]
    assert evidence_of(learned, seen).keys() == {"G1-001", "G1-002"}
    assert evidence_of(learned, newest) == {"G1-001": Credit(shown=1)}


def test_the_grounds_of_a_commit_are_journalled_with_the_evidence():
    """To the last bit; what was journalled before there was any still reads."""
    third = Credit.of_cell((1 / 3, 0.1), (0.7,))
    grounds = Grounds({"generator_1": (Add(HELPS),)}, {}, "now", evidence={"G1-001": third})
    document = to_document(grounds)
    assert from_document(document, Grounds) == grounds
    del document["evidence"]
    assert from_document(document, Grounds) == evolve(grounds, evidence={})


def test_a_proposed_delete_is_written_as_it_always_was():
    """Its digest is an address in journals; rule and text stand only where there are any."""
    assert to_document(Delete("G1-001", "why")) == {"op": "delete", "id": "G1-001", "reason": "why"}
    ruled = Delete("G1-001", "why", HARMFUL, HARMS)
    assert to_document(ruled)["rule"] == HARMFUL


def test_an_attempt_of_a_journal_without_masks_still_reads():
    document = to_document(Attempt("t"))
    assert document.pop("mask") is None
    assert from_document(document, Attempt) == Attempt("t")
    masked = Attempt("t", mask=Mask(("G1-001",), ("S-001",)))
    assert from_document(to_document(masked), Attempt) == masked


# With the gate.


def full_and_gated(finding):
    """One harmful and one unused experience in a full library, and an addition with a ruling."""
    library = evolve(held("generator_1", "G1", HARMS, IDLE), trials=())
    snapshot = {"generator_1": library, SHARED: Library(SHARED)}
    decider = Decider(limits=Limits(capacity=1), gated=True)
    add = Add(HELPS)
    evidence = {"G1-001": BAD}
    commits = decider.decide(snapshot, {"generator_1": [add]}, {}, now="", evidence=evidence)
    edits = edits_of(decider, snapshot, commits)
    rulings = [Ruling("generator_1", add, finding, "measured")]
    settled = settle(decider, snapshot, commits, rulings, {}, now="", evidence=evidence)
    return edits["generator_1"], {commit.plan.owner: commit for commit in settled}["generator_1"]


def test_the_gate_is_not_asked_about_what_is_measured_to_do_harm():
    """It leaves with or without the gate's word on others; what makes room goes with its addition."""
    edits, commit = full_and_gated("accepted")
    (edit,) = edits
    assert edit.operation == Add(HELPS)
    assert [(owner, x.id, x.rule) for owner, x in edit.deletes] == [("generator_1", "G1-002", ROOM)]
    assert [item.content for item in commit.after.experiences] == [HELPS]


@pytest.mark.parametrize("finding", ["rejected", "provisional"])
def test_an_addition_that_the_gate_keeps_back_throws_nothing_out(finding):
    """The harmful one goes all the same, and evidence is added once."""
    _, commit = full_and_gated(finding)
    assert [item.content for item in commit.after.experiences] == [IDLE]
    assert [item.rule for item in commit.plan.accepted] == [HARMFUL]


def test_a_restored_version_keeps_what_was_measured_since():
    """Credit is of a text, whichever version it stands in."""
    old = held("generator_1", "G1", HELPS, IDLE)
    changed = evolve(old.experiences[1], content=HARMS, credit=BAD)
    good = evolve(old.experiences[0], credit=CELL)
    newest = evolve(old, version=2, experiences=(good, changed))

    class Versions(Store):
        async def load(self, owner, /, *, version=None):
            return old if version == 1 else newest

    manager = ExperienceManager(Versions(), plugins=Plugins(()))
    restored = asyncio.run(manager.restore({"generator_1": newest}, {"generator_1": 1}))
    items = restored["generator_1"].experiences
    assert [(item.content, item.credit) for item in items] == [(HELPS, CELL), (IDLE, Credit())]


def test_what_is_measured_is_measured_without_lots():
    """Validation rollouts see the whole library, whatever training leaves out."""
    validation = [
        evolve(problem, question=evolve(problem.question, id=f"v{problem.id}", text=f"What {n}?"))
        for n, problem in enumerate(PROBLEMS)
    ]
    seen = []

    class Watching(Student):
        async def attempt(self, question, library, /, *, seed):
            if question.text.startswith("What"):
                seen.append(library.ids)
            return await super().attempt(question, library, seed=seed)

    train(
        Watching(), problems=PROBLEMS[:4], validation=validation, credit_dropout=0.5, num_epochs=1
    )
    assert set(seen) == {("G1-001", "G1-002", "G1-003", "S-001")}
