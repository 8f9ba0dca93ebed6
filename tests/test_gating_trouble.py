"""Runs where something goes wrong or goes on: failed rollouts, stale batches, crashes, more runs."""

from __future__ import annotations

import asyncio
import itertools
from functools import partial

import pytest

from grpo_framework import TrainingFreeGRPOTrainer
from grpo_framework.engine import Engine
from grpo_framework.errors import BudgetExhausted, StoreError, VersionConflict
from grpo_framework.events import (
    EditsGated,
    LibraryCommitted,
    RolloutFinished,
    VersionRestored,
    VersionScored,
)
from grpo_framework.experience import Add, Library
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins
from grpo_framework.recording import derive_seed
from grpo_framework.records import Attempt, Problem, Question, Verdict
from grpo_framework.rundir import open_record

GOOD = "Check the units."
BROKEN = ("validation-3", "validation-7")


def problems(count, split):
    return tuple(
        Problem(Question(f"{split}-{n}", f"{split} question {n}"), "right", split=split)
        for n in range(count)
    )


class Student:
    """Right with the good experience on validation problems, wrong without; some make it fail.

    At the call `spent` the money runs out.
    """

    def __init__(self, broken=BROKEN, upset=False, spent=None):
        self.broken, self.upset, self.spent = broken, upset, spent
        self.calls = 0

    async def attempt(self, question, library, /, *, seed):
        self.calls += 1
        if self.calls == self.spent:
            raise BudgetExhausted("the budget is exhausted", limit="max_calls")
        taught = any(item.content == GOOD for item in library.experiences)
        if question.id in self.broken or (self.upset and taught):
            raise RuntimeError("the model has gone")
        lucky = (question.id.startswith("train") or self.upset) and seed % 2
        return Attempt("right" if taught or lucky else "wrong")


class First:
    async def fuse(self, question, attempts, library, /, *, seed):
        return attempts[0]


class Same:
    async def compare(self, problem, answer, /):
        return Verdict(float(answer == problem.answer), "", answer)


class Proposing:
    """Something else for each generator: what both propose would move to the shared library."""

    async def advise(self, contrasts, library, /):
        texts = {"generator_1": GOOD, "generator_2": "Write the last step down twice."}
        return (Add(texts[library.owner]),) if library.owner in texts else ()


class Store:
    """Keeps every version; breaks down at one commit, counted from 1."""

    def __init__(self, breaks_at=None):
        self.versions = {}
        self.commits = 0
        self.breaks_at = breaks_at

    async def load(self, owner, /, *, version=None):
        held = self.versions.get(owner, [Library(owner)])
        return next(each for each in reversed(held) if version in (None, each.version))

    async def commit(self, library, /, *, expected_version):
        newest = await self.load(library.owner)
        if newest.version != expected_version:
            raise VersionConflict(library.owner, expected=expected_version, found=newest.version)
        self.commits += 1
        if self.commits == self.breaks_at:
            raise StoreError("the disk is gone")
        self.versions.setdefault(library.owner, [Library(library.owner)]).append(library)

    def texts(self, owner):
        return [item.content for item in self.versions[owner][-1].experiences]


class Observer(list):
    async def notify(self, event, /):
        self.append(event)

    def of(self, cls):
        return [event for event in self if isinstance(event, cls)]


def train(students, store, *, count=8, run=None, **more):
    """One run; returns events and report."""
    seen = Observer()
    engine = Engine(students, First(), Same(), Proposing())
    manager = ExperienceManager(store, plugins=Plugins(()))
    settings = {"num_epochs": 1, "batch_size": 8, "verbose": False, "gate": "paired", **more}
    if run is not None:
        settings["record"] = partial(open_record, run, {})
    trainer = TrainingFreeGRPOTrainer(engine, manager, observers=[seen], **settings)
    return seen, trainer.train(problems(count, "train"), problems(20, "validation"))


def test_a_pair_of_failed_rollouts_is_dropped_and_reported():
    """It is no evidence, and the report counts the failures."""
    seen, report = train((Student(),), Store(), gate_budget=40)
    (gated,) = seen.of(EditsGated)
    (ruling,) = gated.rulings
    assert ruling.mean == 1.0, "every pair that counts went the same way"
    _, whole = train((Student(broken=()),), Store(), gate_budget=40)
    assert whole.failures == 0
    scored = seen.of(VersionScored)[0]
    lost = [scored.rewards[number] for number in (3, 7)]
    assert lost == [None, None]
    assert set(scored.rewards) - {None} == {0.0}
    (generator,) = (row for row in scored.scores if row.owner == "generator_1")
    assert generator.problems == 18
    # Three rollouts of two problems, once for each version scored, and the pairs'.
    versions = len(seen.of(VersionScored))
    assert report.failures > 2 * 3 * versions
    kinds = {row.kind for epoch in report.epochs for row in epoch.failures}
    assert kinds == {"RuntimeError"}
    drawn = gated.units / 2
    assert ruling.pairs == drawn


