"""Statistics of A/B tests against hand-computed values, and what must hold for all samples."""

from __future__ import annotations

import math
import random
from itertools import product
from statistics import fmean, stdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from grpo_framework.abtest import Pair, compare_pairs
from grpo_framework.abtest.betting import BETS, BettingTest, bet, confidence_sequence
from grpo_framework.abtest.power import detectable_effect
from grpo_framework.abtest.significance import (
    MCNEMAR,
    SIGN_FLIP_DRAWN,
    SIGN_FLIP_EXACT,
    holm,
    mcnemar,
    sign_flip,
)
from grpo_framework.codec import from_document, to_document
from grpo_framework.evaluation.intervals import mean_interval

REWARDS = st.sampled_from([0.0, 1 / 3, 0.5, 1.0])
DIFFERENCES = st.lists(
    st.sampled_from([-1.0, -0.5, -1 / 3, 0.0, 0.25, 1 / 3, 1.0]), min_size=1, max_size=40
)


def pairs_of(rows, owner="generator_1"):
    """One pair a problem."""
    return [Pair(f"p{n}", owner, 0, float(a), float(b)) for n, (a, b) in enumerate(rows)]


@st.composite
def samples(draw):
    owners = ["generator_1", "generator_2", "critic"][: draw(st.integers(1, 3))]
    problems, repeats = draw(st.integers(1, 12)), draw(st.integers(1, 3))
    cells = list(product(range(problems), owners, range(repeats)))
    rewards = draw(st.lists(st.tuples(REWARDS, REWARDS), min_size=len(cells), max_size=len(cells)))
    return [Pair(f"p{p}", o, r, *two) for (p, o, r), two in zip(cells, rewards, strict=True)]


def test_the_sign_flip_test_is_exact_where_all_signs_can_be_tried():
    # 6 problems, all better: of 64 patterns only this one and its mirror are so far from 0.
    assert sign_flip([0.25] * 6).p_value == pytest.approx(2 / 64)
    # |sum| of ±1 ±2 ±3 is at least 4 in the patterns of sum ±6 and ±4.
    found = sign_flip([1.0, -2.0 + 3.0, 3.0 - 1.0])
    assert found.test == SIGN_FLIP_EXACT
    brute = [0.5, -0.25, 0.75, 0.125, 1.0]
    reached = [
        abs(sum(sign * value for sign, value in zip(signs, brute, strict=True)))
        >= abs(sum(brute)) - 1e-9
        for signs in product((1, -1), repeat=5)
    ]
    assert sign_flip(brute).p_value == pytest.approx(fmean(reached))


def test_problems_without_a_difference_decide_nothing():
    assert sign_flip([0.25] * 6 + [0.0] * 50) == sign_flip([0.25] * 6)
    assert sign_flip([0.0] * 9).p_value == 1.0
    assert sign_flip([]).p_value == sign_flip([0.5]).p_value == 1.0


def test_drawn_sign_patterns_come_near_the_exact_p_value_and_never_to_0():
    values = [0.5] * 14 + [-0.5] * 6
    exact = stats.binomtest(6, 20).pvalue
    found = sign_flip(values)
    assert found.test == SIGN_FLIP_DRAWN
    assert found.p_value == pytest.approx(exact, abs=0.02)
    assert sign_flip([1.0] * 60).p_value == pytest.approx(2 / 10_000)


def test_mcnemar_is_the_exact_binomial_test_of_the_changed_problems():
    # 2 · (C(10,0) + C(10,1)) / 2^10
    assert mcnemar(9, 1).p_value == pytest.approx(22 / 1024)
    assert mcnemar(0, 0).p_value == 1.0
    assert mcnemar(9, 1) == mcnemar(1, 9)


