"""The problem sources: a file, a set known by name, a set of the hub."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from grpo_framework.component import Wiring
from grpo_framework.errors import ProblemError
from grpo_framework.records import Problem
from grpo_problems import rows as reading_rows
from grpo_problems.hub import read_hub
from grpo_problems.known import Hub, Known, candidates
from grpo_problems.rows import Reading, to_problems
from grpo_problems.tables import SUFFIXES, Row, read_table


@frozen
class Source:
    """A problem source over a blocking function that reads it."""

    read: Callable[[], tuple[Problem, ...]]

    async def problems(self) -> tuple[Problem, ...]:
        """Return all problems, as `grpo_framework.protocols.ProblemSource.problems` says."""
        return await asyncio.to_thread(self.read)


def file_source(wiring: Wiring) -> Source:
    """The source of one file: its path is the reference, or the option `path`."""
    return Source(lambda: _read_file(wiring))


def known_source(wiring: Wiring, known: Known) -> Source:
    """The source of a set known by name: files first, then the hub."""
    return Source(lambda: _read_known(wiring, known))


def hub_source(wiring: Wiring) -> Source:
    """The source of any set of the hub, ``hub/organisation/name``."""
    return Source(lambda: _read_any_hub(wiring))


def _reading(options: Mapping[str, Any], dataset: str) -> Reading:
    """How rows are read, with the keys that the user named before the usual ones."""
    plain = Reading(dataset)
    return Reading(
        dataset,
        _before(options.get("problem_key"), plain.problem_keys),
        _before(options.get("answer_key"), plain.answer_keys),
        _before(options.get("id_key"), plain.id_keys),
        options.get("answer_after", ""),
    )


def _before(key: str | None, usual: tuple[str, ...]) -> tuple[str, ...]:
    # A key that was named and is not there must not fall back to another column.
    return usual if key is None else (key,)


def _read_file(wiring: Wiring) -> tuple[Problem, ...]:
    options = wiring.options
    given = options.get("path", "" if wiring.name == "file" else wiring.name)
    if not given:
        raise ProblemError(
            "problems/file needs the option 'path'", hint="or name the file itself: --datasets FILE"
        )
    path = _find_file(Path(given), wiring.data_dir)
    rows = read_table(path, split=options.get("split", ""))
    return _filled(to_problems(rows, _reading(options, path.stem)), [path])


def _find_file(given: Path, data_dir: Path | None) -> Path:
    # A reference problems/x.jsonl may be this plugin and x.jsonl, or a folder called problems.
    places = [given, *([] if given.is_absolute() else [Path("problems") / given])]
    if data_dir is not None and not given.is_absolute():
        places.append(data_dir / given)
    found = next((place for place in places if place.is_file()), None)
    folder = next((place for place in places if place.is_dir()), None)
    if found is None and folder is not None:
        raise ProblemError(
            "is a directory, not a file of problems",
            path=folder,
            hint="name a file in it, or give it with --data-dir and name a data set",
        )
    if found is None:
        listed = ", ".join(map(str, places))
        raise ProblemError(
            f"there is no such file; looked for {listed}",
            path=given,
            hint="give its path from the working directory, or --data-dir with its folder",
        )
    return found


def _filled(problems: tuple[Problem, ...], paths: Iterable[Path]) -> tuple[Problem, ...]:
    if not problems:
        first = next(iter(paths))
        raise ProblemError(
            "holds no problems", path=first, hint="give a file with at least one row"
        )
    return problems


def _read_known(wiring: Wiring, known: Known) -> tuple[Problem, ...]:
    reading = Reading(
        known.name,
        (*reading_rows.TEXT_KEYS, *known.problem_keys),
        (*reading_rows.ANSWER_KEYS, *known.answer_keys),
        ("id", *known.id_keys),
        known.answer_after,
    )
    bases = [Path(), Path("data")] if wiring.data_dir is None else [wiring.data_dir]
    for base in bases:
        files = _find_known(known, base)
        if files:
            rows = [row for path, split in files for row in read_table(path, split=split)]
            return _filled(to_problems(rows, reading), [path for path, _ in files])
    if known.hub is None:
        raise _missing(known, bases, "")
    try:
        rows = list(read_hub(known.hub, known.name))
    except ProblemError as error:
        raise _missing(known, bases, error.message) from error
    return to_problems(rows, reading)


def _find_known(known: Known, base: Path) -> tuple[tuple[Path, str], ...]:
    for group in candidates(known, base):
        found = tuple((path, split) for path, split in group if path.is_file())
        by_split = any(split for _, split in group)
        if found and not by_split and len(found) < len(group):
            missing = next(path for path, _ in group if not path.is_file())
            raise ProblemError(
                f"is missing, while {found[0][0]} is there; both belong to {known.name}",
                path=missing,
                hint="put it there, or name the one file with --datasets",
            )
        if found:
            return found
    return ()


def _missing(known: Known, bases: Iterable[Path], reason: str) -> ProblemError:
    names = [f"{known.name}.jsonl", f"{known.name}_train.jsonl", *known.old_paths]
    places = " and ".join(f"'{base}'" for base in bases)
    suffixes = " ".join(SUFFIXES)
    message = f"no data set {known.name}: looked in {places} for {', '.join(names)} ({suffixes})"
    if reason:
        message = f"{message}, and on the hub: {reason}"
    hint = f"put {known.name}.jsonl into a folder and give it with --data-dir"
    if known.hub is not None:
        hint += f", or pip install 'grpo-problems[hub]' to load {known.hub.path}"
    return ProblemError(message, hint=hint)


def _read_any_hub(wiring: Wiring) -> tuple[Problem, ...]:
    options = wiring.options
    path = options.get("path", wiring.name.removeprefix("hub/"))
    if not path or path == "hub":
        raise ProblemError(
            "problems/hub needs a data set",
            hint="name it: --datasets problems/hub/ORGANISATION/NAME",
        )
    configs = (options["config"],) if "config" in options else ()
    split = options.get("split")
    splits = {} if split is None else {split: ""}
    name = path.rpartition("/")[2]
    rows: list[Row] = list(read_hub(Hub(path, configs, splits), name, options.get("revision")))
    if len({row.split for row in rows}) == 1:
        rows = [evolve(row, split="") for row in rows]  # one split is no division: it serves all
    problems = to_problems(rows, _reading(options, name))
    if not problems:
        raise ProblemError(f"the data set {path} of the hub holds no problems")
    return problems
