"""The head file: what is remembered of the newest version beyond the experience file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from grpo_framework.atomic import write_atomically
from grpo_framework.codec import to_document
from grpo_framework.errors import ValidationFailed
from grpo_framework.experience import Library
from grpo_framework.validation import validate
from grpo_jsonstore.history import credits_of, parents_of
from grpo_jsonstore.layout import Places, damaged, parse, render

NOTHING = "0" * 64
"""Stands for the SHA-256 of a file that is not there."""


@frozen
class Head:
    """The head file: the newest version whose commit was finished."""

    version: int = 0
    next_number: int = 1
    sha256: str = NOTHING
    parents: Mapping[str, Any] = {}
    credits: Mapping[str, Any] = {}
    trials: Sequence[Any] = ()


def to_head(data: bytes | None, places: Places) -> Head:
    """Read the head file; what is not there is the head of an empty store.

    Raises:
        StoreError: It is damaged.
    """
    if data is None:
        return Head()
    document = parse(data, places.head)
    try:
        validate("store-head", document, path=places.head)
    except ValidationFailed as error:
        raise damaged(error.reason, places.head, pointer=error.pointer) from error
    fields = {key: value for key, value in document.items() if key != "owner"}
    return Head(**fields)


def write_head(places: Places, library: Library, sha: str) -> None:
    """Write the head of a version whose experience file has this SHA-256."""
    measured = credits_of(library)
    document = {
        "owner": library.owner,
        "version": library.version,
        "next_number": library.next_number,
        "sha256": sha,
        "parents": parents_of(library),
        **({"credits": measured} if measured else {}),
        **({"trials": to_document(library.trials)} if library.trials else {}),
    }
    write_atomically(places.head, render(document))
