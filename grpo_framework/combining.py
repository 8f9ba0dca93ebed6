"""`CombinedAdvisor`: several advisors as one, their proposals merged and tagged by source."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
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
            ExceptionGroup: One of them failed.
        """
        async with asyncio.TaskGroup() as tasks:
            asked = [
                tasks.create_task(advisor.advise(contrasts, library)) for _, advisor in self.parts
            ]
        return self.merge([task.result() for task in asked])

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
            ExceptionGroup: One of them failed; the proposals are then planned as they are.
        """
        left = list(proposals)
        portions: list[tuple[Operation, ...]] = []
        for name, _ in self.parts:
            portions.append(tuple(item for item in left if is_of(item, name)))
            left = [item for item in left if not is_of(item, name)]
        async with asyncio.TaskGroup() as tasks:
            work = [
                tasks.create_task(_consolidate(advisor, name, portion, library, seed))
                for (name, advisor), portion in zip(self.parts, portions, strict=True)
            ]
        return _once([*(item for task in work for item in task.result()), *left])


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
