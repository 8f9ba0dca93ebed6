"""`CombinedAdvisor`: several advisors as one, their proposals merged and tagged by source."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import TypeVar

from attrs import evolve, frozen

from grpo_framework.experience import (
    Add,
    Keep,
    Library,
    Malformed,
    Merge,
    Modify,
    Operation,
    normalise,
)
from grpo_framework.protocols import Advisor, Consolidator
from grpo_framework.records import Contrast

T = TypeVar("T", bound=Operation)
R = TypeVar("R")


@frozen
class CombinedAdvisor:
    """Several advisors, asked side by side.

    A proposal's reason begins with the name of the advisor it came from (``pool/advisor: …``). What
    two of them propose alike, but for case and signs, is proposed once, in the first one's words.

    Attributes:
        parts: Name → advisor, in order, at least one.
    """

    parts: tuple[tuple[str, Advisor], ...]

    async def advise(
        self, contrasts: tuple[Contrast, ...], library: Library, /
    ) -> tuple[Operation, ...]:
        """All advisors' proposals, in the order of the advisors.

        A run asks each part for itself (`grpo_framework.advantage.advise`), so that one that fails
        takes no other's proposals with it.

        Raises:
            Exception: What the first one that failed raised.
        """
        asked = [advisor.advise(contrasts, library) for _, advisor in self.parts]
        return self.merge(await _side_by_side(asked))

    def merge(self, proposed: Sequence[tuple[Operation, ...]]) -> tuple[Operation, ...]:
        """Tag each part's proposals with its name, and drop repetitions.

        Args:
            proposed: What each part proposed, in the order of the parts.
        """
        rows = zip(self.parts, proposed, strict=True)
        return _once(tag(item, name) for (name, _), operations in rows for item in operations)

    async def consolidate(
        self, proposals: tuple[Operation, ...], library: Library, /, *, seed: int
    ) -> tuple[Operation, ...]:
        """Let each advisor that consolidates do so with its own proposals, known by their tags.

        Raises:
            Exception: What the first one that failed raised; all is then planned as it is.
        """
        left = list(proposals)
        portions: list[tuple[Operation, ...]] = []
        for name, _ in self.parts:
            portions.append(tuple(item for item in left if is_of(item, name)))
            left = [item for item in left if not is_of(item, name)]
        work = [
            _consolidate(advisor, name, portion, library, seed)
            for (name, advisor), portion in zip(self.parts, portions, strict=True)
        ]
        merged = await _side_by_side(work)
        return _once([*(item for items in merged for item in items), *left])


def combine(names: Sequence[str], advisors: Sequence[Advisor]) -> Advisor | None:
    """One advisor as it is, several as one, None for none.

    Args:
        names: Of the advisors; one that stands there again gets a number.
        advisors: None of them, or as many as names.
    """
    if len(advisors) < 2:
        return advisors[0] if advisors else None
    again = [names[:place].count(name) for place, name in enumerate(names)]
    numbered = [
        name if not before else f"{name} {before + 1}"
        for name, before in zip(names, again, strict=True)
    ]
    return CombinedAdvisor(tuple(zip(numbered, advisors, strict=True)))


async def _side_by_side(work: Sequence[Awaitable[R]]) -> list[R]:
    """The results of work done side by side; of several errors the first, as it is.

    Its kind and message are what a report should say, not those of a group around it.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(_await(each)) for each in work]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [task.result() for task in running]


async def _await(work: Awaitable[R]) -> R:
    return await work


async def _consolidate(
    advisor: Advisor, name: str, portion: tuple[Operation, ...], library: Library, seed: int
) -> tuple[Operation, ...]:
    if not portion or not isinstance(advisor, Consolidator):
        return portion
    plain = tuple(untag(item, name) for item in portion)
    merged = await advisor.consolidate(plain, library, seed=seed)
    return tuple(tag(item, name) for item in merged)


def tag(operation: T, name: str) -> T:
    """The operation with its source before its reason."""
    if isinstance(operation, Malformed) and operation.reason.startswith(f"{name}: "):
        return operation
    return evolve(operation, reason=f"{name}: {operation.reason}")


def untag(operation: T, name: str) -> T:
    """The operation as its source proposed it."""
    return evolve(operation, reason=operation.reason.removeprefix(f"{name}: "))


def is_of(operation: Operation, name: str) -> bool:
    """Whether an operation is tagged with a name."""
    return operation.reason.startswith(f"{name}: ")


def _once(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    kept: dict[object, Operation] = {}
    for operation in operations:
        kept.setdefault(_meaning(operation), operation)
    return tuple(kept.values())


def _meaning(operation: Operation) -> object:
    """What makes two operations the same, whoever proposed them and why."""
    match operation:
        case Add(content=content):
            return "add", normalise(content)
        case Modify(id=id_, content=content):
            return "modify", id_, normalise(content)
        case Merge(ids=ids, content=content):
            return "merge", tuple(sorted(set(ids))), normalise(content)
        case Keep(id=id_):
            return "keep", id_
        case Malformed(document=document):
            return "malformed", document
        case _:
            return "delete", operation.id
