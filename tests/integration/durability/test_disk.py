"""Disks that are full, stores that cannot be written, journals that are damaged."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

TMPFS = 16
"""Megabytes; enough for the start of a run, not for all of it."""


def assert_same(place, calm):
    assert place.libraries == calm.libraries
    assert place.rewards == calm.rewards
    assert place.report == calm.report
    assert place.store.items() <= place.libraries.items()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, where the system lets tests mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS}m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here; the limit on file sizes is tested instead")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)


def test_a_full_disk_stops_the_run_and_loses_nothing(arena, endpoint, calm, small_disk):
    """One line that says what is full and how to go on; with space again, the run goes on."""
    place, server = arena("full"), endpoint()
    (place.folder / "run").symlink_to(small_disk / "run")
    (small_disk / "run").mkdir()
    filler = small_disk / "filler"
    filler.write_bytes(b"\0" * (TMPFS * 1024 * 1024 - 250_000))
    stopped = place.run(*place.train, url=server.url)
    assert stopped.returncode == 3
    last = stopped.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert "disk is full" in last or "No space left" in last
    assert "run" in last
    assert "resume" in last
    answered = len(server.answered)
    assert answered > 5
    filler.unlink()
    done = place.run(*place.train, url=server.url)
    assert done.returncode == 0, done.stderr
    assert_same(place, calm)


def test_a_limit_on_file_sizes_stops_the_run_and_loses_nothing(arena, endpoint, calm):
    """The same by a limit of the process: the journal cannot grow any more."""
    place, server = arena("limited"), endpoint()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    environment = {**os.environ, "OPENAI_BASE_URL": server.url}
    stopped = subprocess.run(
        [sys.executable, "-m", "grpo_framework.cli", *place.train],
        cwd=place.folder,
        env=environment,
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert stopped.returncode == 3, stopped.stderr
    assert stopped.stderr.splitlines()[-1].startswith("error: ")
    done = place.run(*place.train, url=server.url)
    assert done.returncode == 0, done.stderr
    assert_same(place, calm)


def test_a_store_that_cannot_be_written_is_an_error_and_no_commit_is_lost(arena, endpoint, calm):
    """A store that breaks in a run: what was paid for is kept, and nothing is paid twice."""
    place, server = arena("readonly"), endpoint()
    process = place.start(*place.train, url=server.url)
    server.wait_for(10)
    store, aside = place.folder / "experiences", place.folder / "aside"
    store.rename(aside)
    # A file in the folder's place cannot be written into, by no user.
    store.write_text("in the way")
    _, err = process.communicate(timeout=300)
    assert process.returncode == 3
    assert "stopped; go on with: " in err
    assert "experiences" in err.splitlines()[-1]
    assert "free some space" not in err
    store.unlink()
    aside.rename(store)
    done = place.run(*place.train, url=server.url)
    assert done.returncode == 0, done.stderr
    assert_same(place, calm)
    assert len(server.answered) == len({row["key"] for row in server.answered})


def test_a_store_that_cannot_be_written_is_seen_before_anything_is_paid(arena, endpoint):
    """The run does not begin: no call but perhaps the preflight, no run directory."""
    place, server = arena("unwritable"), endpoint()
    (place.folder / "experiences").write_text("in the way")
    stopped = place.run(*place.train, url=server.url)
    assert stopped.returncode == 3
    assert stopped.stderr.startswith("error: experiences")
    assert "cannot be used: Not a directory" in stopped.stderr
    assert "choose another directory" in stopped.stderr
    assert ".tmp" not in stopped.stderr
    assert not server.answered
    assert not (place.folder / "run").exists()


def test_a_second_training_of_one_store_is_refused_at_its_start(arena, endpoint):
    """The second one has paid for nothing, also where it is to go on from what is there."""
    place, server, other = arena("two"), endpoint(median=3.0), endpoint()
    first = place.start(*place.train, url=server.url)
    server.wait_for(10)
    more = ("--run-dir=second", "--use-existing-experiences")
    second = place.run(*place.train, *more, url=other.url)
    assert second.returncode == 3
    assert "another training works on these experiences" in second.stderr
    assert "name another --experience-dir" in second.stderr
    assert not other.answered
    assert first.poll() is None
    first.kill()
    first.communicate()
    after = place.run(*place.train, *more, url=other.url)
    assert after.returncode == 0, after.stderr


def test_a_stopped_run_goes_on_with_its_experiences_in_another_folder(arena, endpoint, calm):
    """An empty folder before the first commit, a copy after it; other experiences are refused."""
    place, server = arena("moved"), endpoint()
    stopped = place.run(*place.train, "--max-calls=20", url=server.url)
    assert stopped.returncode == 4, stopped.stderr
    resume = ["runs", "resume", "run", "--quiet"]
    first = place.run(*resume, "--set=experience_dir=second", "--max-calls=110", url=server.url)
    assert first.returncode == 4, first.stderr
    assert list((place.folder / "second").glob("*_experiences.json"))
    limit = "--max-calls=100000"
    lost = place.run(*resume, "--set=experience_dir=third", limit, url=server.url)
    assert lost.returncode == 3
    assert "does not hold the experiences" in lost.stderr
    assert "copy the whole folder second" in lost.stderr
    shutil.copytree(place.folder / "second", place.folder / "third")
    done = place.run(*resume, "--set=experience_dir=third", limit, url=server.url)
    assert done.returncode == 0, done.stderr
    assert place.libraries == calm.libraries
    assert place.rewards == calm.rewards


def kill_in_the_middle(place, server, number):
    process = place.start(*place.train, url=server.url)
    server.wait_for(number)
    process.kill()
    process.communicate()


def test_a_journal_damaged_in_its_tail_loses_only_the_tail(arena, endpoint, calm):
    """The end of the log is garbage, as after a power loss: those answers are asked for again."""
    place, server = arena("tail"), endpoint()
    kill_in_the_middle(place, server, 60)
    log = place.folder / "run" / "journal.sqlite-wal"
    content = log.read_bytes()
    assert len(content) > 20_000
    log.write_bytes(content[:-9_000] + os.urandom(5_000))
    done = place.run(*place.train, url=server.url)
    assert done.returncode == 0, done.stderr
    assert_same(place, calm)


@pytest.mark.parametrize("damage", ["page", "value"])
def test_a_journal_damaged_in_its_middle_is_named_and_can_be_forked(finished, endpoint, damage):
    """No guess: an error with the file and the way out, which keeps the experiences."""
    place, server = finished, endpoint()
    (place.folder / "run" / "report.json").unlink()
    journal = place.folder / "run" / "journal.sqlite"
    with closing(sqlite3.connect(journal)) as database:
        if damage == "value":
            # The last batch is done again, so that its entries are read.
            database.execute("DELETE FROM entries WHERE kind = 'checkpoint' AND key = '2/2'")
            database.execute("UPDATE entries SET value = zeroblob(40) WHERE kind = 'fusion'")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if damage == "page":
        content = bytearray(journal.read_bytes())
        middle = len(content) // 2 // 4096 * 4096
        content[middle : middle + 8192] = os.urandom(8192)
        journal.write_bytes(content)
    held = place.store
    stopped = place.run("runs", "resume", "run", "--quiet", url=server.url)
    assert stopped.returncode == 3
    last = stopped.stderr.splitlines()[-1]
    assert "journal" in last
    assert "damaged" in last or "malformed" in last
    assert "--fork" in last
    assert place.store == held
    more = ["--epochs=1", "--seed=9", "--run-dir=second", "--quiet", "--experience-dir=other"]
    forked = place.run("train", "--fork", "run", *more, url=server.url)
    assert forked.returncode == 0, forked.stderr
    report = json.loads((place.folder / "second" / "report.json").read_text())
    begun = sum(row["library_before"] for row in report["epochs"][0]["owners"])
    assert 0 < begun <= sum(len(rows) for rows in held.values())
