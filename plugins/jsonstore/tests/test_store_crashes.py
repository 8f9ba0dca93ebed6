"""A writer killed at any instant leaves the old version or the new one, whole, and a working store.

The child process really commits in a loop; it kills itself with SIGKILL just before or just after
the n-th call that touches the disk, so that every point between two such calls is tried.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from grpo_jsonstore.store import DirectoryStore

from grpo_framework.experience import Add, Delete, Experience, Library, apply, plan

CHILD = """
import asyncio, os, signal, sys
from pathlib import Path

from grpo_framework.experience import Add, apply, plan
from grpo_jsonstore.store import DirectoryStore

directory, owner, count, kill_at, when = sys.argv[1:]
calls = 0

def arm(holder, name):
    real = getattr(holder, name)
    def armed(*args, **kwargs):
        global calls
        calls += 1
        if calls == int(kill_at) and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **kwargs)
        if calls == int(kill_at) and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(holder, name, armed)

async def main():
    store = DirectoryStore(Path(directory))
    library = await store.load(owner)
    arm(os, "fsync"); arm(os, "open"); arm(Path, "replace"); arm(Path, "mkdir")
    for number in range(int(count)):
        new = apply(library, plan(library, [Add(f"{number} {'abcdefgh'[number % 8] * 9}")]), now="t")
        await store.commit(new, expected_version=library.version)
        print(new.version, flush=True)
        library = new

asyncio.run(main())
print("calls", calls)
"""


FORKS = """
import json, os, signal, sys, traceback

import grpo_framework.experience
import grpo_jsonstore.store

