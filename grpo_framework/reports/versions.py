"""Which version did best on validation, and how many epochs brought nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

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


def choose_version(versions: Sequence[VersionScored]) -> VersionScored | None:
    """The version that is the result: the latest that is not worse than the best one.

    Not worse is less than one standard error below it, over the problems that both answered. The
    highest mean alone would throw away good edits by chance: they were measured before they were
    taken, and a few validation problems cannot rank versions that are nearly the same.

    Source: the one-standard-error rule of Breiman, Friedman, Olshen and Stone, "Classification and
    Regression Trees" (1984), section 3.4.3; here the latest version takes the simplest one's place.
    """
    scored = [version for version in versions if overall(version.scores) is not None]
    if not scored:
        return None
    best = max(scored, key=lambda version: overall(version.scores) or 0.0)
    return next(version for version in reversed(scored) if not _is_worse(version, best))


def _is_worse(version: VersionScored, best: VersionScored) -> bool:
    pairs = zip(version.rewards, best.rewards, strict=False)
    losses = [high - low for low, high in pairs if low is not None and high is not None]
    if version is best or not losses:
        return False
    error = stdev(losses) / math.sqrt(len(losses)) if len(losses) > 1 else 0.0
    return fmean(losses) > error + TINY


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
