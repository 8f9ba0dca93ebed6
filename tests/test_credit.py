"""Measured credit: the evidence of one cell, sums of it, the interval, and what it may decide."""

from __future__ import annotations

import math
import random
from itertools import combinations, pairwise

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from grpo_framework.experience import (
    CRITIC,
    HARMFUL,
    LEAST_CELLS,
    ROOM,
    Add,
    Credit,
    Credited,
    Delete,
    Experience,
    Keep,
    Library,
    Limits,
    Merge,
    Modify,
    apply,
    count,
    credited,
    credits_of,
    plan,
)
from grpo_framework.experience.relevance import ENOUGH_USES, proven
from grpo_framework.injection import draw_lots, note_shown
from grpo_framework.records import Attempt, FinalAnswer, Mask, Rollout, Unit, Verdict

GOOD = Credit.sum(20 * [Credit.of_cell((1.0, 1.0), (0.0,))])
BAD = Credit.sum(20 * [Credit.of_cell((0.0, 0.0), (1.0,))])
MAYBE = Credit.sum([Credit.of_cell((1.0, 0.0), (0.0,)), Credit.of_cell((1.0, 0.0), (1.0,))] * 10)

rewards = st.lists(st.sampled_from([0.0, 0.25, 1 / 3, 1.0]) | st.floats(0, 1), max_size=4)
cells = st.builds(Credit.of_cell, rewards, rewards)


def library(*credits_, owner="generator_1", prefix="G1"):
    texts = ("Check the units.", "Draw a picture.", "Write fractions.", "Name what is asked.")
    items = tuple(
        Experience(f"{prefix}-{number:03d}", text, credit=credit)
        for number, (text, credit) in enumerate(zip(texts, credits_, strict=False), 1)
    )
    return Library(owner, 3, items, len(items) + 1)


def test_the_evidence_of_a_cell():
    """w = n1 · n0 / n, the gain w · d, and its noise if there were no effect."""
    credit = Credit.of_cell((1.0, 0.0), (0.0,))
    assert (credit.cells, credit.shown, credit.withheld) == (1, 2, 1)
    assert credit.weight == pytest.approx(2 / 3)
    assert credit.gain == pytest.approx(2 / 3 * 0.5)
    # By the lot alone one right answer of three gives 1/3, 1/3 or -2/3: variance 2/9.
    assert credit.noise == pytest.approx((1 / 9 + 2 * 2 / 9) / 3)
    assert credit.effect == pytest.approx(0.5)


def test_a_cell_with_one_side_only_says_nothing_but_is_counted():
    """There is nothing to compare."""
    assert Credit.of_cell((1.0, 0.0), ()) == Credit(shown=2)
    assert Credit.of_cell((), (1.0,)) == Credit(withheld=1)
    assert Credit().effect is None
    assert Credit().interval == (-1.0, 1.0)
    assert Credit().status == "unknown"


@given(st.lists(cells, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_the_cells_is_no_matter(parts, dice):
    """To the last bit within a batch; however it is cut into batches, up to rounding."""
    mixed = list(parts)
    dice.shuffle(mixed)
    assert Credit.sum(mixed) == Credit.sum(parts)
    cut = dice.randint(0, len(parts))
    apart = Credit.sum(mixed[:cut]) + Credit.sum(mixed[cut:])
    whole = Credit.sum(parts)
    assert (apart.cells, apart.shown, apart.withheld) == (whole.cells, whole.shown, whole.withheld)
    for name in ("weight", "gain", "noise", "noise_slope", "noise_curve"):
        assert getattr(apart, name) == pytest.approx(getattr(whole, name), abs=1e-12)


@given(st.lists(cells, max_size=30))
def test_the_interval_holds_the_estimate_and_goes_with_the_status(parts):
    """Proven is above 0, harmful below; unknown says that 0 is in it, or that there is too little."""
    credit = Credit.sum(parts)
    low, high = credit.interval
    assert -1 <= low <= high <= 1
    if credit.effect is not None:
        assert low - 1e-9 <= credit.effect <= high + 1e-9
    assert (credit.status == "proven") == (credit.measured and low > 0)
    assert (credit.status == "harmful") == (credit.measured and high < 0)


@given(st.lists(st.tuples(rewards, rewards), max_size=20))
def test_what_is_lost_without_it_is_won_with_it(sides):
    """Rewards turned round give the opposite effect."""
    credit = Credit.sum(Credit.of_cell(*pair) for pair in sides)
    turned = Credit.sum(
        Credit.of_cell([1 - x for x in used], [1 - x for x in left]) for used, left in sides
    )
    assert turned.gain == pytest.approx(-credit.gain, abs=1e-9)
    assert turned.interval == pytest.approx([-end for end in reversed(credit.interval)], abs=1e-5)


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 1), min_size=2, max_size=6))
def test_the_lot_alone_wins_nothing(group):
    """Over all lots that leave out as many: the gain is 0 on average, its variance the one used, and
    exp(bet · gain − bet² · noise / 2) never grows on average. That is why the error is bounded."""
    size = len(group)
    for left in range(1, size):
        lots = [
            Credit.of_cell([group[i] for i in range(size) if i not in out], [group[i] for i in out])
            for out in combinations(range(size), left)
        ]
        assert math.fsum(lot.gain for lot in lots) == pytest.approx(0, abs=1e-9)
        variance = math.fsum(lot.gain**2 for lot in lots) / len(lots)
        for lot in lots:
            assert lot.noise == pytest.approx((lot.gain**2 + 2 * variance) / 3, abs=1e-9)
        for bet in (-20, -3, -1, -0.1, 0.1, 1, 3, 20):
            wealth = [math.exp(bet * lot.gain - bet**2 * lot.noise / 2) for lot in lots]
            assert math.fsum(wealth) / len(lots) <= 1 + 1e-9


