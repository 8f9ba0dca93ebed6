"""The epoch loop: groups become contrasts, contrasts edits, edits the next prompts."""

from __future__ import annotations

import asyncio
import importlib

import pytest

from grpo_framework import TrainingFreeGRPOTrainer
from grpo_framework.combining import CombinedAdvisor
from grpo_framework.engine import Engine
from grpo_framework.errors import (
    BudgetExhausted,
    ComparatorError,
    ModelError,
    ProblemError,
    StoreError,
)
from grpo_framework.events import (
    AnswerFused,
    BatchFinished,
    BatchStarted,
    ContrastFound,
    GroupFinished,
    LibraryCommitted,
    RolloutFinished,
    RunFinished,
    RunStarted,
    UnitFailed,
)
from grpo_framework.experience import Add, Library, Limits
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins
from grpo_framework.records import Attempt, Problem, Question, Verdict

SECRET = "the-reference-answer"
RULE = "Check the units of the result."


def problem(number):
    return Problem(Question(f"p-{number}", f"question {number}"), SECRET)


class Generator:
    """Answers by its script, in turn, and records what it was given."""

    def __init__(self, *script):
        self.script = script or ("right",)
        self.asked = []

    async def attempt(self, question, library, /, *, seed):
        self.asked.append((question, library, seed))
        step = self.script[(len(self.asked) - 1) % len(self.script)]
        await asyncio.sleep(0)
        if isinstance(step, BaseException):
            raise step
        if callable(step):
            return await step(question)
        return Attempt(step)


class Critic:
    """Takes the first attempt, or says what it was made to say."""

    def __init__(self, says=None):
        self.says = says
        self.asked = []

    async def fuse(self, question, attempts, library, /, *, seed):
        self.asked.append((question, attempts, library, seed))
        if isinstance(self.says, BaseException):
            raise self.says
        return Attempt(self.says or attempts[0].text)


class Comparator:
    async def compare(self, problem, answer, /):
        assert problem.answer == SECRET
        if answer == "unclear":
            raise ComparatorError("cannot judge", kind="timeout")
        return Verdict(1.0 if answer == "right" else 0.0, f"{answer}", answer)


class Advisor:
    """Proposes a text for each contrast."""

    def __init__(self, *texts):
        self.texts = texts
        self.asked = []

    async def advise(self, contrasts, library, /):
        (contrast,) = contrasts
        self.asked.append((contrast, library))
        if self.texts and isinstance(self.texts[0], BaseException):
            raise self.texts[0]
        return tuple(Add(text) for text in self.texts)


class Consolidator(Advisor):
    def __init__(self, *texts, error=None):
        super().__init__(*texts)
        self.consolidated = []
        self.error = error

    async def consolidate(self, proposals, library, /, *, seed):
        self.consolidated.append((proposals, library.owner, seed))
        if self.error is not None:
            raise self.error
        return proposals[:1]


class BatchAdvisor(Advisor):
    """Proposes nothing for a group and a text for a batch."""

    def __init__(self, *texts):
        super().__init__()
        self.rules = texts
        self.batches = []

    async def advise_batch(self, diagnosis, library, /, *, seed):
        self.batches.append((diagnosis, library.owner, seed))
        if isinstance(self.rules[0], BaseException):
            raise self.rules[0]
        return tuple(Add(text) for text in self.rules)


class Store:
    def __init__(self, error=None):
        self.kept = {}
        self.error = error

    async def load(self, owner, /, *, version=None):
        return self.kept.get(owner, Library(owner))

    async def commit(self, library, /, *, expected_version):
        if self.error is not None:
            raise self.error
        self.kept[library.owner] = library

    def texts(self, owner):
        return [item.content for item in self.kept.get(owner, Library(owner)).experiences]


class Observer(list):
    async def notify(self, event, /):
        self.append(event)

    def of(self, cls):
        return [event for event in self if isinstance(event, cls)]


