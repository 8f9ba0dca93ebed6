"""The crash-proof record of a run: every answered call and finished unit, in SQLite.

What is promised: a value whose `put` has returned survives the death of the process (the write is
with the operating system). A value followed by a returned `sync` survives a power loss too (it is
flushed to the disk). Nothing is ever changed or deleted.

The database runs in write-ahead-log mode and is touched by one thread only, never by the event
loop; writes that wait together are committed together. One process works on it at a time.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import zlib
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

from attrs import frozen

from grpo_framework.errors import DataError
from grpo_framework.maybe import MaybeSet
from grpo_framework.packing import pack, unpack

T = TypeVar("T")

VERSION = 2
"""Version of the tables and of the keys; a journal of another version is refused, not converted."""

_TABLE = """
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    UNIQUE (kind, key)
)
"""
_ROW = "(?, ?, ?, ?)"
_INSERT = "INSERT OR IGNORE INTO entries (kind, key, value, checksum) VALUES "
_MOST_ROWS = 100
"""Rows of one statement."""
_LAST = "SELECT key, value, checksum FROM entries WHERE kind = ? ORDER BY number DESC LIMIT 1"
_BUSY = 10_000  # milliseconds to wait for another process that holds the database


@frozen
class Entry:
    """One record: its kind (``call``, ``attempt`` …), its key within the kind, and its value."""

    kind: str
    key: str
    value: Any


@frozen
class _Job:
    """What the thread is to do: insert a row, or any other work."""

    work: Callable[[sqlite3.Connection], Any] | None
    done: asyncio.Future[Any]
    row: tuple[str, str, bytes, int] | None = None
    flush: bool = False


class Journal:
    """A run's journal; open it with `open_journal`.

    Args:
        path: The database file; made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._jobs: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()
        self._gathered: list[_Job] = []
        self._busy = False
        # A new run asks for nothing but what is not there: it is spared the way to the database.
        self._known = MaybeSet()
        self._thread = threading.Thread(target=self._serve, name="grpo-journal", daemon=True)
        self._opened: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    async def start(self) -> None:
        """Open the database.

        Raises:
            DataError: It is damaged, of another version, or in use by another run.
        """
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        error = await asyncio.to_thread(self._opened.get)
        if error is not None:
            raise error

    async def close(self) -> None:
        """Finish what waits, and close the database."""
        self._jobs.put(self._gathered)
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    async def get(self, kind: str, key: str) -> Any:
        """The value of an entry, or None.

        Raises:
            DataError: The entry is damaged.
        """
        key = _plain(key)
        if (kind, key) not in self._known:
            return None

        def work(database: sqlite3.Connection) -> Any:
            sql = "SELECT value, checksum FROM entries WHERE kind = ? AND key = ?"
            row = database.execute(sql, (kind, key)).fetchone()
            return None if row is None else _decode(self.path, kind, key, *row)

        return await self._do(work)

    async def put(self, kind: str, key: str, value: Any) -> None:
        """Record a value; an entry that is there already stays as it is.

        Args:
            kind: What it is.
            key: What determines it.
            value: Plain JSON values, not None.

        Raises:
            DataError: It cannot be written (disk full …).
        """
        key = _plain(key)
        data = pack(value)
        self._known.add((kind, key))
        await self._do(None, row=(kind, key, data, zlib.crc32(data)))

    async def entries(self, kind: str) -> Sequence[Entry]:
        """All entries of a kind, in the order in which they were recorded."""

        def work(database: sqlite3.Connection) -> list[Entry]:
            sql = "SELECT key, value, checksum FROM entries WHERE kind = ? ORDER BY number"
            return [
                Entry(kind, key, _decode(self.path, kind, key, value, checksum))
                for key, value, checksum in database.execute(sql, (kind,))
            ]

        return await self._do(work)

    async def last(self, kind: str) -> Entry | None:
        """The newest entry of a kind."""

        def work(database: sqlite3.Connection) -> Entry | None:
            row = database.execute(_LAST, (kind,)).fetchone()
            return None if row is None else Entry(kind, row[0], _decode(self.path, kind, *row))

        return await self._do(work)

    async def count(self, kind: str) -> int:
        """How many entries of a kind there are."""

        def work(database: sqlite3.Connection) -> int:
            sql = "SELECT count(*) FROM entries WHERE kind = ?"
            return int(database.execute(sql, (kind,)).fetchone()[0])

        return await self._do(work)

    async def sync(self) -> None:
        """Flush to the disk: all that was put before survives a power loss."""
        await self._do(lambda _: None, flush=True)

    async def _do(
        self,
        work: Callable[[sqlite3.Connection], T] | None,
        *,
        row: tuple[str, str, bytes, int] | None = None,
        flush: bool = False,
    ) -> T:
        done: asyncio.Future[T] = self._loop.create_future()
        self._gathered.append(_Job(work, done, row, flush))
        # While the thread is at work, all that is asked for is gathered into one transaction.
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._hand_over)
        return await done

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered:
            self._jobs.put(gathered)
        else:
            self._busy = False

    def _serve(self) -> None:
        """The thread that owns the database."""
        try:
            database = _open(self.path)
            for row in database.execute("SELECT kind, key FROM entries"):
                self._known.add(row)
        except (sqlite3.Error, OSError, DataError) as error:
            self._opened.put(error if isinstance(error, DataError) else _trouble(self.path, error))
            return
        self._opened.put(None)
        going = True
        while going:
            jobs, going = self._take()
            self._carry_out(database, jobs)
        database.close()

    def _take(self) -> tuple[list[_Job], bool]:
        """Wait for a job and take all that wait with it."""
        jobs: list[_Job] = []
        more = self._jobs.get()
        while more is not None:
            jobs += more
            try:
                more = self._jobs.get_nowait()
            except queue.Empty:
                return jobs, True
        return jobs, False

    def _carry_out(self, database: sqlite3.Connection, jobs: list[_Job]) -> None:
        """One transaction for all jobs; each is told only after the commit."""
        results: list[tuple[_Job, Any, BaseException | None]] = []
        try:
            database.execute("BEGIN")
            _insert(database, [job.row for job in jobs if job.row is not None])
            for job in jobs:
                try:
                    value = None if job.work is None else job.work(database)
                    results.append((job, value, None))
                except sqlite3.Error:
                    raise
                # Whatever one job does wrong is told to it; the thread serves the others.
                except Exception as error:
                    results.append((job, None, error))
            database.execute("COMMIT")
            if any(job.flush for job in jobs):
                # In write-ahead-log mode a checkpoint flushes the log and the database.
                database.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
        except sqlite3.Error as error:
            if database.in_transaction:
                database.execute("ROLLBACK")
            trouble = _trouble(self.path, error)
            results = [(job, None, trouble) for job in jobs]
        # A loop that is closed has nobody left in it who waits.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._tell, results)

    def _tell(self, results: list[tuple[_Job, Any, BaseException | None]]) -> None:
        """Tell who waits, and hand over what was gathered meanwhile."""
        for job, value, error in results:
            if job.done.done():
                continue
            if error is None:
                job.done.set_result(value)
            else:
                job.done.set_exception(error)
        self._hand_over()


