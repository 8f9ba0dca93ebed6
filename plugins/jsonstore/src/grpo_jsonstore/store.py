"""`DirectoryStore`: load and commit, with the order of writes that survives a kill at any instant.

A commit writes, each atomically: (1) the history record of the new version, (2) the experience
file, (3) the head. The rename of the experience file is the commit: before it, the record is of a
version that never was, and the next commit replaces it; after it, the record's SHA-256 says that
the file is that version, head or no head. A file that fits neither head nor record was changed by
other hands and is the next version.

Readers take no lock: they read the head before and after the file, and again if it moved.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from filelock import FileLock, Timeout

from grpo_framework.atomic import probe_directory, remove_leftovers, write_atomically
from grpo_framework.codec import experiences_from_document
from grpo_framework.errors import StoreError, ValidationFailed, VersionConflict
from grpo_framework.exchange import next_free_number
from grpo_framework.experience import Experience, Library, Version
from grpo_framework.records import Owner
from grpo_jsonstore.head import NOTHING, Head, to_head, write_head
from grpo_jsonstore.history import (
    Stamp,
    check_record,
    credits_of,
    is_genuine,
    make_record,
    parents_of,
    read_trials,
    replay,
    to_rows,
    with_memory,
)
from grpo_jsonstore.holding import held_alone, see_free
from grpo_jsonstore.layout import (
    Places,
    damaged,
    digest,
    files_named,
    parse,
    places_of,
    read_bytes,
    render,
)

_LOG = logging.getLogger(__name__)
_READ_TRIES = 100


@frozen
class _State:
    """What is in the store now.

    Attributes:
        library: The newest version.
        sha256: Of the experience file; `NOTHING` where there is none.
        recorded: Whether the history holds this version.
        headed: Whether the head says so.
    """

    library: Library
    sha256: str
    recorded: bool = True
    headed: bool = True


class DirectoryStore:
    """A directory of ``<owner>_experiences.json``; one instance may serve many tasks.

    Args:
        directory: Where; made by the first commit.
        lock_timeout: Seconds to wait for another writer.
        clock: Gives the time for ``written_at``.
    """

    def __init__(
        self,
        directory: Path,
        *,
        lock_timeout: float = 30.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._directory = directory
        self._lock_timeout = lock_timeout
        self._clock = clock
        # Owner → the version given out last and the file it was read from: spares the parsing,
        # and keeps one version number from being given to two contents.
        self._given: dict[Owner, _State] = {}

    async def load(self, owner: Owner, /, *, version: int | None = None) -> Library:
        """Return a library, as `grpo_framework.protocols.ExperienceStore.load` says."""
        return await asyncio.to_thread(self._load, owner, version)

    async def list_versions(self, owner: Owner, /) -> tuple[Version, ...]:
        """List the versions, as `grpo_framework.protocols.VersionedStore.list_versions` says."""
        return await asyncio.to_thread(self._versions, owner)

    async def commit(self, library: Library, /, *, expected_version: int) -> None:
        """Write a library, as `grpo_framework.protocols.ExperienceStore.commit` says."""
        await asyncio.to_thread(self._commit, library, expected_version)

    async def probe(self) -> None:
        """See that it can be written, as `grpo_framework.protocols.ProbedStore.probe` says."""
        await asyncio.to_thread(self._probe)

    def _probe(self) -> None:
        with files_named(self._directory):
            for directory in (self._directory, self._directory / ".history"):
                probe_directory(directory)
        see_free(self._directory)

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Keep other trainings away, as `grpo_framework.protocols.ProbedStore.hold` says."""
        with held_alone(self._directory):
            yield

    def _load(self, owner: Owner, version: int | None) -> Library:
        places = places_of(self._directory, owner)
        state = self._read(places)
        self._given[owner] = state
        newest = state.library.version
        if version is None or version == newest:
            return state.library
        if version == 0:
            return Library(owner)
        known = [each for each in places.versions() if each < newest]
        if version not in known:
            listed = ", ".join(map(str, [*known[-5:], newest]))
            raise StoreError(
                f"{owner} has no version {version}; the last ones are {listed}",
                path=places.history,
            )
        return _restore(places, version)

    def _versions(self, owner: Owner) -> tuple[Version, ...]:
        newest = self._load(owner, None).version
        places = places_of(self._directory, owner)
        recorded = [each for each in places.versions() if each <= newest]
        found = [Version(each, _read_record(places, each)["written_at"]) for each in recorded]
        if newest and newest not in recorded:  # other hands wrote it, nobody knows when
            found.append(Version(newest))
        return tuple(found)

    def _read(self, places: Places) -> _State:
        """The newest version, from a head and a file that belong together."""
        for _ in range(_READ_TRIES):
            before = read_bytes(places.head)
            data = read_bytes(places.file)
            if read_bytes(places.head) == before:
                return self._interpret(places, to_head(before, places), data)
        raise StoreError("another process keeps writing; try again", path=places.file)

    def _interpret(self, places: Places, head: Head, data: bytes | None) -> _State:
        sha = NOTHING if data is None else digest(data)
        given = self._given.get(places.owner)
        if sha == head.sha256:
            if given and (given.sha256, given.library.version) == (sha, head.version):
                return _State(given.library, sha)
            held = with_memory(_to_experiences(data, places), head.parents, head.credits)
            trials = read_trials(head.trials, places.head)
            newest = Library(places.owner, head.version, held, head.next_number, trials)
            return _State(newest, sha)
        for version in reversed([each for each in places.versions() if each > head.version]):
            if _read_record(places, version)["sha256"] == sha:
                return _State(_restore(places, version), sha, headed=False)
        return self._interpret_foreign(places, head, sha, _to_experiences(data, places))

    def _interpret_foreign(
        self, places: Places, head: Head, sha: str, found: tuple[Experience, ...]
    ) -> _State:
        """A file that other hands wrote: the old code, an editor, or the time before this store."""
        known = max((head.version, *places.versions()[-1:]))
        last = _restore(places, known) if known else Library(places.owner)
        texts = {each.id: each.content for each in found}
        # What was measured of a text says nothing of the text that other hands put in its place.
        same = [each for each in last.experiences if texts.get(each.id) == each.content]
        measured = credits_of(evolve(last, experiences=tuple(same)))
        held = with_memory(found, parents_of(last), measured)
        if known and held == last.experiences:  # only the white space or the line ends differ
            return _State(last, sha, headed=head.version == known)
        version = known + 1
        number = max(head.next_number, last.next_number, next_free_number(places.owner, held))
        given = self._given.get(places.owner)
        if given and given.library.version >= version:
            version = given.library.version + (given.sha256 != sha)
            number = max(number, given.library.next_number)
        library = Library(places.owner, version, held, number, last.trials)
        return _State(library, sha, recorded=False, headed=False)

    def _commit(self, library: Library, expected_version: int) -> None:
        places = places_of(self._directory, library.owner)
        if library.version <= expected_version:
            raise StoreError(
                f"version {library.version} of {library.owner} cannot follow {expected_version}",
                path=places.file,
            )
        with files_named(places.history):
            places.history.mkdir(parents=True, exist_ok=True)
            lock = FileLock(places.lock, timeout=self._lock_timeout, poll_interval=0.01)
            try:
                with lock:
                    self._commit_locked(places, library, expected_version)
            except Timeout as error:
                reason = f"locked by another process for more than {self._lock_timeout:g} s"
                raise StoreError(reason, path=places.lock) from error

    def _commit_locked(self, places: Places, library: Library, expected_version: int) -> None:
        state = self._read(places)
        old = state.library
        if old.version != expected_version:
            raise VersionConflict(places.owner, expected=expected_version, found=old.version)
        if library.next_number < old.next_number:
            raise StoreError(
                f"the next number of {places.owner} would fall from {old.next_number} to "
                f"{library.next_number}",
                path=places.file,
                hint="ids are never reused: take next_number from the newest version",
            )
        content = render(to_rows(library.experiences))
        sha = digest(content)
        now = self._clock().isoformat()
        record = make_record(library, old if old.version else None, Stamp(sha, now))
        _check(library, record, places)
        records = map(places.record, (old.version, library.version))
        for path in (places.file, places.head, *records):
            remove_leftovers(path)
        if not state.recorded:
            adopted = make_record(old, None, Stamp(state.sha256, now, adopted=True))
            write_atomically(places.record(old.version), render(adopted))
        if not state.headed:
            write_head(places, old, state.sha256)
        write_atomically(places.record(library.version), render(record))
        write_atomically(places.file, content)
        try:
            write_head(places, library, sha)
        except OSError as error:
            if sha == state.sha256:  # the same file: only the head tells the versions apart
                raise
            # The commit is done: the record tells the next reader, the next commit mends the head.
            _LOG.warning("%s could not be written: %s", places.head, error)
        self._given[places.owner] = _State(library, sha)