def test_single_pairs_of_0_and_1_get_mcnemar_and_all_else_the_sign_flip():
    rows = [(0, 1)] * 9 + [(1, 0)] + [(1, 1)] * 10
    said = compare_pairs(pairs_of(rows))
    assert said.difference.test == MCNEMAR
    assert said.difference.p_value == pytest.approx(22 / 1024)
    assert (said.problems.fixed, said.problems.broken, said.problems.same) == (9, 1, 10)
    assert said.difference.mean == pytest.approx(0.4)
    assert said.verdict == "better"
    twice = [*pairs_of(rows), *pairs_of(rows, "generator_2")]
    assert compare_pairs(twice).difference.test == SIGN_FLIP_EXACT
    graded = pairs_of([*rows, (0.5, 1)])
    assert compare_pairs(graded).difference.test == SIGN_FLIP_EXACT


def test_a_problem_counts_once_however_many_pairs_it_has():
    few = [Pair("p0", "generator_1", 0, 0.0, 1.0)]
    many = [Pair("p1", "generator_1", repeat, 1.0, 0.0) for repeat in range(99)]
    said = compare_pairs([*few, *many])
    assert said.difference.mean == 0.0
    assert said.a.problems == said.b.problems == 2
    two_owners = [
        Pair("p0", "generator_1", 0, 0.0, 1.0),
        *(Pair("p0", "generator_2", repeat, 0.0, 0.0) for repeat in range(3)),
    ]
    assert compare_pairs(two_owners).difference.mean == 0.5


def test_the_critic_has_a_row_of_its_own_and_is_not_in_the_difference():
    rows = [*pairs_of([(0, 0)] * 8), *pairs_of([(0, 1)] * 8, "critic")]
    said = compare_pairs(rows)
    assert said.difference.mean == 0.0
    assert said.verdict == "undecided"
    assert [row.owner for row in said.per_owner] == ["generator_1", "critic"]
    assert said.per_owner[1].verdict == "better"
    # 2/256, times the two rows of the family.
    assert said.per_owner[1].p_adjusted == pytest.approx(2 * 2 / 256)


def test_holm_by_hand():
    given_ = {"a": 0.01, "b": 0.04, "c": 0.03}
    assert holm(given_) == {
        "a": pytest.approx(0.03),
        "c": pytest.approx(0.06),
        "b": pytest.approx(0.06),
    }
    assert list(holm(given_)) == ["a", "b", "c"]
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


@settings(max_examples=25)
@given(samples(), st.booleans(), st.randoms())
def test_swapping_arms_negates_and_the_order_of_pairs_changes_nothing(sample, sequential, order):
    said = compare_pairs(sample, sequential=sequential)
    shuffled = order.sample(sample, len(sample))
    again = compare_pairs(shuffled, sequential=sequential)
    assert again.verdict == said.verdict
    assert again.difference.p_value == pytest.approx(said.difference.p_value)
    swapped = compare_pairs(
        [Pair(p.problem, p.owner, p.repeat, p.b, p.a) for p in sample], sequential=sequential
    )
    turned = {"better": "worse", "worse": "better", "undecided": "undecided"}
    assert swapped.verdict == turned[said.verdict]
    assert swapped.difference.p_value == pytest.approx(said.difference.p_value)
    assert (swapped.problems.fixed, swapped.problems.broken) == (
        said.problems.broken,
        said.problems.fixed,
    )
    if said.difference.mean is not None:
        assert again.difference.ci95 == pytest.approx(said.difference.ci95)
        assert swapped.difference.mean == pytest.approx(-said.difference.mean)
        low, high = said.difference.ci95
        assert swapped.difference.ci95 == pytest.approx((-high, -low), abs=1e-6)
    assert [row.verdict for row in swapped.per_owner] == [
        turned[row.verdict] for row in said.per_owner
    ]


@settings(max_examples=25)
@given(samples(), st.booleans())
def test_identical_arms_are_undecided(sample, sequential):
    same = [Pair(p.problem, p.owner, p.repeat, p.a, p.a) for p in sample]
    said = compare_pairs(same, sequential=sequential)
    assert said.verdict == "undecided"
    assert said.difference.p_value == 1.0
    assert said.difference.mean in (0.0, None)
    assert said.problems.fixed == said.problems.broken == 0
    assert all(row.verdict == "undecided" for row in said.per_owner)


