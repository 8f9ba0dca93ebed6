"""The guard around every chat model: limit, timeout, retry, account. No test waits."""

from __future__ import annotations

import asyncio

import pytest
from attrs import evolve

from grpo_framework.calls import Brake, CallRules, GuardedModel, within
from grpo_framework.calls.policies import POLICIES
from grpo_framework.errors import DataError, ModelError, RunFailed
from grpo_framework.events import CallFinished, CallRetried
from grpo_framework.records import ChatReply, ChatRequest, Message, Unit, Usage

REQUEST = ChatRequest((Message("user", "Hello?"),))
REPLY = ChatReply("yes", usage=Usage(3, 5, calls=1))
UNIT = Unit(1, 1, "p", "generator_1", "attempt")


class Model:
    """Plays its script: errors are raised, replies returned, events waited for."""

    def __init__(self, *script):
        self.script = list(script)
        self.calls = 0

    async def chat(self, request, /):
        self.calls += 1
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, asyncio.Event):
            await step.wait()
            return REPLY
        return step


class Pauses(list):
    async def __call__(self, seconds):
        self.append(seconds)


def guard(model, *, pause=None, concurrency=4, timeout=60.0, tries=4):
    return GuardedModel(
        model,
        name="fake/model",
        rules=CallRules(concurrency=concurrency, timeout=timeout, tries=tries),
        pause=Pauses() if pause is None else pause,
    )


class Announced(list):
    async def __call__(self, event):
        self.append(event)


def overloaded(**more):
    return ModelError("busy", kind="overloaded", **more)


def test_a_retryable_failure_is_tried_again():
    """After two failures the third try's reply is the answer; waits grow and stay bounded."""
    model, pauses = Model(overloaded(), overloaded(), REPLY), Pauses()
    reply = asyncio.run(guard(model, pause=pauses).chat(REQUEST))
    assert (reply.text, model.calls, len(pauses)) == ("yes", 3, 2)
    assert 0 <= pauses[0] <= POLICIES["overloaded"].base
    assert 0 <= pauses[1] <= 2 * POLICIES["overloaded"].base


def test_waits_have_a_ceiling():
    """However many tries: never more than the policy allows, nor longer than its longest wait."""
    pauses, policy = Pauses(), POLICIES["overloaded"]
    with pytest.raises(ModelError):
        asyncio.run(guard(Model(overloaded()), pause=pauses, tries=100).chat(REQUEST))
    assert len(pauses) == policy.tries - 1
    assert max(pauses) <= policy.longest


def test_the_endpoint_says_how_long_to_wait():
    """Retry-After is honoured exactly."""
    pauses = Pauses()
    model = Model(overloaded(retry_after=0.02), overloaded(retry_after=0.0), REPLY)
    asyncio.run(guard(model, pause=pauses).chat(REQUEST))
    assert pauses == [0.02, 0.0]


def test_the_last_failure_is_raised_as_it_is():
    """After all tries the caller gets the model's own error."""
    last = overloaded()
    model = Model(overloaded(), overloaded(), last)
    with pytest.raises(ModelError) as caught:
        asyncio.run(guard(model, tries=3).chat(REQUEST))
    assert caught.value is last
    assert model.calls == 3


@pytest.mark.parametrize("kind", ["authentication", "bad_request", "context_too_long", "refused"])
def test_what_cannot_be_mended_is_not_tried_again(kind):
    """A wrong key stays wrong: one call, no wait."""
    model, pauses = Model(ModelError("no", kind=kind)), Pauses()
    with pytest.raises(ModelError):
        asyncio.run(guard(model, pause=pauses).chat(REQUEST))
    assert (model.calls, pauses) == (1, [])