def trainer(
    generators, *, critic=None, comparator=None, advisor=None, store=None, concurrency=99, **more
):
    """A trainer over doubles: one epoch, k = 3, no lots, no output unless told otherwise."""
    engine = Engine(
        generators=tuple(generators),
        critic=critic or Critic(),
        comparator=comparator or Comparator(),
        advisor=Advisor() if advisor is None else advisor,
        concurrency=concurrency,
    )
    manager = ExperienceManager(Store() if store is None else store, Limits(), plugins=Plugins(()))
    return TrainingFreeGRPOTrainer(
        engine, manager, **{"num_epochs": 1, "verbose": False, "credit_dropout": 0, **more}
    )


def owner_of(report, owner, epoch=1):
    return next(each for each in report.epochs[epoch - 1].owners if each.owner == owner)


def test_a_mixed_group_becomes_an_experience_in_the_next_prompt():
    """Group, contrast, advice, commit: in epoch two the generator reads what it learned."""
    generator, advisor, store = Generator("right", "wrong", "wrong"), Advisor(RULE), Store()
    report = trainer([generator], advisor=advisor, store=store, num_epochs=2).train([problem(1)])
    contrast, library = advisor.asked[0]
    assert (contrast.owner, library.owner) == ("generator_1", "generator_1")
    assert [sample.attempt.text for sample in contrast.samples] == ["right", "wrong", "wrong"]
    assert [sample.advantage > 0 for sample in contrast.samples] == [True, False, False]
    assert store.texts("generator_1") == [RULE]
    seen = [[item.content for item in library.experiences] for _, library, _ in generator.asked]
    assert seen == [[]] * 3 + [[RULE]] * 3
    first, second = owner_of(report, "generator_1", 1), owner_of(report, "generator_1", 2)
    assert (first.library_before, first.library_after, second.library_before) == (0, 1, 1)
    assert first.groups.mixed == 1
    assert first.mean_reward == pytest.approx(1 / 3)
    assert first.operations_applied == {"add": 1}
    assert [refused.rule for refused in second.operations_refused] == ["duplicate"]
    assert report.outcome == "finished"


@pytest.mark.parametrize("answer", ["right", "wrong"])
def test_a_group_without_contrast_teaches_nothing(answer):
    """All right or all wrong: nobody is asked and nothing is written."""
    advisor, store = Advisor(RULE), Store()
    report = trainer([Generator(answer)] * 2, advisor=advisor, store=store).train([problem(1)])
    assert advisor.asked == []
    assert store.kept == {}
    groups = owner_of(report, "generator_1").groups
    assert (groups.all_right, groups.all_wrong) == ((1, 0) if answer == "right" else (0, 1))


def test_each_generators_own_attempts_are_fused():
    """N fusions of k attempts each, never a mix; the critic sees no reward and no reference."""
    critic = Critic()
    generators = [Generator("right"), Generator("wrong"), Generator("other")]
    trainer(generators, critic=critic, rollouts_per_generator=2).train([problem(1)])
    fused = [[attempt.text for attempt in attempts] for _, attempts, _, _ in critic.asked]
    assert sorted(fused) == [["other"] * 2, ["right"] * 2, ["wrong"] * 2]
    assert len({seed for _, _, _, seed in critic.asked}) == 3


def test_the_reference_reaches_only_the_comparator():
    """Neither generator nor critic nor advisor is given it in any argument."""
    generator, advisor = Generator("right", "wrong"), Advisor(RULE)
    critic = Critic()
    trainer([generator], critic=critic, advisor=advisor).train([problem(1), problem(2)])
    for given in (generator.asked, critic.asked, advisor.asked):
        assert given
        assert SECRET not in repr(given)


def test_the_critic_learns_from_what_it_fused_away():
    """A right attempt lost in the fusion is a contrast of the critic's own."""
    advisor, store = Advisor(RULE), Store()
    report = trainer(
        [Generator("right")], critic=Critic("wrong"), advisor=advisor, store=store
    ).train([problem(1)])
    ((contrast, library),) = advisor.asked
    assert (contrast.owner, library.owner) == ("critic", "critic")
    assert "fused away" in contrast.notes[0]
    assert store.texts("critic") == [RULE]
    assert owner_of(report, "critic").critic_lift == -1.0


