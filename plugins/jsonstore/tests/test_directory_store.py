"""What the store promises when nothing goes wrong, and what it refuses."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from filelock import FileLock
from grpo_jsonstore import grpo_experience_stores, open_directory
from grpo_jsonstore.store import DirectoryStore

from grpo_framework.component import Wiring
from grpo_framework.errors import StoreError, VersionConflict
from grpo_framework.experience import (
    Add,
    Credit,
    Delete,
    Experience,
    Library,
    Merge,
    Modify,
    Trial,
    apply,
    plan,
)
from grpo_framework.validation import validate

NOW = "2025-11-22T10:00:00+00:00"
GUIDE_ROW = {
    "id": "G1-001",
    "content": "先写公式，再代入数字 – check the units",
    "category": "general",
    "success_count": 1,
    "usage_count": 2,
    "created_at": "2025-01-02T03:04:05.678901",
    "source_problem": "",
}


def load(store: DirectoryStore, owner: str = "generator_1", version: int | None = None) -> Library:
    return asyncio.run(store.load(owner, version=version))


def commit(store: DirectoryStore, library: Library, expected: int | None = None) -> Library:
    base = library.version - 1 if expected is None else expected
    asyncio.run(store.commit(library, expected_version=base))
    return library


def edit(library: Library, *operations: Any) -> Library:
    return apply(library, plan(library, operations), now=NOW)


def write_rows(directory: Path, *rows: Any, owner: str = "generator_1") -> Path:
    path = directory / f"{owner}_experiences.json"
    path.write_text(json.dumps(list(rows), indent=2, ensure_ascii=False), encoding="utf-8")
    return path


def test_an_owner_never_committed_has_an_empty_library_and_loading_writes_nothing(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "not" / "there"
    assert load(DirectoryStore(directory)) == Library("generator_1")
    assert not directory.exists()


def test_commits_are_loaded_back_by_another_store_at_every_version(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    libraries = [Library("generator_1")]
    words = ["apple", "river", "stone", "cloud", "violin", "copper", "maple", "tiger", "ocean"]
    for word in words:
        libraries.append(commit(store, edit(libraries[-1], Add(f"remember the {word} rule"))))
    ids = libraries[-1].ids
    libraries.append(commit(store, edit(libraries[-1], Merge(ids[:2], "both at once"))))
    libraries.append(commit(store, edit(libraries[-1], Delete(ids[4]))))
    other = DirectoryStore(tmp_path)
    assert load(other) == libraries[-1]
    assert [load(other, version=each.version) for each in libraries] == libraries


def test_the_experience_file_has_exactly_the_keys_and_the_look_of_the_guide(
    tmp_path: Path,
) -> None:
    library = Library(
        "critic", 1, (Experience("C-001", 'é 数 "q" \\ \n', "x", 1, 2, NOW, "p?", ("C-9",)),), 2
    )
    commit(DirectoryStore(tmp_path), library)
    text = (tmp_path / "critic_experiences.json").read_text(encoding="utf-8")
    rows = json.loads(text)
    assert list(rows[0]) == list(GUIDE_ROW)
    assert text == json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    assert "数" in text
    assert load(DirectoryStore(tmp_path), "critic") == library


def test_files_beside_it_fit_their_schemas(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path, clock=lambda: datetime(2025, 11, 22, tzinfo=UTC))
    words = ("alpha", "brick", "candle", "dune", "echo")
    first = commit(store, edit(Library("shared"), *(Add(f"{word} comes first") for word in words)))
    commit(store, edit(first, Merge(first.ids[:2], "joined"), Modify("S-004", "dunes move")))
    history = tmp_path / ".history" / "shared"
    validate("store-head", json.loads((history / "head.json").read_text()))
    records = [json.loads(path.read_text()) for path in sorted(history.glob("0*.json"))]
    for record in records:
        validate("store-history", record)
    assert [record["kind"] for record in records] == ["whole", "delta"]
    assert records[1]["removed"] == ["S-001", "S-002"]
    assert [row["id"] for row in records[1]["changed"]] == ["S-004"]
    assert [row["parents"] for row in records[1]["added"]] == [["S-001", "S-002"]]
    assert records[1]["written_at"] == "2025-11-22T00:00:00+00:00"


def test_a_directory_of_the_old_code_is_version_1_and_keeps_its_ids(tmp_path: Path) -> None:
    rows = [GUIDE_ROW, {**GUIDE_ROW, "id": "G1-007"}, {**GUIDE_ROW, "id": "my own id 99"}]
    write_rows(tmp_path, *rows)
    store = DirectoryStore(tmp_path)
    old = load(store)
    assert (old.version, old.next_number) == (1, 8)
    assert old.ids == ("G1-001", "G1-007", "my own id 99")
    new = commit(store, edit(old, Add("something else entirely")))
    assert new.ids[-1] == "G1-008"
    again = DirectoryStore(tmp_path)
    assert load(again) == new
    assert load(again, version=1) == old


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: json.dumps(json.loads(data)).encode(),
    ],
)
def test_byte_order_mark_line_ends_and_white_space_make_no_new_version(
    tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    first = commit(DirectoryStore(tmp_path), edit(Library("generator_1"), Add("one"), Add("two")))
    path = tmp_path / "generator_1_experiences.json"
    path.write_bytes(change(path.read_bytes()))
    store = DirectoryStore(tmp_path)
    assert load(store) == first
    second = commit(store, edit(first, Add("three")))
    assert load(DirectoryStore(tmp_path)) == second


def test_a_file_changed_by_other_hands_is_the_next_version_and_reuses_no_number(
    tmp_path: Path,
) -> None:
    store = DirectoryStore(tmp_path)
    first = commit(store, edit(Library("generator_1"), Add("one"), Add("two"), Add("drei vier")))
    second = commit(store, edit(first, Delete("G1-003"), Merge(("G1-001", "G1-002"), "both")))
    path = tmp_path / "generator_1_experiences.json"
    rows = json.loads(path.read_text())
    rows[0]["content"] = "edited by hand"
    write_rows(tmp_path, *rows)
    for reader in (store, DirectoryStore(tmp_path)):
        edited = load(reader)
        assert (edited.version, edited.next_number) == (3, second.next_number)
        assert edited.experiences[0].content == "edited by hand"
        assert edited.experiences[0].parents == ("G1-001", "G1-002")
    third = commit(store, edit(edited, Add("new one")))
    assert third.ids[-1] == "G1-005"
    fresh = DirectoryStore(tmp_path)
    assert [load(fresh, version=version) for version in (1, 2, 3, 4)] == [
        first,
        second,
        edited,
        third,
    ]


def test_a_writer_does_not_bury_an_edit_made_after_it_loaded(tmp_path: Path) -> None:
    write_rows(tmp_path, GUIDE_ROW)
    store = DirectoryStore(tmp_path)
    seen = load(store)
    write_rows(tmp_path, {**GUIDE_ROW, "content": "edited meanwhile"})
    with pytest.raises(VersionConflict) as caught:
        commit(store, edit(seen, Add("from the old state")))
    assert (caught.value.expected, caught.value.found) == (1, 2)
    assert load(store).experiences[0].content == "edited meanwhile"


def test_a_deleted_file_is_an_empty_next_version_and_numbers_go_on(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    commit(store, edit(Library("generator_1"), Add("one"), Add("two")))
    (tmp_path / "generator_1_experiences.json").unlink()
    fresh = DirectoryStore(tmp_path)
    assert load(fresh) == Library("generator_1", 2, (), 3)
    third = commit(fresh, edit(load(fresh), Add("three")))
    assert load(DirectoryStore(tmp_path)) == third
    assert load(DirectoryStore(tmp_path), version=2) == Library("generator_1", 2, (), 3)


def test_a_lost_head_is_rebuilt_from_the_history(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    first = commit(store, edit(Library("generator_1"), Add("one"), Add("two")))
    second = commit(store, edit(first, Merge(first.ids, "both")))
    head = tmp_path / ".history" / "generator_1" / "head.json"
    head.unlink()
    assert load(DirectoryStore(tmp_path)) == second
    rows = json.loads((tmp_path / "generator_1_experiences.json").read_text())
    write_rows(tmp_path, {**rows[0], "content": "edited"})
    edited = load(DirectoryStore(tmp_path))
    assert (edited.version, edited.next_number) == (3, 4)


def test_a_stale_writer_gets_a_conflict_and_changes_nothing(tmp_path: Path) -> None:
    one, two = DirectoryStore(tmp_path), DirectoryStore(tmp_path)
    base = load(one)
    first = commit(one, edit(base, Add("from the first")))
    with pytest.raises(VersionConflict) as caught:
        commit(two, edit(base, Add("from the second")))
    assert (caught.value.owner, caught.value.expected, caught.value.found) == ("generator_1", 0, 1)
    assert load(two) == first


GOOD = json.dumps([GUIDE_ROW], indent=2)


@pytest.mark.parametrize(
    ("content", "line", "pointer", "reason"),
    [
        (GOOD[:-5], 10, "", "no valid JSON"),
        (GOOD.replace('": 2,', '": 2 2,'), 7, "", "no valid JSON"),
        ("", 1, "", "no valid JSON"),
        ("{}", None, "", "is no experience file"),
        (GOOD.replace('"usage_count": 2', '"usage_count": "2"'), None, "/0/usage_count", "integer"),
        (GOOD.replace('"usage_count": 2', '"usage_count": NaN'), None, "/0/usage_count", "integer"),
        (GOOD.replace('"category"', '"kategory"'), None, "/0", "'kategory'"),
        (GOOD.replace('"source_problem": ""', '"x": "", "source_problem": ""'), None, "/0", "'x'"),
        (json.dumps([GUIDE_ROW, GUIDE_ROW]), None, "/1/id", "stands twice"),
        (b'[\n"\xff"]', 2, "", "UTF-8"),
        ("[" * 100_000, None, "", "recursion"),
    ],
)
def test_a_damaged_file_is_an_error_that_names_the_place_and_is_never_overwritten(
    tmp_path: Path, content: str | bytes, line: int | None, pointer: str, reason: str
) -> None:
    path = tmp_path / "generator_1_experiences.json"
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(data)
    store = DirectoryStore(tmp_path)
    next_library = Library("generator_1", 1, (Experience("G1-001", "x"),), 2)
    for action in (lambda: load(store), lambda: commit(store, next_library)):
        with pytest.raises(StoreError, match=reason) as caught:
            action()
        assert (caught.value.path, caught.value.pointer) == (path, pointer)
        assert line is None or caught.value.line == line
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)
    assert path.read_bytes() == data
    assert path.name in {each.name for each in tmp_path.iterdir()}


@pytest.mark.parametrize("name", ["head.json", "000001.json", "000002.json"])
@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"kind": "delta", "version": 2}'])
def test_a_damaged_file_of_the_history_is_an_error_that_names_it(
    tmp_path: Path, name: str, content: str
) -> None:
    store = DirectoryStore(tmp_path)
    rows = [Add(f"{word} comes first") for word in ("alpha", "brick", "candle", "dune", "echo")]
    first = commit(store, edit(Library("generator_1"), *rows))
    second = commit(store, edit(first, Add("something quite different")))
    commit(store, edit(second, Add("more of the rest")))
    path = tmp_path / ".history" / "generator_1" / name
    path.write_text(content)
    with pytest.raises(StoreError, match="damaged") as caught:
        load(DirectoryStore(tmp_path), version=2)
    assert caught.value.path == path


@pytest.mark.parametrize("asked", [1, 2])
def test_a_history_file_whose_content_was_changed_is_found_out_and_named(
    tmp_path: Path, asked: int
) -> None:
    store = DirectoryStore(tmp_path)
    words = ("original", "brick", "candle", "dune", "echo")
    first = commit(store, edit(Library("critic"), *(Add(f"the {word} text") for word in words)))
    second = commit(store, edit(first, Add("another thought")))
    commit(store, edit(second, Add("and one more")))
    path = tmp_path / ".history" / "critic" / "000001.json"
    path.write_text(path.read_text().replace("original", "tampered"))
    with pytest.raises(StoreError, match="SHA-256") as caught:
        load(DirectoryStore(tmp_path), "critic", asked)
    assert caught.value.path == path


def test_an_unknown_version_is_an_error_that_lists_the_last_ones(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    commit(store, edit(Library("critic"), Add("one")))
    with pytest.raises(StoreError, match="critic has no version 9; the last ones are 1"):
        load(store, "critic", 9)
    assert load(store, "critic", 0) == Library("critic")


@pytest.mark.parametrize("owner", ["", "../evil", "generator_0", "generator_01", "somebody"])
def test_an_unknown_owner_is_refused(tmp_path: Path, owner: str) -> None:
    store = DirectoryStore(tmp_path)
    with pytest.raises(StoreError, match="unknown owner"):
        load(store, owner)
    with pytest.raises(StoreError, match="unknown owner"):
        commit(store, Library(owner, 1))


@pytest.mark.parametrize(
    ("library", "reason"),
    [
        (Library("critic", 1, (Experience("C-1", ""),), 2), "refused to write"),
        (Library("critic", 1, (Experience("C-1", "x"), Experience("C-1", "y")), 2), "'C-1' twice"),
        (Library("critic", 1, (Experience("C-1", "x", "", -1),), 2), "refused to write"),
        (Library("critic", 0), "cannot follow"),
    ],
)
def test_a_library_that_could_not_be_loaded_again_is_refused(
    tmp_path: Path, library: Library, reason: str
) -> None:
    with pytest.raises(StoreError, match=reason):
        commit(DirectoryStore(tmp_path), library, expected=0)
    assert not (tmp_path / "critic_experiences.json").exists()


def test_a_next_number_that_falls_is_refused(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path)
    first = commit(store, edit(Library("critic"), Add("one"), Add("two")))
    with pytest.raises(StoreError, match="would fall from 3 to 1"):
        commit(store, evolve(Library("critic"), version=2))
    assert load(store, "critic") == first


def test_lone_surrogates_of_a_model_survive(tmp_path: Path) -> None:
    library = Library("critic", 1, (Experience("C-001", "half \ud83d a pair, ü"),), 2)
    commit(DirectoryStore(tmp_path), library)
    assert load(DirectoryStore(tmp_path), "critic") == library
    assert "ü" in (tmp_path / "critic_experiences.json").read_text(encoding="utf-8")


def test_a_lock_that_is_held_ends_in_an_error_that_names_it(tmp_path: Path) -> None:
    lock = tmp_path / ".history" / "critic" / "lock"
    lock.parent.mkdir(parents=True)
    store = DirectoryStore(tmp_path, lock_timeout=0.05)
    with FileLock(lock), pytest.raises(StoreError, match="locked by another process") as caught:
        commit(store, Library("critic", 1))
    assert caught.value.path == lock
    commit(store, Library("critic", 1))


def test_a_store_that_cannot_be_written_is_an_error_and_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DirectoryStore(tmp_path)
    first = commit(store, edit(Library("critic"), Add("one")))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("grpo_jsonstore.store.write_atomically", fail)
    with pytest.raises(StoreError, match="No space left on device"):
        commit(store, edit(first, Add("two")))
    monkeypatch.undo()
    assert load(store, "critic") == first
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(StoreError, match="cannot be used"):
        commit(DirectoryStore(tmp_path / "file"), Library("critic", 1))
    with pytest.raises(StoreError, match="cannot be used"):
        load(DirectoryStore(tmp_path / "file"), "critic")


def test_a_head_that_cannot_be_written_does_not_undo_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from grpo_jsonstore import head as module

    real = module.write_atomically

    def fail_at_head(path: Path, content: bytes) -> None:
        if path.name == "head.json":
            raise OSError(28, "No space left on device")
        real(path, content)

    store = DirectoryStore(tmp_path)
    monkeypatch.setattr(module, "write_atomically", fail_at_head)
    first = commit(store, edit(Library("critic"), Add("one")))
    assert "could not be written" in caplog.text
    monkeypatch.undo()
    for each in (store, DirectoryStore(tmp_path)):
        assert load(each, "critic") == first
    second = commit(DirectoryStore(tmp_path), edit(first, Add("two")))
    assert load(store, "critic") == second
    assert load(store, "critic", 1) == first


CELL = Credit.of_cell((1.0, 0.1), (1 / 3,))


def measured(version: int, *credits_: Credit) -> Library:
    held = tuple(
        Experience(f"G1-{n:03d}", f"text {n}", credit=credit)
        for n, credit in enumerate(credits_, 1)
    )
    return Library("generator_1", version, held, len(held) + 1)


def test_measured_credit_stands_beside_the_experience_file(tmp_path: Path) -> None:
    """In head and history; the file keeps its seven keys, and every version its credit."""
    store = DirectoryStore(tmp_path)
    first = commit(store, measured(1, CELL, Credit()))
    rows = (tmp_path / "generator_1_experiences.json").read_bytes()
    second = commit(store, measured(2, CELL, CELL + CELL))
    assert (tmp_path / "generator_1_experiences.json").read_bytes() == rows
    assert json.loads(rows)[0].keys() == GUIDE_ROW.keys()
    for each in (store, DirectoryStore(tmp_path)):
        assert load(each) == second
        assert load(each, version=1) == first
    head = json.loads((tmp_path / ".history/generator_1/head.json").read_text())
    assert set(head["credits"]) == {"G1-001", "G1-002"}
    validate("store-head", head)
    for number, kind in ((1, "whole"), (2, "delta")):
        record = json.loads((tmp_path / f".history/generator_1/{number:06d}.json").read_text())
        assert record["kind"] == kind
        validate("store-history", record)


def test_a_store_from_before_credit_still_loads(tmp_path: Path) -> None:
    """Without the key nothing is measured, and nothing else is different."""
    store = DirectoryStore(tmp_path)
    plain = commit(store, measured(1, Credit(), Credit()))
    for path in (tmp_path / ".history/generator_1").glob("*.json"):
        assert "credit" not in path.read_text()
    assert load(DirectoryStore(tmp_path)) == plain


def test_other_hands_keep_the_credit_of_the_texts_they_leave(tmp_path: Path) -> None:
    """A text that they change has none: it was measured of another."""
    commit(DirectoryStore(tmp_path), measured(1, CELL, CELL))
    path = tmp_path / "generator_1_experiences.json"
    path.write_text(path.read_text().replace("text 2", "other text"))
    library = load(DirectoryStore(tmp_path))
    assert library.version == 2
    assert [item.credit for item in library.experiences] == [CELL, Credit()]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("head", lambda document: document["credits"]["G1-001"].update(cells="many")),
        ("head", lambda document: document["credits"]["G1-001"].pop("gain")),
        ("000001", lambda document: document["experiences"][0]["credit"].update(cells="many")),
        ("000001", lambda document: document["experiences"][0].update(credit=[1, 2])),
        ("000002", lambda document: document["credits"]["G1-002"].update(more=1)),
    ],
)
def test_damaged_credit_is_an_error_that_names_the_file(
    tmp_path: Path, name: str, change: Callable[[Any], object]
) -> None:
    store = DirectoryStore(tmp_path)
    for library in (measured(1, CELL, Credit()), measured(2, CELL, CELL), measured(3, CELL, CELL)):
        commit(store, library)
    path = tmp_path / f".history/generator_1/{name}.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    version = None if name == "head" else int(name)
    with pytest.raises(StoreError, match="damaged") as caught:
        load(DirectoryStore(tmp_path), version=version)
    assert caught.value.path == path


def test_a_head_that_alone_tells_a_version_must_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only credit changed, the experience file is the same: without head no commit."""
    from grpo_jsonstore import head as module

    first = commit(DirectoryStore(tmp_path), measured(1, CELL, Credit()))
    write = module.write_atomically

    def fail_at_head(path: Path, content: bytes) -> None:
        if path.name == "head.json":
            raise OSError(28, "No space left on device", str(path))
        write(path, content)

    monkeypatch.setattr(module, "write_atomically", fail_at_head)
    store = DirectoryStore(tmp_path)
    with pytest.raises(StoreError, match="No space left"):
        commit(store, measured(2, CELL, CELL))
    assert load(store) == load(DirectoryStore(tmp_path)) == first
    monkeypatch.undo()
    second = commit(store, measured(2, CELL, CELL))
    assert load(DirectoryStore(tmp_path)) == second