@settings(max_examples=40)
@given(samples(), st.booleans())
def test_the_verdict_agrees_with_p_value_and_interval(sample, sequential):
    said = compare_pairs(sample, sequential=sequential)
    found = said.difference
    if said.verdict == "better":
        assert found.p_value < 0.05
        assert found.ci95[0] > 0
    elif said.verdict == "worse":
        assert found.p_value < 0.05
        assert found.ci95[1] < 0
    else:
        outside = found.ci95 is not None and (found.ci95[0] > 0 or found.ci95[1] < 0)
        assert not (found.p_value < 0.05 and outside)
    if found.ci95 is not None:
        assert -1 <= found.ci95[0] <= found.mean + 1e-9
        assert found.mean - 1e-9 <= found.ci95[1] <= 1


def test_without_a_pair_nothing_is_said():
    said = compare_pairs([])
    assert said.difference.mean is None
    assert said.difference.ci95 is None
    assert said.verdict == "undecided"
    assert said.minimum_detectable_effect is None
    assert said.per_owner == ()


def test_statistics_survive_json():
    said = compare_pairs(pairs_of([(0, 1)] * 7 + [(1, 0)]))
    assert from_document(to_document(said), type(said)) == said


@settings(max_examples=25)
@given(DIFFERENCES)
def test_intervals_hold_the_mean_mirror_and_ignore_the_order(values):
    low, high = mean_interval(values, lowest=-1.0, highest=1.0)
    mean = fmean(values)
    assert -1 <= low <= mean + 1e-9
    assert mean - 1e-9 <= high <= 1
    turned = mean_interval([-value for value in reversed(values)], lowest=-1.0, highest=1.0)
    assert turned == pytest.approx((-high, -low))


def test_nearly_constant_values_get_the_interval_of_clopper_and_pearson():
    # 18 of 20, from their tables.
    found = mean_interval([1.0] * 18 + [0.0] * 2, lowest=0.0, highest=1.0)
    assert found == pytest.approx((0.6830, 0.9877), abs=1e-4)
    assert mean_interval([0.3], lowest=0.0, highest=1.0) == pytest.approx((0.0075, 0.9825))


def test_intervals_cover_the_truth_in_about_95_percent_of_small_lumpy_samples():
    draw = np.random.default_rng(5)
    covered = []
    for _ in range(150):
        chance = draw.beta(0.5, 0.5, 12) * 0.8
        values = (draw.binomial(4, chance + 0.1) - draw.binomial(4, chance)) / 4
        low, high = mean_interval([float(v) for v in values], lowest=-1.0, highest=1.0)
        covered.append(low <= 0.1 <= high)
    assert fmean(covered) > 0.9


def test_the_wealth_of_a_gambler_by_hand():
    test = BettingTest()
    for difference in (1.0, 1.0, -0.5):
        test.add(difference)
    bets = [number / (BETS + 1) for number in range(1, BETS + 1)]
    wealth = fmean((1 + share) ** 2 * (1 - share / 2) for share in bets)
    assert test.p_value == pytest.approx(min(1.0, 2 / wealth))
    assert not test.decided


@settings(max_examples=40)
@given(DIFFERENCES, st.randoms())
def test_the_confidence_sequence_excludes_0_exactly_where_the_test_is_decided(values, order):
    low, high = confidence_sequence(values)
    assert (low > 0 or high < 0) == (bet(values).p_value < 0.05)
    assert low <= fmean(values) + 1e-9
    assert high >= fmean(values) - 1e-9
    shuffled = order.sample(values, len(values))
    assert bet(shuffled).p_value == pytest.approx(bet(values).p_value)


@settings(max_examples=30)
@given(DIFFERENCES)
def test_no_gambler_wins_in_expectation_against_fair_signs(values):
    """Over all signs of the next difference the wealth stays what it was: a martingale."""
    before = BettingTest()
    for value in values[:-1]:
        before.add(value)
    after = [BettingTest(), BettingTest()]
    for sign, test in zip((1, -1), after, strict=True):
        for value in (*values[:-1], sign * values[-1]):
            test.add(value)

    def wealth(test):
        return fmean(math.exp(log) for log in test._up)

    assert fmean(map(wealth, after)) == pytest.approx(wealth(before))


