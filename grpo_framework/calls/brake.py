"""What stops a whole run: set once, seen by every call before it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from grpo_framework.errors import GrpoError

Probe = Callable[[], Awaitable[object]]


class Brake:
    """Stops new calls while those under way are answered and recorded.

    Attributes:
        reason: Why the run stops; None while it goes on.
    """

    def __init__(self) -> None:
        self.reason: GrpoError | None = None
        self._suspects: dict[str, Probe] = {}
        self._breakable: set[Callable[[GrpoError], object]] = set()

    def suspect(self, model: str, probe: Probe) -> None:
        """A model's last call failed; `confirm` will ask whether it answers at all."""
        self._suspects[model] = probe

    def clear(self, model: str) -> None:
        """A model has answered."""
        self._suspects.pop(model, None)

    async def confirm(self) -> None:
        """Before a batch is committed: see that its last failures were no outage.

        A batch that an outage has robbed of its last units is not committed but done again by the
        resumed run.

        Raises:
            GrpoError: The run is stopping.
        """
        self.check()
        for model, probe in tuple(self._suspects.items()):
            try:
                await probe()
            except GrpoError as error:
                self.pull(error)
            self.check()
            self.clear(model)

    def pull(self, reason: GrpoError) -> GrpoError:
        """Stop the run, and break off what only waits; the first reason stays."""
        if self.reason is None:
            self.reason = reason
            for break_off in tuple(self._breakable):
                break_off(reason)
        return self.reason

    @contextmanager
    def breaking(self, break_off: Callable[[GrpoError], object]) -> Iterator[None]:
        """While inside, a pull calls `break_off` with its reason."""
        self._breakable.add(break_off)
        try:
            yield
        finally:
            self._breakable.discard(break_off)

    async def wait(self, waiting: Awaitable[None]) -> None:
        """Wait for something, but no longer than the run goes on.

        Raises:
            GrpoError: The run is stopping.
        """
        task = asyncio.ensure_future(waiting)
        try:
            with self.breaking(lambda _: task.cancel()):
                await asyncio.wait((task,))
        finally:
            task.cancel()
        self.check()
        task.result()

    def check(self) -> None:
        """Raise the reason, if there is one.

        Raises:
            GrpoError: The run is stopping.
        """
        if self.reason is not None:
            raise self.reason