def _insert(database: sqlite3.Connection, rows: Sequence[tuple[str, str, bytes, int]]) -> None:
    """Insert rows in few statements: after each the thread has to wait for the interpreter."""
    for start in range(0, len(rows), _MOST_ROWS):
        some = rows[start : start + _MOST_ROWS]
        values = [value for row in some for value in row]
        database.execute(_INSERT + ", ".join([_ROW] * len(some)), values)


def _plain(key: str) -> str:
    """A key that SQLite takes: problem ids may hold lone surrogates."""
    return key.encode("utf-8", "backslashreplace").decode("utf-8")


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(path, isolation_level=None, timeout=_BUSY / 1000)
    database.execute("PRAGMA journal_mode = WAL")
    # With NORMAL a commit survives the process's death; `sync` adds the flush for a power loss.
    database.execute("PRAGMA synchronous = NORMAL")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, VERSION):
        message = f"a journal of version {version}, this program writes version {VERSION}"
        raise DataError(message, path=path, hint="go on with the program version that began it")
    check = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    if check != "ok":
        message = f"the journal is damaged: {' '.join(str(check).split())}"
        raise DataError(message, path=path, hint=MEND)
    database.execute(_TABLE)
    database.execute(f"PRAGMA user_version = {VERSION}")
    return database


def read_last(path: Path, kind: str) -> Any:
    """The value of the newest entry of a kind, or None, for readers beside the run."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        row = database.execute(_LAST, (kind,)).fetchone()
    return None if row is None else _decode(path, kind, *row)


MEND = "restore it from a backup, or start a new run with --fork, which keeps the experiences"


def _decode(path: Path, kind: str, key: str, data: bytes, checksum: int) -> Any:
    if zlib.crc32(data) != checksum:
        message = f"the entry {kind} {key} of the journal is damaged"
        raise DataError(message, path=path, hint=MEND)
    return unpack(data)


def _trouble(path: Path, error: Exception) -> DataError:
    text = " ".join(str(error).split())
    if "disk is full" in text or "No space left" in text:
        hint = "free some space and resume the run: nothing that was recorded is lost"
    elif "locked" in text or "busy" in text:
        hint = "another process works on this run; wait for it to end"
    else:
        hint = MEND
    return DataError(f"the journal cannot be used: {text}", path=path, hint=hint)
