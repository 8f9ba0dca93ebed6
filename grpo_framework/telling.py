"""Events of a run in words, for people."""

from __future__ import annotations

from collections import Counter

from grpo_framework.events import EditsGated, VersionScored


def describe_gate(event: EditsGated) -> str:
    """What the gate found of an owner's edits."""
    counts = Counter[str](ruling.finding for ruling in event.rulings)
    found = ", ".join(
        f"{counts[finding]} {word}"
        for finding, word in (
            ("accepted", "helped"),
            ("rejected", "rejected"),
            ("provisional", "undecided, tried again later"),
        )
        if counts[finding]
    )
    tried = count_of(len(event.rulings), "edit")
    return f"{event.owner}: {tried} measured on validation problems: {found}"


def describe_score(event: VersionScored, before: VersionScored | None = None) -> str:
    """How the libraries do on validation, with each owner's score.

    Args:
        event: Of the version.
        before: Of the version before it: what says the same is not said again.
    """
    title = f"on validation problems, {name_version(event.epoch)}"
    if before is not None and before.scores == event.scores:
        return f"{title}: no text changed, so the scores are those before"
    rows = ", ".join(f"{score.owner} {number_of(score.mean)}" for score in event.scores)
    return f"{title}: {rows}"


def describe_rules(rules: Counter[str]) -> str:
    """By which rules operations were refused, the most frequent first."""
    ranked = sorted(rules.items(), key=lambda row: (-row[1], row[0]))
    return ", ".join(f"{count} {rule}" for rule, count in ranked)


def name_version(epoch: int) -> str:
    """An epoch's libraries in words."""
    return f"epoch {epoch}" if epoch else "the start"


def count_of(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def number_of(value: float | None, form: str = ".2f") -> str:
    """A figure, or a dash where there is none."""
    return "-" if value is None else format(value, form)


def describe_duration(seconds: float) -> str:
    """Seconds, minutes or hours, as a person would say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
