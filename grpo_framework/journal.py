"""The crash-proof record of a run: every answered call and finished unit, in SQLite.

What is promised: a value whose `put` has returned survives the death of the process (the write is
with the operating system). A value followed by a returned `sync` survives a power loss too (it is
flushed to the disk). An entry that is there has all before it: what `add` took is not waited for,
but is written before whatever is put later. Nothing is ever changed or deleted.

The database runs in write-ahead-log mode and is touched by one thread only, never by the event
loop; writes that wait together are committed together. One process works on it at a time.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from attrs import frozen

from grpo_framework.entries import (
    LAST,
    MOST_ROWS,
    Entry,
    Row,
    decode,
    insert,
    open_table,
    plain,
    row_of,
    trouble,
)
from grpo_framework.errors import DataError
from grpo_framework.maybe import MaybeSet

T = TypeVar("T")

LINGER = 0.25
"""Seconds after which what `add` took is written, where nothing is put before."""


@frozen
class _Job:
    """What the thread is to do: insert a row, or any other work; None waits for what was added."""

    work: Callable[[sqlite3.Connection], Any] | None
    done: asyncio.Future[Any] | None
    row: Row | None = None
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
        self._busy = self._wanted = False
        self._lingering: asyncio.TimerHandle | None = None
        # Set by the thread, so that nothing it still finds waiting is written after the gap.
        self._lost: DataError | None = None
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
        self._stop_lingering()
        gathered, self._gathered = self._gathered, []
        self._jobs.put(gathered)
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    async def get(self, kind: str, key: str) -> Any:
        """The value of an entry, or None.

        Raises:
            DataError: The entry is damaged.
        """
        key = plain(key)
        if (kind, key) not in self._known:
            return None

        def work(database: sqlite3.Connection) -> Any:
            sql = "SELECT value, checksum FROM entries WHERE kind = ? AND key = ?"
            row = database.execute(sql, (kind, key)).fetchone()
            return None if row is None else decode(self.path, kind, key, *row)

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
        await self._do(None, row=self._row(kind, key, value))

    def add(self, kind: str, key: str, value: Any) -> None:
        """Record a value that follows from what is recorded, with what is put next; in order.

        Where it cannot be written, nothing can be put after it. Arguments as for `put`.

        Raises:
            TypeError: Something in it is no plain JSON value.
            ValueError: It contains itself.
            DataError: Something added before could not be written.
        """
        if self._lost is not None:
            raise self._lost
        self._gathered.append(_Job(None, None, self._row(kind, key, value)))
        if not self._busy:
            self._linger()

    def _row(self, kind: str, key: str, value: Any) -> Row:
        row = row_of(kind, plain(key), value)
        self._known.add(row[:2])
        return row

    async def entries(self, kind: str) -> Sequence[Entry]:
        """All entries of a kind, in the order in which they were recorded."""

        def work(database: sqlite3.Connection) -> list[Entry]:
            sql = "SELECT key, value, checksum FROM entries WHERE kind = ? ORDER BY number"
            return [
                Entry(kind, key, decode(self.path, kind, key, value, checksum))
                for key, value, checksum in database.execute(sql, (kind,))
            ]

        return await self._do(work)

    async def last(self, kind: str) -> Entry | None:
        """The newest entry of a kind."""

        def work(database: sqlite3.Connection) -> Entry | None:
            row = database.execute(LAST, (kind,)).fetchone()
            return None if row is None else Entry(kind, row[0], decode(self.path, kind, *row))

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
        row: Row | None = None,
        flush: bool = False,
    ) -> T:
        if self._lost is not None:
            raise self._lost
        done: asyncio.Future[T] = self._loop.create_future()
        self._gathered.append(_Job(work, done, row, flush))
        self._begin()
        return await done

    def _begin(self) -> None:
        """Hand over soon what is gathered; while the thread is at work, it gathers on.

        So what is asked for at the same time goes into one transaction.
        """
        self._wanted = True
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        self._busy = self._wanted
        if not self._wanted:
            if self._gathered:
                self._linger()
            return
        self._stop_lingering()
        gathered, self._gathered, self._wanted = self._gathered, [], False
        self._jobs.put(gathered)

    def _linger(self) -> None:
        """Give what is added some time for something to be put after it."""
        if self._lingering is None:
            self._lingering = self._loop.call_later(LINGER, self._begin)

    def _stop_lingering(self) -> None:
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None

    def _serve(self) -> None:
        """The thread that owns the database."""
        try:
            database = open_table(self.path)
            for row in database.execute("SELECT kind, key FROM entries"):
                self._known.add(row)
        except (sqlite3.Error, OSError, DataError) as error:
            self._opened.put(error if isinstance(error, DataError) else trouble(self.path, error))
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
        reason = self._lost
        try:
            results = [] if reason is not None else _work_off(database, jobs)
            if reason is None and any(job.flush for job in jobs):
                # In write-ahead-log mode a checkpoint flushes the log and the database.
                database.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
        # Whatever it is (too little memory, too long a row), somebody waits to be told.
        except Exception as error:
            with suppress(sqlite3.Error):
                database.rollback()
            reason = trouble(self.path, error)
            if database.in_transaction or any(job.done is None for job in jobs):
                self._lost = reason
        if reason is not None:
            results = [(job, None, reason) for job in jobs]
        # A loop that is closed has nobody left in it who waits.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._tell, results)

    def _tell(self, results: list[_Result]) -> None:
        """Tell who waits, and hand over what was gathered meanwhile."""
        for job, value, error in results:
            if job.done is None or job.done.done():
                continue
            if error is None:
                job.done.set_result(value)
            else:
                job.done.set_exception(error)
        self._hand_over()


_Result: TypeAlias = tuple[_Job, Any, BaseException | None]
"""A job, what it came to, and what went wrong with it."""


def _work_off(database: sqlite3.Connection, jobs: Sequence[_Job]) -> list[_Result]:
    """Do all jobs in one transaction.

    Raises:
        Exception: Nothing of it is done; a transaction may still be open.
    """
    if all(job.work is None for job in jobs) and len(jobs) <= MOST_ROWS:
        # One statement is a transaction too, and after each the thread waits for the interpreter.
        insert(database, [job.row for job in jobs if job.row is not None])
        return [(job, None, None) for job in jobs]
    results: list[_Result] = []
    database.execute("BEGIN")
    insert(database, [job.row for job in jobs if job.row is not None])
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
    return results
