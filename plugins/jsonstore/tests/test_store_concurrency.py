"""Several writers and readers at once, in one process and in many."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from grpo_jsonstore.store import DirectoryStore

from grpo_framework.errors import VersionConflict
from grpo_framework.experience import Add, Experience, Library, apply, plan

WRITER = """
import asyncio, sys
from pathlib import Path

from attrs import evolve

from grpo_framework.errors import VersionConflict
from grpo_framework.experience import Experience
from grpo_jsonstore.store import DirectoryStore

async def main():
    store = DirectoryStore(Path(sys.argv[1]))
    done = conflicts = 0
    while done < int(sys.argv[3]):
        library = await store.load("shared")
        number = library.next_number
        new = Experience(f"S-{number:03d}", f"writer {sys.argv[2]}, number {done}")
        try:
            await store.commit(
                evolve(
                    library,
                    version=library.version + 1,
                    experiences=(*library.experiences, new),
                    next_number=number + 1,
                ),
                expected_version=library.version,
            )
        except VersionConflict:
            conflicts += 1
        else:
            done += 1
    print(conflicts)

asyncio.run(main())
"""

WRITERS = 4
COMMITS = 12


def test_processes_that_commit_at_once_lose_nothing_and_readers_see_whole_versions(
    tmp_path: Path,
) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(number), str(COMMITS)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(WRITERS)
    ]

    async def watch() -> None:
        store = DirectoryStore(tmp_path)
        newest = Library("shared")
        while any(child.poll() is None for child in children):
            library = await store.load("shared")
            assert library.version >= newest.version
            assert len(library) == library.version
            assert library.experiences[: len(newest)] == newest.experiences
            newest = library
            await asyncio.sleep(0.002)

    asyncio.run(asyncio.wait_for(watch(), timeout=300))
    for child in children:
        _, errors = child.communicate(timeout=300)
        assert child.returncode == 0, errors
    final = asyncio.run(DirectoryStore(tmp_path).load("shared"))
    assert (final.version, len(final)) == (WRITERS * COMMITS, WRITERS * COMMITS)
    for writer in range(WRITERS):
        own = [e.content for e in final.experiences if e.content.startswith(f"writer {writer},")]
        assert own == [f"writer {writer}, number {number}" for number in range(COMMITS)]


def test_of_two_commits_at_once_in_one_store_exactly_one_wins(tmp_path: Path) -> None:
    async def race() -> list[BaseException | None]:
        store = DirectoryStore(tmp_path)
        base = await store.load("critic")
        versions = [apply(base, plan(base, [Add(f"from {name}")]), now="t") for name in "abcd"]
        commits = [store.commit(each, expected_version=0) for each in versions]
        return list(await asyncio.gather(*commits, return_exceptions=True))

    results = asyncio.run(race())
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, VersionConflict) for result in results) == 3


def test_different_owners_commit_side_by_side(tmp_path: Path) -> None:
    owners = ["shared", "critic", "generator_1", "generator_2", "generator_12"]

    async def commit_all() -> None:
        store = DirectoryStore(tmp_path)
        libraries = [Library(owner, 1, (Experience("x", owner),), 1) for owner in owners]
        await asyncio.gather(*(store.commit(each, expected_version=0) for each in libraries))

    asyncio.run(commit_all())
    assert {path.name for path in tmp_path.glob("*.json")} == {
        f"{owner}_experiences.json" for owner in owners
    }


def test_committing_does_not_block_the_event_loop(tmp_path: Path) -> None:
    from filelock import FileLock

    lock = tmp_path / ".history" / "critic" / "lock"
    lock.parent.mkdir(parents=True)

    async def main() -> int:
        store = DirectoryStore(tmp_path)
        held = FileLock(lock)
        held.acquire()
        task = asyncio.create_task(store.commit(Library("critic", 1), expected_version=0))
        turns = 0
        for _ in range(20):
            await asyncio.sleep(0.005)
            turns += not task.done()
        held.release()
        await task
        return turns

    assert asyncio.run(main()) == 20