def test_use_and_success_are_counted_from_the_rollouts():
    """An experience of a mixed group: three uses, one success, from the epoch that held it."""
    store = Store()
    trainer(
        [Generator("right", "wrong", "wrong")], advisor=Advisor(RULE), store=store, num_epochs=2
    ).train([problem(1)])
    (experience,) = store.kept["generator_1"].experiences
    assert (experience.usage_count, experience.success_count) == (3, 1)


FAILURES = {
    "attempt": (ModelError("busy", kind="overloaded"), "overloaded"),
    "any error of an attempt": (ZeroDivisionError("oops"), "ZeroDivisionError"),
    "verdict": ("unclear", "timeout"),
}


@pytest.mark.parametrize(("step", "kind"), FAILURES.values(), ids=FAILURES)
def test_a_failed_rollout_is_a_failure_and_no_zero(step, kind):
    """It has its kind in the report, and the mean is that of the others."""
    report = trainer([Generator("right", step, "right")]).train([problem(1)])
    generator = owner_of(report, "generator_1")
    assert generator.mean_reward == 1.0
    assert (generator.rollouts, generator.failures) == (2, 1)
    assert generator.groups.all_right == 1
    (failure,) = report.epochs[0].failures
    assert (failure.kind, failure.count) == (kind, 1)
    assert (report.failures, report.outcome) == (1, "finished")


def test_a_generator_that_only_fails_harms_no_other():
    """Its group is a failed one, its fusion is not asked for, the others learn on."""
    critic, store = Critic(), Store()
    report = trainer(
        [Generator(OSError("gone")), Generator("right", "wrong")],
        critic=critic,
        advisor=Advisor(RULE),
        store=store,
    ).train([problem(1)])
    assert owner_of(report, "generator_1").groups.failed == 1
    assert owner_of(report, "generator_1").mean_reward is None
    assert len(critic.asked) == 1
    assert store.texts("generator_2") == [RULE]


def test_failing_critic_and_advisor_are_failures_too():
    """Each stage has its failures in the report; the run goes on."""
    report = trainer(
        [Generator("right", "wrong")],
        critic=Critic(ModelError("cut", kind="truncated")),
        advisor=Advisor(RuntimeError("no idea")),
    ).train([problem(1)])
    stages = {failure.stage: failure.kind for failure in report.epochs[0].failures}
    assert stages == {"fusion": "truncated", "advice": "RuntimeError"}
    assert report.outcome == "finished"


def test_a_failed_consolidation_loses_no_proposal():
    """What was paid for is planned as it was proposed, and the failure is in the report."""
    store = Store()
    advisor = Consolidator(RULE, error=ModelError("busy", kind="overloaded"))
    report = trainer([Generator("right", "wrong")], advisor=advisor, store=store).train(
        [problem(1)]
    )
    assert store.texts("generator_1") == [RULE]
    assert [failure.stage for failure in report.epochs[0].failures] == ["consolidation"]


def test_a_batch_is_consolidated_once_for_each_owner():
    """All proposals of the batch, in the problems' order, whatever was ready first."""
    store = Store()
    advisor = Consolidator(RULE, "Draw a picture.")
    trainer([Generator("right", "wrong")], advisor=advisor, store=store).train(
        [problem(number) for number in range(4)]
    )
    proposed = {owner: proposals for proposals, owner, _ in advisor.consolidated}
    assert len(proposed) == len(advisor.consolidated)
    assert len(proposed["generator_1"]) == 8
    assert store.texts("generator_1") == [RULE]


def test_a_batch_without_a_contrast_teaches_by_what_was_measured():
    """Where every attempt failed alike there is no group to compare; the batch is diagnosed."""
    store, advisor = Store(), BatchAdvisor(RULE)
    made = trainer([Generator("wrong")], advisor=advisor, store=store, batch_size=2, num_epochs=1)
    made.train([problem(number) for number in range(4)])
    assert advisor.asked == []
    assert store.texts("generator_1") == [RULE]
    assert {owner for _, owner, _ in advisor.batches} == {"generator_1"}
    own = [(row, seed) for row, _, seed in advisor.batches]
    assert [row.measured.outcomes.wrong for row, _ in own] == [6, 6]
    assert [row.past.measured.outcomes.wrong for row, _ in own] == [0, 6]
    assert own[0][1] != own[1][1]


