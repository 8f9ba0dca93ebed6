"""What a store was trained on: ids and digests of problems, so that nobody measures on them.

A run writes ``trained-on.json`` into its directory when it begins, and the same document into
``.trained-on/`` beside the experiences when it ends, under a name that follows from its content.
The texts themselves are not kept; digests are of the normalised text, so another spacing, case or
punctuation is the same problem.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import frozen

from grpo_framework.atomic import write_atomically
from grpo_framework.errors import DataError
from grpo_framework.experience import Library, normalise
from grpo_framework.records import Problem

TRAINED_ON = "trained-on.json"
BESIDE = ".trained-on"
_CONFIG = "config.json"
_CUT = 60
"""A source text of at least so many characters may be the beginning of a problem's text: the old
scripts cut it off."""


@frozen
class Trained:
    """Problems that experiences were learned from.

    Attributes:
        ids: Of recorded training problems.
        digests: Of their normalised texts.
        sources: Normalised texts that experiences name as their source.
    """

    ids: frozenset[str] = frozenset()
    digests: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()

    def __or__(self, other: Trained) -> Trained:
        return Trained(
            self.ids | other.ids, self.digests | other.digests, self.sources | other.sources
        )

    def knows(self, problem: Problem) -> bool:
        """Whether a problem was trained on: by its id, or by its normalised text."""
        text = normalise(problem.question.text)
        if problem.id in self.ids or _digest(text) in self.digests or text in self.sources:
            return True
        return any(len(each) >= _CUT and text.startswith(each) for each in self.sources)


def training_document(
    problems: Iterable[Problem], validation: Iterable[Problem] = ()
) -> dict[str, Any]:
    """What is kept of the problems that experiences were learned from: id and digest of each.

    Args:
        problems: Trained on.
        validation: What edits were chosen by: who measures on these measures the choice too.
    """
    return {"problems": _rows(problems), "validation": _rows(validation)}


def _rows(problems: Iterable[Problem]) -> list[dict[str, str]]:
    return [
        {"id": problem.id, "digest": _digest(normalise(problem.question.text))}
        for problem in problems
    ]


def leave_beside(directory: Path, document: dict[str, Any]) -> None:
    """Put a training record beside the experiences, where there is such a directory.

    Args:
        directory: Of the experiences; a store that keeps nothing there has none.
        document: From `training_document`; written twice it is one file.
    """
    if directory.is_dir():
        text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        name = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        write_atomically(directory / BESIDE / f"{name}.json", text)


def sources_of(libraries: Iterable[Library]) -> Trained:
    """The problems that experiences themselves name."""
    texts = (
        normalise(experience.source_problem).removesuffix("...").strip()
        for library in libraries
        for experience in library.experiences
    )
    return Trained(sources=frozenset(text for text in texts if text))


def recorded_for(
    directory: Path, roots: Iterable[Path] = (Path("runs"),), *, choosing: bool = True
) -> Trained:
    """The training problems recorded for a directory of experiences.

    Args:
        directory: Where the experiences are.
        roots: Folders of run directories; those runs count that wrote to `directory`.
        choosing: Whether the validation problems, by which edits were chosen, count too.

    Raises:
        DataError: A record is damaged.
    """
    files = sorted((directory / BESIDE).glob("*.json"))
    # A run leaves a copy of its experiences in its own directory.
    files += [folder / TRAINED_ON for folder in (directory, directory.parent)]
    for root in roots:
        files += [
            config.parent / TRAINED_ON
            for config in sorted(root.glob(f"*/{_CONFIG}"))
            if _wrote_to(config, directory)
        ]
    found = Trained()
    for file in files:
        if file.is_file():
            found |= _read(file, choosing=choosing)
    return found


def _wrote_to(config: Path, directory: Path) -> bool:
    try:
        named = json.loads(config.read_text(encoding="utf-8"))["experience_dir"]
    except (OSError, ValueError, KeyError, TypeError):
        return False  # not the configuration of a run
    return isinstance(named, str) and Path(named).resolve() == directory.resolve()


def _read(file: Path, *, choosing: bool) -> Trained:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        rows = [*document["problems"], *(document.get("validation", ()) if choosing else ())]
        ids = frozenset(str(row["id"]) for row in rows)
        return Trained(ids, frozenset(str(row["digest"]) for row in rows))
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"is no record of training problems: {error!r}"
        hint = "--allow-training-problems measures without it once the file is moved away"
        raise DataError(message, path=file, hint=hint) from error


def _digest(normalised: str) -> str:
    return hashlib.sha256(normalised.encode("utf-8", "surrogatepass")).hexdigest()