def _check(library: Library, record: Mapping[str, Any], places: Places) -> None:
    """Refuse what could not be loaded again; only what is new needs a look."""
    ids = library.ids
    if len(set(ids)) != len(ids):
        twice = next(id_ for id_ in ids if ids.count(id_) > 1)
        raise StoreError(f"refused to write the id '{twice}' twice", path=places.file)
    for key in ("experiences", "changed", "added"):
        rows = [
            {name: value for name, value in row.items() if name not in ("parents", "credit")}
            for row in record.get(key, ())
        ]
        try:
            experiences_from_document(rows)
        except ValidationFailed as error:
            reason = f"refused to write {error.reason}"
            raise StoreError(reason, path=places.file, pointer=error.pointer) from error


def _to_experiences(data: bytes | None, places: Places) -> tuple[Experience, ...]:
    if data is None:
        return ()
    document = parse(data, places.file)
    if not isinstance(document, list):
        reason = "is no experience file: that holds an array of experiences"
        hint = "move it away, or name another --experience-dir; nothing was written"
        raise StoreError(reason, path=places.file, hint=hint)
    try:
        return experiences_from_document(document, path=places.file)
    except ValidationFailed as error:
        raise damaged(error.reason, places.file, pointer=error.pointer) from error


def _read_record(places: Places, version: int) -> Mapping[str, Any]:
    path = places.record(version)
    data = read_bytes(path)
    if data is None:
        raise damaged("this version is missing, and a later one builds on it", path)
    record: Mapping[str, Any] = parse(data, path)
    check_record(record, path)
    return record


def _restore(places: Places, version: int) -> Library:
    """A version from its records: back to a whole copy, then forward."""
    chain = [_read_record(places, version)]
    while chain[-1]["kind"] == "delta":
        base = chain[-1]["base"]
        if base >= chain[-1]["version"]:
            raise damaged("it builds on itself", places.record(version), pointer="/base")
        chain.append(_read_record(places, base))
    versions: list[Library] = []
    for record in reversed(chain):
        path = places.record(record["version"])
        versions.append(replay(record, versions[-1] if versions else None, path))
    if not is_genuine(versions[-1], chain[0]):
        pairs = zip(versions, reversed(chain), strict=True)
        culprit = next(
            library.version for library, record in pairs if not is_genuine(library, record)
        )
        reason = "the content is not the one that was written (its SHA-256 differs)"
        raise damaged(reason, places.record(culprit), pointer="/sha256")
    return versions[-1]
