"""The gate: what helps is taken, what harms is refused, what is unclear is tried again."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from grpo_framework import TrainingFreeGRPOTrainer
from grpo_framework.deciding import Decider
from grpo_framework.engine import Engine
from grpo_framework.errors import ConfigError
from grpo_framework.events import (
    BatchFinished,
    EditsGated,
    LibraryCommitted,
    VersionRestored,
    VersionScored,
)
from grpo_framework.experience import (
    Add,
    Delete,
    Edit,
    Experience,
    Library,
    Limits,
    Modify,
    Ruling,
    Trial,
    injected_tokens,
)
from grpo_framework.gating import weigh
from grpo_framework.gating.design import (
    LOOK,
    MORE,
    TOGETHER,
    Look,
    draw_problem,
    draw_signs,
    order_edits,
    pick_soloists,
)
from grpo_framework.gating.evidence import PATIENCE, is_hopeless
from grpo_framework.gating.fitting import Size, growth, pick_fitting, size_of
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins
from grpo_framework.records import Attempt, Problem, Question, Unit, Verdict
from grpo_framework.settling import edits_of, settle

GOOD, USELESS, HARMFUL = "Check the units.", "Use blue ink.", "Always answer zero."
IDLE = (
    "Draw a picture of the story.",
    "Underline the names.",
    "Write the longest sentence down.",
    "Count the commas.",
    "List every colour.",
    "Use a wide margin on the left.",
    "Write round letters.",
    "Number the pages.",
    "Copy the title twice.",
)
EFFECTS = {GOOD: 0.5, USELESS: 0.0, HARMFUL: -0.4}


def problems(count, start=0, split="train"):
    return tuple(
        Problem(Question(f"{split}-{n}", f"{split} question {n}"), "right", split=split)
        for n in range(start, start + count)
    )


class Student:
    """Right with a chance that the experiences in its prompt raise and lower."""

    def __init__(self, base=0.4, effects=None):
        self.base, self.effects = base, effects or EFFECTS
        self.asked = []

    async def attempt(self, question, library, /, *, seed):
        texts = [item.content for item in library.experiences]
        self.asked.append((question.id, tuple(texts)))
        chance = self.base + sum(self.effects.get(text, 0.0) for text in texts)
        dice = random.Random(f"{question.id}/{seed}/{texts}")
        return Attempt("right" if dice.random() < chance else "wrong")


class First:
    async def fuse(self, question, attempts, library, /, *, seed):
        return attempts[0]


class Same:
    async def compare(self, problem, answer, /):
        return Verdict(float(answer == problem.answer), "", answer)


class Proposing:
    """Proposes what it is told, whenever it is asked by a generator."""

    def __init__(self, *operations):
        self.operations = operations

    async def advise(self, contrasts, library, /):
        return () if library.owner == "critic" else self.operations


class Store:
    """Keeps every version."""

    def __init__(self):
        self.versions = {}

    async def load(self, owner, /, *, version=None):
        held = self.versions.get(owner, [Library(owner)])
        return next(each for each in reversed(held) if version in (None, each.version))

    async def commit(self, library, /, *, expected_version):
        self.versions.setdefault(library.owner, [Library(library.owner)]).append(library)

    def newest(self, owner="generator_1"):
        return self.versions.get(owner, [Library(owner)])[-1]

    def texts(self, owner="generator_1"):
        return [item.content for item in self.newest(owner).experiences]


class Observer(list):
    async def notify(self, event, /):
        self.append(event)

    def of(self, cls):
        return [event for event in self if isinstance(event, cls)]


def train(*operations, student=None, store=None, validation=24, count=8, **more):
    """One run; returns store, events and report."""
    store = Store() if store is None else store
    seen = Observer()
    engine = Engine((student or Student(),), First(), Same(), Proposing(*operations))
    manager = ExperienceManager(store, plugins=Plugins(()))
    settings = {"num_epochs": 1, "batch_size": 8, "verbose": False, "observers": [seen], **more}
    trainer = TrainingFreeGRPOTrainer(engine, manager, **settings)
    report = trainer.train(problems(count), problems(validation, split="validation"))
    return store, seen, report


def test_helpful_edits_are_taken_and_harmful_ones_refused():
    """Three edits of one batch are told apart by their effect on validation rollouts."""
    student = Student(base=0.5, effects={GOOD: 0.4, HARMFUL: -0.5})
    edits = (Add(GOOD), Add(USELESS), Add(HARMFUL))
    store, seen, report = train(*edits, student=student, gate_budget=120)
    assert store.texts() == [GOOD]
    (gated,) = seen.of(EditsGated)
    findings = {row.operation.content: row for row in gated.rulings}
    assert findings[GOOD].finding == "accepted"
    assert findings[GOOD].mean > 0.2
    assert "better: reward +" in findings[GOOD].reason
    assert findings[HARMFUL].finding == "rejected"
    assert findings[HARMFUL].mean < -0.1
    owner = report.epochs[0].owners[0]
    assert owner.gated.accepted == 1
    assert owner.gated.rejected == 1
    assert owner.gated.accepted + owner.gated.rejected + owner.gated.provisional == 3
    assert {row.rule for row in owner.operations_refused} >= {"gate", "on-trial"}


def test_without_a_gate_every_edit_is_kept():
    """`none` is the paper's behaviour, and too few validation problems give the same."""
    for more in ({"gate": "none"}, {"validation": 19}):
        store, seen, report = train(Add(GOOD), Add(HARMFUL), **more)
        assert store.texts() == [GOOD, HARMFUL]
        assert not seen.of(EditsGated)
        assert not seen.of(VersionScored)
        assert report.best_epoch is None


