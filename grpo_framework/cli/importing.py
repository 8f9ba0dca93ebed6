"""How imported experiences join a library: pure, ids are kept and never given twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen

from grpo_framework.errors import DataError
from grpo_framework.exchange import next_free_number, replace_content
from grpo_framework.experience import Experience, Library, normalise


@frozen
class Imported:
    """What an import makes of one owner's library.

    Attributes:
        library: The next version; the present one where nothing changes.
        added: Experiences that are new in it.
        known: Imported ones that it held already, by id or by text.
        removed: Experiences that are no longer in it.
    """

    library: Library
    added: int
    known: int
    removed: int = 0

    @property
    def changed(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self.added or self.removed)

    @property
    def document(self) -> dict[str, Any]:
        """The result as plain JSON values."""
        return {
            "owner": self.library.owner,
            "version": self.library.version,
            "experiences": len(self.library),
            "added": self.added,
            "known": self.known,
            "removed": self.removed,
        }


def merge(current: Library, incoming: Library, *, capacity: int) -> Imported:
    """Add what the library does not hold yet, by id and by text.

    Raises:
        DataError: One id says different things in both, or the capacity would be passed.
    """
    held = {each.id: each for each in current.experiences}
    texts = {normalise(each.content) for each in current.experiences}
    new: list[Experience] = []
    for each in incoming.experiences:
        if each.id in held:
            _check_same(held[each.id], each, current.owner)
        elif normalise(each.content) not in texts:
            new.append(each)
    together = (*current.experiences, *new)
    _check_room(current.owner, len(together), capacity)
    known = len(incoming) - len(new)
    if not new:
        return Imported(current, 0, known)
    number = max(
        current.next_number, incoming.next_number, next_free_number(current.owner, together)
    )
    library = evolve(current, version=current.version + 1, experiences=together, next_number=number)
    return Imported(library, len(new), known)


def replace(current: Library, incoming: Library, *, capacity: int) -> Imported:
    """Put the imported experiences in place of the present ones; numbers are not reused.

    Raises:
        DataError: The capacity would be passed.
    """
    _check_room(current.owner, len(incoming), capacity)
    present = {each.id: each for each in current.experiences}
    new = tuple(_with_memory(each, present) for each in incoming.experiences)
    before, after = set(current.experiences), set(new)
    if before == after:
        return Imported(current, 0, len(after))
    library = replace_content(current, evolve(incoming, experiences=new))
    return Imported(library, len(after - before), len(before & after), len(before - after))


def _with_memory(imported: Experience, present: Mapping[str, Experience]) -> Experience:
    """The guide's format lacks parents and measured credit: the same experience keeps its own."""
    known = present.get(imported.id)
    if known is None or known.content != imported.content:
        return imported
    return evolve(imported, parents=imported.parents or known.parents, credit=known.credit)


def _check_same(present: Experience, imported: Experience, owner: str) -> None:
    if normalise(present.content) != normalise(imported.content):
        message = f"{owner}: the id '{present.id}' stands for another text in the store"
        raise DataError(message, hint="--replace takes the imported experiences instead")


def _check_room(owner: str, count: int, capacity: int) -> None:
    if count > capacity:
        message = f"{owner} would hold {count} experiences, more than its capacity of {capacity}"
        raise DataError(message, hint=f"--set limits.capacity={count}")
