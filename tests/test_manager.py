"""The libraries of a run over a store: what a batch's end does, and in which order."""

from __future__ import annotations

import asyncio

import pytest

from grpo_framework.config import load_config
from grpo_framework.errors import ConfigError, StoreError, VersionConflict
from grpo_framework.experience import Add, Count, Delete, Keep, Library, Limits, Merge, Modify
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins

OWNERS = ("generator_1", "generator_2", "critic")
UNITS = "Check the units of the result."
PICTURE = "Draw a picture of the situation."
GUESS = "Estimate the size of the answer first."


class Store:
    """Keeps every version in memory, and the order of commits."""

    def __init__(self, fail_at=None):
        self.kept = {}
        self.commits = []
        self.fail_at = fail_at

    async def load(self, owner, /, *, version=None):
        history = self.kept.get(owner, [Library(owner)])
        return history[-1] if version is None else history[version]

    async def commit(self, library, /, *, expected_version):
        found = (await self.load(library.owner)).version
        if found != expected_version:
            raise VersionConflict(library.owner, expected=expected_version, found=found)
        if len(self.commits) == self.fail_at:
            raise StoreError("disk full")
        self.commits.append(library.owner)
        self.kept.setdefault(library.owner, [Library(library.owner)]).append(library)


NOW = "2026-01-02T03:04:05+00:00"


def manager(store, **limits):
    return ExperienceManager(store, limits=Limits(**limits), plugins=Plugins(()))


def batch(store, proposals, counts=None, **limits):
    """One batch on the newest libraries; returns the commits by owner."""

    async def main():
        made = manager(store, **limits)
        commits = made.decider.decide(await made.load(OWNERS), proposals, counts or {}, now=NOW)
        await made.commit(commits)
        return {commit.plan.owner: commit for commit in commits}

    return asyncio.run(main())


def contents(store, owner):
    return [item.content for item in asyncio.run(store.load(owner)).experiences]


def test_all_owners_and_the_shared_library_are_loaded():
    """Owners that were never committed start empty."""
    libraries = asyncio.run(manager(Store()).load(OWNERS))
    assert list(libraries) == [*OWNERS, "shared"]
    assert all(library.version == 0 for library in libraries.values())


def test_each_owner_gets_its_own_proposals():
    """One commit an owner; what one learns does not reach another."""
    store = Store()
    commits = batch(store, {"generator_1": [Add(UNITS)], "critic": [Add(PICTURE)]})
    assert contents(store, "generator_1") == [UNITS]
    assert contents(store, "generator_2") == []
    assert contents(store, "critic") == [PICTURE]
    assert commits["critic"].after.ids == ("C-001",)
    assert (commits["critic"].before.version, commits["critic"].after.version) == (0, 1)


def test_nothing_is_committed_where_nothing_changed():
    """Refused and kept proposals are reported and write no version."""
    store = Store()
    batch(store, {"generator_1": [Add(UNITS)]})
    store.commits.clear()
    commits = batch(store, {"generator_1": [Keep("G1-001"), Delete("G1-099")]})
    assert store.commits == []
    assert len(commits) == 4
    assert commits["generator_1"].plan.accepted == (Keep("G1-001"),)
    assert [refusal.rule for refusal in commits["generator_1"].plan.refused] == ["known-id"]
    assert commits["generator_1"].after == commits["generator_1"].before


def test_uses_are_counted_and_committed_with_the_edits():
    """One version holds both; counts of shared experiences go to the shared library."""
    store = Store()
    batch(store, {"generator_1": [Add(UNITS), Add(PICTURE)], "shared": [Add(GUESS)]})
    counts = {"G1-001": Count(6, 2), "S-001": Count(12, 5), "G1-002": Count(6, 0)}
    batch(store, {"generator_1": [Delete("G1-002")]}, counts)
    (units,) = asyncio.run(store.load("generator_1")).experiences
    (guess,) = asyncio.run(store.load("shared")).experiences
    assert (units.usage_count, units.success_count) == (6, 2)
    assert (guess.usage_count, guess.success_count) == (12, 5)
    assert asyncio.run(store.load("generator_1")).version == 2


