"""The versions of an owner in a store: which there are, what each changed, and the way back."""

from __future__ import annotations

from attrs import frozen

from grpo_framework.errors import StoreError
from grpo_framework.experience import Change, Library, Version, compare_versions, restore
from grpo_framework.protocols import ExperienceStore, VersionedStore
from grpo_framework.records import Owner


@frozen
class Revision:
    """A version with what it holds.

    Attributes:
        version: Its number and time.
        library: Its content.
        change: What it changed in the version before it.
    """

    version: Version
    library: Library
    change: Change


@frozen
class Reversal:
    """The way back to an old version.

    Attributes:
        target: The old version's number.
        before: The newest version.
        after: What follows it, with the old content; `before` itself where nothing changes.
    """

    target: int
    before: Library
    after: Library

    @property
    def needed(self) -> bool:
        """Whether there is anything to write."""
        return self.after is not self.before

    @property
    def change(self) -> Change:
        """What comes, goes, and gets its old text back."""
        return compare_versions(self.before, self.after)


async def find_reversal(store: ExperienceStore, owner: Owner, version: int) -> Reversal:
    """What going back to a version would do; writes nothing.

    Raises:
        StoreError: There is no such version, or the store is damaged.
    """
    newest = await store.load(owner)
    old = newest if version == newest.version else await store.load(owner, version=version)
    return Reversal(version, newest, restore(newest, old))


async def find_history(store: ExperienceStore, owner: Owner) -> tuple[Revision, ...]:
    """All versions of an owner, oldest first; version 0, the empty one before them, is left out.

    Raises:
        StoreError: The store is damaged.
    """
    found: list[Revision] = []
    before = Library(owner)
    for version in await _versions(store, owner):
        library = await store.load(owner, version=version.number)
        found.append(Revision(version, library, compare_versions(before, library)))
        before = library
    return tuple(found)


async def _versions(store: ExperienceStore, owner: Owner) -> tuple[Version, ...]:
    """The versions as the store lists them; one that cannot is asked for each number."""
    if isinstance(store, VersionedStore):
        return await store.list_versions(owner)
    newest = (await store.load(owner)).version
    found = []
    for number in range(1, newest + 1):
        try:
            await store.load(owner, version=number)
        except StoreError:
            continue
        found.append(Version(number))
    return tuple(found)