def test_a_batch_that_is_all_right_asks_no_advice():
    """There is nothing to mend."""
    advisor = BatchAdvisor(RULE)
    trainer([Generator("right")], advisor=advisor).train([problem(1)])
    assert advisor.batches == []


def test_advice_on_a_batch_that_fails_is_a_failure_of_its_unit():
    """It is in the report, and what else was proposed is learned."""
    store = Store()
    engine = Engine(
        (Generator("right", "wrong"),),
        Critic(),
        Comparator(),
        CombinedAdvisor((("one", Advisor(RULE)), ("two", BatchAdvisor(ValueError("no idea"))))),
    )
    report = TrainingFreeGRPOTrainer(
        engine, ExperienceManager(store), num_epochs=1, rollouts_per_generator=2, verbose=False
    ).train([problem(1)])
    assert store.texts("generator_1") == [RULE]
    assert {(each.stage, each.kind) for each in report.epochs[0].failures} == {
        ("batch_advice", "ValueError")
    }


def test_too_many_failures_fail_the_run():
    """Above the threshold the outcome says so; the report is whole."""
    mostly = Generator("right", OSError("gone"), OSError("gone"))
    report = trainer([mostly], max_failures=0.3).train([problem(1)])
    assert report.outcome == "failed"
    assert trainer([mostly], max_failures=0.9).train([problem(1)]).outcome == "finished"


def test_all_rollouts_of_a_batch_see_one_snapshot():
    """What a batch teaches is in the prompts of the next one, not in its own."""
    generator = Generator("right", "wrong")
    trainer([generator], advisor=Advisor(RULE), batch_size=2, rollouts_per_generator=2).train(
        [problem(number) for number in range(4)]
    )
    assert [len(library) for _, library, _ in generator.asked] == [0] * 4 + [1] * 4


def test_rollouts_and_generators_run_side_by_side():
    """All N·k attempts of a problem are under way at once: none answers before all are asked."""

    async def main():
        everybody = asyncio.Barrier(6)

        async def wait(question):
            await everybody.wait()
            return Attempt("right")

        made = trainer([Generator(wait), Generator(wait)])
        async with asyncio.timeout(300):
            return await made.train_async([problem(1)])

    assert asyncio.run(main()).failures == 0


class Crowd:
    """Counts who is under way at once."""

    def __init__(self):
        self.now, self.most, self.owners = 0, 0, []

    def member(self, owner):
        async def step(question):
            self.now += 1
            self.most = max(self.most, self.now)
            self.owners.append(owner)
            for _ in range(3):
                await asyncio.sleep(0)
            self.now -= 1
            return Attempt("right")

        return Generator(step)


@pytest.mark.parametrize(
    ("modes", "most"),
    [
        ({}, 6),
        ({"rollout_exec": "serial"}, 2),
        ({"gen_exec": "serial"}, 3),
        ({"gen_exec": "serial", "rollout_exec": "serial"}, 1),
        ({"concurrency": 4}, 4),
    ],
)
def test_serial_modes_and_concurrency_bound_what_is_under_way(modes, most):
    """The guide's two switches, and the engine's limit for generators of any making."""
    crowd = Crowd()
    trainer([crowd.member(1), crowd.member(2)], **modes).train([problem(1)])
    assert crowd.most == most
    assert len(crowd.owners) == 6
    if modes.get("gen_exec") == "serial":
        assert crowd.owners == [1, 1, 1, 2, 2, 2]


def test_only_the_end_of_a_batch_waits():
    """One problem is fused and advised on while another one's generator has not answered."""

    async def main():
        advised = asyncio.Event()

        class Signalling(Advisor):
            async def advise(self, contrasts, library, /):
                advised.set()
                return await super().advise(contrasts, library)

        turns = iter(["right", "wrong", "right"])

        async def step(question):
            if question.id == "p-1":
                return Attempt(next(turns))
            await advised.wait()
            return Attempt("right")

        made = trainer([Generator(step)], advisor=Signalling(RULE))
        async with asyncio.timeout(300):
            return await made.train_async([problem(1), problem(2)])

    assert asyncio.run(main()).outcome == "finished"


