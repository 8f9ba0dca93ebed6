"""What a session needs of a run's directory, and where a run stands after a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from attrs import field, frozen

from grpo_framework.calls import Account, Budget, Memory
from grpo_framework.events import Event
from grpo_framework.experience import Library
from grpo_framework.records import Owner, Past
from grpo_framework.reports import ReportFold


@frozen
class Checkpoint:
    """Where a run stands after a finished batch.

    Attributes:
        epoch: Of the batch, counted from 1; 0 before the first.
        batch: Counted from 1; 0 before the first.
        versions: The libraries' versions after it.
        before: Their versions after the batch before it, which stale rollouts see.
        past: What the owners' batches had come to before it, which stale advice is told.
        fold: State of the report's fold.
        offset: Bytes of the events that belong to it and to what was before.
        account: What the run had used up by then.
    """

    epoch: int
    batch: int
    versions: dict[Owner, int]
    before: dict[Owner, int]
    fold: Any
    offset: int = 0
    account: Account = field(factory=Account)
    past: dict[Owner, Past] = field(factory=dict)


class Recording(Protocol):
    """What a session needs of a run's directory."""

    @property
    def last(self) -> Checkpoint | None:
        """The checkpoint to go on from."""
        ...

    @property
    def account(self) -> Account:
        """What earlier sessions used up."""
        ...

    @property
    def fold(self) -> ReportFold:
        """The run's report so far; the session feeds it, once for all."""
        ...

    @property
    def memory(self) -> Memory:
        """Remembers answered calls and finished units."""
        ...

    async def notify(self, event: Event, /) -> None:
        """Take an event, after `fold` took it."""
        ...

    async def sync(self) -> None:
        """Flush what was remembered."""
        ...

    async def checkpoint(
        self,
        epoch: int,
        batch: int,
        *,
        versions: Mapping[Owner, int],
        before: Mapping[Owner, int],
        past: Mapping[Owner, Past],
        budget: Budget,
    ) -> None:
        """Record that a batch is committed."""
        ...

    async def end_session(self, budget: Budget) -> None:
        """Record what was used up."""
        ...

    def write_experiences(self, libraries: Iterable[Library]) -> None:
        """Keep the libraries as the run leaves them."""
        ...


def versions_of(libraries: Mapping[Owner, Library]) -> dict[Owner, int]:
    """The versions of libraries, by owner."""
    return {owner: library.version for owner, library in libraries.items()}


def derive_seed(seed: int, libraries: Mapping[Owner, Library]) -> int:
    """The seed of a run's lots, coins and rollouts, by what the run begins with; pure.

    Credit and undecided trials go on from run to run, so a further run over the same experiences
    must not throw the same coins again: evidence that is counted twice is none.

    Args:
        seed: As configured; it is the run's where no library was ever written.
        libraries: By owner, as the run finds them.
    """
    begun = sorted((o, each.version, each.wording) for o, each in libraries.items() if each.version)
    if not begun:
        return seed
    digest = hashlib.sha256(repr((seed, begun)).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> 1