def test_the_component_takes_the_path_option_or_the_experience_directory(tmp_path: Path) -> None:
    (component,) = grpo_experience_stores()
    validate_options: dict[str, Any] = dict(component.options)
    assert validate_options["additionalProperties"] is False

    async def save(wiring: Wiring) -> None:
        async with open_directory(wiring) as store:
            await store.commit(Library("critic", 1), expected_version=0)

    asyncio.run(save(Wiring("directory", experience_dir=tmp_path / "a")))
    asyncio.run(
        save(
            Wiring(
                "directory", options={"path": str(tmp_path / "b")}, experience_dir=tmp_path / "a"
            )
        )
    )
    assert (tmp_path / "a" / "critic_experiences.json").read_text() == "[]\n"
    assert (tmp_path / "b" / "critic_experiences.json").read_text() == "[]\n"


def tried(version: int, *trials: Trial) -> Library:
    return Library("generator_1", version, (Experience("G1-001", "text"),), 2, trials)


def test_edits_on_trial_stand_beside_the_experience_file(tmp_path: Path) -> None:
    """In head and history; another process reads them, and every version has its own."""
    trial = Trial(Add("Use blue ink."), "provisional", "undecided", 1, (1.0, 0.0, -0.5))
    store = DirectoryStore(tmp_path)
    commit(store, tried(1, trial))
    gone = evolve(trial, state="rejected", differences=())
    commit(store, tried(2, gone))
    rows = json.loads((tmp_path / "generator_1_experiences.json").read_text())
    assert set(rows[0]) == set(GUIDE_ROW)
    fresh = DirectoryStore(tmp_path)
    assert load(fresh).trials == (gone,)
    assert load(fresh, version=1).trials == (trial,)
    (tmp_path / ".history" / "generator_1" / "head.json").unlink()
    assert load(DirectoryStore(tmp_path)).trials == (gone,)