def seeds_and_order(**more):
    generator, critic = Generator("right", "wrong"), Critic()
    trainer([generator], critic=critic, num_epochs=2, batch_size=2, **more).train(
        [problem(number) for number in range(6)]
    )
    asked = [(question.id, seed) for question, _, seed in generator.asked]
    return asked, [seed for *_, seed in critic.asked]


def test_order_and_seeds_follow_from_the_runs_seed():
    """The same seed gives the same run; another one gives another order and other samples."""
    assert seeds_and_order(seed=5) == seeds_and_order(seed=5)
    asked, fused = seeds_and_order(seed=5)
    other, _ = seeds_and_order(seed=6)
    assert [id_ for id_, _ in asked] != [id_ for id_, _ in other]
    assert not {seed for _, seed in asked} & {seed for _, seed in other}
    assert len({seed for _, seed in asked}) == len(asked) == 36
    assert len(set(fused)) == len(fused) == 12


def test_execution_mode_and_batch_size_do_not_change_the_seeds():
    """Serial runs make the same rollouts as parallel ones."""
    parallel, _ = seeds_and_order(seed=5)
    serial, _ = seeds_and_order(seed=5, gen_exec="serial", rollout_exec="serial")
    assert sorted(parallel) == sorted(serial)


def test_events_tell_the_run_in_order():
    """Start, batches with their groups and commits, end."""
    observer = Observer()
    trainer(
        [Generator("right", "wrong", OSError("gone"))],
        advisor=Advisor(RULE),
        observers=[observer],
        batch_size=1,
        run_id="r",
    ).train([problem(1), problem(2)])
    assert isinstance(observer[0], RunStarted)
    assert observer[0].run_id == "r"
    assert isinstance(observer[-1], RunFinished)
    counts = {
        cls: len(observer.of(cls))
        for cls in (RolloutFinished, UnitFailed, AnswerFused, GroupFinished, ContrastFound)
    }
    assert counts == {
        RolloutFinished: 4,
        UnitFailed: 2,
        AnswerFused: 2,
        GroupFinished: 4,
        ContrastFound: 2,
    }
    assert [event.plan.owner for event in observer.of(LibraryCommitted)] == [
        "shared",
        "generator_1",
        "critic",
    ] * 2
    places = [type(event) for event in observer if isinstance(event, (BatchStarted, BatchFinished))]
    assert places == [BatchStarted, BatchFinished] * 2


def test_an_observer_that_fails_is_heard_no_more_and_changes_nothing(caplog):
    """Its error is logged once; the run and the other observers go on."""

    class Failing:
        calls = 0

        async def notify(self, event, /):
            self.calls += 1
            raise RuntimeError("broken observer")

    failing, whole = Failing(), Observer()
    report = trainer([Generator("right")], observers=[failing, whole]).train([problem(1)])
    assert failing.calls == 1
    assert isinstance(whole[-1], RunFinished)
    assert report.outcome == "finished"
    assert len([record for record in caplog.records if "gets no more" in record.message]) == 1


def test_an_observer_may_fail_on_several_events_at_once(caplog):
    """Events of overlapping groups reach it together; its failure is still one and harmless."""

    class Slow:
        async def notify(self, event, /):
            if isinstance(event, RolloutFinished):
                await asyncio.sleep(0)
                raise RuntimeError("broken observer")  # noqa: TRY004 - an error like any other

    report = trainer([Generator("right")] * 3, observers=[Slow()]).train([problem(1), problem(2)])
    assert (report.outcome, report.failures) == ("finished", 0)
    assert len([record for record in caplog.records if "gets no more" in record.message]) == 1


class Boom(BaseException):
    """Something that is no Exception, as KeyboardInterrupt is."""


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, Boom])
def test_what_is_no_exception_passes(error):
    """An interruption is never a failed unit: it ends the run, and the report says so."""
    made = trainer([Generator("right", error())])
    with pytest.raises(error):
        made.train([problem(1)])
    assert made.report.outcome == "interrupted"
    assert made.report.failures == 0