def test_what_two_generators_learn_alike_goes_to_the_shared_library():
    """It is added there, in the first one's words, and to neither generator."""
    store = Store()
    proposals = {
        "generator_1": [Add(UNITS), Add(PICTURE)],
        "generator_2": [Add("Check the unit of the result"), Add(GUESS)],
    }
    commits = batch(store, proposals)
    assert contents(store, "shared") == [UNITS]
    assert contents(store, "generator_1") == [PICTURE]
    assert contents(store, "generator_2") == [GUESS]
    assert commits["shared"].after.ids == ("S-001",)
    for owner in ("generator_1", "generator_2"):
        assert [refusal.rule for refusal in commits[owner].plan.refused] == ["promoted"]


def test_what_one_holds_and_another_learns_is_promoted():
    """The holder's entry is deleted, the learner's is not added; the ids stay spent."""
    store = Store()
    batch(store, {"generator_1": [Add(UNITS)]})
    commits = batch(store, {"generator_2": [Add(UNITS)]})
    assert contents(store, "shared") == [UNITS]
    assert contents(store, "generator_1") == contents(store, "generator_2") == []
    assert [type(item) for item in commits["generator_1"].plan.accepted] == [Delete]
    batch(store, {"generator_1": [Add(PICTURE)]})
    assert asyncio.run(store.load("generator_1")).ids == ("G1-002",)


def test_what_is_shared_is_not_learned_again():
    """A generator's copy of a shared experience is refused as a duplicate."""
    store = Store()
    batch(store, {"shared": [Add(UNITS)]})
    commits = batch(store, {"generator_1": [Add(UNITS)], "critic": [Add(UNITS)]})
    assert [refusal.rule for refusal in commits["generator_1"].plan.refused] == ["duplicate"]
    assert [refusal.rule for refusal in commits["critic"].plan.refused] == ["duplicate"]


def test_a_critics_experience_is_not_promoted():
    """Fusing is another trade: the critic's words count for nobody else."""
    store = Store()
    batch(store, {"generator_1": [Add(UNITS)], "critic": [Add(UNITS)]})
    assert contents(store, "shared") == []
    assert contents(store, "critic") == [UNITS]


def test_a_full_shared_library_leaves_experiences_where_they_are():
    """Nothing is lost for want of room."""
    store = Store()
    batch(store, {"shared": [Add(GUESS)]}, capacity=1)
    batch(store, {"generator_1": [Add(UNITS)], "generator_2": [Add(UNITS)]}, capacity=1)
    assert contents(store, "shared") == [GUESS]
    assert contents(store, "generator_1") == contents(store, "generator_2") == [UNITS]


def test_a_promoted_text_is_not_lost_when_its_owner_also_modifies_it():
    """The modified words are the ones promoted; the old entry goes."""
    store = Store()
    batch(store, {"generator_1": [Add(PICTURE)]})
    batch(store, {"generator_1": [Modify("G1-001", UNITS)], "generator_2": [Add(UNITS)]})
    assert contents(store, "shared") == [UNITS]
    assert contents(store, "generator_1") == contents(store, "generator_2") == []


def test_parents_of_a_merge_are_not_promoted_apart():
    """A batch that merges an experience keeps the merge."""
    store = Store()
    batch(store, {"generator_1": [Add(UNITS), Add(PICTURE)]})
    merge = Merge(("G1-001", "G1-002"), GUESS)
    batch(store, {"generator_1": [merge], "generator_2": [Add(GUESS)]})
    held = [*contents(store, "generator_1"), *contents(store, "shared")]
    assert GUESS in held
    assert PICTURE not in held


def test_the_shared_library_is_committed_first():
    """So that a crash in between loses no promoted experience."""
    store = Store()
    batch(store, {"generator_1": [Add(UNITS)], "generator_2": [Add(UNITS), Add(GUESS)]})
    assert store.commits == ["shared", "generator_2"]


