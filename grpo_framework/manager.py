"""`ExperienceManager`: the libraries of a run over a store; plans, applies and commits a batch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from attrs import evolve, field, frozen

from grpo_framework.config import RunConfig
from grpo_framework.deciding import Commit, Decider
from grpo_framework.errors import ConfigError, StoreError, VersionConflict
from grpo_framework.experience import (
    SHARED,
    Guards,
    Hygiene,
    Library,
    Limits,
    Plan,
)
from grpo_framework.plugins import Plugins
from grpo_framework.protocols import ExperienceStore
from grpo_framework.records import Owner, Problem
from grpo_framework.workshop import open_store


@frozen
class ExperienceManager:
    """The libraries of a run over a store.

    Attributes:
        store: Where they live; None together with `config` opens the configured one.
        limits: Hard limits of a library.
        guards: The problems whose answers and wording no experience may carry.
        hygiene: Which texts are refused for what they say.
        gated: Whether edits are measured, so that undecided ones are proposed again.
        config: Names a store and the limits.
        plugins: Where the configured store is found.
    """

    store: ExperienceStore | None = None
    limits: Limits = field(factory=Limits)
    guards: Guards = field(factory=Guards)
    hygiene: Hygiene = field(factory=Hygiene)
    gated: bool = False
    config: RunConfig | None = None
    plugins: Plugins = field(factory=Plugins.discover)

    @classmethod
    def from_config(cls, config: RunConfig, plugins: Plugins | None = None) -> ExperienceManager:
        """The manager of a configuration; its store is opened by `open`."""
        found = Plugins.discover() if plugins is None else plugins
        return cls(limits=config.limits, hygiene=config.hygiene, config=config, plugins=found)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ExperienceManager]:
        """Open the store, if it is not open already, and close it on exit."""
        if self.store is not None:
            yield self
        elif self.config is None:
            raise ConfigError("an ExperienceManager needs a store or a configuration")
        else:
            async with open_store(self.config, self.plugins) as store:
                yield evolve(self, store=store)

    def guarding(self, problems: Iterable[Problem]) -> ExperienceManager:
        """The manager that lets no experience carry these problems' answers or wording."""
        return evolve(self, guards=Guards.of(problems))

    @property
    def decider(self) -> Decider:
        """The rules by which this manager's proposals become commits."""
        return Decider(self.limits, self.guards, self.hygiene, self.gated)

    @property
    def _opened(self) -> ExperienceStore:
        if self.store is None:
            raise ConfigError("the ExperienceManager is not open: async with manager.open() as …")
        return self.store

    async def load(
        self, owners: Sequence[Owner], *, versions: Mapping[Owner, int] | None = None
    ) -> dict[Owner, Library]:
        """The libraries of these owners and the shared one.

        Args:
            owners: Without the shared one.
            versions: Which versions; None is the newest of each.

        Raises:
            StoreError: One of them is damaged, or a version is not there.
        """
        wanted = {} if versions is None else versions
        return {
            owner: await self._opened.load(owner, version=wanted.get(owner))
            for owner in (*owners, SHARED)
        }

    async def seed(self, libraries: Iterable[Library]) -> None:
        """Write libraries into a store that holds none; an owner who has one keeps it.

        Raises:
            StoreError: It cannot be written.
        """
        for library in libraries:
            held = await self._opened.load(library.owner)
            if len(library) and not held.version:
                first = evolve(library, version=max(1, library.version))
                await self._opened.commit(first, expected_version=0)

    async def commit(self, commits: Sequence[Commit]) -> None:
        """Write a batch's decisions: one commit an owner, the shared library first.

        After a crash in between, a promoted experience stands in both places and none is lost; a
        resumed run commits again, and a version that is there with the same digest counts as done.

        Raises:
            VersionConflict: Another writer committed in between.
            StoreError: It cannot be written.
        """
        for commit in commits:
            if commit.after == commit.before:
                continue
            try:
                await self._opened.commit(commit.after, expected_version=commit.before.version)
            except VersionConflict:
                if not await self._stands(commit.after):
                    raise

    async def restore(
        self, libraries: Mapping[Owner, Library], versions: Mapping[Owner, int]
    ) -> dict[Owner, Library]:
        """Make old versions the newest again: their experiences, under a new version number.

        Use counts and the credit of texts that are the same go on from the newest ones; ids are not
        reused, and nothing is forgotten.

        Args:
            libraries: The newest of each owner.
            versions: What to restore; an owner whose experiences are those already stays as it is.

        Returns:
            The newest of each owner afterwards.
        """
        restored = dict(libraries)
        for owner, version in versions.items():
            newest = libraries[owner]
            old = await self._opened.load(owner, version=version)
            if old.wording == newest.wording:
                continue
            now = {item.id: item for item in newest.experiences}
            held = tuple(
                evolve(
                    item,
                    usage_count=max(item.usage_count, now[item.id].usage_count),
                    success_count=max(item.success_count, now[item.id].success_count),
                    credit=(
                        now[item.id].credit if now[item.id].content == item.content else item.credit
                    ),
                )
                if item.id in now
                else item
                for item in old.experiences
            )
            changed = evolve(newest, version=newest.version + 1, experiences=held)
            await self.commit([Commit(Plan(owner, newest.version), newest, changed)])
            restored[owner] = changed
        return restored

    async def _stands(self, library: Library) -> bool:
        """Whether the store holds this very version already."""
        try:
            held = await self._opened.load(library.owner, version=library.version)
        except StoreError:
            return False
        return held.digest == library.digest