def test_an_edit_that_makes_rollouts_fail_is_charged_for_it():
    """What fails with it alone earned nothing; dropped pairs would never say so."""
    store = Store()
    seen, _ = train((Student(broken=(), upset=True),), store, gate_budget=40, max_failures=1.0)
    (ruling,) = seen.of(EditsGated)[0].rulings
    assert ruling.pairs > 10
    assert ruling.mean < 0
    assert ruling.finding == "rejected"
    assert store.texts("generator_1") == []


def test_where_all_pairs_fail_nothing_is_decided():
    """No evidence is no verdict: the edit is not taken, and is not called harmful."""
    everywhere = tuple(f"validation-{number}" for number in range(20))
    store = Store()
    seen, report = train((Student(broken=everywhere),), store, max_failures=1.0)
    (ruling,) = seen.of(EditsGated)[0].rulings
    assert (ruling.finding, ruling.pairs, ruling.mean) == ("provisional", 0, None)
    assert "not measured" in ruling.reason
    assert store.texts("generator_1") == []
    assert report.best_epoch is None


def test_a_stale_batch_is_judged_against_the_newest_libraries():
    """With `staleness` 1 its rollouts see one commit before; its edits are measured all the same."""
    store = Store()
    seen, _ = train((Student(broken=()),), store, count=32, staleness=1)
    assert store.texts("generator_1") == [GOOD]
    commits = seen.of(LibraryCommitted)
    first = next(
        event.batch for event in commits if event.plan.owner == "generator_1" and event.size_after
    )
    assert first == 1
    saw = {
        event.rollout.unit.batch: event.rollout.library_version
        for event in seen.of(RolloutFinished)
    }
    assert saw[1] == saw[2] == 0
    assert saw[3] >= 1
    # What the second batch proposes stands in the library by then, and is not measured again.
    assert [event.batch for event in seen.of(EditsGated)] == [1]


class Fickle(Student):
    """The good experience stops to help once a library that holds it was committed."""

    def __init__(self, store):
        super().__init__(broken=())
        self.store = store

    async def attempt(self, question, library, /, *, seed):
        if any(library.experiences) and self.store.commits and question.id.startswith("val"):
            return Attempt("wrong")
        lucky = question.id.startswith("train") and seed % 2
        return Attempt("right" if any(library.experiences) or lucky or seed % 5 == 0 else "wrong")


@pytest.mark.parametrize("breaks_at", [None, 3, 4], ids=["calm", "first", "second"])
def test_a_crash_while_the_best_version_is_restored(tmp_path, breaks_at):
    """Between the commits of two owners: resumed, each is restored once, and the report says so."""
    store = Store(breaks_at)
    students = (Fickle(store), Fickle(store))
    run = tmp_path / "run"
    if breaks_at is not None:
        with pytest.raises(StoreError, match="the disk is gone"):
            train(students, store, run=run)
        assert store.commits == breaks_at
    seen, report = train(students, store, run=run)
    for owner in ("generator_1", "generator_2"):
        assert [library.version for library in store.versions[owner]] == [0, 1, 2]
        assert [len(library) for library in store.versions[owner]] == [0, 1, 0]
    assert report.best_epoch == 0
    (restored,) = seen.of(VersionRestored)
    assert dict(restored.versions)["generator_1"] == dict(restored.versions)["generator_2"] == 2
    assert asyncio.run(store.load("generator_1")).next_number == 2


def draws(store, *, run=None, student=None):
    """Seed of each rollout and what was withheld from it."""
    student = student or Student(broken=())
    more = {"num_epochs": 2, "batch_size": 4, "gate": "none", "credit_dropout": 0.5}
    seen, _ = train((student,), store, run=run, **more)
    rollouts = [event.rollout for event in seen.of(RolloutFinished)]
    return {each.unit.address: (each.seed, each.attempt.mask) for each in rollouts}


def test_a_further_run_over_the_same_experiences_draws_its_own_lots():
    """Their evidence is added, so it must be new evidence."""
    store = Store()
    runs = [draws(store) for _ in range(3)]
    assert runs[0] == draws(Store()), "a run that begins with nothing is the seed's alone"
    for one, other in itertools.pairwise(runs):
        assert one.keys() == other.keys()
        assert not {seed for seed, _ in one.values()} & {seed for seed, _ in other.values()}


def test_a_resumed_further_run_draws_what_it_would_have_drawn(tmp_path):
    stores = [Store(), Store()]
    for store in stores:
        draws(store)
    whole = draws(stores[0], run=tmp_path / "whole")
    with pytest.raises(BudgetExhausted):
        draws(stores[1], run=tmp_path / "broken", student=Student(broken=(), spent=30))
    resumed = draws(stores[1], run=tmp_path / "broken")
    assert len(resumed) < len(whole)
    assert resumed.items() <= whole.items()


def test_the_seed_of_a_run_follows_from_what_it_begins_with():
    empty = {"generator_1": Library("generator_1")}
    written = {"generator_1": Library("generator_1", 3)}
    assert derive_seed(7, empty) == 7
    assert derive_seed(7, written) == derive_seed(7, dict(written)) != 7
    assert derive_seed(7, written) != derive_seed(8, written)
    assert derive_seed(7, written) != derive_seed(7, {"generator_1": Library("generator_1", 4)})
