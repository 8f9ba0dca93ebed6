"""The table of a journal's entries, in SQLite: opened, written and read."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

from attrs import frozen

from grpo_framework.errors import DataError
from grpo_framework.packing import pack, unpack

Row: TypeAlias = tuple[str, str, bytes, int]
"""Kind, key, value and the value's checksum, as they are written."""

VERSION = 2
"""Version of the tables and of the keys; a journal of another version is refused, not converted."""

_TABLE = """
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    UNIQUE (kind, key)
)
"""
_ROW = "(?, ?, ?, ?)"
_INSERT = "INSERT OR IGNORE INTO entries (kind, key, value, checksum) VALUES "
MOST_ROWS = 100
"""Rows of one statement."""
LAST = "SELECT key, value, checksum FROM entries WHERE kind = ? ORDER BY number DESC LIMIT 1"
_BUSY = 10_000  # milliseconds to wait for another process that holds the database

MEND = "restore it from a backup, or start a new run with --fork, which keeps the experiences"


@frozen
class Entry:
    """One record: its kind (``call``, ``attempt`` …), its key within the kind, and its value."""

    kind: str
    key: str
    value: Any


def row_of(kind: str, key: str, value: Any) -> Row:
    """An entry as it is written.

    Raises:
        TypeError: Something in the value is no plain JSON value.
        ValueError: It contains itself.
    """
    data = pack(value)
    return kind, key, data, zlib.crc32(data)


def insert(database: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Insert rows in few statements: after each the thread has to wait for the interpreter."""
    for start in range(0, len(rows), MOST_ROWS):
        some = rows[start : start + MOST_ROWS]
        values = [value for row in some for value in row]
        database.execute(_INSERT + ", ".join([_ROW] * len(some)), values)


def plain(key: str) -> str:
    """A key that SQLite takes: problem ids may hold lone surrogates."""
    return key.encode("utf-8", "backslashreplace").decode("utf-8")


def open_table(path: Path) -> sqlite3.Connection:
    """Open a journal's database, made where it is missing.

    Raises:
        DataError: It is damaged or of another version.
        sqlite3.Error: It cannot be used.
    """
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
        row = database.execute(LAST, (kind,)).fetchone()
    return None if row is None else decode(path, kind, *row)


def decode(path: Path, kind: str, key: str, data: bytes, checksum: int) -> Any:
    """The value of an entry.

    Raises:
        DataError: It is damaged.
    """
    if zlib.crc32(data) != checksum:
        message = f"the entry {kind} {key} of the journal is damaged"
        raise DataError(message, path=path, hint=MEND)
    return unpack(data)


def trouble(path: Path, error: Exception) -> DataError:
    """What went wrong, mostly in SQLite's words, as an error that says how to mend it."""
    text = " ".join(str(error).split()) or type(error).__name__
    if "disk is full" in text or "No space left" in text:
        hint = "free some space and resume the run: nothing that was recorded is lost"
    elif "locked" in text or "busy" in text:
        hint = "another process works on this run; wait for it to end"
    elif not isinstance(error, sqlite3.Error | OSError):
        hint = "resume the run: nothing that was recorded is lost"
    else:
        hint = MEND
    return DataError(f"the journal cannot be used: {text}", path=path, hint=hint)
