"""Runs over the same experiences: their evidence is added, so it must be new evidence."""

from __future__ import annotations

import itertools
from functools import partial

import pytest

from grpo_framework import TrainingFreeGRPOTrainer
from grpo_framework.engine import Engine
from grpo_framework.errors import BudgetExhausted
from grpo_framework.events import RolloutFinished
from grpo_framework.experience import Add, Library
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins
from grpo_framework.recording import derive_seed
from grpo_framework.records import Attempt, Problem, Question, Verdict
from grpo_framework.rundir import open_record


class Student:
    """Right by the seed; `dies_at` a call it takes the run down."""

    def __init__(self, dies_at=None):
        self.calls, self.dies_at = 0, dies_at

    async def attempt(self, question, library, /, *, seed):
        self.calls += 1
        if self.calls == self.dies_at:
            raise BudgetExhausted("the budget is exhausted", limit="max_calls")
        return Attempt("right" if seed % 2 else "wrong")


class First:
    async def fuse(self, question, attempts, library, /, *, seed):
        return attempts[0]


class Same:
    async def compare(self, problem, answer, /):
        return Verdict(float(answer == problem.answer), "", answer)


class Proposing:
    async def advise(self, contrasts, library, /):
        texts = ("Write the last step down twice.", "Check the units of the result.")
        return tuple(Add(text) for text in texts) if not len(library) else ()


class Store:
    def __init__(self):
        self.versions = {}

    async def load(self, owner, /, *, version=None):
        held = self.versions.get(owner, [Library(owner)])
        return next(each for each in reversed(held) if version in (None, each.version))

    async def commit(self, library, /, *, expected_version):
        self.versions.setdefault(library.owner, [Library(library.owner)]).append(library)


class Observer(list):
    async def notify(self, event, /):
        if isinstance(event, RolloutFinished):
            self.append(event.rollout)


def train(store, *, run=None, student=None, **more):
    """Seed of each rollout and what was withheld from it."""
    seen = Observer()
    engine = Engine((student or Student(),), First(), Same(), Proposing())
    if run is not None:
        more["record"] = partial(open_record, run, {})
    trainer = TrainingFreeGRPOTrainer(
        engine,
        ExperienceManager(store, plugins=Plugins(())),
        observers=[seen],
        num_epochs=2,
        batch_size=4,
        verbose=False,
        credit_dropout=0.5,
        **more,
    )
    trainer.train([Problem(Question(f"p{n}", f"question {n}"), "right") for n in range(8)])
    return {each.unit.address: (each.seed, each.attempt.mask) for each in seen}


def test_a_further_run_over_the_same_experiences_draws_its_own_lots():
    store = Store()
    runs = [train(store) for _ in range(3)]
    assert runs[0] == train(Store()), "a run that begins with nothing is the seed's alone"
    for one, other in itertools.pairwise(runs):
        assert one.keys() == other.keys()
        assert not {seed for seed, _ in one.values()} & {seed for seed, _ in other.values()}


def test_a_resumed_further_run_draws_what_it_would_have_drawn(tmp_path):
    stores = [Store(), Store()]
    for store in stores:
        train(store)
    whole = train(stores[0], run=tmp_path / "whole")
    with pytest.raises(BudgetExhausted):
        train(stores[1], run=tmp_path / "broken", student=Student(dies_at=30))
    resumed = train(stores[1], run=tmp_path / "broken")
    assert len(resumed) < len(whole)
    assert resumed.items() <= whole.items()


def test_the_seed_of_a_run_follows_from_what_it_begins_with():
    empty = {"generator_1": Library("generator_1")}
    written = {"generator_1": Library("generator_1", 3)}
    assert derive_seed(7, empty) == 7
    assert derive_seed(7, written) == derive_seed(7, dict(written)) != 7
    assert derive_seed(7, written) != derive_seed(8, written)
    assert derive_seed(7, written) != derive_seed(7, {"generator_1": Library("generator_1", 4)})
