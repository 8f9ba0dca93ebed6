"""What happens after each kind of failed call: one table."""

from __future__ import annotations

import random
from collections.abc import Mapping

from attrs import frozen

from grpo_framework.errors import ModelError, ModelErrorKind
from grpo_framework.records import Stage


@frozen
class RetryPolicy:
    """How a kind of failure is retried.

    Attributes:
        tries: Tries in all, the first included; 1 never retries.
        base: Ceiling of the first wait in seconds; it doubles with each try.
        longest: Ceiling of any wait in seconds, but for a longer Retry-After.
        congestion: Whether the endpoint asks for less at once.
    """

    tries: int
    base: float = 1.0
    longest: float = 60.0
    congestion: bool = False


PRIORITY: Mapping[Stage, int] = {
    "consolidation": 0,
    "likeness": 0,
    "advice": 1,
    "batch_advice": 1,
    "fusion": 2,
    "verdict": 2,
    "fusion_verdict": 2,
    "attempt": 3,
}
"""Later stages go first, so that stragglers do not pile up at a batch's end."""

NEVER = RetryPolicy(tries=1)

POLICIES: Mapping[ModelErrorKind, RetryPolicy] = {
    "rate_limited": RetryPolicy(tries=12, base=1.0, longest=120.0, congestion=True),
    "overloaded": RetryPolicy(tries=8, base=1.0, longest=60.0, congestion=True),
    "timeout": RetryPolicy(tries=4, base=0.5, longest=30.0),
    "connection": RetryPolicy(tries=6, base=0.5, longest=30.0),
    "bad_reply": RetryPolicy(tries=4, base=0.2, longest=10.0),
    "truncated": NEVER,
    "refused": NEVER,
    "context_too_long": NEVER,
    "authentication": NEVER,
    "not_found": NEVER,
    "bad_request": NEVER,
}
"""One policy a kind; a test holds the keys against `ModelErrorKind`."""


FREE_OF_TOKENS = frozenset(
    {"rate_limited", "overloaded", "authentication", "not_found", "bad_request", "context_too_long"}
)
"""Failures for which an endpoint charges nothing; after any other the worst case is counted."""

HARMLESS = frozenset({"truncated", "refused", "context_too_long"})
"""Failures that say something about one request and nothing about the model's health."""


def policy_of(error: ModelError, *, most: int | None) -> RetryPolicy:
    """The policy for a failure.

    Args:
        error: What happened; one that says it is not retryable is not retried, whatever its kind.
        most: An upper limit of tries from the configuration, None for the table's own.
    """
    policy = POLICIES[error.kind]
    if not error.retryable:
        return NEVER
    tries = policy.tries if most is None else min(policy.tries, most)
    return RetryPolicy(tries, policy.base, policy.longest, policy.congestion)


def wait_before(policy: RetryPolicy, error: ModelError, tried: int) -> float:
    """Seconds until the next try: exponential backoff with full jitter, or more if asked for.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

    Args:
        policy: Of the failure's kind.
        error: Its `retry_after`, if any, is honoured: the wait is never shorter.
        tried: Tries so far, at least 1.
    """
    ceiling = min(policy.longest, policy.base * 2.0 ** (tried - 1))
    # Spreads load and decides no result, so it needs no seed.
    jitter = random.uniform(0.0, ceiling)  # noqa: S311
    return jitter if error.retry_after is None else max(0.0, error.retry_after)
