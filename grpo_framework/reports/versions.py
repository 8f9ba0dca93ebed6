"""Which version did best on validation, and how many epochs brought nothing."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from grpo_framework.events import VersionScored
from grpo_framework.experience import CRITIC
from grpo_framework.records import OwnerScore

TINY = 1e-9
"""Scores that are no further apart are the same."""


def overall(scores: Sequence[OwnerScore]) -> float | None:
    """The score of a version: the mean over its generators; None where one has none."""
    means = [score.mean for score in scores if score.owner != CRITIC]
    known = [mean for mean in means if mean is not None]
    return fmean(known) if known and len(known) == len(means) else None


def find_best(versions: Sequence[VersionScored]) -> VersionScored | None:
    """The version with the highest score; of equals the latest."""
    best, highest = None, -1.0
    for version in versions:
        score = overall(version.scores)
        if score is not None and score >= highest - TINY:
            best, highest = version, max(score, highest)
    return best


def count_without_gain(versions: Sequence[VersionScored], changed: Sequence[bool]) -> int:
    """How many epochs at the end brought nothing.

    Args:
        versions: As scored, the one before the first epoch among them; empty without validation.
        changed: For each finished epoch, whether an edit was committed in it.

    Returns:
        With scores: epochs since the best one rose. Without: epochs since the last edit.
    """
    scores = [overall(version.scores) for version in versions]
    if any(score is not None for score in scores):
        highest, since = -1.0, 0
        for score in scores:
            since += 1
            if score is not None and score > highest + TINY:
                highest, since = score, 0
        return since
    return next((count for count, edited in enumerate(reversed(changed)) if edited), len(changed))
