"""Frozen values of a rollout."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpo_framework import records
from grpo_framework.records import (
    Attempt,
    Contrast,
    Problem,
    Question,
    Sample,
    Unit,
    Usage,
    Verdict,
)

usages = st.builds(
    Usage,
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.integers(0, 10**6),
    st.integers(0, 10**6).map(float),
)


def test_all_records_are_frozen():
    """No record can be changed after it was made."""
    classes = [getattr(records, name) for name in records.__all__]
    values = [cls for cls in classes if attrs.has(cls)]
    assert len(values) >= 15
    for cls in values:
        assert cls.__setattr__ is attrs.setters.frozen or "frozen" in cls.__setattr__.__name__


def test_assignment_to_a_record_raises():
    """An attempt to change one is an error where it is made."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Question("1", "text").text = "other"


@given(usages, usages, usages)
def test_usage_adds_up(a, b, c):
    """Usage is a commutative monoid: the order of calls does not change the sum."""
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + Usage() == a


def test_the_response_is_the_extracted_answer_if_there_is_one():
    """Without an extracted answer the comparator reads the whole text; an empty one counts."""
    assert Attempt("so it is 4", answer="4").response == "4"
    assert Attempt("so it is 4").response == "so it is 4"
    assert Attempt("so it is 4", answer="").response == ""


@pytest.mark.parametrize(
    ("reward", "success"), [(0.0, False), (0.49, False), (0.5, True), (1, True)]
)
def test_success_starts_at_half_a_reward(reward, success):
    """One threshold decides success everywhere."""
    assert Verdict(reward).success is success


def test_the_details_of_a_verdict_cannot_be_changed():
    """Neither through the verdict nor through the mapping it was made from."""
    given_details = {"rule": "equal"}
    verdict = Verdict(1.0, details=given_details)
    given_details["rule"] = "other"
    assert verdict.details["rule"] == "equal"
    with pytest.raises(TypeError):
        verdict.details["rule"] = "other"


def test_a_problem_has_its_questions_id():
    """There is one id."""
    assert Problem(Question("p-7", "text"), "4").id == "p-7"


ADDRESS = Unit(1, 2, "p", "generator_1", "attempt", 0)


def test_a_seed_follows_from_the_address_alone():
    """The same address has the same seed in every process; these numbers must never change."""
    assert ADDRESS.seed(0) == 660611392
    assert ADDRESS.seed(1) != ADDRESS.seed(0)


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": 2},
        {"problem": "q"},
        {"owner": "generator_2"},
        {"stage": "fusion"},
        {"index": 1},
    ],
)
def test_each_part_of_an_address_changes_the_seed(change):
    """Rollouts of a group, owners, stages and epochs are sampled apart."""
    assert attrs.evolve(ADDRESS, **change).seed(0) != ADDRESS.seed(0)


def test_the_batch_does_not_change_the_seed():
    """Another batch size makes the same rollouts."""
    assert attrs.evolve(ADDRESS, batch=9).seed(0) == ADDRESS.seed(0)


@given(st.text(), st.integers())
def test_a_seed_has_31_bits(problem, run_seed):
    """Model servers take signed 32-bit seeds; any text is an id, surrogates too."""
    assert 0 <= attrs.evolve(ADDRESS, problem=problem).seed(run_seed) < 2**31


def test_good_and_bad_samples_are_told_by_their_advantage():
    """What is as good as the mean is neither."""
    rows = tuple(Sample(Attempt("t"), 0.5, advantage) for advantage in (1.2, 0.0, -1.2))
    contrast = Contrast("generator_1", Question("1", "t"), rows)
    assert contrast.good == rows[:1]
    assert contrast.bad == rows[2:]
