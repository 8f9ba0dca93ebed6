"""An experience store: all versions in a dictionary, gone with the process."""

from contextlib import asynccontextmanager

from grpo_framework import Component, Library, StoreError, VersionConflict, hookimpl


class Shelf:
    def __init__(self):
        self.versions = {}

    async def load(self, owner, /, *, version=None):
        held = self.versions.get(owner, {0: Library(owner)})
        wanted = max(held) if version is None else version
        if wanted not in held:
            raise StoreError(f"there is no version {wanted} of {owner}")
        return held[wanted]

    async def commit(self, library, /, *, expected_version):
        held = self.versions.setdefault(library.owner, {0: Library(library.owner)})
        if max(held) != expected_version:
            raise VersionConflict(library.owner, expected=expected_version, found=max(held))
        if library.version <= expected_version:
            raise StoreError(f"version {library.version} of {library.owner} is not a new one")
        held[library.version] = library


@asynccontextmanager
async def open_shelf(wiring):
    yield Shelf()


@hookimpl
def grpo_experience_stores():
    yield Component("shelf", open_shelf, summary="in memory")
