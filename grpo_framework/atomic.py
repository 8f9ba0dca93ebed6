"""The one place for atomic file writes: after a crash a file is whole, its old or its new self.

A write goes to a temporary file beside the target, is flushed to the disk, and is renamed over the
target; then the directory is flushed, so that the rename survives a power loss too. A kill between
these steps leaves at most a temporary file, whose name `remove_leftovers` knows.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

_SUFFIX = ".tmp"


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace a file's content, or create it, all or nothing; blocking.

    The permissions of an existing file are kept, and a symbolic link is followed. Missing parent
    directories are made.

    Args:
        path: The file.
        content: The whole content; text is written as UTF-8 with its line ends as they are.

    Raises:
        OSError: It cannot be written (disk full, no permission …); the old content is unharmed.
        UnicodeEncodeError: The text holds lone surrogates; nothing was written.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    target = Path(os.path.realpath(path))
    _make_directory(target.parent)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}{_SUFFIX}")
    try:
        _write_flushed(temporary, data, mode=_mode_of(target))
        temporary.replace(target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        # Who reads the error knows the target, not the temporary file beside it.
        if isinstance(error, OSError) and error.errno is not None:
            raise _named(error, path) from error
        raise
    _flush_directory(target.parent)


def probe_directory(directory: Path) -> Path:
    """See that files can be written in a directory, or in the nearest one above it that is there.

    Args:
        directory: Where files are to be written; it need not be there, and is not made.

    Returns:
        The directory in which a file was written and removed.

    Raises:
        OSError: None can be written there; it names the directory.
    """
    there = directory.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    probe = there / f".probe.{secrets.token_hex(6)}{_SUFFIX}"
    try:
        _write_flushed(probe, b"probe", mode=None)
    except OSError as error:
        raise _named(error, directory) from error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return there


def _named(error: OSError, path: Path) -> OSError:
    """The same error of the file that was meant."""
    return OSError(error.errno, error.strerror, str(path))


def remove_leftovers(path: Path) -> None:
    """Delete the temporary files that killed writers of `path` left; blocking.

    Call it only while holding the lock under which `path` is written: the temporary file of a
    living writer looks the same.

    Raises:
        OSError: One of them cannot be deleted.
    """
    target = Path(os.path.realpath(path))
    prefix = f".{target.name}."
    if not target.parent.is_dir():
        return
    for entry in os.scandir(target.parent):
        middle = entry.name.removeprefix(prefix).removesuffix(_SUFFIX)
        if entry.name == f"{prefix}{middle}{_SUFFIX}" and len(middle) == 12:
            Path(entry.path).unlink(missing_ok=True)


def _mode_of(target: Path) -> int | None:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return None


def _write_flushed(path: Path, data: bytes, *, mode: int | None) -> None:
    # O_EXCL: never write into somebody else's file; 0o666 leaves the permissions to the umask.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o666), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if mode is not None:
        path.chmod(mode)


def _make_directory(directory: Path) -> None:
    """Make a directory and its parents, each flushed into its own parent."""
    if directory.is_dir():
        return
    _make_directory(directory.parent)
    directory.mkdir(exist_ok=True)
    _flush_directory(directory.parent)


def _flush_directory(directory: Path) -> None:
    if os.name == "nt":  # Windows cannot open a directory, and flushes renames by itself
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
