"""What takes the place of a run's components in its replay: it fails as the run's own did."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from attrs import frozen

from grpo_framework.batch_advice import MOST_ADVISORS, part_of
from grpo_framework.calls.scope import current_scope
from grpo_framework.errors import ComparatorError
from grpo_framework.events import CallFinished, UnitFailed
from grpo_framework.journal import Journal
from grpo_framework.records import Failure, Unit
from grpo_framework.standing import read_events


@frozen
class Failures:
    """What failed in the run, and the calls that were answered for it before."""

    failures: Mapping[Unit, Failure]
    calls: Mapping[Unit, list[CallFinished]]


def read_failures(path: Path) -> Failures:
    """What failed in the run of a directory."""
    failures = {
        event.failure.unit: event.failure
        for event in read_events(path)
        if isinstance(event, UnitFailed)
    }
    calls: dict[Unit, list[CallFinished]] = {unit: [] for unit in failures}
    for event in read_events(path) if failures else ():
        if isinstance(event, CallFinished) and event.unit in calls:
            calls[event.unit].append(event)
    return Failures(failures, calls)


async def _fail_again(failed: Failures) -> NoReturn:
    """Raise what the unit at hand had failed with, after the calls that it had made."""
    scope = current_scope()
    assert scope is not None
    for call in failed.calls[scope.unit]:
        await scope.finish(call)
    failure = failed.failures[scope.unit]
    raise ComparatorError(failure.message, kind=failure.kind)


@frozen
class StandIn:
    """Generator, critic, comparator, advisor and embedder: only asked for what had failed."""

    failed: Failures

    async def attempt(self, *_: Any, seed: int) -> NoReturn:  # noqa: ARG002 - the protocol's
        """In the place of a generator."""
        await _fail_again(self.failed)

    async def fuse(self, *_: Any, seed: int) -> NoReturn:  # noqa: ARG002 - the protocol's
        """In the place of the critic."""
        await _fail_again(self.failed)

    async def compare(self, *_: Any) -> NoReturn:
        """In the place of the comparator."""
        await _fail_again(self.failed)

    async def advise(self, *_: Any) -> NoReturn:
        """In the place of an advisor."""
        await _fail_again(self.failed)

    async def embed(self, *_: Any) -> NoReturn:
        """In the place of the embedder."""
        await _fail_again(self.failed)


@frozen
class _Consolidating(StandIn):
    """An advisor that consolidates too, as that of the run did."""

    async def consolidate(self, *_: Any, seed: int) -> NoReturn:  # noqa: ARG002 - the protocol's
        """In the place of a consolidator."""
        await _fail_again(self.failed)


@frozen
class _Batchwise(StandIn):
    """An advisor that also advises on batches."""

    async def advise_batch(self, *_: Any, seed: int) -> NoReturn:  # noqa: ARG002 - the protocol's
        """In the place of a batch advisor."""
        await _fail_again(self.failed)


@frozen
class _BatchwiseConsolidating(_Consolidating, _Batchwise):
    """An advisor that does both."""


async def make_advisors(journal: Journal, failed: Failures, count: int) -> list[StandIn]:
    """In the place of each advisor one that can do what was asked of it."""
    entries = await journal.entries("batch_advice")
    batchwise = {part_of(entry.key) for entry in entries}
    batchwise |= {
        unit.index % MOST_ADVISORS for unit in failed.failures if unit.stage == "batch_advice"
    }
    consolidated = await journal.count("consolidation")
    if consolidated or any(unit.stage == "consolidation" for unit in failed.failures):
        kinds: tuple[type[StandIn], type[StandIn]] = (_Consolidating, _BatchwiseConsolidating)
    else:
        kinds = (StandIn, _Batchwise)
    return [kinds[number in batchwise](failed) for number in range(count)]
