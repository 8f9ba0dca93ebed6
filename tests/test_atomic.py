from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grpo_framework import atomic
from grpo_framework.atomic import remove_leftovers, write_atomically
from grpo_framework.errors import remedy_of

KILLED = """
import os, signal, sys
from pathlib import Path
from grpo_framework.atomic import write_atomically

step = sys.argv[2]

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

if step == "replace":
    Path.replace = die
else:
    setattr(os, step, die)
write_atomically(Path(sys.argv[1]), "new" * 1000)
"""


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


@settings(deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_categories=("Cs",))))
def test_what_was_written_is_read_back_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "round-trip.txt"
    write_atomically(path, text)
    assert path.read_bytes() == text.encode("utf-8")


def test_missing_parent_directories_are_made(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b" / "c.json", b"[]")
    assert (tmp_path / "a" / "b" / "c.json").read_bytes() == b"[]"


def test_no_temporary_file_remains_after_a_write(tmp_path: Path) -> None:
    write_atomically(tmp_path / "x.json", "1")
    write_atomically(tmp_path / "x.json", "2")
    assert names(tmp_path) == {"x.json"}


def test_the_permissions_of_an_existing_file_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("old")
    path.chmod(0o640)
    write_atomically(path, "new")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_symbolic_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    write_atomically(tmp_path / "link.json", "new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text() == "new"


def test_lone_surrogates_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\ud83d")
    assert path.read_text() == "old"
    assert names(tmp_path) == {"x.json"}


@pytest.mark.parametrize("step", ["fsync", "fdopen"])
def test_a_failing_write_leaves_the_old_content_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "x.json"
    path.write_text("old")

    def fail(descriptor: int, *_: object) -> None:
        if step == "fdopen":
            os.close(descriptor)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, step, fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == {"x.json"}


@pytest.mark.parametrize("step", ["open", "fdopen", "fsync", "replace"])
def test_after_a_kill_at_any_step_the_old_content_is_whole_and_leftovers_can_be_removed(
    tmp_path: Path, step: str
) -> None:
    path = tmp_path / "x.json"
    path.write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), step], check=False, timeout=300)
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    remove_leftovers(path)
    assert names(tmp_path) == {"x.json"}


def test_leftovers_of_other_files_are_not_touched(tmp_path: Path) -> None:
    others = {".y.json.0123456789ab.tmp", ".x.json.tmp", "x.json.0123456789ab.tmp", ".x.json.swp"}
    for name in others:
        (tmp_path / name).write_text("mine")
    (tmp_path / ".x.json.0123456789ab.tmp").write_text("left")
    remove_leftovers(tmp_path / "x.json")
    assert names(tmp_path) == others
    remove_leftovers(tmp_path / "missing" / "x.json")


def test_an_error_names_the_file_that_was_meant(tmp_path, monkeypatch):
    """Not the temporary file beside it, of which nobody knows."""

    def refuse(path, *_, **__):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(atomic, "_write_flushed", refuse)
    with pytest.raises(OSError, match="Read-only") as caught:
        atomic.write_atomically(tmp_path / "x.json", "{}")
    assert caught.value.filename == str(tmp_path / "x.json")
    assert "make it writable" in remedy_of(caught.value)
    with pytest.raises(OSError, match="Read-only") as caught:
        atomic.probe_directory(tmp_path / "new")
    assert caught.value.filename == str(tmp_path / "new")
