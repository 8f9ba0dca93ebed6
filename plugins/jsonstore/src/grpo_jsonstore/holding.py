"""One training at a time on a store: the lock that says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from grpo_framework.errors import StoreError
from grpo_jsonstore.layout import files_named

LOCK = "training.lock"
_PATIENCE = 1.0
"""Seconds to wait for the lock: whoever only looks whether it is held holds it shortly."""


@contextmanager
def held_alone(directory: Path) -> Iterator[None]:
    """Keep other trainings away; the system lets go when the process dies.

    Args:
        directory: Of the store; made where it is not there.

    Raises:
        StoreError: Another training holds it, or it cannot be written.
    """
    history = directory / ".history"
    lock = FileLock(history / LOCK, timeout=_PATIENCE, poll_interval=0.01)
    with files_named(directory):
        history.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout as error:
            message = "another training works on these experiences"
            hint = "let it end, or name another --experience-dir"
            raise StoreError(message, path=directory, hint=hint) from error
    try:
        yield
    finally:
        lock.release()


def see_free(directory: Path) -> None:
    """See that no other training works on a store, and make nothing where there is none.

    Raises:
        StoreError: Another one does.
    """
    if (directory / ".history" / LOCK).exists():
        with held_alone(directory):
            pass
