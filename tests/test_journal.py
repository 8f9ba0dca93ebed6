"""The journal: what was put is there, whatever happens to the process."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grpo_framework.entries import VERSION, read_last
from grpo_framework.errors import DataError
from grpo_framework.journal import Journal
from grpo_framework.packing import pack, unpack
from grpo_framework.rundir import open_journal

JSON = st.recursive(
    st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def use(path, work):
    async def main():
        async with open_journal(path) as journal:
            return await work(journal)

    return asyncio.run(main())


@settings(max_examples=40, deadline=None)
@given(rows=st.dictionaries(st.tuples(st.sampled_from("ab"), st.text()), JSON, max_size=8))
def test_values_come_back_as_they_were(tmp_path_factory, rows):
    """Any text, also a lone half of a surrogate pair; also after it was closed and opened."""
    path = tmp_path_factory.mktemp("journal") / "j.sqlite"

    async def put(journal):
        await asyncio.gather(*(journal.put(*key, value) for key, value in rows.items()))
        return [await journal.get(*key) for key in rows]

    async def get(journal):
        return [await journal.get(*key) for key in rows]

    assert use(path, put) == use(path, get) == list(rows.values())


@pytest.mark.parametrize("filling", ["", "word " * 200])
def test_what_no_64_bits_hold_comes_back_as_it_was(filling):
    """Also where the entry is long enough to be compressed, and beside any other oddity."""
    assert unpack(pack([2**70 + 1, filling])) == [2**70 + 1, filling]
    value = [2**70, -(2**64), 2**64 - 1, math.inf, "\ud800", None, filling]
    assert unpack(pack(value)) == value
    assert all(type(each) is int for each in unpack(pack(value))[:3])


@pytest.mark.parametrize("value", [{1: "a"}, [{"a": ({None: 1},)}], {2.5: "\ud800"}, {"a": {1}}])
def test_what_would_come_back_as_something_else_is_refused(value):
    with pytest.raises(TypeError):
        pack(value)


def test_entries_of_older_journals_are_read():
    """They have no mark before what only `json` reads."""
    assert unpack(b'{"a":Infinity}') == {"a": math.inf}
    assert unpack('["\ud800"]'.encode("utf-8", "surrogatepass")) == ["\ud800"]


def test_an_entry_stays_as_it_was_first(tmp_path):
    """Nothing is changed, and the order is that of recording."""

    async def work(journal):
        for key, value in (("k", 1), ("k", 2), ("l", 3)):
            await journal.put("call", key, value)
        entries = await journal.entries("call")
        last = await journal.last("call")
        return [(entry.key, entry.value) for entry in entries], last.value, await journal.count("x")

    assert use(tmp_path / "j", work) == ([("k", 1), ("l", 3)], 3, 0)
    assert read_last(tmp_path / "j", "call") == 3
    assert read_last(tmp_path / "j", "other") is None


def test_what_is_not_there_is_none(tmp_path):
    async def work(journal):
        return await journal.get("call", "k"), await journal.last("call")

    assert use(tmp_path / "j", work) == (None, None)


WRITER = """
import asyncio, sys
from pathlib import Path
from grpo_framework.rundir import open_journal

async def main():
    async with open_journal(Path(sys.argv[1])) as journal:
        for number in range(100_000):
            await journal.put("n", str(number), number)
            print(number, flush=True)

