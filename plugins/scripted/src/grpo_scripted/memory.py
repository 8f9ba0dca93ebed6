"""An experience store in memory: what a store must do, and nothing else."""

from __future__ import annotations

from grpo_framework.errors import StoreError, VersionConflict
from grpo_framework.experience import Library
from grpo_framework.records import Owner


class MemoryStore:
    """Keeps every committed version of every library until it is closed."""

    def __init__(self) -> None:
        self._versions: dict[Owner, dict[int, Library]] = {}

    async def load(self, owner: Owner, /, *, version: int | None = None) -> Library:
        """Return the newest library of an owner, or the version asked for.

        Raises:
            StoreError: There is no such version.
        """
        versions = self._versions.get(owner, {})
        wanted = max(versions, default=0) if version is None else version
        if wanted == 0:
            return Library(owner)
        if wanted not in versions:
            known = ", ".join(map(str, (0, *sorted(versions))))
            raise StoreError(f"{owner} has no version {wanted}; versions are {known}")
        return versions[wanted]

    async def commit(self, library: Library, /, *, expected_version: int) -> None:
        """Keep a library as the newest version of its owner.

        Raises:
            VersionConflict: The newest version is not `expected_version`.
            StoreError: The library's version is not above `expected_version`.
        """
        versions = self._versions.setdefault(library.owner, {})
        found = max(versions, default=0)
        if found != expected_version:
            raise VersionConflict(library.owner, expected=expected_version, found=found)
        if library.version <= expected_version:
            message = f"version {library.version} of {library.owner} is not above {found}"
            raise StoreError(message)
        versions[library.version] = library
