"""How one experience is written: as a row of a table, as a JSON document, in full."""

from __future__ import annotations

from typing import Any

from grpo_framework.cli.exits import one_line
from grpo_framework.codec import experience_to_document, to_document
from grpo_framework.experience import Credited, Experience, Library, describe
from grpo_framework.records import Owner


def row_of(owner: Owner, experience: Experience) -> tuple[str, ...]:
    """Its cells in the list."""
    return (
        experience.id,
        owner,
        one_line(experience.category),
        str(experience.usage_count),
        str(experience.success_count),
        "-" if experience.credit.effect is None else f"{experience.credit.effect:+.2f}",
        experience.credit.status,
        one_line(experience.content),
    )


def document_of(library: Library) -> dict[str, Any]:
    """A library as a JSON document."""
    return {
        "owner": library.owner,
        "version": library.version,
        "experiences": [document_of_one(each) for each in library.experiences],
    }


def document_of_one(experience: Experience) -> dict[str, Any]:
    """The guide's seven keys, the parents, and the measured credit."""
    credit = to_document(Credited.of(experience.id, experience.credit))
    return {
        **experience_to_document(experience),
        "parents": list(experience.parents),
        "credit": {key: value for key, value in credit.items() if key != "id"},
    }


def describe_in_full(owner: Owner, experience: Experience) -> list[str]:
    """Its lines, for people."""
    used, right = experience.usage_count, experience.success_count
    share = f" ({right / used:.0%})" if used else ""
    lines = [
        f"{experience.id}  {owner}  {one_line(experience.category)}",
        f"  content   {one_line(experience.content)}",
        f"  used      in {used} rollouts, of which {right} succeeded{share}",
        f"  credit    {experience.credit.status}: {describe(experience.credit)}",
        f"  created   {one_line(experience.created_at) or 'unknown'}",
    ]
    if experience.parents:
        lines.append(f"  parents   {', '.join(experience.parents)}")
    if experience.source_problem:
        lines.append(f"  learned from   {one_line(experience.source_problem)}")
    return lines