for line in sys.stdin:
    arguments, output = json.loads(line)
    child = os.fork()
    if child == 0:
        signal.alarm(300)
        sys.argv[1:] = arguments
        for descriptor in (1, 2):
            os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
        code = 1
        try:
            exec(os.environ["CHILD"], {"__name__": "__main__"})
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs the child as often as it is told to, each time in a process forked off: the modules are
loaded once, and a start costs next to nothing."""


class Forks:
    """Starts the child process in its settings, one after the other."""

    def __init__(self, server: subprocess.Popen[str], folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._number = 0

    def run(
        self, directory: Path, owner: str, count: int, kill_at: int, when: str
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end; its output holds what it said on both streams."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._number += 1
        output = self._folder / f"{self._number}.txt"
        arguments = [str(directory), owner, str(count), str(kill_at), when]
        self._server.stdin.write(json.dumps([arguments, str(output)]) + "\n")
        self._server.stdin.flush()
        code = int(self._server.stdout.readline())
        return subprocess.CompletedProcess(arguments, code, output.read_text())


needs_sigkill = pytest.mark.skipif(
    not hasattr(signal, "SIGKILL"), reason="the system has no signal that kills"
)


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    if not (hasattr(os, "fork") and hasattr(signal, "alarm")):
        pytest.skip("the system forks no processes")
    with subprocess.Popen(
        [sys.executable, "-c", FORKS],
        env={**os.environ, "CHILD": CHILD},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        yield Forks(server, tmp_path_factory.mktemp("forks"))


def load(directory: Path, owner: str = "critic", version: int | None = None) -> Library:
    return asyncio.run(DirectoryStore(directory).load(owner, version=version))


def commit(directory: Path, library: Library) -> None:
    asyncio.run(DirectoryStore(directory).commit(library, expected_version=library.version - 1))


def start(directory: Path, kind: str) -> Library:
    """What the child begins with: nothing, an old directory, a store, or a store edited by hand."""
    directory.mkdir()
    file = directory / "critic_experiences.json"
    rows = [
        {
            "id": "C-004",
            "content": "old advice",
            "category": "general",
            "success_count": 0,
            "usage_count": 0,
            "created_at": "",
            "source_problem": "",
        }
    ]
    if kind in ("old", "edited"):
        file.write_text(json.dumps(rows))
    if kind in ("store", "edited"):
        base = load(directory)
        commit(directory, apply(base, plan(base, [Add("first"), Add("second")]), now="t"))
    if kind == "edited":
        rows = json.loads(file.read_text())
        rows[0]["content"] = "edited by hand"
        file.write_text(json.dumps(rows, indent=2))
    return load(directory)


@pytest.mark.parametrize("kind", ["nothing", "old", "store", "edited"])
def test_after_a_kill_at_every_disk_operation_the_store_holds_a_whole_version(
    tmp_path: Path, kind: str, forks: Forks
) -> None:
    start(tmp_path / "dry", kind)
    dry = forks.run(tmp_path / "dry", "critic", 1, -1, "before")
    assert dry.returncode == 0, dry.stdout
    steps = int(dry.stdout.split()[-1])
    assert steps >= 9
    newest = load(tmp_path / "dry")
    seen: set[int] = set()
    for kill_at in range(1, steps + 1):
        when = "before" if kill_at % 2 else "after"
        directory = tmp_path / f"{kill_at}"
        old = start(directory, kind)
        killed = forks.run(directory, "critic", 1, kill_at, when)
        assert killed.returncode == -signal.SIGKILL, killed.stdout
        found = load(directory)
        assert found in (old, newest)
        seen.add(found.version)
        file = directory / "critic_experiences.json"
        on_disk = json.loads(file.read_text()) if file.exists() else []
        assert [row["id"] for row in on_disk] == list(found.ids)  # the guide's file is the truth
        following = apply(found, plan(found, [Add("after the crash")]), now="t")
        commit(directory, following)
        assert load(directory) == following
        if found.version:
            assert load(directory, version=found.version) == found
        assert not list(directory.rglob("*.tmp"))
    assert seen == {old.version, newest.version}


@needs_sigkill
def test_random_kills_lose_no_acknowledged_commit_and_reuse_no_number(tmp_path: Path) -> None:
    chance = random.Random(20251122)
    acknowledged = 0
    given: dict[str, str] = {}
    for _ in range(8):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path), "shared", "100000", "-1", "before"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        line = child.stdout.readline()  # it is committing by now
        time.sleep(chance.uniform(0.0, 0.15))
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read()
        child.stdout.close()
        assert child.wait(timeout=300) == -signal.SIGKILL
        versions = [int(each) for each in (line + rest).split()]
        acknowledged = versions[-1]
        library = load(tmp_path, "shared")
        assert acknowledged <= library.version <= acknowledged + 1
        for each in library.experiences:
            assert given.setdefault(each.id, each.content) == each.content
        doomed = [Delete(id_) for id_ in library.ids[: len(library) // 2]]
        commit(tmp_path, apply(library, plan(library, doomed), now="t"))
    for version in range(1, load(tmp_path, "shared").version + 1):
        assert load(tmp_path, "shared", version).version == version


def test_an_edit_by_hand_right_after_a_kill_reuses_no_number(tmp_path: Path) -> None:
    base = Library("critic", 1, tuple(Experience(f"C-00{n}", f"text {n}") for n in "123"), 4)
    commit(tmp_path, base)
    head = tmp_path / ".history" / "critic" / "head.json"
    old_head = head.read_bytes()
    grown = apply(base, plan(base, [Add("the fourth"), Delete("C-001")]), now="t")
    commit(tmp_path, grown)
    head.write_bytes(old_head)  # as if killed between the experience file and the head
    file = tmp_path / "critic_experiences.json"
    rows = json.loads(file.read_text())
    file.write_text(json.dumps(rows[:1]))
    edited = load(tmp_path)
    assert (edited.version, edited.next_number, edited.ids) == (3, 5, ("C-002",))
    commit(tmp_path, apply(edited, plan(edited, [Add("the fifth")]), now="t"))
    assert load(tmp_path).ids == ("C-002", "C-005")
    assert load(tmp_path, version=2) == grown
