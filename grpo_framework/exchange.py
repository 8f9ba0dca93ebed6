"""Libraries ⇄ the guide's documents: the export for deployment, and an owner's rows; pure.

The export is one object: ``experiences`` (owner → rows as in the owner's experience file),
``statistics`` (``training_stats``, ``experience_counts``, ``total_experiences`` and one
``<owner>_success_rate`` an owner) and ``export_time``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from attrs import evolve

from grpo_framework.codec import experience_to_document, experiences_from_document
from grpo_framework.errors import ValidationFailed
from grpo_framework.experience import Experience, Library, id_prefix
from grpo_framework.records import Owner
from grpo_framework.validation import validate

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def next_free_number(owner: Owner, experiences: Iterable[Experience]) -> int:
    """The number above every one that stands in an id of the owner's own form (``G1-012`` → 13).

    Ids of another form take no number, so that they cannot push the count.

    Raises:
        ValueError: The owner is unknown.
    """
    own = re.compile(rf"{id_prefix(owner)}-([0-9]{{1,15}})")
    matches = (own.fullmatch(experience.id) for experience in experiences)
    return max((int(match[1]) for match in matches if match), default=0) + 1


def library_from_experiences(owner: Owner, experiences: tuple[Experience, ...]) -> Library:
    """A library that was never committed (version 0), whose next id is above all it holds.

    Raises:
        ValueError: The owner is unknown.
    """
    return Library(owner, 0, experiences, next_free_number(owner, experiences))


def replace_content(current: Library, imported: Library) -> Library:
    """The version that follows `current`, with the content of `imported`; no number is reused.

    Raises:
        ValueError: They belong to different owners.
    """
    if current.owner != imported.owner:
        message = f"a library of {imported.owner} cannot replace one of {current.owner}"
        raise ValueError(message)
    return evolve(
        imported,
        version=current.version + 1,
        next_number=max(current.next_number, imported.next_number),
    )


def success_rate(library: Library) -> float:
    """Successes over uses, summed over a library's experiences; 0.0 where none was used."""
    uses = sum(experience.usage_count for experience in library.experiences)
    successes = sum(experience.success_count for experience in library.experiences)
    return min(successes / uses, 1.0) if uses else 0.0


def export_document(
    libraries: Iterable[Library],
    *,
    export_time: str,
    training_stats: Mapping[str, Any] = _NOTHING,
) -> dict[str, Any]:
    """Make the export object.

    Args:
        libraries: One an owner, in the order in which they are to stand.
        export_time: ISO 8601.
        training_stats: What the training reported, as plain JSON values.

    Raises:
        ValidationFailed: What was given makes no valid export.
    """
    held = tuple(libraries)
    counts = {library.owner: len(library) for library in held}
    document = {
        "experiences": {
            library.owner: [experience_to_document(each) for each in library.experiences]
            for library in held
        },
        "statistics": {
            "training_stats": dict(training_stats),
            "experience_counts": counts,
            "total_experiences": sum(counts.values()),
            **{f"{library.owner}_success_rate": success_rate(library) for library in held},
        },
        "export_time": export_time,
    }
    validate("export", document)
    return document


def libraries_from_export(document: Any, *, path: Path | None = None) -> tuple[Library, ...]:
    """Read an export object; its statistics are not trusted, they follow from the experiences.

    Args:
        document: Plain JSON values.
        path: The file it came from, for the message.

    Returns:
        One library an owner, in the document's order, each at version 0.

    Raises:
        ValidationFailed: It is no export, or an id stands twice; with file and pointer.
    """
    validate("export", document, path=path)
    return tuple(
        _library_from_rows(owner, rows, path=path)
        for owner, rows in document["experiences"].items()
    )


def _library_from_rows(owner: Owner, rows: Any, *, path: Path | None) -> Library:
    try:
        return library_from_experiences(owner, experiences_from_document(rows, path=path))
    except ValidationFailed as error:
        pointer = f"/experiences/{owner}{error.pointer}"
        raise ValidationFailed("export", error.reason, pointer=pointer, path=path) from error