def test_a_gate_without_validation_problems_is_an_error():
    """Asked for and impossible: said before anything runs."""
    with pytest.raises(ConfigError, match="no validation problems"):
        train(Add(GOOD), validation=0, gate="paired")


def test_the_undecided_is_tried_again_with_its_evidence_and_then_given_up():
    """A useless edit whose stake has not grown in `gate_tries` batches is never bought again."""
    store, seen, _ = train(Add(USELESS), count=40, gate_budget=16, gate_tries=2, seed=1)
    rulings = [row for event in seen.of(EditsGated) for row in event.rulings]
    assert [row.finding for row in rulings] == ["provisional", "rejected"]
    assert rulings[1].pairs == 32
    assert "no gain in 2 tries" in rulings[1].reason
    assert [trial.state for trial in store.newest().trials] == ["rejected"]
    refused = [row for event in seen.of(LibraryCommitted) for row in event.plan.refused]
    assert "tried-before" in {row.rule for row in refused}
    assert store.texts() == []


def test_evidence_of_several_batches_adds_up():
    """A gain too small for one batch's pairs is found over several."""
    student = Student(effects={GOOD: 0.3})
    store, seen, _ = train(
        Add(GOOD), student=student, count=64, gate_budget=8, gate_tries=9, seed=3
    )
    rulings = [row for event in seen.of(EditsGated) for row in event.rulings]
    assert len(rulings) > 1
    assert rulings[-1].finding == "accepted"
    assert rulings[-1].pairs > 8
    assert store.texts() == [GOOD]


def test_a_rejected_edit_stays_rejected_in_a_later_run():
    """What a store remembers is not bought again by the next run on it."""
    store, _, _ = train(Add(HARMFUL), gate_budget=200)
    assert [trial.state for trial in store.newest().trials] == ["rejected"]
    _, seen, _ = train(Add(HARMFUL), store=store, gate_budget=200)
    assert not seen.of(EditsGated)


