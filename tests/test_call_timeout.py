"""How long a call may take: learned from those before it, within bounds. The clock is made up."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from grpo_framework.calls import CallRules, GuardedModel
from grpo_framework.calls.guard import TIMEOUT_MULTIPLE
from grpo_framework.calls.latency import ENOUGH
from grpo_framework.errors import ModelError
from grpo_framework.records import ChatReply, ChatRequest, Message, Usage

REQUEST = ChatRequest((Message("user", "Hello?"),))
CEILING, FLOOR = 60.0, 5.0


class Loop(asyncio.SelectorEventLoop):
    """Does not wait: its clock goes on at once to what is due next."""

    def __init__(self):
        super().__init__()
        self._now = 0.0
        select = self._selector.select

        def skip(timeout=None):
            self._now += timeout or 0.0
            return select(0)

        self._selector.select = skip

    def time(self):
        return self._now


class Model:
    """Takes as long as its script says."""

    def __init__(self, *script):
        self._script = list(script)

    async def chat(self, request, /):
        await asyncio.sleep(self._script.pop(0))
        return ChatReply("yes", usage=Usage(3, 5, calls=1))


@pytest.mark.parametrize(
    ("before", "limit"),
    [
        ([1.0] * (ENOUGH - 1), CEILING),
        ([1.0] * ENOUGH, TIMEOUT_MULTIPLE),
        ([1.0] * 94 + [2.0] * 6, 2 * TIMEOUT_MULTIPLE),
        ([1.0] * 96 + [2.0] * 4, TIMEOUT_MULTIPLE),
        ([0.01] * ENOUGH, FLOOR),
        ([20.0] * ENOUGH, CEILING),
    ],
    ids=["too few", "usual", "in the p95", "beyond the p95", "floor", "ceiling"],
)
def test_the_limit_is_a_multiple_of_the_usual_time_within_bounds(monkeypatch, before, limit):
    """A call just below it is answered; a hung one is given up exactly then."""
    loop = Loop()
    fake = SimpleNamespace(perf_counter=loop.time, monotonic=loop.time)
    monkeypatch.setattr("grpo_framework.calls.guard.time", fake)
    rules = CallRules(timeout=CEILING, timeout_floor=FLOOR, tries=1)

    async def main(last):
        model = GuardedModel(Model(*before, last), name="fake/model", rules=rules)
        for _ in before:
            await model.chat(REQUEST)
        began = loop.time()
        try:
            await model.chat(REQUEST)
        except ModelError as error:
            return error.kind, loop.time() - began
        return "answered", loop.time() - began

    try:
        in_time = loop.run_until_complete(main(0.999 * limit))
        assert in_time == ("answered", pytest.approx(0.999 * limit))
        assert loop.run_until_complete(main(1e6)) == ("timeout", pytest.approx(limit))
    finally:
        loop.close()