@pytest.mark.parametrize("name", ["head", "000001"])
def test_damaged_trials_are_an_error_that_names_the_file(tmp_path: Path, name: str) -> None:
    """Nothing is overwritten, nothing is passed over."""
    store = DirectoryStore(tmp_path)
    commit(store, tried(1, Trial(Add("x"), "rejected", "no gain")))
    commit(store, tried(2, Trial(Add("x"), "rejected", "no gain")))
    file = tmp_path / ".history" / "generator_1" / f"{name}.json"
    document = json.loads(file.read_text())
    document["trials"][0]["operation"] = {"op": "add", "text": "x"}
    file.write_text(json.dumps(document))
    with pytest.raises(StoreError) as caught:
        load(DirectoryStore(tmp_path), version=None if name == "head" else 1)
    assert file.name in str(caught.value)


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.EROFS, "make it writable"), (errno.ENOSPC, "free some space"), (errno.EIO, "choose")],
)
def test_a_probe_says_what_hinders_a_commit_and_how_to_mend_it(
    tmp_path, monkeypatch, number, remedy
):
    """It names the store's directory, never the temporary file, and leaves nothing behind."""

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number), "a temporary file")

    store = DirectoryStore(tmp_path / "new")
    asyncio.run(store.probe())
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("grpo_framework.atomic._write_flushed", refuse)
    with pytest.raises(StoreError) as caught:
        asyncio.run(store.probe())
    assert str(caught.value).startswith(f"{tmp_path / 'new'}: cannot be used: ")
    assert caught.value.hint.startswith(remedy)
    assert ("space" in caught.value.hint) == (number == errno.ENOSPC)


