"""What the gate is asked of an edit, and what it says: frozen values."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from grpo_framework.experience.values import Delete, Merge, Operation
from grpo_framework.records import Owner

Finding = Literal["accepted", "rejected", "provisional"]
"""What becomes of an edit; a provisional one is tried again in a later batch."""


@frozen
class Edit:
    """One edit of a library, to be judged.

    Attributes:
        owner: Whose library.
        operation: The edit.
        deletes: What goes with it: entries of other owners that a promotion replaces, the entry
            of the owner that makes room for an addition.
        tries: Batches in which it was tried before.
        differences: What these gave, pair by pair.
    """

    owner: Owner
    operation: Operation
    deletes: tuple[tuple[Owner, Delete], ...] = ()
    tries: int = 0
    differences: tuple[float, ...] = ()

    @property
    def shortens(self) -> bool:
        """Whether it takes text away, so that it is welcome where it does no harm."""
        return isinstance(self.operation, (Delete, Merge))


@frozen
class Ruling:
    """What the gate says of one edit.

    Attributes:
        owner: Whose library.
        operation: The edit.
        finding: What becomes of it.
        reason: Why, in one line, with what was measured.
        pairs: Pairs that say something of it, over all its tries.
        mean: Mean difference, reward with it − reward without it; None without a pair.
        tries: Batches in which it was tried.
        differences: Pair by pair; kept of a provisional one.
    """

    owner: Owner
    operation: Operation
    finding: Finding
    reason: str
    pairs: int = 0
    mean: float | None = None
    tries: int = 0
    differences: tuple[float, ...] = ()
