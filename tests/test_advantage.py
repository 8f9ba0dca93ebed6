"""Group-relative advantages, and which groups teach what."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpo_framework.advantage import (
    advantages,
    critic_contrast,
    generator_contrast,
    samples,
    tally,
)
from grpo_framework.records import (
    Attempt,
    FinalAnswer,
    GroupResult,
    Question,
    Rollout,
    Unit,
    Verdict,
)

QUESTION = Question("p-1", "What is 2 + 2?")


def rollout(reward, index=0, owner="generator_1", experiences=()):
    unit = Unit(1, 1, "p-1", owner, "attempt", index)
    attempt = Attempt(f"attempt {index}")
    return Rollout(unit, attempt, Verdict(reward, f"reward {reward}", "4"), experiences=experiences)


def final(reward, owner="generator_1", experiences=()):
    unit = Unit(1, 1, "p-1", owner, "fusion")
    return FinalAnswer(unit, Attempt(f"fused {owner}"), Verdict(reward), experiences=experiences)


def group(rewards, fused, owner="generator_1"):
    rollouts = tuple(rollout(reward, index, owner) for index, reward in enumerate(rewards))
    return GroupResult(QUESTION, owner, rollouts, None if fused is None else final(fused, owner))


@pytest.mark.parametrize(
    ("rewards", "expected"),
    [
        ([], []),
        ([1.0], [0.0]),
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
        ([1.0, 0.0], [1.0, -1.0]),
        ([1.0, 0.0, 0.0, 0.0], [3**0.5, -(3**-0.5), -(3**-0.5), -(3**-0.5)]),
        ([0.1, 0.1, 0.1], [0.0, 0.0, 0.0]),
        ([1.0, 1.0 - 2**-53], [0.0, 0.0]),
        ([0.0, 5e-324], [0.0, 0.0]),
    ],
)
def test_advantage_is_the_distance_from_the_mean_in_deviations(rewards, expected):
    """(r − mean) / std with the population's deviation; equal rewards have none."""
    assert advantages(rewards) == pytest.approx(expected)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_advantages_are_centred_and_keep_the_order(rewards):
    """They sum to nothing, and a better reward never has a smaller advantage."""
    found = advantages(rewards)
    assert len(found) == len(rewards)
    assert sum(found) == pytest.approx(0, abs=1e-5)
    pairs = sorted(zip(rewards, found, strict=True))
    assert all(one[1] <= two[1] for one, two in pairwise(pairs))


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=2, max_size=9))
def test_advantages_have_unit_variance_where_rewards_differ(rewards):
    """The scale of the rewards is gone."""
    found = advantages(rewards)
    if len(set(rewards)) > 1:
        assert sum(each * each for each in found) / len(found) == pytest.approx(1)


def test_samples_stand_best_first_and_keep_ties_in_order():
    """The advisor reads the good attempts first."""
    rows = samples([rollout(0.0, 0), rollout(1.0, 1), rollout(0.0, 2), rollout(1.0, 3)])
    assert [row.attempt.text for row in rows] == [f"attempt {index}" for index in (1, 3, 0, 2)]
    assert [row.reward for row in rows] == [1.0, 1.0, 0.0, 0.0]
    assert rows[0].advantage == pytest.approx(1.0)
    assert (rows[0].reason, rows[0].extracted) == ("reward 1.0", "4")


@pytest.mark.parametrize("rewards", [[], [1.0], [1.0, 1.0, 1.0], [0.0, 0.0], [0.1 + 0.2, 0.3]])
def test_a_group_without_difference_teaches_nothing(rewards):
    """All right, all wrong, alone or empty: there is no contrast."""
    assert generator_contrast(group(rewards, None), seed=1) is None


def test_a_mixed_group_is_a_contrast():
    """Owner, question, samples and seed go to the advisor."""
    contrast = generator_contrast(group([0.0, 1.0, 0.0], 1.0, "generator_2"), seed=7)
    assert contrast is not None
    assert (contrast.owner, contrast.question, contrast.seed) == ("generator_2", QUESTION, 7)
    assert [len(contrast.good), len(contrast.bad)] == [1, 2]


CRITIC_GROUPS = {
    "fusions differ": ([([1, 1], 1), ([0, 0], 0)], 0, True),
    "all fused right from right attempts": ([([1, 1], 1), ([1, 1], 1)], 0, False),
    "all fused wrong from wrong attempts": ([([0, 0], 0), ([0, 0], 0)], 0, False),
    "a right attempt fused away": ([([1, 0, 0], 0), ([0, 0, 0], 0)], 1, True),
    "right attempts fused away everywhere": ([([1, 0], 0), ([1, 1], 0)], 2, True),
    "a wrong majority overruled": ([([1, 0, 0], 1), ([1, 1, 1], 1)], 1, True),
    "a tie decided rightly is no overruling": ([([1, 0], 1), ([1, 1], 1)], 0, False),
    "right out of nothing right": ([([0, 0], 1), ([0, 0], 1)], 0, False),
    "no fusion at all": ([([1, 0], None), ([1, 1], None)], 0, False),
    "one fusion failed": ([([1, 0, 0], 0), ([1, 1], None)], 1, True),
    "no judged attempts": ([([], 1), ([], 1)], 0, False),
}


@pytest.mark.parametrize(("groups", "notes", "found"), CRITIC_GROUPS.values(), ids=CRITIC_GROUPS)
def test_what_the_critic_learns_from(groups, notes, found):
    """Fusions that differ, right attempts fused away, wrong majorities overruled rightly."""
    made = [
        group([float(reward) for reward in rewards], fused, f"generator_{number}")
        for number, (rewards, fused) in enumerate(groups, 1)
    ]
    contrast = critic_contrast(QUESTION, made, seed=3)
    assert (contrast is not None) is found
    if contrast is not None:
        assert len(contrast.notes) == notes
        assert (contrast.owner, contrast.seed) == ("critic", 3)


def test_a_fusion_is_shown_with_the_attempts_it_was_made_of():
    """Best fusion first, each with its own generator's rollouts and their advantages."""
    groups = [group([0.0, 0.0], 0.0, "generator_1"), group([0.0, 1.0, 0.0], 1.0, "generator_2")]
    contrast = critic_contrast(QUESTION, groups, seed=3)
    assert contrast is not None
    best, worst = contrast.samples
    assert [row.attempt.text for row in (best, worst)] == ["fused generator_2", "fused generator_1"]
    assert [row.reward for row in best.inputs] == [1.0, 0.0, 0.0]
    assert [row.reward for row in worst.inputs] == [0.0, 0.0]
    assert contrast.notes == (
        "generator_2: a wrong majority was overruled rightly (only 1 of 3 attempts was right)",
    )


def test_the_note_of_a_lost_answer_says_how_many_were_right():
    """The advisor reads what the framework saw."""
    contrast = critic_contrast(QUESTION, [group([1.0, 1.0, 0.0], 0.0)], seed=3)
    assert contrast is not None
    (note,) = contrast.notes
    assert note.startswith(
        "generator_1: a right attempt was fused away (2 of 3 attempts were right"
    )


def test_use_and_success_are_counted_by_experience():
    """Each judged answer whose prompt held it counts once, also if an id is named twice."""
    used, succeeded = tally(
        [
            rollout(1.0, experiences=("G1-001", "S-001", "G1-001")),
            rollout(0.0, experiences=("G1-001",)),
            rollout(1.0),
            final(1.0, experiences=("C-001",)),
        ]
    )
    assert used == {"G1-001": 2, "S-001": 1, "C-001": 1}
    assert succeeded == {"G1-001": 1, "S-001": 1, "C-001": 1}
