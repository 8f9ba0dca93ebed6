"""The guard against overriding a suite's tests, and fixtures that are missing."""

from __future__ import annotations

import pytest

from grpo_framework.testing.suites import (
    AdvisorSuite,
    ChatModelSuite,
    ComparatorSuite,
    CriticSuite,
    ExperienceStoreSuite,
    GeneratorSuite,
    ObserverSuite,
    ProblemSourceSuite,
)

SUITES = (
    AdvisorSuite,
    ChatModelSuite,
    ComparatorSuite,
    CriticSuite,
    ExperienceStoreSuite,
    GeneratorSuite,
    ObserverSuite,
    ProblemSourceSuite,
)


@pytest.mark.parametrize("suite", SUITES)
def test_override_is_refused(suite):
    """A class that replaces a suite's test is refused with class and test named."""
    with pytest.raises(TypeError, match=r"Mine overrides ComponentSuite\.test_options_are_checked"):
        type("Mine", (suite,), {"test_options_are_checked": lambda self: None})


def test_override_by_a_mixin_is_refused():
    """An override that comes in through another base class is found too."""

    class Mixin:
        def test_round_trip(self):
            pass

    with pytest.raises(TypeError, match=r"overrides ExperienceStoreSuite\.test_round_trip"):
        type("Mine", (Mixin, ExperienceStoreSuite), {})


def test_removing_a_test_is_refused():
    """Setting a test to None is an override."""
    with pytest.raises(TypeError, match="test_round_trip"):
        type("Mine", (ExperienceStoreSuite,), {"test_round_trip": None})


def test_xfail_without_reason_is_refused():
    """A mark alone does not say why."""

    @pytest.mark.xfail
    def test_round_trip(self):
        pass

    with pytest.raises(TypeError, match="xfail"):
        type("Mine", (ExperienceStoreSuite,), {"test_round_trip": test_round_trip})


def test_xfail_with_reason_is_taken():
    """An override that says why the contract cannot be kept is allowed, also further down."""

    @pytest.mark.xfail(reason="the database trims text")
    def test_round_trip(self):
        pass

    mine = type("Mine", (ExperienceStoreSuite,), {"test_round_trip": test_round_trip})
    assert issubclass(type("More", (mine,), {}), ExperienceStoreSuite)


def test_own_tests_and_fixtures_are_free():
    """New tests, and fixtures in place of the suite's, are no overrides."""
    body = {"test_of_my_own": lambda self: None, "component": lambda self: None}
    assert type("Mine", (ExperienceStoreSuite,), body)


@pytest.mark.parametrize("suite", SUITES)
def test_every_suite_test_states_behaviour(suite):
    """Each test of a suite has a docstring: it is what a plugin author reads when it fails."""
    tests = [name for name in dir(suite) if name.startswith("test_")]
    assert len(tests) >= 8
    assert all(getattr(suite, name).__doc__ for name in tests)
