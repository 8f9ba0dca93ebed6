"""A unit's result: which ones are waited for to be written, and which can be made again."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from grpo_framework.calls import Brake
from grpo_framework.calls.scope import current_scope
from grpo_framework.events import CallFinished
from grpo_framework.records import Attempt, Usage
from grpo_framework.rollouts import Stages


class Memory:
    """Says how each value came."""

    def __init__(self):
        self.came = []

    async def get(self, kind, key):
        return None

    async def put(self, kind, key, value):
        self.came.append("put")

    def add(self, kind, key, value):
        self.came.append("add")


async def nobody(event):
    pass


@pytest.mark.parametrize(
    ("calls", "cheap", "came"), [(1, 0.0, "add"), (0, 60.0, "add"), (0, 0.0, "put")]
)
def test_only_what_costs_something_to_make_again_is_waited_for(monkeypatch, calls, cheap, came):
    """The calls of a unit are remembered by the guard; what took time without any is not."""
    monkeypatch.setattr("grpo_framework.rollouts.CHEAP", cheap)
    memory = Memory()

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
        unit = stages.unit("p", "generator_1", "attempt")

        async def work():
            for _ in range(calls):
                scope = current_scope()
                await scope.finish(CallFinished(unit, "m", Usage(), "stop", 1, "0"))
            return Attempt("right")

        assert await stages.do(unit, Attempt, work, version=0) == Attempt("right")

    asyncio.run(main())
    assert memory.came == [came]
