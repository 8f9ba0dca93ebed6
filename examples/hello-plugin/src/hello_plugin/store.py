"""The store: a row for every version of every library, in a SQLite file."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from grpo_framework import Library, Owner, StoreError, VersionConflict
from grpo_framework.codec import from_document, to_document

TABLE = """
create table if not exists libraries (
    owner text, version integer, document text not null, primary key (owner, version)
)
"""
NEWEST = "select coalesce(max(version), 0) from libraries where owner = ?"


@frozen
class SqliteStore:
    """Keeps libraries in the SQLite file at `path`; its work is done in threads."""

    path: Path

    async def prepare(self) -> None:
        """Make the table, if there is none yet."""
        await asyncio.to_thread(self._prepare)

    async def load(self, owner: Owner, /, *, version: int | None = None) -> Library:
        """Read a library; version 0 is the empty one."""
        return await asyncio.to_thread(self._load, owner, version)

    async def commit(self, library: Library, /, *, expected_version: int) -> None:
        """Add a version, if `expected_version` is still the newest."""
        await asyncio.to_thread(self._commit, library, expected_version)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is written as a whole or not at all."""
        try:
            connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            try:
                connection.execute("begin immediate")
                yield connection
                connection.execute("commit")
            finally:
                connection.close()  # what is not committed is rolled back
        except sqlite3.Error as error:
            raise StoreError(f"cannot be used: {error}", path=self.path) from error

    def _prepare(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._transaction() as connection:
            connection.execute(TABLE)

    def _load(self, owner: Owner, version: int | None) -> Library:
        with self._transaction() as connection:
            wanted = version
            if wanted is None:
                wanted = connection.execute(NEWEST, (owner,)).fetchone()[0]
            if wanted == 0:
                return Library(owner)
            row = connection.execute(
                "select document from libraries where owner = ? and version = ?", (owner, wanted)
            ).fetchone()
        if row is None:
            raise StoreError(f"holds no version {wanted} of {owner}", path=self.path)
        return from_document(json.loads(row[0]), Library)

    def _commit(self, library: Library, expected_version: int) -> None:
        text = json.dumps(to_document(library))
        with self._transaction() as connection:
            found = connection.execute(NEWEST, (library.owner,)).fetchone()[0]
            if found != expected_version:
                raise VersionConflict(library.owner, expected=expected_version, found=found)
            connection.execute(
                "insert into libraries values (?, ?, ?)", (library.owner, library.version, text)
            )