def simulate(effect, *, lives, looks, seed=7):
    """Status of experiences at the first look that decides; 8 problems in groups of 3 a look."""
    dice = random.Random(seed)
    ended = []
    for _ in range(lives):
        credit = Credit()
        for _ in range(looks):
            found = []
            for _ in range(8):
                base, sides = dice.betavariate(0.5, 0.5), ([], [])
                for _ in range(3):
                    left = dice.random() < 0.1
                    chance = base if left else min(1, max(0, base + effect))
                    sides[left].append(float(dice.random() < chance))
                found.append(Credit.of_cell(*sides))
            credit = Credit.sum((credit, *found))
            if credit.status != "unknown":
                break
        ended.append(credit.status)
    return {status: ended.count(status) / lives for status in ("proven", "harmful", "unknown")}


def test_without_an_effect_hardly_any_is_called_proven_or_harmful():
    """At most 5 % although there is a look after every batch (`benchmarks/credit.py` tries more)."""
    found = simulate(0.0, lives=250, looks=40)
    assert found["proven"] + found["harmful"] <= 0.05


def test_effects_are_found():
    """A loss of 0.4 within 30 batches of 8 problems, a gain as well, and never the other way."""
    assert simulate(-0.4, lives=40, looks=30)["harmful"] >= 0.9
    assert simulate(0.4, lives=40, looks=30)["proven"] >= 0.9


def test_a_few_cells_decide_nothing():
    """However one-sided they are."""
    cell = Credit.of_cell((0.0, 0.0), (1.0,))
    assert Credit.sum((LEAST_CELLS - 1) * [cell]).status == "unknown"
    assert not Credit.sum((LEAST_CELLS - 1) * [cell]).measured
    assert Credit.sum((LEAST_CELLS + 2) * [cell]).status == "harmful"


# The lot.


def test_the_same_seed_leaves_out_the_same():
    """And says what was shown and what was withheld; without lots nothing is recorded."""
    chosen = library(*4 * [Credit()])
    assert draw_lots(chosen, 0.0, 5) == (chosen, None)
    shown, mask = draw_lots(chosen, 0.5, 5)
    assert draw_lots(chosen, 0.5, 5) == (shown, mask)
    assert shown.ids == mask.shown
    assert sorted((*mask.shown, *mask.withheld)) == list(chosen.ids)
    fewer = evolve(chosen, experiences=chosen.experiences[1:])
    assert set(draw_lots(fewer, 0.5, 5)[1].withheld) == set(mask.withheld) - {"G1-001"}


