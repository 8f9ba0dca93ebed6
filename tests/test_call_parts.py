"""The parts of the guard: times of service, policies of retry, the scope of a unit's calls."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpo_framework.calls.latency import ENOUGH, WINDOW, Latency
from grpo_framework.calls.policies import POLICIES, policy_of, wait_before
from grpo_framework.calls.scope import Scope, current_scope, within
from grpo_framework.errors import RETRYABLE_KINDS, ModelError, ModelErrorKind
from grpo_framework.records import ChatRequest, Message, Unit

UNIT = Unit(1, 1, "p", "generator_1", "attempt")
REQUEST = ChatRequest((Message("user", "Hello?"),), seed=1)


async def nothing(_):
    pass


@given(st.lists(st.floats(0, 1000), min_size=ENOUGH, max_size=3 * WINDOW), st.floats(0, 1))
def test_a_quantile_is_that_of_the_last_calls(times, share):
    """Of the window alone, and always one of its times."""
    latency = Latency()
    for seconds in times:
        latency.add(seconds)
    window = sorted(times[-WINDOW:])
    assert latency.quantile(share) == window[min(len(window) - 1, int(share * len(window)))]


def test_a_few_calls_say_nothing_yet():
    latency = Latency()
    for _ in range(ENOUGH - 1):
        latency.add(1.0)
        assert latency.quantile(0.5) is None


def test_every_kind_of_failure_has_a_policy_and_only_hopeful_ones_are_retried():
    assert set(POLICIES) == set(get_args(ModelErrorKind))
    for kind, policy in POLICIES.items():
        assert (policy.tries > 1) == (kind in RETRYABLE_KINDS)


@given(
    kind=st.sampled_from(get_args(ModelErrorKind)),
    tried=st.integers(1, 40),
    after=st.none() | st.floats(0, 1000),
)
def test_a_wait_is_what_was_asked_for_or_bounded(kind, tried, after):
    """Retry-After to the letter; else full jitter below a ceiling that doubles."""
    policy = POLICIES[kind]
    wait = wait_before(policy, ModelError("no", kind=kind, retry_after=after), tried)
    if after is not None:
        assert wait == after
    else:
        assert 0 <= wait <= min(policy.longest, policy.base * 2.0 ** (tried - 1))


def test_what_says_that_it_is_hopeless_is_not_retried():
    """No credit left is a rate limit that never ends."""
    error = ModelError("no credit", kind="rate_limited", retryable=False)
    assert policy_of(error, most=None).tries == 1
    assert policy_of(ModelError("slow", kind="rate_limited"), most=3).tries == 3
    assert policy_of(ModelError("busy", kind="overloaded"), most=99).tries == 8


def test_a_call_is_determined_by_model_request_unit_and_which_repeat():
    """k samples of one prompt stay k samples, within a unit and between units."""
    scope = Scope(UNIT, nothing)
    keys = [scope.key("m", REQUEST), scope.key("m", REQUEST), scope.key("n", REQUEST)]
    other = Scope(Unit(1, 1, "p", "generator_1", "attempt", 1), nothing)
    keys += [other.key("m", REQUEST), scope.key("m", ChatRequest(REQUEST.messages, seed=2))]
    assert len(set(keys)) == 5
    again = Scope(UNIT, nothing)
    assert [again.key("m", REQUEST), again.key("m", REQUEST)] == keys[:2]


def test_a_scope_follows_its_task_and_ends_with_it():
    async def main():
        assert current_scope() is None
        with within(UNIT, nothing) as scope:
            assert await asyncio.create_task(look()) is scope
            with within(UNIT, nothing) as inner:
                assert current_scope() is inner
            assert current_scope() is scope
        assert current_scope() is None

    async def look():
        return current_scope()

    asyncio.run(main())


@pytest.mark.parametrize("text", ["\ud800", "é", "日本", "\x00"])
def test_any_text_has_a_key(text):
    request = ChatRequest((Message("user", text),))
    assert len(Scope(UNIT, nothing).key("m", request)) == 64 + len(":1")
