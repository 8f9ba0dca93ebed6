"""What stops a whole run: set once, seen by every call before it is sent."""

from __future__ import annotations

from grpo_framework.errors import GrpoError


class Brake:
    """Stops new calls while those under way are answered and recorded.

    Attributes:
        reason: Why the run stops; None while it goes on.
    """

    def __init__(self) -> None:
        self.reason: GrpoError | None = None

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