asyncio.run(main())
"""


def test_a_returned_put_survives_sigkill(tmp_path):
    """Every number that the writer has printed is in the journal."""
    path = tmp_path / "j"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    with process:
        printed = [int(process.stdout.readline()) for _ in range(300)]
        process.send_signal(signal.SIGKILL)
        printed += [int(line) for line in process.stdout if line.endswith("\n")]

    async def work(journal):
        return {entry.value for entry in await journal.entries("n")}

    assert set(printed) <= use(path, work)


def test_what_is_there_has_all_before_it(tmp_path):
    """What was added before a put that is there, is there, whenever the process was killed."""
    path = tmp_path / "j"
    program = WRITER.replace(
        "await journal.put", "journal.add('m', str(number), number); await journal.put"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True
    )
    with process:
        for _ in range(200):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)

    async def work(journal):
        return [{entry.value for entry in await journal.entries(kind)} for kind in "nm"]

    put, added = use(path, work)
    assert len(put) >= 200
    assert put <= added


def test_what_is_added_is_written_without_a_wait(tmp_path):
    """Soon, or at the latest when the journal is closed; and it is found before."""
    path = tmp_path / "j"

    async def work(journal):
        journal.add("a", "k", 1)
        found = await journal.get("a", "k")
        journal.add("a", "l", 2)
        async with asyncio.timeout(30):
            while read_last(path, "a") != 2:  # noqa: ASYNC110 - the journal says nothing of it
                await asyncio.sleep(0.01)
        journal.add("a", "m", 3)
        return found

    assert use(path, work) == 1
    assert read_last(path, "a") == 3


def test_nothing_follows_what_could_not_be_written(tmp_path, monkeypatch):
    """Neither what was asked for meanwhile nor anything later: there would be a gap before it."""
    at_work, asked = threading.Event(), threading.Event()

    def full(database, rows):
        monkeypatch.undo()
        at_work.set()
        asked.wait(30)
        raise sqlite3.OperationalError("database or disk is full")

    async def main():
        journal = Journal(tmp_path / "j")
        await journal.start()
        monkeypatch.setattr("grpo_framework.journal.insert", full)
        journal.add("a", "k", 1)
        first = asyncio.create_task(journal.put("b", "k", 1))
        await asyncio.to_thread(at_work.wait, 30)
        second = asyncio.create_task(journal.put("b", "l", 1))
        await asyncio.sleep(0)
        asked.set()
        results = await asyncio.gather(first, second, return_exceptions=True)
        with pytest.raises(DataError, match="full"):
            await journal.put("b", "m", 1)
        with pytest.raises(DataError, match="full"):
            journal.add("b", "m", 1)
        await journal.close()
        return results

    assert [type(result) for result in asyncio.run(main())] == [DataError, DataError]
    assert use(tmp_path / "j", lambda journal: journal.count("b")) == 0


def test_nothing_follows_a_gap_when_it_is_closed_meanwhile(tmp_path, monkeypatch):
    """What `close` hands over stands behind what the thread is just failing to write."""
    at_work, asked = threading.Event(), threading.Event()

    def full(database, rows):
        monkeypatch.undo()
        at_work.set()
        asked.wait(30)
        raise sqlite3.OperationalError("database or disk is full")

    async def main():
        journal = Journal(tmp_path / "j")
        await journal.start()
        monkeypatch.setattr("grpo_framework.journal.insert", full)
        journal.add("attempt", "a", 1)
        first = asyncio.create_task(journal.put("call", "c", 1))
        await asyncio.to_thread(at_work.wait, 30)
        journal.add("attempt", "b", 1)
        second = asyncio.create_task(journal.put("verdict", "a", 1))
        await asyncio.sleep(0)
        closing_it = asyncio.create_task(journal.close())
        await asyncio.sleep(0)
        asked.set()
        await closing_it
        return await asyncio.gather(first, second, return_exceptions=True)

    assert [type(result) for result in asyncio.run(main())] == [DataError, DataError]
    with closing(sqlite3.connect(tmp_path / "j")) as database:
        assert database.execute("SELECT kind, key FROM entries").fetchall() == []


@pytest.mark.parametrize("error", [MemoryError(), OverflowError("too long")])
@pytest.mark.parametrize("waiting", [1, 2])
def test_whatever_goes_wrong_is_told_to_who_waits(tmp_path, monkeypatch, error, waiting):
    """Also what is none of SQLite's errors; and the thread serves on."""

    def fail(database, rows):
        monkeypatch.undo()
        raise error

    async def work(journal):
        monkeypatch.setattr("grpo_framework.journal.insert", fail)
        asked = [journal.put("a", "k", 1), *(journal.count("a") for _ in range(waiting - 1))]
        async with asyncio.timeout(30):
            told = await asyncio.gather(*asked, return_exceptions=True)
            await journal.put("a", "l", 2)
            return told, [entry.key for entry in await journal.entries("a")]

    told, keys = use(tmp_path / "j", work)
    assert [type(each) for each in told] == [DataError] * waiting
    assert (str(error) or "MemoryError") in str(told[0])
    assert "recorded is lost" in told[0].hint
    assert keys == ["l"]


@pytest.mark.skipif(sys.platform != "linux", reason="traces system calls")
def test_a_returned_sync_has_flushed_log_and_database(tmp_path):
    """The promise against a power loss rests on these two calls of the system."""
    program = WRITER.replace("range(100_000)", "range(3)").replace(
        "print(number, flush=True)", "await journal.sync()"
    )
    log = tmp_path / "trace"
    command = ["strace", "-f", "-y", "-o", str(log), "-e", "trace=fsync,fdatasync"]
    try:
        done = subprocess.run(
            [*command, sys.executable, "-c", program, str(tmp_path / "j")],
            capture_output=True,
            text=True,
            timeout=300,
        )
    except FileNotFoundError:
        pytest.skip("strace is not installed")
    if done.returncode or not log.exists():
        pytest.skip(f"strace cannot trace here: {done.stderr}")
    flushed = log.read_text()
    assert flushed.count("/j-wal>") >= 3
    assert flushed.count("/j>") >= 3


def test_another_version_is_refused(tmp_path):
    with closing(sqlite3.connect(tmp_path / "j")) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(DataError, match=f"version {VERSION + 1}"):
        use(tmp_path / "j", lambda journal: journal.count("x"))


@pytest.mark.parametrize("content", [b"no database at all" * 500, os.urandom(8192)])
def test_what_is_no_journal_is_an_error_with_its_file(tmp_path, content):
    path = tmp_path / "j"
    path.write_bytes(content)
    with pytest.raises(DataError, match="journal") as caught:
        use(path, lambda journal: journal.count("x"))
    assert caught.value.path == path
    assert "--fork" in caught.value.hint


def test_a_damaged_value_is_named(tmp_path):
    """The checksum finds what SQLite cannot know."""
    path = tmp_path / "j"
    use(path, lambda journal: journal.put("call", "k", {"text": "abc"}))
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE entries SET value = zeroblob(9)")
        database.commit()
    with pytest.raises(DataError, match="the entry call k of the journal is damaged"):
        use(path, lambda journal: journal.get("call", "k"))


def test_a_directory_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("in the way")

    async def main():
        await Journal(tmp_path / "file" / "j").start()

    with pytest.raises(DataError, match="the journal cannot be used"):
        asyncio.run(main())


def test_what_was_added_last_is_not_lost_in_silence(tmp_path, monkeypatch):
    def full(database, rows):
        raise sqlite3.OperationalError("database or disk is full")

    async def work(journal):
        monkeypatch.setattr("grpo_framework.journal.insert", full)
        journal.add("a", "k", 1)

    with pytest.raises(DataError, match="full"):
        use(tmp_path / "j", work)
