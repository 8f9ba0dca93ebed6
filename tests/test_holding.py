"""Events of a batch that started early wait for its turn."""

from __future__ import annotations

import asyncio

from grpo_framework.events import CallsPaused, EpochFinished
from grpo_framework.holding import Held


def test_events_are_kept_until_it_is_the_batchs_turn_and_stay_in_order():
    """Also those that come in while the kept ones are passed on; why the run waits is told now."""

    async def main():
        told = []

        async def announce(event):
            told.append(event)
            if event == EpochFinished(1):
                await held.announce(EpochFinished(3))

        held = Held(announce, waiting=True)
        for event in (EpochFinished(1), CallsPaused("m", "overloaded", 3.0), EpochFinished(2)):
            await held.announce(event)
        assert told == [CallsPaused("m", "overloaded", 3.0)]
        await held.release()
        await held.announce(EpochFinished(4))
        assert told[1:] == [EpochFinished(number) for number in (1, 2, 3, 4)]

    asyncio.run(main())