def test_a_crash_between_commits_is_mended_by_the_next_batch():
    """Whoever was not reached gives up its copy of what is shared by then."""
    store = Store()
    batch(store, {"generator_1": [Add(UNITS)]})
    batch(store, {"generator_2": [Add(PICTURE)]})
    store.fail_at = len(store.commits) + 1
    with pytest.raises(StoreError):
        batch(store, {"generator_2": [Modify("G2-001", UNITS)]})
    assert contents(store, "shared") == contents(store, "generator_1") == [UNITS]
    store.fail_at = None
    batch(store, {})
    assert contents(store, "shared") == [UNITS]
    assert contents(store, "generator_1") == []
    assert contents(store, "generator_2") == [PICTURE]


def test_a_stale_writer_gets_a_conflict_and_overwrites_nothing():
    """Two runs on one store: the second commit of the same version fails."""
    store = Store()

    async def main():
        made = manager(store)
        snapshot = await made.load(OWNERS)
        await made.commit(made.decider.decide(snapshot, {"generator_1": [Add(UNITS)]}, {}, now=NOW))
        with pytest.raises(VersionConflict) as caught:
            await made.commit(
                made.decider.decide(snapshot, {"generator_1": [Add(PICTURE)]}, {}, now=NOW)
            )
        assert (caught.value.owner, caught.value.found) == ("generator_1", 1)

    asyncio.run(main())
    assert contents(store, "generator_1") == [UNITS]


def test_a_commit_that_stands_already_counts_as_done():
    """A resumed run commits again what it had decided; the same digest is no conflict."""
    store = Store()

    async def main():
        made = manager(store)
        decided = made.decider.decide(
            await made.load(OWNERS), {"critic": [Add(UNITS)]}, {}, now=NOW
        )
        await made.commit(decided)
        await made.commit(decided)

    asyncio.run(main())
    assert contents(store, "critic") == [UNITS]
    assert store.commits == ["critic"]


def test_limits_are_the_managers():
    """Capacity holds at every commit."""
    store = Store()
    commits = batch(store, {"critic": [Add(UNITS), Add(PICTURE), Add(GUESS)]}, capacity=2)
    assert contents(store, "critic") == [UNITS, PICTURE]
    assert [refusal.rule for refusal in commits["critic"].plan.refused] == ["capacity"]


def test_a_manager_needs_a_store_or_a_configuration():
    """Each wrong use says what to do."""

    async def opened(made):
        async with made.open() as manager_:
            return manager_

    with pytest.raises(ConfigError, match="needs a store or a configuration"):
        asyncio.run(opened(ExperienceManager(plugins=Plugins(()))))
    with pytest.raises(ConfigError, match="async with"):
        asyncio.run(ExperienceManager(plugins=Plugins(())).load(OWNERS))
    made = manager(Store())
    assert asyncio.run(opened(made)) is made


def test_the_configured_store_is_opened_and_closed():
    """The store of a configuration lives as long as the manager is open."""
    from contextlib import asynccontextmanager

    from grpo_framework.component import Component
    from grpo_framework.plugins import Source

    log = []

    class Memory:
        def __init__(self):
            @asynccontextmanager
            async def factory(wiring):
                log.append(("open", wiring.experience_dir.name))
                yield Store()
                log.append("close")

            self.component = Component("memory", factory)

    from grpo_framework.hookspecs import hookimpl

    class Plugin:
        @hookimpl
        def grpo_experience_stores(self):
            return [Memory().component]

    plugins = Plugins([Source("mine", "mine", "mine 1.0", Plugin)])
    config = load_config(settings=["store=mine/memory", "experience_dir=kept", "limits.capacity=3"])

    async def main():
        async with ExperienceManager.from_config(config, plugins).open() as made:
            assert made.limits.capacity == 3
            await made.load(OWNERS)
            log.append("used")

    asyncio.run(main())
    assert log == [("open", "kept"), "used", "close"]


def test_a_promoted_experience_names_the_entries_it_replaces():
    """Only what stood in a library has an id to name; a proposal of the same batch has none."""
    store = Store()
    batch(store, {"generator_1": [Add(UNITS)]})
    batch(store, {"generator_2": [Add(UNITS)]})
    (promoted,) = asyncio.run(store.load("shared")).experiences
    assert promoted.parents == ("G1-001",)
    assert contents(store, "generator_1") == contents(store, "generator_2") == []
