"""What stops a whole run: set once, seen by every call before it is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

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
        """Stop the run; the first reason stays."""
        if self.reason is None:
            self.reason = reason
        return self.reason

    def check(self) -> None:
        """Raise the reason, if there is one.

        Raises:
            GrpoError: The run is stopping.
        """
        if self.reason is not None:
            raise self.reason
