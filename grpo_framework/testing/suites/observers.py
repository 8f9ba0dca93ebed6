"""The suite of observers."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, get_args

from grpo_framework.component import Component, Wiring
from grpo_framework.events import Event
from grpo_framework.protocols import Observer
from grpo_framework.testing.samples import make_events
from grpo_framework.testing.suites.base import ComponentSuite, Drive


class ObserverSuite(ComponentSuite):
    """What every observer must do."""

    protocol: ClassVar[type] = Observer

    def test_takes_every_event(self, drive: Drive) -> None:
        """An event of every class, in the order of a run, is taken without an answer."""
        events = make_events()
        assert {type(event) for event in events} == set(get_args(Event))

        async def use(observer: Observer) -> None:
            for event in events:
                answer: Any = await observer.notify(event)  # type: ignore[func-returns-value]
                assert answer is None

        drive(use)

    def test_takes_events_in_any_order(self, drive: Drive) -> None:
        """A resumed run may begin in the middle, and units overlap: any order is taken."""

        async def use(observer: Observer) -> None:
            for event in reversed(make_events()):
                await observer.notify(event)

        drive(use)

    def test_takes_events_at_once(self, drive: Drive) -> None:
        """Events at the same time are all taken."""

        async def use(observer: Observer) -> None:
            await asyncio.gather(*(observer.notify(event) for event in make_events() * 4))

        drive(use)

    def test_no_event_no_harm(self, component: Component[Any], wiring: Wiring) -> None:
        """A run that ends before its first event closes the observer cleanly."""

        async def run() -> None:
            async with asyncio.timeout(self.seconds), component.factory(wiring):
                pass

        asyncio.run(run())
