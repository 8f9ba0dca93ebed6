"""The suite of experience stores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from attrs import evolve

from grpo_framework.component import Component, Wiring
from grpo_framework.errors import StoreError, VersionConflict
from grpo_framework.experience import Add, Credit, Delete, Library, Trial
from grpo_framework.protocols import ExperienceStore, VersionedStore
from grpo_framework.testing.samples import AWKWARD_TEXTS, make_library
from grpo_framework.testing.suites.base import ComponentSuite, Drive


class ExperienceStoreSuite(ComponentSuite):
    """What every experience store must do.

    Attributes:
        persistent: Whether libraries outlive the store that wrote them.
        keeps_credit: Whether measured credit and edits on trial come back; a store that keeps only
            the seven keys of the guide's files loses them, and with them what training measured.
    """

    protocol: ClassVar[type] = ExperienceStore
    persistent: ClassVar[bool] = True
    keeps_credit: ClassVar[bool] = True

    def test_owner_without_commits_is_empty(self, drive: Drive) -> None:
        """An owner that was never committed has an empty library at version 0, also asked by it."""

        async def use(store: ExperienceStore) -> None:
            for owner in ("shared", "critic", "generator_1", "generator_12"):
                assert await store.load(owner) == Library(owner)
                assert await store.load(owner, version=0) == Library(owner)

        drive(use)

    def test_round_trip(self, drive: Drive) -> None:
        """A committed library comes back as it was: fields, order, next number, any text."""
        library = make_library("generator_1", *AWKWARD_TEXTS)
        library = evolve(library, next_number=40)

        async def use(store: ExperienceStore) -> None:
            await store.commit(library, expected_version=0)
            assert await store.load("generator_1") == library
            assert await store.load("generator_2") == Library("generator_2")

        drive(use)

    def test_versions_that_are_listed_can_be_loaded(self, drive: Drive) -> None:
        """A store that lists its versions lists just those it can load, oldest first."""
        first = make_library("critic", "Compare the answers.", prefix="C")
        later = evolve(first, version=first.version + 2, experiences=())

        async def use(store: ExperienceStore) -> None:
            if not isinstance(store, VersionedStore):
                return
            assert await store.list_versions("critic") == ()
            await store.commit(first, expected_version=0)
            await store.commit(later, expected_version=first.version)
            listed = [version.number for version in await store.list_versions("critic")]
            assert listed == [first.version, later.version]
            assert await store.load("critic", version=listed[0]) == first
            assert await store.list_versions("shared") == ()

        drive(use)

    def test_parents_survive(self, drive: Drive) -> None:
        """The parents of merged or promoted experiences come back."""
        library = make_library("shared", "Check the units.", prefix="S")
        parents = ("G1-001", "G2-004")
        child = evolve(library.experiences[0], parents=parents)
        library = evolve(library, experiences=(child,))

        async def use(store: ExperienceStore) -> None:
            await store.commit(library, expected_version=0)
            assert (await store.load("shared")).experiences[0].parents == parents

        drive(use)

    def test_measured_credit_survives(self, drive: Drive) -> None:
        """Credit comes back to the last bit, at every version, also where it alone changed."""
        if not self.keeps_credit:
            pytest.skip("the store is declared as losing measured credit")
        cell = Credit.of_cell((1.0, 0.1, 0.7), (1 / 3,))
        first = make_library("generator_1", "Check the units.", "Draw a picture.", version=1)
        first = _with_credit(first, 0, cell)
        second = _with_credit(evolve(first, version=2), 1, cell + cell)

        async def use(store: ExperienceStore) -> None:
            await store.commit(first, expected_version=0)
            assert await store.load("generator_1") == first
            await store.commit(second, expected_version=1)
            assert await store.load("generator_1") == second
            assert await store.load("generator_1", version=1) == first

        drive(use)

    def test_edits_on_trial_survive(self, drive: Drive) -> None:
        """What was measured and not taken comes back, also where it alone changed."""
        if not self.keeps_credit:
            pytest.skip("the store is declared as losing what was measured")
        first = make_library("generator_1", "Check the units.", version=1)
        tried = (
            Trial(Add("Use blue ink."), "rejected", "no gain in 3 tries"),
            Trial(Delete("G1-001"), "provisional", "undecided", 2, (1.0, -0.5, 0.1)),
        )
        second = evolve(first, version=2, trials=tried)

        async def use(store: ExperienceStore) -> None:
            await store.commit(first, expected_version=0)
            await store.commit(second, expected_version=1)
            assert await store.load("generator_1") == second
            assert await store.load("generator_1", version=1) == first

        drive(use)

    def test_stale_commit_conflicts(self, drive: Drive) -> None:
        """A commit on an outdated version raises VersionConflict and changes nothing."""

        async def use(store: ExperienceStore) -> None:
            first, second = make_library(version=1), _make_second("new")
            await store.commit(first, expected_version=0)
            await store.commit(second, expected_version=1)
            with pytest.raises(VersionConflict) as caught:
                await store.commit(_make_second("x"), expected_version=1)
            assert (caught.value.owner, caught.value.expected) == ("generator_1", 1)
            assert caught.value.found == 2
            assert await store.load("generator_1") == second

        drive(use)

    def test_version_must_grow(self, drive: Drive) -> None:
        """A commit whose version is not above the expected one is refused and changes nothing."""

        async def use(store: ExperienceStore) -> None:
            first = make_library(version=1)
            await store.commit(first, expected_version=0)
            with pytest.raises(Exception, match=r"\S"):
                await store.commit(evolve(_make_second("x"), version=1), expected_version=1)
            assert await store.load("generator_1") == first

        drive(use)

    def test_every_version_can_be_loaded(self, drive: Drive) -> None:
        """Versions stay loadable, also after gaps; one that never was is a StoreError."""

        async def use(store: ExperienceStore) -> None:
            versions = (1, 2, 5)
            expected = 0
            for version in versions:
                library = make_library("critic", f"text {version}", version=version, prefix="C")
                await store.commit(library, expected_version=expected)
                expected = version
            for version in versions:
                library = await store.load("critic", version=version)
                assert library.version == version
                assert library.experiences[0].content == f"text {version}"
            assert (await store.load("critic")).version == 5
            for missing in (3, 6):
                with pytest.raises(StoreError):
                    await store.load("critic", version=missing)

        drive(use)

    def test_library_may_become_empty_again(self, drive: Drive) -> None:
        """An empty library can be committed on a full one and keeps its next number."""
        emptied = Library("generator_1", 2, (), next_number=3)

        async def use(store: ExperienceStore) -> None:
            await store.commit(make_library(version=1), expected_version=0)
            await store.commit(emptied, expected_version=1)
            assert await store.load("generator_1") == emptied

        drive(use)

    def test_one_of_concurrent_commits_wins(self, drive: Drive) -> None:
        """Of many commits at once on one version exactly one wins, the others conflict."""

        async def use(store: ExperienceStore) -> None:
            rivals = [make_library("generator_1", f"rival {number}") for number in range(8)]
            outcomes = await asyncio.gather(
                *(store.commit(rival, expected_version=0) for rival in rivals),
                return_exceptions=True,
            )
            winners = [
                rival for rival, outcome in zip(rivals, outcomes, strict=True) if outcome is None
            ]
            losers = [outcome for outcome in outcomes if outcome is not None]
            assert len(winners) == 1
            assert all(isinstance(outcome, VersionConflict) for outcome in losers), losers
            assert await store.load("generator_1") == winners[0]

        drive(use)

    def test_owners_are_independent(self, drive: Drive) -> None:
        """Commits of different owners at once all succeed and do not touch each other."""

        async def use(store: ExperienceStore) -> None:
            libraries = [
                make_library("generator_1", "one", prefix="G1"),
                make_library("generator_2", "two", prefix="G2"),
                make_library("critic", "three", prefix="C"),
                make_library("shared", "four", prefix="S"),
            ]
            await asyncio.gather(*(store.commit(each, expected_version=0) for each in libraries))
            for library in libraries:
                assert await store.load(library.owner) == library

        drive(use)

    def test_libraries_outlive_the_store(self, component: Component[Any], wiring: Wiring) -> None:
        """A persistent store, opened again, has what was committed, with all versions."""
        if not self.persistent:
            pytest.skip("the store is declared as not persistent")
        first, second = make_library(version=1), _make_second("next")

        async def within(use: Callable[[ExperienceStore], Any]) -> None:
            async with asyncio.timeout(self.seconds), component.factory(wiring) as store:
                await use(store)

        async def write(store: ExperienceStore) -> None:
            await store.commit(first, expected_version=0)
            await store.commit(second, expected_version=1)

        async def read(store: ExperienceStore) -> None:
            assert await store.load("generator_1") == second
            assert await store.load("generator_1", version=1) == first

        asyncio.run(within(write))
        asyncio.run(within(read))


def _with_credit(library: Library, place: int, credit: Credit) -> Library:
    held = list(library.experiences)
    held[place] = evolve(held[place], credit=credit)
    return evolve(library, experiences=tuple(held))


def _make_second(text: str) -> Library:
    """A version to follow `make_library()`: other content, and no number is used again."""
    return make_library("generator_1", text, version=2, next_number=3)
