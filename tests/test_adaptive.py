"""Adaptive groups: when a group grows, when a problem counts as known, when it is visited."""

from __future__ import annotations

import pytest

from grpo_framework.adaptive import (
    Standing,
    adapts,
    fewest_visits,
    grown,
    may_grow,
    visited,
)

RIGHT, WRONG = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)


def visits(*kinds, k=3, generators=3, start=1):
    """The standing after visits: ``+`` all right, ``-`` all wrong, ``m`` mixed, ``!`` failed."""
    standing = Standing()
    for epoch, kind in enumerate(kinds, start):
        rewards = {"+": (1.0,) * k, "-": (0.0,) * k, "m": (1.0, 0.0), "!": ()}[kind]
        groups = {f"generator_{n}": rewards for n in range(1, generators + 1)}
        standing = visited(standing, groups, generators, epoch)
    return standing


@pytest.mark.parametrize(("k", "sizes"), [(3, [3]), (4, [3, 4]), (5, [3, 5]), (8, [3, 5, 8])])
def test_a_group_grows_by_half_and_stops_at_k(k, sizes):
    """Two, then half as many more: a group of eight waits for verdicts three times, not six."""
    size, seen = 2, []
    while size < k:
        size = grown(size, k)
        seen.append(size)
    assert seen == sizes


GROWTH = {
    "nothing judged yet, failures replaced": ((), None, True),
    "one judged proves nothing": ((1.0,), True, True),
    "mixed is what was looked for": ((1.0, 0.0), None, False),
    "uniform and unknown": ((1.0, 1.0), None, True),
    "uniform as expected, right": ((1.0, 1.0), True, False),
    "uniform as expected, wrong": ((0.0, 0.0), False, False),
    "uniform against expectation, right": ((1.0, 1.0), False, True),
    "uniform against expectation, wrong": ((0.0, 0.0), True, True),
    "graded rewards that differ": ((0.3, 0.4), False, False),
}


@pytest.mark.parametrize(("rewards", "known", "grows"), GROWTH.values(), ids=GROWTH)
def test_a_group_grows_while_another_rollout_can_tell_something(rewards, known, grows):
    assert may_grow(rewards, known) is grows


def test_one_visit_makes_a_problem_known_in_small_groups_two_in_large_ones():
    """With k = 3 the third rollout is all there is to save; beyond 4 it takes a second visit."""
    assert visits("+").known(3) is True
    assert visits("-").known(3) is False
    assert visits("+", k=5).known(5) is None
    assert visits("+", "+", k=5).known(5) is True
    assert Standing().known(3) is None


def test_few_rollouts_make_nothing_known():
    """One generator's three rollouts are no evidence; its third visit is."""
    assert visits("+", generators=1).known(3) is None
    assert visits("+", "+", generators=1).known(3) is None
    assert visits("+", "+", "+", generators=1).known(3) is True


def test_a_change_of_mind_begins_anew():
    """Solved, then hopeless: the last visit counts alone."""
    standing = visits("+", "+", "-")
    assert (standing.right, standing.visits, standing.rollouts) == (False, 1, 9)


def test_a_mixed_visit_makes_a_problem_unknown_and_harder_to_trust():
    """After disagreement it takes one more visit in a row to be known, and to rest."""
    assert visits("+", "m").known(3) is None
    assert visits("m", "+").known(3) is None
    assert visits("m", "+", "+").known(3) is True
    assert (visits("+", "+").every, visits("m", "+", "+").every) == (2, 1)
    assert visits("m", "+", "+", "+").every == 2


def test_old_disagreement_is_forgiven():
    """However often it was mixed, a problem is trusted after enough visits in a row."""
    assert visits(*"mmmmm", *"+++").known(3) is True


def test_generators_that_disagree_are_mixed():
    """One always right, one always wrong: the problem is neither solved nor hopeless."""
    standing = visited(visits("+"), {"generator_1": RIGHT, "generator_2": WRONG}, 2, 2)
    assert (standing.right, standing.mixed, standing.due) == (None, 1, 3)


def test_failures_are_no_evidence():
    """A visit on which a generator has no two judged rollouts changes nothing but the date."""
    before = visits("+")
    for groups in (
        {},
        {"generator_1": RIGHT, "generator_2": RIGHT},
        {"generator_1": RIGHT, "generator_2": RIGHT, "generator_3": (1.0,)},
    ):
        after = visited(before, groups, 3, 2)
        assert (after.right, after.visits, after.rollouts, after.mixed) == (True, 1, 9, 0)
        assert after.due == 3
    mixed = visited(before, {"generator_1": (1.0, 0.0)}, 3, 2)
    assert mixed.mixed == 1


def course(kind, epochs):
    """The epochs in which a problem is visited that always turns out the same."""
    standing, seen = Standing(), []
    for epoch in range(1, epochs + 1):
        if epoch >= standing.due:
            seen.append(epoch)
            standing = visited(standing, dict.fromkeys("abc", kind), 3, epoch)
    return seen


def test_a_solved_problem_is_visited_every_other_epoch_then_rarer_and_never_dropped():
    """After two visits: every second, fourth, eighth epoch, and no rarer."""
    assert course(RIGHT, 40) == [1, 2, 4, 8, 16, 24, 32, 40]


def test_a_hopeless_problem_is_visited_every_fourth_epoch_in_the_end_and_no_rarer():
    """What was learned in between may have made it solvable."""
    assert course(WRONG, 20) == [1, 2, 4, 8, 12, 16, 20]


def test_a_problem_that_changes_is_visited_in_every_epoch():
    assert course((1.0, 0.0), 6) == [1, 2, 3, 4, 5, 6]


def test_the_fewest_visits_are_those_of_a_problem_that_is_always_solved():
    for epochs in (1, 2, 3, 5, 9, 20):
        assert fewest_visits(epochs) == len(course(RIGHT, epochs))


def test_groups_below_three_cannot_adapt():
    assert [adapts(asked=True, k=k) for k in (1, 2, 3)] == [False, False, True]
    assert not adapts(asked=False, k=8)
