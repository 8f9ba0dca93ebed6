"""Adaptive groups in a run: what is made, what is told, and that a resumed run goes the same way."""

from __future__ import annotations

import asyncio
import logging
import random

import pytest

from grpo_framework import TrainingFreeGRPOTrainer
from grpo_framework.codec import to_document
from grpo_framework.console import describe_adaptive
from grpo_framework.engine import Engine
from grpo_framework.events import BatchStarted, GroupFinished, RolloutFinished, VersionScored
from grpo_framework.experience import Add, Library, Limits
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins
from grpo_framework.records import Attempt, Problem, Question, Verdict
from grpo_framework.rundir import open_record

CHANCES = (1.0, 0.0, 0.5, 1.0, 0.9, 0.1)
"""Of a right attempt, by problem."""
PROBLEMS = [Problem(Question(f"p{n}", f"{n}"), "right") for n in range(len(CHANCES))]


class Boom(BaseException):
    """The process dies."""


class Student:
    """Right by chance, the dice being the seed; dies at one of its attempts."""

    def __init__(self, dies_at=None, fails=()):
        self.asked = []
        self.dies_at = dies_at
        self.fails = fails

    async def attempt(self, question, library, /, *, seed):
        self.asked.append((question.id, seed))
        if len(self.asked) == self.dies_at:
            raise Boom
        await asyncio.sleep(0)
        if seed in self.fails:
            raise OSError("gone")
        right = random.Random(seed).random() < CHANCES[int(question.text)]
        return Attempt("right" if right else "wrong")


class Critic:
    async def fuse(self, question, attempts, library, /, *, seed):
        return attempts[0]


class Comparator:
    async def compare(self, problem, answer, /):
        return Verdict(float(answer == problem.answer), "", answer)


class Advisor:
    async def advise(self, contrasts, library, /):
        (contrast,) = contrasts
        return (Add(f"Think about the kind {contrast.question.id} of question."),)


class Store:
    """Keeps every version, as a store on disk does."""

    def __init__(self):
        self.kept = {}

    async def load(self, owner, /, *, version=None):
        versions = self.kept.get(owner, {})
        return versions.get(max(versions, default=0) if version is None else version) or Library(
            owner
        )

    async def commit(self, library, /, *, expected_version):
        self.kept.setdefault(library.owner, {})[library.version] = library


class Observer(list):
    async def notify(self, event, /):
        self.append(event)

    def of(self, cls):
        return [event for event in self if isinstance(event, cls)]


def train(
    student=None,
    *,
    generators=3,
    store=None,
    record=None,
    problems=PROBLEMS,
    validation=(),
    **more,
):
    """Train; the students share one script. Gives report and events."""
    student, observer = student or Student(), Observer()
    engine = Engine((student,) * generators, Critic(), Comparator(), Advisor(), concurrency=9)
    manager = ExperienceManager(store or Store(), Limits(), plugins=Plugins(()))
    extra = {} if record is None else {"record": record}
    given = {"adaptive_groups": True, "num_epochs": 5, "batch_size": 3, "seed": 1, **extra, **more}
    trainer = TrainingFreeGRPOTrainer(engine, manager, verbose=False, observers=[observer], **given)
    return trainer.train(problems, validation), observer


def course(observer):
    """What a run did: the rollouts of every group, and who rested."""
    made = {}
    for event in observer.of(RolloutFinished):
        unit = event.rollout.unit
        made.setdefault((unit.epoch, unit.problem, unit.owner), []).append(unit.index)
    groups = {key: sorted(indices) for key, indices in made.items()}
    rests = {(event.epoch, event.batch): event.resting for event in observer.of(BatchStarted)}
    return groups, rests


def test_all_mixed_groups_of_the_first_epoch_are_found_with_fewer_rollouts():
    """The rollouts are a beginning of the full group's, made until they differ."""
    _, full = train(adaptive_groups=False, num_epochs=1, rollouts_per_generator=8)
    _, some = train(num_epochs=1, rollouts_per_generator=8)

    def mixed(events):
        return {
            (event.problem, event.owner)
            for event in events.of(GroupFinished)
            if event.outcome == "mixed" and event.owner != "critic"
        }

    assert mixed(some) == mixed(full) != set()
    made, all_ = course(some)[0], course(full)[0]
    assert all(indices == list(range(len(indices))) for indices in made.values())
    assert {len(indices) for indices in made.values()} >= {2, 8}
    assert sum(map(len, made.values())) < sum(map(len, all_.values()))


def test_what_is_saved_is_reported():
    """Made and saved together are what full groups on all problems would have had."""
    report, observer = train()
    assert report.adaptive_groups
    made, saved = report.rollouts
    assert made == len(observer.of(RolloutFinished))
    assert made + saved == 5 * len(PROBLEMS) * 3 * 3
    rested = sum(len(event.resting) for event in observer.of(BatchStarted))
    assert sum(epoch.resting for epoch in report.epochs) == rested > 0
    spared = sum(event.spared for event in observer.of(GroupFinished))
    assert saved == spared + rested * 3 * 3


def test_settled_problems_get_two_rollouts_and_then_rest():
    """Always solved, always hopeless: 3, then 2, then every other epoch 2."""
    groups, _ = course(train()[1])
    for problem in ("p0", "p1", "p3"):
        sizes = [len(groups.get((epoch, problem, "generator_2"), ())) for epoch in range(1, 6)]
        assert sizes == ([3, 2, 0, 2, 0])
    assert all((epoch, "p2", "generator_1") in groups for epoch in range(1, 6))