@pytest.mark.parametrize("dropout", [0.1, 0.5])
def test_lots_are_independent_and_as_frequent_as_asked(dropout):
    """Each alone, two of one attempt, and one id in neighbouring attempts."""
    chosen, number = library(*4 * [Credit()]), 4000
    out = [set(draw_lots(chosen, dropout, seed)[1].withheld) for seed in range(number)]
    slack = 5 * math.sqrt(dropout / number)
    for id_ in chosen.ids:
        assert abs(sum(id_ in each for each in out) / number - dropout) < slack
        pairs = pairwise(out)
        again = sum(id_ in one and id_ in other for one, other in pairs)
        assert abs(again / number - dropout**2) < slack
    for one, other in combinations(chosen.ids, 2):
        both = sum(one in each and other in each for each in out)
        assert abs(both / number - dropout**2) < slack


def test_the_mask_is_recorded_whatever_the_maker_reports():
    """What was in the prompt is the maker's to say; what was handed over is not."""
    chosen = library(Credit(), Credit())
    shown, mask = evolve(chosen, experiences=chosen.experiences[:1]), Mask(("G1-001",), ("G1-002",))
    noted = note_shown(Attempt("t"), shown, chosen, mask)
    assert (noted.experiences, noted.mask) == (("G1-001",), mask)
    own = note_shown(Attempt("t", experiences=()), shown, chosen, mask)
    assert (own.experiences, own.mask) == ((), mask)
    whole = note_shown(Attempt("t"), chosen, chosen, Mask(chosen.ids))
    assert (whole.experiences, whole.mask) == (None, Mask(chosen.ids))


# From answers to evidence.


def answer(reward, mask, *, owner="generator_1", problem="p", index=0, kind=Rollout):
    stage = "fusion" if kind is FinalAnswer else "attempt"
    unit = Unit(1, 1, problem, owner, stage, index)
    return kind(unit, Attempt("t", mask=mask), Verdict(reward))


def test_cells_are_owner_and_problem():
    """Answers of two problems, or of two owners, are never compared."""
    both, left = Mask(("S-001",)), Mask((), ("S-001",))
    same = [answer(1.0, both), answer(0.0, left, index=1)]
    assert credits_of(same)["S-001"] == Credit.of_cell((1.0,), (0.0,))
    for other in ({"problem": "q"}, {"owner": "generator_2"}):
        apart = credits_of([answer(1.0, both), answer(0.0, left, **other)])["S-001"]
        assert apart == Credit(shown=1, withheld=1)
    assert credits_of([answer(1.0, None)]) == {}


def test_fusions_of_a_problem_are_the_critics_cell():
    """Whoever was fused; they are not compared with the attempts."""
    shown, left = Mask(("C-001",)), Mask((), ("C-001",))
    fused = [
        answer(1.0, shown, kind=FinalAnswer),
        answer(0.0, left, owner="generator_2", kind=FinalAnswer),
        answer(0.0, Mask(("G1-001",))),
    ]
    found = credits_of(fused)
    assert found["C-001"] == Credit.of_cell((1.0,), (0.0,))
    assert found["G1-001"] == Credit(shown=1)


def test_evidence_is_added_to_what_the_library_holds():
    """By id; what is not there any more is dropped; the digest stays that of the content."""
    held = library(GOOD, Credit())
    cell = Credit.of_cell((1.0,), (0.0,))
    after = count(held, {}, {"G1-001": cell, "G1-009": cell})
    assert after.experiences[0].credit == GOOD + cell
    assert after.experiences[1] is held.experiences[1]
    assert after.digest == held.digest


# What credit decides.


def test_what_is_measured_to_do_harm_is_deleted_unasked():
    """With rule, reason and text; an edit of it comes too late, an own delete is not needed."""
    held = library(GOOD, BAD, MAYBE)
    planned = plan(held, [Modify("G1-002", "Draw a large picture of it.")])
    (delete,) = planned.accepted
    assert (delete.id, delete.rule, delete.content) == ("G1-002", HARMFUL, "Draw a picture.")
    assert "-1.00 on the reward" in delete.reason
    assert "shown 40 times, withheld 20" in delete.reason
    assert [refusal.rule for refusal in planned.refused] == ["one-edit"]
    assert apply(held, planned, now="").ids == ("G1-001", "G1-003")
    assert plan(held, planned.accepted).accepted == planned.accepted


def used(item, usage, success, credit=None):
    return evolve(item, usage_count=usage, success_count=success, credit=credit or item.credit)


