"""A preflight call that takes long says so."""

from __future__ import annotations

import asyncio

import pytest

from grpo_framework.calls import asking
from grpo_framework.calls.guard import GuardedModel
from grpo_framework.errors import ModelError
from grpo_framework.mentioning import heard_by
from grpo_framework.records import ChatReply, Usage


class Slow:
    """Refuses `refusals` times, and answers after `seconds`."""

    def __init__(self, seconds=0.0, refusals=0):
        self._seconds, self._refusals = seconds, refusals

    async def chat(self, request, /):
        if self._refusals:
            self._refusals -= 1
            raise ModelError("too many", kind="rate_limited", retry_after=40.0)
        await asyncio.sleep(self._seconds)
        return ChatReply("OK", "stop", Usage(1, 1), "m")


@pytest.fixture
def probe(monkeypatch):
    monkeypatch.setattr(asking, "_AFTER", 0.02)

    def run(model):
        told = []

        async def ask():
            guarded = GuardedModel(model, name="p/m", pause=lambda _: asyncio.sleep(0))
            monkeypatch.setattr(guarded._limiter, "congested", lambda *_, **__: None)
            with heard_by(told.append):
                await guarded.probe()

        asyncio.run(ask())
        return told

    return run


def test_a_model_that_lets_wait_is_named_once(probe):
    assert probe(Slow(seconds=0.2)) == ["asking p/m …"]


def test_a_rate_limit_in_the_preflight_is_told(probe):
    told = probe(Slow(refusals=1))
    assert told[0] == "asking p/m: waiting for the rate limit, 40 s"
