"""Reads and checks experience files: a directory, an owner's file, or an export object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import evolve, field, frozen

from grpo_framework.codec import experiences_from_document
from grpo_framework.errors import DataError, ValidationFailed
from grpo_framework.exchange import libraries_from_export, library_from_experiences
from grpo_framework.experience import Library, id_prefix, normalise
from grpo_framework.records import Owner
from grpo_framework.validation import validate

SUFFIX = "_experiences.json"


@frozen
class Finding:
    """Something wrong, or worth knowing, in a file.

    Attributes:
        where: JSON pointer, or ``line 3``; empty for the whole file.
        what: In one line.
        wrong: Whether the file is not valid for it.
    """

    where: str
    what: str
    wrong: bool = True


@frozen
class Checked:
    """A file with what it holds and what is wrong with it."""

    path: Path
    libraries: tuple[Library, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong with it."""
        return not any(finding.wrong for finding in self.findings)


@frozen
class _Place:
    """Rows of one owner, and where they stand in their document."""

    owner: Owner | None
    rows: Any = field(repr=False)
    pointer: str


def check_path(path: Path) -> tuple[Checked, ...]:
    """Read and check a directory of owners' files, one such file, or an export.

    Raises:
        DataError: There is nothing to check.
    """
    if path.is_dir():
        files = sorted(path.glob(f"*{SUFFIX}"))
        if not files:
            message = f"holds no <owner>{SUFFIX}"
            raise DataError(message, path=path, hint="grpo-cli train writes such a directory")
        return _across(tuple(_check_file(file) for file in files))
    if not path.exists():
        message = "no such file or directory"
        hint = "give the directory of experiences, or an export file"
        raise DataError(message, path=path, hint=hint)
    return (_check_file(path),)


def read_path(path: Path) -> tuple[Library, ...]:
    """The libraries of a directory, an owner's file, or an export; all of it must be valid.

    Raises:
        DataError: With the first thing that is wrong, and where.
    """
    checked = check_path(path)
    for file in checked:
        for finding in file.findings:
            if finding.wrong:
                place = f"at {finding.where}: " if finding.where else ""
                hint = f"grpo-cli experiences validate {path} lists all that is wrong"
                raise DataError(f"{place}{finding.what}", path=file.path, hint=hint)
    libraries = tuple(library for file in checked for library in file.libraries)
    if not libraries:
        message = "the file's name does not say whose experiences it holds"
        raise DataError(message, path=path, hint=f"call it <owner>{SUFFIX}")
    return libraries


def owner_of(path: Path) -> Owner | None:
    """The owner that a file's name says; None where it is called otherwise."""
    return path.name.removesuffix(SUFFIX) if path.name.endswith(SUFFIX) else None


def _check_file(path: Path) -> Checked:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        return Checked(path, findings=(Finding(where, f"not JSON: {error.msg}"),))
    except (UnicodeDecodeError, RecursionError) as error:
        return Checked(path, findings=(Finding("", f"not JSON in UTF-8: {error}"),))
    if isinstance(document, dict):
        return _check_export(path, document)
    owner = owner_of(path)
    findings = tuple(_check_rows(_Place(owner, document, "")))
    if owner is None or any(finding.wrong for finding in findings):
        return Checked(path, (), findings)
    library = library_from_experiences(owner, experiences_from_document(document))
    return Checked(path, (library,), findings)


def _check_export(path: Path, document: dict[str, Any]) -> Checked:
    owners = document.get("experiences")
    findings: list[Finding] = []
    if isinstance(owners, dict):
        for owner, rows in owners.items():
            findings += _check_rows(_Place(owner, rows, f"/experiences/{owner}"))
    if not any(finding.wrong for finding in findings):
        try:
            libraries = libraries_from_export(document)
        except ValidationFailed as error:
            findings.append(Finding(error.pointer, error.reason))
        else:
            findings += _across((Checked(path, libraries),))[0].findings
            return Checked(path, libraries, tuple(findings))
    return Checked(path, (), tuple(findings))


def _check_rows(place: _Place) -> Iterator[Finding]:
    """All that is wrong with one owner's rows, row by row where the whole is not valid."""
    prefix = ""
    if place.owner is not None:
        try:
            prefix = id_prefix(place.owner)
        except ValueError as error:
            yield Finding(place.pointer, str(error))
            return
    try:
        experiences_from_document(place.rows)
    except ValidationFailed as error:
        if not isinstance(place.rows, list):
            yield Finding(f"{place.pointer}{error.pointer}", error.reason)
            return
        yield from _check_each(place)
    if isinstance(place.rows, list):
        yield from _check_ids(place, prefix)


def _check_each(place: _Place) -> Iterator[Finding]:
    for number, row in enumerate(place.rows):
        try:
            validate("experiences", [row])
        except ValidationFailed as error:
            inside = error.pointer.removeprefix("/0")
            yield Finding(f"{place.pointer}/{number}{inside}", error.reason)


def _check_ids(place: _Place, prefix: str) -> Iterator[Finding]:
    ids: dict[str, int] = {}
    contents: dict[str, str] = {}
    for number, row in enumerate(place.rows):
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            continue
        pointer, id_ = f"{place.pointer}/{number}/id", row["id"]
        if prefix and not re.fullmatch(rf"{prefix}-[0-9]+", id_):
            what = f"the id '{id_}' is not one of {place.owner}, which are {prefix}-001 and so on"
            yield Finding(pointer, what)
        if id_ in ids:
            yield Finding(pointer, f"the id '{id_}' stands twice, first at /{ids[id_]}/id")
        ids.setdefault(id_, number)
        used, succeeded = row.get("usage_count", 0), row.get("success_count", 0)
        counted = isinstance(used, int) and isinstance(succeeded, int)
        if counted and succeeded > used >= 0:
            what = f"{id_} has {succeeded} successes in {used} uses"
            yield Finding(f"{place.pointer}/{number}/success_count", what, wrong=False)
        text = normalise(str(row.get("content", "")))
        if text in contents:
            what = f"{id_} says the same as {contents[text]}"
            yield Finding(f"{place.pointer}/{number}/content", what, wrong=False)
        contents.setdefault(text, id_)


def _across(files: tuple[Checked, ...]) -> tuple[Checked, ...]:
    """Find ids that two owners hold."""
    homes: dict[str, Owner] = {}
    result = []
    for file in files:
        found = list(file.findings)
        for library in file.libraries:
            found += [
                Finding("", f"the id '{id_}' is also one of {homes[id_]}")
                for id_ in library.ids
                if homes.setdefault(id_, library.owner) != library.owner
            ]
        result.append(evolve(file, findings=tuple(found)))
    return tuple(result)
