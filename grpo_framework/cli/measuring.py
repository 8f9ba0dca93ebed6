"""Ctrl-C on a measurement: it ends with the result of what is finished."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from grpo_framework.calls import Brake
from grpo_framework.cli.interrupting import run_interruptibly, write_line
from grpo_framework.errors import BudgetExhausted
from grpo_framework.evaluation import INTERRUPT

T = TypeVar("T")

NOTHING_KEPT = "stopped: nothing of it is kept; the same command begins anew"
"""What is said of a measurement that was interrupted before anything was finished."""


class Ending:
    """How the first Ctrl-C ends a measurement: with the result of what is finished by then."""

    def __init__(self) -> None:
        self.pulled = False
        self._brake: Brake | None = None

    def watch(self, brake: Brake) -> None:
        """From now on there is something to end.

        Args:
            brake: Of the engine that measures.
        """
        self._brake = brake

    def pull(self) -> bool:
        """End it; False where nothing has begun. To be called on the event loop."""
        if self._brake is None:
            return False
        self.pulled = True
        self._brake.pull(BudgetExhausted("interrupted", limit=INTERRUPT))
        return True

    def check(self, stopped: str, hint: str) -> None:
        """After a result was printed: say why it is not of everything.

        Args:
            stopped: Which limit ended it; empty where none did.
            hint: What the result is of then.

        Raises:
            KeyboardInterrupt: It was interrupted.
            BudgetExhausted: A limit was reached.
        """
        if self.pulled:
            raise KeyboardInterrupt
        if stopped:
            raise BudgetExhausted(stopped, limit="", hint=hint)


def measure_interruptibly(work: Coroutine[Any, Any, T], ending: Ending) -> T:
    """Run a measurement, which has no record to go on from.

    The first Ctrl-C ends it with the result of what is finished, if anything is; the second ends
    the process.

    Args:
        work: The whole of it.
        ending: To which the work shows its engine's brake.

    Raises:
        KeyboardInterrupt: It was interrupted, and said that nothing is kept.
        BudgetExhausted: A limit was reached before anything was finished.
    """
    try:
        return run_interruptibly(work, how_to_go_on=lambda: NOTHING_KEPT, end_early=ending.pull)
    except BudgetExhausted as error:
        if error.limit == INTERRUPT:
            write_line(NOTHING_KEPT)
            raise KeyboardInterrupt from None
        hint = error.hint.replace("go on", "nothing was finished; begin again", 1)
        raise BudgetExhausted(error.message, limit=error.limit, hint=hint) from error