def test_a_foreign_exception_is_not_tried_again():
    """A bug in a model is no overload."""
    model = Model(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        asyncio.run(guard(model).chat(REQUEST))
    assert model.calls == 1


def test_a_call_without_answer_times_out_and_is_tried_again():
    """Each try has its own time limit; the error's kind says so."""

    async def main():
        model = Model(asyncio.Event())
        with pytest.raises(ModelError, match=r"fake/model: no answer within") as caught:
            await guard(model, timeout=0.001, tries=2).chat(REQUEST)
        assert (caught.value.kind, model.calls) == ("timeout", 2)

    asyncio.run(main())


def test_never_more_calls_than_the_limit_are_under_way():
    """Fifty callers, three slots: the fullest moment is three, and all are answered."""

    class Counting:
        under_way = fullest = 0

        async def chat(self, request, /):
            self.under_way += 1
            self.fullest = max(self.fullest, self.under_way)
            await asyncio.sleep(0)
            self.under_way -= 1
            return REPLY

    async def main():
        model = Counting()
        guarded = guard(model, concurrency=3)
        replies = await asyncio.gather(*(guarded.chat(REQUEST) for _ in range(50)))
        assert len(replies) == 50
        assert (model.fullest, model.under_way) == (3, 0)

    asyncio.run(main())


def test_a_waiting_try_holds_no_slot():
    """While one call pauses before its next try, another one is answered."""

    async def main():
        order = []
        paused, go_on = asyncio.Event(), asyncio.Event()

        async def pause(seconds):
            paused.set()
            await go_on.wait()

        guarded = guard(Model(overloaded(), REPLY), pause=pause, concurrency=1)

        async def first():
            await guarded.chat(REQUEST)
            order.append("first")

        async def second():
            await paused.wait()
            await guarded.chat(REQUEST)
            order.append("second")
            go_on.set()

        await asyncio.gather(first(), second())
        assert order == ["second", "first"]

    asyncio.run(main())


def test_cancellation_passes_and_frees_the_slot():
    """A cancelled call is not tried again, and the next one gets its slot."""

    async def main():
        model = Model(asyncio.Event(), REPLY)
        guarded = guard(model, concurrency=1)
        call = asyncio.create_task(guarded.chat(REQUEST))
        await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert model.calls == 1
        assert (await guarded.chat(REQUEST)).text == "yes"

    asyncio.run(main())


def test_calls_are_announced_for_the_unit_they_serve():
    """Retries with their wait, then the answer with its tries and tokens."""
    announced = Announced()

    async def main():
        with within(UNIT, announced):
            await guard(Model(overloaded(retry_after=0.01), REPLY)).chat(REQUEST)

    asyncio.run(main())
    retried, finished = announced
    assert retried == CallRetried(UNIT, "fake/model", "overloaded", "busy", 0.01)
    assert isinstance(finished, CallFinished)
    assert (finished.unit, finished.model, finished.tries) == (UNIT, "fake/model", 2)
    assert (finished.usage.input_tokens, finished.usage.output_tokens) == (3, 5)


def test_units_that_run_at_once_keep_their_own_accounts():
    """The unit follows the task, through awaits, tasks made inside, and nesting."""
    announced = Announced()
    guarded = guard(Model(REPLY))

    async def work(index):
        with within(evolve(UNIT, index=index), announced):
            await asyncio.sleep(0)
            await asyncio.gather(guarded.chat(REQUEST), guarded.chat(REQUEST))

    async def main():
        await asyncio.gather(*(work(index) for index in range(3)))
        with within(UNIT, announced):
            with within(evolve(UNIT, index=8), announced):
                pass
            await guarded.chat(REQUEST)
        await guarded.chat(REQUEST)

    asyncio.run(main())
    assert sorted(event.unit.index for event in announced) == [0, 0, 0, 1, 1, 2, 2]


def test_a_call_is_counted_once_whatever_the_model_says():
    """The framework counts calls and seconds itself; tokens are the model's count."""
    odd = evolve(REPLY, usage=Usage(3, 5, calls=9, seconds=-1.0))
    reply = asyncio.run(guard(Model(odd)).chat(REQUEST))
    assert reply.usage.calls == 1
    assert reply.usage.seconds >= 0


def test_the_probe_is_one_small_call():
    """What cannot answer a few tokens fails before anything is spent."""
    model = Model(REPLY)
    assert asyncio.run(guard(model).probe()).text == REPLY.text
    assert model.calls == 1
    with pytest.raises(ModelError, match="fake/model does not answer: wrong key"):
        asyncio.run(guard(Model(ModelError("wrong key", kind="authentication"))).probe())


def test_an_outage_at_a_batchs_end_is_told_from_single_failures():
    """Before a commit the model that failed last is asked once more: dead ones stop the run."""

    async def main(*script):
        model, brake = Model(*script), Brake()
        guarded = GuardedModel(
            model, name="m", rules=CallRules(tries=1), brake=brake, pause=Pauses()
        )
        with pytest.raises(ModelError):
            await guarded.chat(REQUEST)
        await brake.confirm()
        return model.calls

    gone = ModelError("gone", kind="connection", retryable=False)
    assert asyncio.run(main(gone, REPLY)) == 2
    with pytest.raises(RunFailed, match="m does not answer: gone"):
        asyncio.run(main(gone))
    refused = ModelError("no", kind="refused")
    assert asyncio.run(main(refused)) == 1


def test_a_memory_that_cannot_be_used_stops_the_run():
    """An answer that is paid for and cannot be kept must stay the only one."""

    class Full:
        async def get(self, kind, key):
            return None

        async def put(self, kind, key, value):
            raise DataError("the disk is full")

    async def main():
        brake = Brake()
        guarded = GuardedModel(Model(REPLY), name="m", brake=brake, pause=Pauses())
        for _ in range(2):
            with within(UNIT, Announced(), Full()), pytest.raises(DataError):
                await guarded.chat(REQUEST)
        assert isinstance(brake.reason, DataError)
        return guarded

    asyncio.run(main())


def test_a_run_that_stops_keeps_no_call_waiting():
    """Neither one between two tries, nor one that waits for a place or for the endpoint's pause."""

    async def main():
        brake = Brake()
        busy = Model(ModelError("later", kind="rate_limited", retry_after=3600.0), asyncio.Event())
        guarded = GuardedModel(busy, name="m", rules=CallRules(concurrency=1), brake=brake)
        calls = [asyncio.create_task(guarded.chat(REQUEST)) for _ in range(3)]
        for _ in range(20):
            await asyncio.sleep(0)
        assert busy.calls == 1
        reason = RunFailed("another model is dead", failures=1, units=1)
        brake.pull(reason)
        results = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 60)
        assert results == [reason] * 3
        assert busy.calls == 1

    asyncio.run(main())


def test_a_call_that_is_cancelled_while_it_waits_is_cancelled():
    """The brake that breaks off waits does not swallow a cancellation, nor leave the wait behind."""

    async def main():
        started, ended = asyncio.Event(), asyncio.Event()

        async def pause(_):
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        call = asyncio.create_task(guard(Model(overloaded()), pause=pause).chat(REQUEST))
        await started.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(ended.wait(), 60)

    asyncio.run(main())
