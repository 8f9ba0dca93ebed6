"""A unit's result: which ones are waited for to be written, and which can be made again."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from grpo_framework.calls import Brake, GuardedModel
from grpo_framework.errors import ModelError
from grpo_framework.records import (
    Attempt,
    ChatReply,
    ChatRequest,
    Message,
    Usage,
    Verdict,
)
from grpo_framework.rollouts import CHEAP, Stages


class Memory:
    """Says how each value came."""

    def __init__(self):
        self.came = []

    async def get(self, kind, key):
        return None

    async def put(self, kind, key, value):
        self.came.append((kind, "put"))

    def add(self, kind, key, value):
        self.came.append((kind, "add"))


async def nobody(event):
    pass


LONG, SHORT = 10 * CHEAP, CHEAP / 10
ASK = ChatRequest((Message("user", "How many?"),))


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on only as far as the work at hand says."""
    now = SimpleNamespace(seconds=0.0)
    fake = SimpleNamespace(monotonic=lambda: now.seconds)
    monkeypatch.setattr("grpo_framework.rollouts.time", fake)
    monkeypatch.setattr("grpo_framework.calls.scope.time", fake)
    return now


class Model:
    """Takes its time to answer."""

    def __init__(self, clock, *, fails=False):
        self._clock = clock
        self._fails = fails

    async def chat(self, request, /):
        until = self._clock.seconds + LONG
        await asyncio.sleep(0)
        self._clock.seconds = max(self._clock.seconds, until)
        if self._fails:
            raise ModelError("no", kind="refused", retryable=False)
        return ChatReply("7", usage=Usage(1, 1))


def came(work, kind=Attempt, stage="attempt", value=None):
    """How the result of a unit with this work came into the memory."""
    memory = Memory()
    value = Attempt("right") if value is None else value

    async def main():
        stages = Stages(
            engine=SimpleNamespace(brake=Brake()),
            announce=nobody,
            slots=asyncio.Semaphore(1),
            epoch=1,
            batch=1,
            run_seed=0,
            rollouts=1,
            memory=memory,
        )

        async def worked():
            await work()
            return value

        unit = stages.unit("p", "generator_1", stage)
        assert await stages.do(unit, kind, worked, version=0) == value

    asyncio.run(main())
    return [how for whose, how in memory.came if whose == stage]


@pytest.mark.parametrize(
    ("calls", "own", "how"),
    [(2, SHORT, "add"), (2, LONG, "put"), (0, SHORT, "add"), (0, LONG, "put")],
)
@pytest.mark.parametrize(
    ("kind", "stage", "value"),
    [
        (Attempt, "attempt", Attempt("right")),
        (Verdict, "verdict", Verdict(1.0)),
        (Attempt, "fusion", Attempt("right")),
    ],
)
def test_only_what_costs_something_to_make_again_is_waited_for(
    clock, calls, own, how, kind, stage, value
):
    """The guard remembers the calls of a unit, and nobody what it does between them."""
    model = GuardedModel(Model(clock), name="m")

    async def work():
        for _ in range(calls):
            await model.chat(ASK)
        clock.seconds += own
        await asyncio.sleep(0)

    assert came(work, kind, stage, value) == [how]


def test_calls_under_way_together_are_waited_for_once(clock):
    """Their times overlap: added up, they would hide as much work of one's own."""
    model = GuardedModel(Model(clock), name="m")

    async def work():
        await asyncio.gather(*(model.chat(ASK) for _ in range(3)))
        clock.seconds += LONG

    assert came(work) == ["put"]


def test_a_call_that_failed_is_made_again_and_counts(clock):
    """It is remembered nowhere: a resumed run would wait for it once more."""
    model = GuardedModel(Model(clock, fails=True), name="m")

    async def work():
        with pytest.raises(ModelError):
            await model.chat(ASK)

    assert came(work) == ["put"]