def test_deleting_what_does_nothing_is_welcome_and_what_helps_is_not():
    """An edit that shortens is taken when it is not worse."""
    held = (Experience("G1-001", USELESS), Experience("G1-002", GOOD))
    for id_, left in (("G1-001", [GOOD]), ("G1-002", [USELESS, GOOD])):
        store = Store()
        store.versions["generator_1"] = [Library("generator_1", 1, held, 3)]
        # With the good one in every prompt most groups are right; some must differ to teach.
        student = Student(base=0.25, effects={GOOD: 0.5})
        more = {"count": 16, "batch_size": 16, "gate_budget": 400, "gate_tries": 1, "seed": 1}
        store, _, _ = train(Delete(id_), student=student, store=store, **more)
        assert store.texts() == left


def test_validation_problems_are_never_learned_from():
    """Their answers are guarded like those of training problems, and no group is made of them."""
    student = Student()
    _, seen, _ = train(Add(GOOD), student=student)
    contrasts = [type(event).__name__ for event in seen if "Contrast" in type(event).__name__]
    assert contrasts
    asked = {id_ for id_, _ in student.asked}
    assert any(id_.startswith("validation") for id_ in asked)
    groups = {event.problem for event in seen if type(event).__name__ == "GroupFinished"}
    assert all(id_.startswith("train") for id_ in groups)


def test_the_best_version_on_validation_is_the_result():
    """What a later epoch spoiled is undone, under a new version number."""
    poison = "Never look at the question."

    class Late(Student):
        """The gate measures the text as harmless; once it is kept it ruins everything."""

        async def attempt(self, question, library, /, *, seed):
            texts = [item.content for item in library.experiences]
            self.asked.append((question.id, tuple(texts)))
            if poison in texts and store.texts() and poison in store.texts():
                return Attempt("wrong")
            chance = 0.4 + 0.5 * (poison in texts)
            dice = random.Random(f"{question.id}/{seed}/{texts}")
            return Attempt("right" if dice.random() < chance else "wrong")

    store = Store()
    _, seen, report = train(Add(poison), student=Late(), store=store, gate_budget=100)
    assert [event.epoch for event in seen.of(VersionScored)] == [0, 1]
    assert report.best_epoch == 0
    (restored,) = seen.of(VersionRestored)
    assert restored.epoch == 0
    assert store.texts() == []
    assert store.newest().version == 2
    assert store.newest().next_number == 2
    assert report.epochs[-1].owners[0].library_after == 0


def test_the_start_is_scored_once_a_text_has_changed():
    """Nothing is spent on it before; without a change it is scored with the first epoch."""
    student = Student(base=0.5, effects={GOOD: 0.4})
    for edits, batch in (((Add(GOOD),), 1), ((), 3)):
        _, seen, _ = train(*edits, student=student, count=24, gate_budget=120)
        start, after = (seen.index(event) for event in seen.of(VersionScored))
        kinds = [type(event) for event in seen[:start]]
        assert (kinds.count(BatchFinished), kinds.count(LibraryCommitted) > 0) == (batch - 1, True)
        assert seen[start].versions == tuple((owner, 0) for owner, _ in seen[start].versions)
        assert seen[start].epoch < seen[after].epoch == 1


def test_patience_ends_a_run_that_brings_nothing():
    """Epochs without a better version on validation; without a gate, without an edit."""
    _, _, report = train(num_epochs=6, patience=2)
    assert len(report.epochs) == 2
    _, _, report = train(num_epochs=6, patience=2, gate="none")
    assert len(report.epochs) == 2
    _, _, report = train(Add(GOOD), num_epochs=6, patience=2, gate="none")
    assert len(report.epochs) == 3


def test_equal_wording_is_not_scored_twice():
    """An epoch without edits costs no validation rollouts."""
    student = Student()
    _, seen, _ = train(student=student, num_epochs=3)
    assert [event.units > 0 for event in seen.of(VersionScored)] == [True, *[False] * 3]


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), max_size=60))
def test_evidence_does_not_depend_on_order_and_mirrors(differences):
    """Reversing the order changes nothing; reversing the signs swaps better and worse."""
    weight, mirrored = weigh(differences), weigh([-value for value in differences])
    assert weigh(differences[::-1]) == weight
    assert (weight.better, weight.worse) == (mirrored.worse, mirrored.better)
    assert not (weight.better and weight.worse)
    assert not (weight.worse and weight.harmless)
    assert not weight.better or weight.harmless