@pytest.mark.parametrize("k", [3, 5])
def test_what_is_measured_is_measured_with_full_groups(k):
    """Validation scores come from k rollouts of every validation problem, adaptive or not."""
    validation = [Problem(Question(f"v{n}", f"{n}"), "right") for n in range(len(CHANCES))]

    def units(**more):
        _, observer = train(
            **{"gate": "paired", "num_epochs": 2, "validation": validation, **more},
            rollouts_per_generator=k,
        )
        return observer.of(VersionScored)[0].units

    assert units() == units(adaptive_groups=False) == len(validation) * 3 * (k + 1)


def test_full_groups_are_the_default():
    report, observer = train(adaptive_groups=False)
    groups, rests = course(observer)
    assert {len(indices) for indices in groups.values()} == {3}
    assert not any(rests.values())
    assert report.rollouts == (5 * len(PROBLEMS) * 9, 0)


@pytest.mark.parametrize("k", [1, 2])
def test_below_three_rollouts_nothing_adapts_and_that_is_said(k):
    report, observer = train(rollouts_per_generator=k)
    assert not report.adaptive_groups
    assert {len(indices) for indices in course(observer)[0].values()} == {k}
    assert report.rollouts[1] == 0
    assert f"change nothing with groups of {k}" in describe_adaptive(k)


def test_a_failed_rollout_is_replaced_and_proves_nothing():
    """A group with one judged rollout grows up to k, and its problem does not count as known."""
    _, calm = train(Student(), problems=PROBLEMS[:1], num_epochs=2)
    broken = {seed for _, seed in calm_seeds(calm)}
    report, observer = train(Student(fails=broken), problems=PROBLEMS[:1], num_epochs=2)
    groups, _ = course(observer)
    assert report.failures == 3
    assert groups[1, "p0", "generator_1"] == [1, 2]
    assert groups[2, "p0", "generator_1"] == [0, 1, 2]


def calm_seeds(observer):
    """The first rollout of each group of the first epoch, with its seed."""
    for event in observer.of(RolloutFinished):
        unit = event.rollout.unit
        if (unit.epoch, unit.index) == (1, 0):
            yield unit.owner, event.rollout.seed


def test_groups_grow_side_by_side():
    """No group waits for another one's verdicts: while one hangs, the others grow to the end."""

    async def main():
        others = asyncio.Event()
        done = []

        class Hanging(Student):
            async def attempt(self, question, library, /, *, seed):
                if question.id == "p0":
                    await others.wait()
                attempt = await super().attempt(question, library, seed=seed)
                done.append(question.id)
                if done.count("p1") == 9:
                    others.set()
                return attempt

        engine = Engine((Hanging(),) * 3, Critic(), Comparator(), Advisor(), concurrency=99)
        manager = ExperienceManager(Store(), Limits(), plugins=Plugins(()))
        trainer = TrainingFreeGRPOTrainer(
            engine, manager, verbose=False, adaptive_groups=True, num_epochs=1
        )
        async with asyncio.timeout(300):
            return await trainer.train_async(PROBLEMS[:2])

    assert asyncio.run(main()).outcome == "finished"


@pytest.mark.parametrize("staleness", [0, 1])
@pytest.mark.parametrize("deaths", [(40,), (95,), (60, 50), (120, 5)])
def test_a_resumed_run_takes_the_same_course(tmp_path, staleness, deaths):
    """However it died, the same groups grow and the same problems rest; nothing is paid twice."""
    calm_student = Student()
    report, calm = train(calm_student, staleness=staleness)
    store, paid, rests = Store(), [], {}

    def open_():
        return open_record(tmp_path / "run", {"config.json": {}})

    for death in (*deaths, None):
        student = Student(death)
        try:
            resumed, events = train(student, store=store, record=open_, staleness=staleness)
        except Boom:
            events = Observer()
        paid += student.asked
        for key, resting in course(events)[1].items():
            assert rests.setdefault(key, resting) == resting
    calm_rests = course(calm)[1]
    assert rests.items() <= calm_rests.items()
    assert sorted(set(paid)) == sorted(calm_student.asked)
    assert course(events)[0].items() <= course(calm)[0].items()
    # Attempts under way when it died are made again.
    assert len(paid) - len(set(paid)) <= 9 * len(deaths)
    then, now = to_document(report), to_document(resumed)
    assert drop_times(then) == drop_times(now)


def drop_times(document):
    if isinstance(document, dict):
        return {key: drop_times(value) for key, value in document.items() if key != "seconds"}
    return [drop_times(each) for each in document] if isinstance(document, list) else document


@pytest.mark.parametrize("staleness", [0, 1])
def test_a_stale_batch_decides_by_what_was_committed_when_it_began(staleness):
    """One batch an epoch: with staleness 1 what an epoch showed is used two epochs later."""
    _, observer = train(staleness=staleness, batch_size=6, problems=PROBLEMS[:2])
    groups, _ = course(observer)
    sizes = [len(groups.get((epoch, "p0", "generator_1"), ())) for epoch in range(1, 6)]
    assert sizes == ([3, 3, 2, 2, 0] if staleness else [3, 2, 0, 2, 0])


def test_an_epoch_in_which_all_rest_is_an_epoch_all_the_same(caplog):
    """No problem is visited: the batch is committed without edits, the run goes on."""
    with caplog.at_level(logging.WARNING):
        report, _ = train(problems=PROBLEMS[:1], num_epochs=4)
    assert [epoch.resting for epoch in report.epochs] == [0, 0, 1, 0]
    row = report.epochs[2].owners[0]
    assert (row.rollouts, row.rollouts_saved, row.mean_reward) == (0, 3, None)
    assert report.outcome == "finished"
    assert not caplog.records
