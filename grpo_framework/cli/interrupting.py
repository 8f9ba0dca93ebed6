"""Ctrl-C and SIGTERM: a clean stop within two seconds, and at once when it comes again.

The first one cancels the work, which closes the journal and says how to go on; what has
no journal may end with what it has instead. Work that does not
end in time (a plugin that blocks, a thread in foreign code) is left behind: what was recorded is
with the operating system, so ending the process loses nothing of it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from grpo_framework.cli.exits import INTERRUPTED

T = TypeVar("T")

PATIENCE = 1.7
"""Seconds for a clean stop, before the process is ended."""
SUMMING_UP = 20.0
"""Seconds for the result of what was measured, before the process is ended."""


def run_interruptibly(
    work: Coroutine[Any, Any, T],
    *,
    how_to_go_on: Callable[[], str] = lambda: "",
    end_early: Callable[[], bool] = lambda: False,
) -> T:
    """Run a coroutine to its end; the first Ctrl-C cancels it, the second ends the process.

    Args:
        work: The whole of a command.
        how_to_go_on: A line to print after an interruption; empty for none.
        end_early: Called first, on the event loop: whether the work comes to an end of its own now.

    Raises:
        KeyboardInterrupt: It was interrupted and has stopped cleanly.
    """
    stop = _Stop(how_to_go_on, end_early)

    async def main() -> T:
        stop.bind(asyncio.get_running_loop(), asyncio.current_task())
        return await work

    with _handling(stop):
        try:
            return asyncio.run(main())
        except (asyncio.CancelledError, KeyboardInterrupt):
            if not stop.pressed:
                raise
            stop.say()
            raise KeyboardInterrupt from None
        finally:
            stop.done()


def write_line(line: str) -> None:
    """Write a line to stderr, also where the handler of a signal has interrupted another one."""
    with suppress(OSError):
        os.write(2, f"{line}\n".encode("utf-8", "backslashreplace"))


class _Stop:
    """What Ctrl-C does: the signal's handler and the watch over the time."""

    def __init__(self, how_to_go_on: Callable[[], str], end_early: Callable[[], bool]) -> None:
        self.pressed = 0
        self._how_to_go_on = how_to_go_on
        self._end_early = end_early
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._watch = self._leave_after(PATIENCE)

    def _leave_after(self, seconds: float) -> threading.Timer:
        watch = threading.Timer(seconds, self._leave)
        watch.daemon = True
        return watch

    def bind(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any] | None) -> None:
        """What to cancel; a Ctrl-C from before is heeded now."""
        self._loop, self._task = loop, task
        if self.pressed and task is not None:
            loop.call_soon(task.cancel)

    def handle(self, *_: object) -> None:
        self.pressed += 1
        if self.pressed > 1:
            self._leave()
        self._watch.start()
        if self._loop is not None and self._task is not None:
            with suppress(RuntimeError):  # the loop has just been closed: there is nothing to stop
                self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        if self._end_early():
            self._watch.cancel()
            self._watch = self._leave_after(SUMMING_UP)
            self._watch.start()
        elif self._task is not None:
            self._task.cancel()

    def done(self) -> None:
        # After an interruption the watch goes on: a thread could still hold up the exit.
        if not self.pressed:
            self._watch.cancel()

    def say(self) -> None:
        line = self._how_to_go_on()
        if line:
            write_line(line)

    def _leave(self) -> None:
        with suppress(OSError):
            os.write(2, b"\ninterrupted\n")
        self.say()
        os._exit(INTERRUPTED)


@contextmanager
def _handling(stop: _Stop) -> Iterator[None]:
    """Take the signals, where this is the main thread and the program does not ignore it."""
    main = threading.current_thread() is threading.main_thread()
    found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    ignored = (signal.SIG_IGN, None)
    before = {number: old for number, old in found.items() if main and old not in ignored}
    for number in before:
        signal.signal(number, stop.handle)
    try:
        yield
    finally:
        # After an interruption the process is on its way out; pressing again still ends it at once.
        if not stop.pressed:
            for number, handler in before.items():
                signal.signal(number, handler)