def test_the_least_useful_makes_room():
    """A measured loss, then the lowest lower end of the rate, 0 for the unused, then the oldest."""
    worse = Credit.sum([Credit.of_cell((0.0, 1.0), (1.0,)), Credit.of_cell((0.0, 0.0), (0.0,))] * 6)
    assert worse.status == "unknown"
    assert worse.measured
    held = library(*4 * [Credit()])
    first, second, third, fourth = held.experiences
    steps = [
        (used(first, 10, 9), used(second, 10, 9, worse), used(third, 9, 1), fourth),
        (used(first, 10, 9), used(second, 9, 1), third, fourth),
        (used(first, 10, 9), used(second, 9, 1), used(third, 30, 20), used(fourth, 3, 3, MAYBE)),
        (used(first, 0, 0, GOOD), second, used(third, 9, 9), used(fourth, 9, 9)),
    ]
    gone = []
    for items in steps:
        full = evolve(held, experiences=items)
        planned = plan(full, [Add("End with the answer.")], limits=Limits(capacity=4))
        delete, add = planned.accepted
        assert isinstance(add, Add)
        assert (delete.rule, planned.refused) == (ROOM, ())
        assert "the least useful" in delete.reason
        gone.append(delete.id)
        assert len(apply(full, planned, now="")) == 4
    assert gone == ["G1-002", "G1-003", "G1-002", "G1-002"]


def test_nothing_makes_room_for_what_is_refused_or_where_nothing_may_go():
    """What is proven stays, and so does what the batch edits or asks to keep."""
    limits, add = Limits(capacity=2), Add("End with the answer.")
    full = library(Credit(), Credit())
    duplicate = plan(full, [Add("Check the units!")], limits=limits)
    assert (duplicate.accepted, duplicate.refused[0].rule) == ((), "duplicate")
    long = plan(full, [add], limits=Limits(capacity=2, max_tokens=10))
    assert (long.accepted, long.refused[0].rule) == ((), "capacity")
    assert plan(library(GOOD, GOOD), [add], limits=limits).refused[0].rule == "capacity"
    kept = plan(full, [Keep("G1-001"), Modify("G1-002", "Draw a plan."), add], limits=limits)
    assert [refusal.rule for refusal in kept.refused] == ["capacity"]
    over = plan(library(*3 * [Credit()]), [add], limits=Limits(capacity=1))
    assert (over.accepted, over.refused[0].rule) == ((), "capacity")


def test_two_adds_take_two_places():
    """Each its own; nothing that came in this batch goes again."""
    full = library(Credit(), Credit())
    adds = [
        Add("End with the answer."),
        Add("Count what is left."),
        Add("Say the unit at the end."),
    ]
    planned = plan(full, adds, limits=Limits(capacity=2))
    assert [x.id for x in planned.accepted if isinstance(x, Delete)] == ["G1-001", "G1-002"]
    assert [refusal.operation for refusal in planned.refused] == adds[2:]


def test_another_text_starts_anew():
    """Credit is of a text: a modified, merged or new one has none, the same text keeps it."""
    held = library(GOOD, MAYBE, MAYBE)
    operations = [
        Modify("G1-001", "Check all the units of the result."),
        Merge(("G1-002", "G1-003"), "Draw a picture with fractions."),
        Add("Name what is asked for."),
    ]
    after = apply(held, plan(held, operations), now="")
    assert len(after) == 3
    assert all(item.credit == Credit() for item in after.experiences)
    same = apply(held, plan(held, [Modify("G1-001", "Check the units.", "units")]), now="")
    assert (same.experiences[0].category, same.experiences[0].credit) == ("units", GOOD)


def test_what_is_proven_goes_into_every_prompt():
    """By the lower end of its interval; without any, the success rate counts, but for the harmful."""
    better = Credit.sum(40 * [Credit.of_cell((1.0, 1.0), (0.0,))])
    held = library(GOOD, better, Credit(), BAD)
    assert proven(held, 1) == {"G1-002"}
    assert proven(held, 3) == {"G1-001", "G1-002"}
    plain = library(Credit(), BAD)
    full = evolve(
        plain, experiences=tuple(used(item, ENOUGH_USES, 9) for item in plain.experiences)
    )
    assert proven(full, 2) == {"G1-001"}


def test_what_is_told_of_an_experience():
    """Effect, interval, exposures and status; nothing where there was no comparison."""
    good, none = credited(library(GOOD, Credit(shown=3)))
    assert (good.effect, good.status, good.shown, good.withheld) == (1.0, "proven", 40, 20)
    assert good.low > 0
    assert none == Credited("G1-002", shown=3)
    assert credited(Library(CRITIC)) == ()
