"""For all libraries and all sequences of edits."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

from attrs import evolve
from grpo_jsonstore.history import Stamp, check_record, is_genuine, make_record, replay, to_rows
from grpo_jsonstore.layout import digest, parse, render
from grpo_jsonstore.store import DirectoryStore
from hypothesis import given, settings
from hypothesis import strategies as st

from grpo_framework.experience import Credit, Experience, Library

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
some = text.filter(bool)
ids = st.integers(1, 12).map(lambda number: f"S-{number:03d}") | some
finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
positive = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
whole = st.integers(0, 2**60)
credit = st.just(Credit()) | st.builds(
    Credit, whole, whole, whole, positive, finite, positive, finite, positive
)
experiences = st.builds(
    Experience,
    id=ids,
    content=some,
    category=text,
    success_count=st.integers(0, 3),
    usage_count=st.integers(0, 2**70),
    created_at=text,
    source_problem=text,
    parents=st.lists(some, max_size=2).map(tuple),
    credit=credit,
)
contents = st.lists(experiences, max_size=8, unique_by=lambda each: each.id).map(tuple)


def numbered(history: list[tuple[Experience, ...]]) -> list[Library]:
    return [Library("shared", n, held, 100) for n, held in enumerate(history, start=1)]


@settings(deadline=None)
@given(old=contents, new=contents)
def test_a_version_read_from_its_record_is_the_version_that_was_written(
    old: tuple[Experience, ...], new: tuple[Experience, ...]
) -> None:
    before, after = numbered([old, new])
    path = Path("000002.json")
    for base in (before, None):
        stamp = Stamp(digest(render(to_rows(new))), "now")
        record = parse(render(make_record(after, base, stamp)), path)
        check_record(record, path)
        assert replay(record, base if record["kind"] == "delta" else None, path) == after
        assert is_genuine(after, record)
        assert not is_genuine(evolve(after, experiences=(Experience("x y z", "other"),)), record)


@settings(deadline=None)
@given(old=contents, data=st.data())
def test_counting_and_small_edits_are_written_as_deltas(
    old: tuple[Experience, ...], data: st.DataObject
) -> None:
    counted = tuple(evolve(each, usage_count=each.usage_count + 1) for each in old)
    before, after = numbered([old, counted])
    record = make_record(after, before, Stamp("", ""))
    if old:
        assert record["kind"] == "delta"
        assert set(record["counts"]) == {each.id for each in old}
        assert record["changed"] == record["added"] == record["removed"] == []


@settings(deadline=None)
@given(old=contents.filter(bool), new=credit)
def test_a_delta_says_only_the_credit_that_changed(
    old: tuple[Experience, ...], new: Credit
) -> None:
    changed = (evolve(old[0], credit=new), *old[1:])
    before, after = numbered([old, changed])
    record = make_record(after, before, Stamp(digest(render(to_rows(changed))), "now"))
    assert record["kind"] == "delta"
    assert record["changed"] == record["added"] == record["removed"] == []
    assert set(record.get("credits", {})) == ({old[0].id} if new != old[0].credit else set())
    path = Path("000002.json")
    read = parse(render(record), path)
    check_record(read, path)
    assert replay(read, before, path) == after


@settings(max_examples=12, deadline=None)
@given(history=st.lists(contents, min_size=1, max_size=5))
def test_any_sequence_of_commits_is_loaded_back_at_every_version(
    history: list[tuple[Experience, ...]],
) -> None:
    async def check(directory: Path) -> None:
        store = DirectoryStore(directory)
        libraries = numbered(history)
        for library in libraries:
            await store.commit(library, expected_version=library.version - 1)
        for each in (store, DirectoryStore(directory)):
            assert await each.load("shared") == libraries[-1]
            for library in libraries:
                assert await each.load("shared", version=library.version) == library

    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(check(Path(directory)))


@settings(deadline=None)
@given(held=contents)
def test_files_look_as_the_standard_library_writes_them(held: tuple[Experience, ...]) -> None:
    rows = to_rows(held)
    expected = json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    assert render(rows) == expected.encode()
    assert parse(render(rows), Path("x")) == rows


def test_a_long_history_has_whole_copies_only_once_a_stretch(tmp_path: Path) -> None:
    async def fill() -> list[Library]:
        store = DirectoryStore(tmp_path)
        held = tuple(Experience(f"S-{n:03d}", f"content {n}") for n in range(1, 41))
        libraries = []
        for version in range(1, 131):
            changed = evolve(held[version % 40], content=f"changed at {version}")
            held = tuple(changed if each.id == changed.id else each for each in held)
            libraries.append(Library("shared", version, held, 41))
            await store.commit(libraries[-1], expected_version=version - 1)
        assert [await store.load("shared", version=n) for n in (1, 63, 64, 127, 128, 130)] == [
            libraries[n - 1] for n in (1, 63, 64, 127, 128, 130)
        ]
        return libraries

    asyncio.run(fill())
    records = [json.loads(p.read_text()) for p in (tmp_path / ".history/shared").glob("0*.json")]
    assert len(records) == 130
    assert sorted(r["version"] for r in records if r["kind"] == "whole") == [1, 64, 128]