def test_useless_edits_are_rarely_taken():
    """Looking after every wave, at most 5 % of edits without effect ever pass."""
    taken = 0
    for seed in range(400):
        dice = random.Random(seed)
        found = [dice.choice((-1.0, 0.0, 0.0, 1.0)) for _ in range(160)]
        taken += any(weigh(found[:stop]).better for stop in range(8, 161, 8))
    assert taken <= 0.05 * 400


def test_thrift_is_no_verdict():
    """An edit is laid aside only after enough pairs, and only without any gain."""
    assert not is_hopeless([0.0] * (PATIENCE - 1), shortens=False)
    assert is_hopeless([0.0] * PATIENCE, shortens=False)
    assert not is_hopeless([0.0] * PATIENCE, shortens=True)
    assert is_hopeless([-0.5, 0.0, 0.0, 0.0] * (PATIENCE // 4), shortens=True)
    assert not is_hopeless([-0.5] * PATIENCE, shortens=False), "worth showing that it harms"
    assert not is_hopeless([0.0] * PATIENCE + [1.0], shortens=False)


@given(st.integers(1, 12), st.integers(0, 99))
def test_each_pair_draws_the_least_tried_edits_with_coins(edits, number):
    """All open edits take turns, few together, and the coin follows from the seed."""
    seen = dict.fromkeys(range(edits), 0)
    for turn in range(12):
        signs = draw_signs(range(edits), seen, f"{number}/{turn}")
        assert signs == draw_signs(range(edits), seen, f"{number}/{turn}")
        assert len(signs) == min(TOGETHER, edits)
        assert set(signs.values()) <= {1, -1}
        for edit in signs:
            seen[edit] += 1
    assert max(seen.values()) - min(seen.values()) <= 1


def test_the_leader_is_looked_at_alone_and_goes_on_so_where_it_gains_more():
    """After a look beside the others; where it gains as much beside them, all go on together."""
    beside, better = [0.0] * LOOK, [MORE] * LOOK

    def alone(look, *, rested, gain=1.0):
        looks = {1: look, 2: Look(beside), 3: Look(beside), 4: Look(beside)}
        return pick_soloists(looks, {1: gain, 2: 0.0}, (2, 3, 4), rested=rested)

    assert alone(Look(beside[1:]), rested=True) == ()
    assert alone(Look(beside), rested=True) == (1,)
    assert alone(Look(beside), rested=False) == ()
    # A look that has begun is had to its end.
    assert alone(Look(beside, better[1:]), rested=False) == (1,)
    assert alone(Look(beside, better), rested=False) == (1,)
    assert alone(Look(better, better), rested=True) == ()
    # Where none leads, there is a glance at some of those that show nothing beside the others.
    assert alone(Look(beside), rested=False, gain=0.0) == (2, 3)
    assert Look(beside).tells_nothing
    assert not Look(beside[1:]).tells_nothing
    assert not Look(better).tells_nothing
    assert not Look(beside, better).tells_nothing


def test_every_problem_takes_its_turn():
    """A round asks each validation problem once, in an order of its own."""
    held = problems(7)
    rounds = [[draw_problem(held, 7 * turn + n, "s").id for n in range(7)] for turn in range(3)]
    assert all(sorted(each) == sorted(problem.id for problem in held) for each in rounds)
    assert len({tuple(each) for each in rounds}) > 1


def test_promising_edits_go_first_then_new_ones():
    """What showed a gain is tried before what is new, what showed none after it."""
    edits = [
        Edit("generator_1", Add("new")),
        Edit("generator_1", Add("poor"), tries=1, differences=(-1.0, 0.0)),
        Edit("generator_1", Add("promising"), tries=1, differences=(1.0, 0.0)),
        Edit("generator_1", Add("sure"), tries=1, differences=(1.0, 0.0, 0.0, 0.0) * 8),
        Edit("generator_1", Add("chance"), tries=1, differences=(1.0, -1.0, 0.0)),
    ]
    assert order_edits(edits) == [3, 2, 0, 4, 1]


def test_trials_are_no_part_of_a_librarys_digest_and_wording():
    """A store that loses them is still recognised as holding the version; prompts are the same."""
    plain = Library("generator_1", 1, (Experience("G1-001", GOOD),), 2)
    trial = Trial(Add(USELESS), "provisional", "undecided", differences=(0.0,))
    tried = Library("generator_1", 1, plain.experiences, 2, (trial,))
    assert plain.digest == tried.digest
    assert plain.wording == tried.wording


def settled(snapshot, proposals, findings, limits=None):
    """Decide, rule by text or id, and settle: the commits by owner."""
    decider = Decider(limits=limits or Limits(), gated=True)
    commits = decider.decide(snapshot, proposals, {}, now="")
    rulings = []
    for edits in edits_of(decider, snapshot, commits).values():
        for edit in edits:
            key = getattr(edit.operation, "content", None) or edit.operation.id
            finding, pairs = findings[key]
            rulings.append(
                Ruling(edit.owner, edit.operation, finding, "measured", pairs, 0.0, 1, ())
            )
    done = settle(decider, snapshot, commits, rulings, {}, now="")
    return {commit.plan.owner: commit for commit in done}


def snapshot_of(own, shared=()):
    return {
        "generator_1": own,
        "critic": Library("critic"),
        "shared": Library("shared", 1, tuple(shared), len(shared) + 1),
    }


def test_evidence_is_about_one_edit_and_no_other():
    """The same words for another entry start with nothing."""
    held = (Experience("G1-001", "Read it once."), Experience("G1-002", "Read it aloud."))
    first = Modify("G1-001", GOOD)
    own = Library(
        "generator_1", 1, held, 3, (Trial(first, "provisional", "undecided", 1, (1.0, 1.0)),)
    )
    snapshot = snapshot_of(own)
    decider = Decider(gated=True)
    other = Modify("G1-002", GOOD)
    commits = decider.decide(snapshot, {"generator_1": (Delete("G1-001"), other)}, {}, now="")
    edits = {edit.operation: edit for edit in edits_of(decider, snapshot, commits)["generator_1"]}
    assert edits[other].differences == ()


def test_an_undecided_edit_that_gives_way_keeps_its_evidence():
    """A delete of the same entry goes first; when it is rejected, the edit waits as it did."""
    trial = Trial(Modify("G1-001", GOOD), "provisional", "undecided", 1, (1.0, 0.0))
    own = Library("generator_1", 1, (Experience("G1-001", USELESS),), 2, (trial,))
    done = settled(
        snapshot_of(own), {"generator_1": (Delete("G1-001"),)}, {"G1-001": ("rejected", 20)}
    )
    trials = done["generator_1"].after.trials
    assert trial in trials
    assert {each.state for each in trials} == {"provisional", "rejected"}


def test_a_rejected_delete_is_forgotten_with_the_text_it_was_about():
    """What was measured of the old words says nothing of the new ones."""
    trial = Trial(Delete("G1-001"), "rejected", "worse")
    own = Library("generator_1", 1, (Experience("G1-001", USELESS),), 2, (trial,))
    done = settled(
        snapshot_of(own), {"generator_1": (Modify("G1-001", GOOD),)}, {GOOD: ("accepted", 20)}
    )
    assert done["generator_1"].after.trials == ()


def test_what_was_never_measured_is_not_remembered_as_rejected():
    """An edit that found no place may be proposed again."""
    done = settled(
        snapshot_of(Library("generator_1")), {"generator_1": (Add(GOOD),)}, {GOOD: ("rejected", 0)}
    )
    assert done["generator_1"].after.trials == ()
    assert [row.rule for row in done["generator_1"].plan.refused] == ["gate"]


def test_room_is_made_only_for_what_comes():
    """With one edit held back there is a place: nothing is thrown out for the other."""
    held = (Experience("G1-001", "Read it once."),)
    own = Library("generator_1", 1, held, 2)
    edits = (Add(USELESS), Add(GOOD))
    findings = {USELESS: ("provisional", 8), GOOD: ("accepted", 20)}
    done = settled(snapshot_of(own), {"generator_1": edits}, findings, Limits(capacity=2))
    assert [item.content for item in done["generator_1"].after.experiences] == [
        "Read it once.",
        GOOD,
    ]


def test_a_rejected_promotion_is_reported_as_what_it_is():
    """Two generators proposed it, the gate rejected it: nothing went to the shared library."""
    snapshot = {**snapshot_of(Library("generator_1")), "generator_2": Library("generator_2")}
    proposals = {"generator_1": (Add(HARMFUL),), "generator_2": (Add(HARMFUL),)}
    done = settled(snapshot, proposals, {HARMFUL: ("rejected", 30)})
    for owner in ("generator_1", "generator_2", "shared"):
        assert [row.rule for row in done[owner].plan.refused] == ["gate"]


def test_seeds_of_a_gate_are_new_in_every_batch_and_case():
    """Evidence of several batches must be new evidence; a validation is the same every time."""
    gate = Unit(1, 1, "p", "generator_1", "attempt", 3, "gate", "shared")
    others = (evolve(gate, batch=2), evolve(gate, case="generator_1"), evolve(gate, epoch=2))
    assert len({unit.seed(0) for unit in (gate, *others)}) == 4
    assert len({unit.address for unit in (gate, *others)}) == 4
    scored = Unit(1, 4, "p", "generator_1", "attempt", 0, "validation")
    assert scored.seed(0) == evolve(scored, epoch=3, batch=9).seed(0)


def test_a_gain_too_small_to_be_worth_it_is_given_up_and_one_that_is_rarely():
    """Useless edits are found out in time; one that gains 0.05 in at most one of ten, ever."""
    assert not weigh([0.0] * 16).small
    assert weigh([0.0] * 100).small
    given_up = useless = 0
    for seed in range(200):
        dice = random.Random(seed)
        luck = [dice.choice((-1.0, 0.0, 0.0, 0.0, 0.0, 1.0)) for _ in range(480)]
        helps = [min(1.0, one + 1.0) if dice.random() < 0.06 else one for one in luck]
        given_up += any(weigh(helps[:stop]).small for stop in range(8, 481, 8))
        useless += any(weigh(luck[:stop]).small for stop in range(8, 481, 8))
    assert given_up <= 0.1 * 200
    assert useless >= 0.4 * 200


class Muddled(Student):
    """Does what one instruction says; gets nothing right with several, or with none in a test."""

    async def attempt(self, question, library, /, *, seed):
        if len(library.experiences) == 1 or question.id.startswith("train"):
            return await super().attempt(question, library, seed=seed)
        return Attempt("wrong")


def test_what_contradicts_each_other_is_looked_at_alone():
    """Beside others each edit does nothing at all; alone one of them helps, and is found."""
    adds = [Add(text) for text in (*IDLE[:4], GOOD)]
    found = 0
    for seed in range(10):
        student = Muddled(base=0.4, effects={GOOD: 0.4} | dict.fromkeys(IDLE, -0.4))
        store, seen, _ = train(*adds, student=student, seed=seed)
        assert store.texts() in ([], [GOOD])
        found += store.texts() == [GOOD]
        rulings = {row.operation.content: row for row in seen.of(EditsGated)[0].rulings}
        assert sum(row.pairs for row in rulings.values()) <= 5 * 48
    assert found == 10


def test_more_edits_than_fit_take_their_turn_as_places_come_free():
    """Useless edits do not keep a good one behind them from being found in the same batch."""
    student = Student(base=0.1, effects={GOOD: 0.8})
    adds = [Add(text) for text in (*IDLE, GOOD)]
    store, seen, _ = train(*adds, student=student, gate_budget=120)
    assert store.texts() == [GOOD]
    rulings = {row.operation.content: row for row in seen.of(EditsGated)[0].rulings}
    assert len(rulings) == len(adds) > TOGETHER
    assert all(row.tries == 1 for row in rulings.values())
    assert rulings[GOOD].pairs < 120


def test_what_is_laid_aside_rides_along_in_pairs_made_for_others():
    """The pairs that a slow decision takes tell of it too, though it would have bought none."""
    slow, useless = IDLE[:2]
    rode = 0
    for seed in range(8):
        more = {"gate_budget": 80, "seed": seed}
        alone = train(Add(useless), student=Student(effects={}), **more)[1]
        student = Student(effects={slow: 0.2})
        both = train(Add(useless), Add(slow), student=student, **more)[1]
        rows = {row.operation.content: row for row in both.of(EditsGated)[0].rulings}
        if rows[useless].finding == "provisional":
            rode += rows[useless].pairs > alone.of(EditsGated)[0].rulings[0].pairs
    assert rode > 0


def test_what_came_in_too_late_to_be_measured_was_not_tried():
    """The budget of the batch was spent before its turn: it is no try, and it waits."""
    adds = [Add(text) for text in IDLE]
    _, seen, _ = train(*adds, student=Student(effects={}), gate_budget=8)
    rulings = seen.of(EditsGated)[0].rulings
    assert [row.tries for row in rulings] == [1] * TOGETHER + [0]
    assert (rulings[-1].finding, rulings[-1].pairs) == ("provisional", 0)


def test_edits_laid_aside_only_fill_the_places_that_others_leave():
    """They come after all that are still bought pairs for, however little they were tried."""
    seen = dict.fromkeys(range(TOGETHER), 40)
    aside = {TOGETHER, TOGETHER + 1}
    signs = draw_signs(range(TOGETHER + 2), seen, "s", aside=aside)
    assert set(signs) == set(range(TOGETHER))
    assert set(draw_signs([0, TOGETHER], seen, "s", aside=aside)) == {0, TOGETHER}


# Room for what is measured.

OTHERS = ("Draw a picture of it.", "Estimate the size of it first.", "Name the unit at the end.")


def full_library(*texts):
    rows = tuple(Experience(f"G1-00{n}", text) for n, text in enumerate(texts, 1))
    return Library("generator_1", 1, rows, len(rows) + 1)


def test_additions_that_are_still_to_be_measured_take_no_place_from_each_other():
    """Two wait already: for a library with one free place a third one needs no removal."""
    waiting = tuple(Trial(Add(text), "provisional", "undecided") for text in OTHERS[:2])
    own = evolve(full_library("Read it once."), trials=waiting)
    decider = Decider(limits=Limits(capacity=2), gated=True)
    commits = decider.decide(snapshot_of(own), {"generator_1": (Add(OTHERS[2]),)}, {}, now="")
    edits = edits_of(decider, snapshot_of(own), commits)["generator_1"]
    assert [(edit.operation.content, edit.deletes) for edit in edits] == [
        (text, ()) for text in OTHERS
    ]


def test_tokens_of_additions_on_trial_are_not_those_of_the_library():
    most = injected_tokens(["Read it once.", OTHERS[0]])
    decider = Decider(limits=Limits(max_tokens=most), gated=True)
    snapshot = snapshot_of(full_library("Read it once."))
    adds = (Add(OTHERS[0]), Add(OTHERS[2]))
    commits = decider.decide(snapshot, {"generator_1": adds}, {}, now="")
    assert {len(edits) for edits in edits_of(decider, snapshot, commits).values() if edits} == {2}


def test_each_addition_to_a_full_library_is_measured_with_a_removal_of_its_own():
    own = full_library("Read it once.", "Read it twice, and slowly.")
    decider = Decider(limits=Limits(capacity=2), gated=True)
    adds = tuple(map(Add, OTHERS))
    commits = decider.decide(snapshot_of(own), {"generator_1": adds}, {}, now="")
    edits = edits_of(decider, snapshot_of(own), commits)["generator_1"]
    assert [edit.deletes[0][1].id for edit in edits] == ["G1-001", "G1-002"]
    plan = next(commit.plan for commit in commits if commit.plan.owner == "generator_1")
    assert [(row.operation, row.rule) for row in plan.refused] == [(adds[2], "capacity")]


def test_what_makes_room_is_what_was_measured_with_the_addition():
    """The first addition is kept back, so the entry that was to go for it stays."""
    own = full_library("Read it once.", "Read it twice, and slowly.")
    findings = {OTHERS[0]: ("rejected", 20), OTHERS[1]: ("accepted", 20)}
    adds = (Add(OTHERS[0]), Add(OTHERS[1]))
    done = settled(snapshot_of(own), {"generator_1": adds}, findings, Limits(capacity=2))
    assert [item.content for item in done["generator_1"].after.experiences] == [
        "Read it once.",
        OTHERS[1],
    ]


def test_what_helped_and_finds_no_room_throws_nothing_out_and_is_measured_with_its_room_next():
    """Each was measured to fit alone; the entry that would go for the second was not measured."""
    own = full_library("Read it once.")
    findings = dict.fromkeys(OTHERS[:2], ("accepted", 20))
    adds = (Add(OTHERS[0]), Add(OTHERS[1]))
    limits = Limits(capacity=2)
    commit = settled(snapshot_of(own), {"generator_1": adds}, findings, limits)["generator_1"]
    assert [item.content for item in commit.after.experiences] == ["Read it once.", OTHERS[0]]
    assert [row.rule for row in commit.plan.refused] == ["capacity"]
    (trial,) = commit.after.trials
    assert (trial.operation, trial.state, trial.tries) == (adds[1], "provisional", 0)
    assert trial.differences == ()
    decider, snapshot = Decider(limits=limits, gated=True), snapshot_of(commit.after)
    again = edits_of(decider, snapshot, decider.decide(snapshot, {}, {}, now=""))
    (edit,) = again["generator_1"]
    assert [delete.id for _, delete in edit.deletes] == ["G1-001"]


def test_the_prompts_of_a_pair_keep_to_the_limits():
    """Who comes first has the room; what shortens needs none."""
    growths = {n: Size(1, 10) for n in range(4)} | {4: Size(-1, -10), 5: Size(0, 8)}
    base, limits = Size(8, 90), Limits(capacity=10, max_tokens=1000)
    assert pick_fitting([3, 1, 0, 4, 5], growths, base, limits) == [3, 1, 4, 5]
    tight = Limits(capacity=50, max_tokens=95)
    assert pick_fitting([0, 5, 3], growths, base, tight) == []
    assert pick_fitting([0, 4, 5, 3], growths, base, Limits(capacity=50, max_tokens=100)) == [0, 4]
    # A library that is too large already may be measured as it is.
    assert pick_fitting([0, 4], growths, Size(12, 90), limits) == [4]


def test_which_edits_a_pair_has_room_for_is_settled_before_the_coins():
    """Or one edit would stand opposite to another each time, and be credited with its harm."""
    growths = {n: Size(1, 10) for n in range(3)}
    limits = Limits(capacity=10, max_tokens=1000)

    def together(base):
        seen, pairs = Counter(), []
        for number in range(400):
            signs = draw_signs(
                range(3),
                seen,
                f"{number}",
                fit=lambda edits: pick_fitting(edits, growths, base, limits),
            )
            seen.update(signs.keys())
            pairs.append(signs)
        assert max(seen.values()) - min(seen.values()) <= 1
        return [signs for signs in pairs if {0, 1} <= signs.keys()]

    assert together(Size(9, 90)) == []
    alike = [signs[0] == signs[1] for signs in together(Size(8, 80))]
    assert len(alike) > 100
    assert 0.4 < sum(alike) / len(alike) < 0.6


def test_how_much_an_edit_adds_is_found_from_what_differs():
    before = full_library("Read it once.", OTHERS[0])
    after = full_library("Read it twice, and slowly.", OTHERS[0], OTHERS[1])
    assert size_of(before) + growth(before, after) == size_of(after)