def test_cancellation_passes_and_leaves_no_task():
    """A cancelled run stops all its work before the caller goes on."""

    async def main():
        asked = asyncio.Event()

        async def hang(question):
            asked.set()
            await asyncio.Event().wait()

        made = trainer([Generator(hang)])
        running = asyncio.create_task(made.train_async([problem(1)]))
        await asked.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert made.report.outcome == "interrupted"
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


@pytest.mark.parametrize("stage", ["generator", "store"])
def test_what_stops_the_run_reaches_the_caller_as_itself(stage):
    """An exhausted budget or a full disk is not wrapped in a group."""
    budget = BudgetExhausted("no more calls", limit="max_calls")
    disk = StoreError("disk full")
    made = trainer(
        [Generator("right", budget if stage == "generator" else "wrong")],
        advisor=Advisor(RULE),
        store=Store(disk),
    )
    with pytest.raises(type(budget if stage == "generator" else disk)):
        made.train([problem(1)])
    assert made.report.outcome in ("interrupted", "failed", "stopped", "exhausted")


def test_nothing_is_learned_from_an_interrupted_batch():
    """The commit is at a batch's end, or not at all."""
    store = Store()
    made = trainer([Generator("right", "wrong", Boom())], advisor=Advisor(RULE), store=store)
    with pytest.raises(Boom):
        made.train([problem(1)])
    assert store.kept == {}


def test_old_names_say_what_replaced_them():
    """group_size= and the V2 class are errors that help."""
    with pytest.raises(TypeError, match="group_size= was renamed: pass rollouts_per_generator="):
        trainer([Generator()], group_size=3)
    with pytest.raises(TypeError, match="no argument 'verbos'"):
        trainer([Generator()], verbos=True)
    package = importlib.import_module("grpo_framework")
    with pytest.raises(ImportError, match="from grpo_framework import TrainingFreeGRPOTrainer"):
        package.TrainingFreeGRPOTrainerV2  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize("name", ["rollouts_per_generator", "num_epochs", "batch_size"])
def test_counts_are_at_least_one(name):
    """A count of nothing is an error before anything runs."""
    with pytest.raises(ValueError, match=f"{name} must be at least 1, not 0"):
        trainer([Generator()], **{name: 0})


def test_train_inside_a_loop_says_what_to_await():
    """A notebook's user learns the other name."""

    async def main():
        with pytest.raises(RuntimeError, match="train_async"):
            trainer([Generator()]).train([problem(1)])

    asyncio.run(main())


def test_a_trainer_trains_twice():
    """A second call is a new run on what the first one learned."""
    store = Store()
    made = trainer([Generator("right", "wrong")], advisor=Advisor(RULE), store=store)
    first = made.train([problem(1)])
    second = made.train([problem(1)])
    assert owner_of(first, "generator_1").library_before == 0
    assert owner_of(second, "generator_1").library_before == 1
    assert len(second.epochs) == 1


def test_problems_are_told_apart_by_their_ids():
    """An id that stands twice, or what is no problem, is an error before anything is asked."""
    made = trainer([Generator("right")])
    with pytest.raises(ProblemError, match="two problems have the id"):
        made.train([problem(1), problem(1)])
    with pytest.raises(TypeError, match="Problem values, not dict"):
        made.train([{"problem": "1+1", "answer": "2"}])


@pytest.mark.parametrize("reward", [float("nan"), 7.0, -1.0])
def test_a_verdict_that_is_none_is_a_failure_of_its_unit(reward):
    """A comparator's nonsense ends neither the run nor becomes a reward."""

    class Nonsense:
        async def compare(self, problem, answer, /):
            return Verdict(reward)

    class Nothing:
        async def compare(self, problem, answer, /):
            return None

    for comparator in (Nonsense(), Nothing()):
        made = trainer([Generator("right")], comparator=comparator)
        made.train([problem(1)])
        assert made.report.outcome == "failed"
        assert made.report.epochs[0].owners[0].rollouts == 0
        assert {failure.stage for failure in made.report.epochs[0].failures} == {
            "verdict",
            "fusion_verdict",
        }
