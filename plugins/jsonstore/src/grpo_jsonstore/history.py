"""The history of a library, pure: a version as a whole copy, or as what changed since another.

A version is written as a delta on the one before it, unless a delta would not be shorter or the
version begins a new stretch of `STRETCH`: so a commit writes about as much as it changed, all
versions together take the edits plus one copy of the library a stretch, and an old version is
read from at most `STRETCH` files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from grpo_framework.codec import (
    EXPERIENCE_KEYS,
    experiences_from_document,
    from_document,
    to_document,
)
from grpo_framework.errors import ValidationFailed
from grpo_framework.experience import Credit, Experience, Library, Trial
from grpo_framework.validation import validate
from grpo_jsonstore.layout import damaged, digest, render

STRETCH = 64
"""Versions between two whole copies, at most."""

_NO_CREDIT = Credit()
_LISTS = ("experiences", "changed", "added")


@frozen
class Stamp:
    """What a record says beside the content.

    Attributes:
        sha256: Of the experience file at this version.
        written_at: ISO 8601.
        adopted: Whether other hands changed the file, and it was taken over as it was.
    """

    sha256: str
    written_at: str
    adopted: bool = False


def to_rows(experiences: Iterable[Experience]) -> list[dict[str, Any]]:
    """The rows of an experience file."""
    return [
        {
            "id": each.id,
            "content": each.content,
            "category": each.category,
            "success_count": each.success_count,
            "usage_count": each.usage_count,
            "created_at": each.created_at,
            "source_problem": each.source_problem,
        }
        for each in experiences
    ]


def parents_of(library: Library) -> dict[str, list[str]]:
    """Id → parents, of the experiences that have any."""
    return {each.id: list(each.parents) for each in library.experiences if each.parents}


def credits_of(library: Library) -> dict[str, dict[str, Any]]:
    """Id → measured credit, of the experiences that have any."""
    held = library.experiences
    return {each.id: to_document(each.credit) for each in held if each.credit != _NO_CREDIT}


def with_memory(
    experiences: Iterable[Experience],
    parents: Mapping[str, Iterable[str]],
    credits_: Mapping[str, Mapping[str, Any]],
) -> tuple[Experience, ...]:
    """The experiences with their parents and credit, which the guide's format has no place for.

    Raises:
        ValueError: A credit is none.
    """
    if not parents and not credits_:
        return tuple(experiences)
    return tuple(
        evolve(
            each,
            parents=tuple(parents.get(each.id, ())),
            credit=from_document(credits_[each.id], Credit) if each.id in credits_ else each.credit,
        )
        for each in experiences
    )


def make_record(new: Library, old: Library | None, stamp: Stamp) -> dict[str, Any]:
    """Write a version for the history.

    Args:
        new: The version.
        old: A version that is in the history, to write the difference to; None writes a copy.
        stamp: What else the record says.
    """
    begins = old is None or new.version // STRETCH != old.version // STRETCH
    changes = None if begins or old is None else _difference(old, new)
    envelope = {
        "owner": new.owner,
        "version": new.version,
        "next_number": new.next_number,
        "sha256": stamp.sha256,
        "written_at": stamp.written_at,
        "adopted": stamp.adopted,
    }
    trials = {"trials": to_document(new.trials)}
    if changes is None or old is None:
        rows = _rows_with_memory(new.experiences)
        return {"kind": "whole", **envelope, **(trials if new.trials else {}), "experiences": rows}
    return {"kind": "delta", **envelope, **(trials if new.trials != old.trials else {}), **changes}


def _rows_with_memory(experiences: Iterable[Experience]) -> list[dict[str, Any]]:
    held = tuple(experiences)
    return [
        {
            **row,
            **({"parents": list(each.parents)} if each.parents else {}),
            **({"credit": to_document(each.credit)} if each.credit != _NO_CREDIT else {}),
        }
        for row, each in zip(to_rows(held), held, strict=True)
    ]


def _difference(old: Library, new: Library) -> dict[str, Any] | None:
    """What changed, or None where a delta cannot say it or would not be shorter."""
    before = {each.id: each for each in old.experiences}
    living = {each.id for each in new.experiences}
    removed = [id_ for id_ in before if id_ not in living]
    added = [each for each in new.experiences if each.id not in before]
    kept = [id_ for id_ in before if id_ in living]
    if [*kept, *(each.id for each in added)] != [each.id for each in new.experiences]:
        return None  # another order
    changed: list[Experience] = []
    counts: dict[str, list[int]] = {}
    credits_: dict[str, dict[str, Any]] = {}
    for each in new.experiences:
        was = before.get(each.id)
        if was is None or was is each or was == each:
            continue
        uses = (each.success_count, each.usage_count)
        if evolve(was, success_count=uses[0], usage_count=uses[1], credit=each.credit) != each:
            changed.append(each)
            continue
        if uses != (was.success_count, was.usage_count):
            counts[each.id] = list(uses)
        if each.credit != was.credit:
            credits_[each.id] = to_document(each.credit)
    short = len(removed) // 4 + len(counts) // 8 + len(credits_) // 2
    if len(changed) + len(added) + short >= len(new):
        return None
    return {
        "base": old.version,
        "removed": removed,
        "changed": _rows_with_memory(changed),
        "added": _rows_with_memory(added),
        "counts": counts,
        **({"credits": credits_} if credits_ else {}),
    }


def check_record(record: Any, path: Path) -> None:
    """Check the form of a record, its experiences excepted, which `replay` reads.

    Raises:
        StoreError: It is damaged.
    """
    if isinstance(record, dict):
        lists: dict[str, Any] = {key: [] for key in _LISTS if isinstance(record.get(key), list)}
        record = {**record, **lists}
    try:
        validate("store-history", record, path=path)
    except ValidationFailed as error:
        raise damaged(error.reason, path, pointer=error.pointer) from error


def replay(record: Mapping[str, Any], base: Library | None, path: Path) -> Library:
    """Read a version from its record, and the version that the record is based on.

    Args:
        record: As `check_record` let it pass.
        base: The library at ``record["base"]``; None for a whole copy.
        path: The record's file, for the message.

    Raises:
        StoreError: It is damaged.
    """
    held = _apply(record, base, path) if base else _read_rows(record, "experiences", path)
    if base is not None and "trials" not in record:
        trials = base.trials
    else:
        trials = read_trials(record.get("trials", ()), path)
    return Library(record["owner"], record["version"], held, record["next_number"], trials)


def read_trials(rows: Iterable[Any], path: Path) -> tuple[Trial, ...]:
    """Read the edits that were measured and not taken.

    Raises:
        StoreError: One of them is damaged.
    """
    try:
        return tuple(from_document(row, Trial) for row in rows)
    except ValueError as error:
        raise damaged(f"a trial {error}", path, pointer="/trials") from error


def is_genuine(library: Library, record: Mapping[str, Any]) -> bool:
    """Whether a replayed version gives the file that was written; unknown, so true, if adopted."""
    written: str = record["sha256"]
    return record["adopted"] or digest(render(to_rows(library.experiences))) == written


def _apply(record: Mapping[str, Any], base: Library, path: Path) -> tuple[Experience, ...]:
    changed = {each.id: each for each in _read_rows(record, "changed", path)}
    removed = set(record["removed"])
    counts = record["counts"]
    kept = tuple(
        evolve(each, success_count=counts[each.id][0], usage_count=counts[each.id][1])
        if each.id in counts
        else changed.get(each.id, each)
        for each in base.experiences
        if each.id not in removed
    )
    credits_ = record.get("credits", {})
    kept = tuple(
        evolve(each, credit=from_document(credits_[each.id], Credit))
        if each.id in credits_
        else each
        for each in kept
    )
    return (*kept, *_read_rows(record, "added", path))


def _read_rows(record: Mapping[str, Any], key: str, path: Path) -> tuple[Experience, ...]:
    rows = record[key]
    parents = {
        row["id"]: row["parents"]
        for row in rows
        if isinstance(row, dict) and isinstance(row.get("parents"), list) and "id" in row
    }
    credits_ = {
        row["id"]: row["credit"]
        for row in rows
        if isinstance(row, dict) and "credit" in row and isinstance(row.get("id"), str)
    }
    plain = [
        {name: row[name] for name in EXPERIENCE_KEYS if name in row}
        if isinstance(row, dict)
        else row
        for row in rows
    ]
    try:
        held = experiences_from_document(plain, path=path)
    except ValidationFailed as error:
        raise damaged(error.reason, path, pointer=f"/{key}{error.pointer}") from error
    try:
        return with_memory(held, parents, credits_)
    except ValueError as error:
        raise damaged(f"a measured credit {error}", path, pointer=f"/{key}") from error