def test_a_store_that_is_held_is_refused_to_others_until_it_is_let_go(tmp_path):
    """Also by the probe; a store nobody holds leaves nothing of it but the lock's file."""
    first, second = DirectoryStore(tmp_path), DirectoryStore(tmp_path)

    async def use():
        async with first.hold():
            with pytest.raises(StoreError, match="another training works"):
                await second.probe()
            with pytest.raises(StoreError, match="another training works"):
                async with second.hold():
                    pass
        await second.probe()
        async with second.hold():
            pass

    asyncio.run(use())


@pytest.mark.parametrize(
    ("name", "way"),
    [
        (".history/generator_1/head.json", "take it away: the records beside it say the same"),
        ("generator_1_experiences.json", "grpo-cli experiences revert generator_1=VERSION"),
    ],
)
def test_what_a_damaged_file_is_said_to_be_mended_with_mends_it(tmp_path, name, way):
    store = DirectoryStore(tmp_path)
    first = commit(store, edit(Library("generator_1"), Add("check the units")))
    newest = commit(store, edit(first, Add("round at the end")))
    (tmp_path / name).write_text('{"ver')
    with pytest.raises(StoreError) as caught:
        load(store)
    assert way in caught.value.hint
    (tmp_path / name).unlink()
    now = load(store)
    if "head" in name:
        assert now == newest
    else:
        assert load(store, version=newest.version).experiences == newest.experiences