def test_looking_after_every_problem_errs_in_less_than_5_percent():
    draw = random.Random(3)
    decided = 0
    for _ in range(300):
        test = BettingTest()
        for _ in range(80):
            test.add(draw.choice([-1.0, -0.5, 0.0, 0.0, 0.5, 1.0]))
            if test.decided:
                decided += 1
                break
    assert decided <= 15


def test_the_detectable_effect_by_hand():
    values = [0.0, 0.5, -0.5, 0.25] * 10
    reach = stats.t.ppf(0.975, 39) + stats.t.ppf(0.8, 39)
    wanted = reach * stdev(values) / math.sqrt(40)
    assert detectable_effect(values, sign_flip, sequential=False) == pytest.approx(wanted)


def test_where_few_problems_differ_the_detectable_effect_is_what_the_test_can_find():
    """Their spread alone would say 0.03; with that, sign flips find it once in 60 samples."""
    effect = detectable_effect([0.0] * 49 + [0.5], sign_flip, sequential=False)
    draw = random.Random(4)

    def share_found(effect):
        samples = [[0.5 * (draw.random() < effect / 0.5) for _ in range(50)] for _ in range(400)]
        return sum(sign_flip(sorted(sample)).p_value < 0.05 for sample in samples) / 400

    assert share_found(0.03) < 0.2
    assert share_found(effect) == pytest.approx(0.8, abs=0.06)


def test_without_spread_the_detectable_effect_is_the_share_that_would_have_to_change():
    found = detectable_effect([0.0] * 50, sign_flip, sequential=False)
    # 6 changed problems are needed; with this share there are as many with 80 %.
    assert stats.binom.sf(5, 50, found) == pytest.approx(0.8)


def test_five_problems_cannot_show_any_effect():
    assert detectable_effect([0.1, 0.2, 0.0, 0.1, 0.3], sign_flip, sequential=False) is None
    assert compare_pairs(pairs_of([(0, 1)] * 5)).verdict == "undecided"
    assert compare_pairs(pairs_of([(0, 1)] * 6)).verdict == "better"


def test_a_sequential_sample_detects_no_less_than_its_resamples_show():
    values = [0.0, 0.5, -0.5, 0.25] * 15
    fixed = detectable_effect(values, sign_flip, sequential=False)
    sequential = detectable_effect(values, bet, sequential=True)
    assert fixed < sequential < 2.5 * fixed


def test_an_owner_all_of_whose_pairs_have_a_failed_side_stays_in_the_table():
    good = [Pair(f"p{n}", "generator_1", 0, 0.0, 1.0) for n in range(20)]
    failed = [Pair(f"p{n}", "generator_2", 0, 1.0, 0.0) for n in range(20)]
    said = compare_pairs(good, failed)
    assert [row.owner for row in said.per_owner] == ["generator_1", "generator_2"]
    lost = said.per_owner[1]
    assert (lost.pairs, lost.a, lost.b, lost.difference.mean) == (0, None, None, None)
    assert lost.verdict == "undecided"
    assert said.verdict == "undecided"


def test_what_failed_in_one_arm_is_corrected_for_all_owners_too():
    pairs, halves = [], []
    for number in range(1, 4):
        owner = f"generator_{number}"
        pairs += [Pair(f"p{n}", owner, 0, 0.0, 1.0) for n in range(12)]
        halves += [Pair(f"q{n}", owner, 0, 1.0, 0.0) for n in range(2)]
    alone = compare_pairs(pairs[:12], halves[:2])
    assert alone.verdict == "better"
    among = compare_pairs(pairs, halves)
    assert all(row.p_adjusted > alone.strict.p_value for row in among.per_owner)


def test_a_small_move_allows_for_no_less_than_none_at_all():
    still = mean_interval([0.0] * 15, lowest=-1.0, highest=1.0)
    moved = mean_interval([0.5] + [0.0] * 14, lowest=-1.0, highest=1.0)
    assert moved[1] >= still[1]
    assert moved[0] >= still[0]
