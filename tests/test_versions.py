"""Versions of a library: what changed, how an old one comes back, which there are."""

from __future__ import annotations

import asyncio

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from grpo_framework.errors import StoreError, VersionConflict
from grpo_framework.experience import (
    Add,
    Count,
    Delete,
    Experience,
    Library,
    Merge,
    Modify,
    Trial,
    Version,
    apply,
    compare_versions,
    count,
    plan,
    restore,
)
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins
from grpo_framework.versions import find_history

OWNER = "generator_1"


def library(version, *rows, number=None):
    held = tuple(Experience(f"G1-{n:03}", text) for n, text in rows)
    following = max((n for n, _ in rows), default=0) + 1
    return Library(OWNER, version, held, number or following)


class Store:
    """Keeps versions in memory; a number may be missing."""

    def __init__(self, *libraries):
        self.kept = {library.version: library for library in libraries}
        self.commits = 0

    async def load(self, owner, /, *, version=None):
        if version == 0 or not self.kept:
            return Library(owner)
        number = max(self.kept) if version is None else version
        if number not in self.kept:
            raise StoreError(f"{owner} has no version {number}")
        return self.kept[number]

    async def commit(self, library, /, *, expected_version):
        if max(self.kept, default=0) != expected_version:
            raise VersionConflict(OWNER, expected=expected_version, found=max(self.kept))
        self.kept[library.version] = library
        self.commits += 1


def revert(store, version):
    manager = ExperienceManager(store, plugins=Plugins(()))
    return asyncio.run(manager.revert(OWNER, version))


def test_the_old_texts_come_back_as_a_new_version_and_no_number_falls():
    """What was added goes, what was removed comes, what was rewritten says the old thing again."""
    old = library(2, (1, "Check units."), (2, "Draw it."), (3, "Estimate first."))
    newest = library(5, (2, "Draw it large."), (3, "Estimate first."), (7, "Use algebra."))
    back = restore(newest, old)
    assert back.version == 6
    assert back.experiences == old.experiences
    assert back.next_number == newest.next_number == 8
    change = compare_versions(newest, back)
    assert [each.id for each in change.added] == ["G1-001"]
    assert [each.id for each in change.removed] == ["G1-007"]
    assert [(a.content, b.content) for a, b in change.rewritten] == [("Draw it large.", "Draw it.")]


def test_what_was_measured_since_is_kept_where_the_text_is_the_same():
    """Uses of a text that stands in both versions are evidence, whichever version is in force."""
    old = library(1, (1, "Check units."), (2, "Draw it."))
    newest = count(evolve(old, version=2), {"G1-001": Count(9, 4), "G1-002": Count(5, 5)})
    newest = evolve(
        newest, experiences=(newest.experiences[0], evolve(newest.experiences[1], content="No."))
    )
    back = restore(newest, old)
    assert (back.experiences[0].usage_count, back.experiences[0].success_count) == (9, 4)
    assert back.experiences[1] == old.experiences[1]


def test_what_is_on_trial_stays_what_it_is():
    """Rejected and undecided edits are knowledge of the owner, not content of a version."""
    old = library(1, (1, "Check units."))
    trials = (Trial(Add("Draw it."), "rejected", "worse"),)
    newest = evolve(library(4, (2, "Use algebra.")), trials=trials)
    assert restore(newest, old).trials == trials


def test_going_back_to_what_is_there_changes_nothing():
    """Counts alone are no change; another order is one."""
    old = library(1, (1, "Check units."), (2, "Draw it."))
    newest = count(evolve(old, version=4), {"G1-001": Count(9, 4)})
    assert restore(newest, old) is newest
    turned = evolve(newest, experiences=newest.experiences[::-1])
    assert restore(turned, old).ids == old.ids
    with pytest.raises(ValueError, match="critic"):
        restore(newest, Library("critic"))


EDITS = st.one_of(
    st.builds(Add, st.sampled_from(["Check units.", "Draw it.", "Estimate.", "Use algebra."])),
    st.builds(Delete, st.sampled_from(["G1-001", "G1-002", "G1-003"])),
    st.builds(Modify, st.sampled_from(["G1-001", "G1-002"]), st.sampled_from(["Go on.", "Stop."])),
    st.builds(Merge, st.just(("G1-001", "G1-002")), st.just("Both at once.")),
)


@given(st.lists(st.lists(EDITS, max_size=4), min_size=1, max_size=6), st.data())
def test_any_revert_keeps_the_rules_and_can_be_taken_back(batches, data):
    """Whatever the history: ids are never used again, and reverting the revert is the way back."""
    versions = [Library(OWNER)]
    for operations in batches:
        newest = versions[-1]
        versions.append(apply(newest, plan(newest, operations), now=""))
    newest = versions[-1]
    old = data.draw(st.sampled_from(versions))
    back = restore(newest, old)
    assert back.next_number == max(each.next_number for each in versions)
    again = restore(back, newest)
    assert again.experiences == newest.experiences
    added = apply(back, plan(back, [Add("Say what remains.")]), now="")
    new = set(added.ids) - set(back.ids)
    assert not new & {id_ for each in versions for id_ in each.ids}


def test_the_manager_writes_a_reversal_once():
    """One commit after the newest version; done again, as after a crash, it writes nothing."""
    old, newest = library(1, (1, "Check units.")), library(2, (2, "Draw it."))
    store = Store(old, newest)
    done = revert(store, 1)
    assert done.needed
    assert (done.before, done.after) == (newest, store.kept[3])
    assert store.kept[3].experiences == old.experiences
    assert not revert(store, 1).needed
    assert store.commits == 1
    assert revert(store, 2).after.experiences == newest.experiences
    assert revert(store, 0).after.experiences == ()
    assert sorted(store.kept) == [1, 2, 3, 4, 5]


def test_a_version_that_is_not_there_is_an_error_and_writes_nothing():
    """The store's own error comes out."""
    store = Store(library(1, (1, "Check units.")))
    with pytest.raises(StoreError, match="no version 7"):
        revert(store, 7)
    assert store.commits == 0


def test_the_history_of_a_store_without_a_list_of_versions_is_found_by_asking():
    """Numbers that are missing are passed over; the first version added all it holds."""
    store = Store(library(2, (1, "Check units.")), library(5, (1, "Check it."), (2, "Draw it.")))
    first, second = asyncio.run(find_history(store, OWNER))
    assert first.version == Version(2)
    assert [each.id for each in first.change.added] == ["G1-001"]
    assert second.version.number == 5
    assert [each.id for each in second.change.added] == ["G1-002"]
    assert [old.id for old, _ in second.change.rewritten] == ["G1-001"]
    assert asyncio.run(find_history(Store(), OWNER)) == ()
