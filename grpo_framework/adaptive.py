"""Adaptive groups: how large a group grows, and when a problem is visited; pure rules.

A group that is all right or all wrong teaches nothing by contrast, and what was such in one epoch
mostly is in the next one (Zheng et al., GRESO, arXiv 2506.02177). So a group begins small and grows
only while its rewards are the same, and problems on which all generators agreed are trusted to stay
so: their groups do not grow, and they are visited less. A problem that was mixed before needs more
visits to be trusted again. The constants are those that `benchmarks.groups` measures.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from attrs import evolve, frozen

from grpo_framework.records import SUCCESS_REWARD, Owner, rewards_differ

FIRST = 2
"""Rollouts with which a group begins: the fewest that can differ."""

KNOWN_ROLLOUTS = 8
"""Like rollouts in a row, of all generators together, before a problem counts as known."""

RESTING_ROLLOUTS = 12
"""The same before it is visited less."""

RESTING_VISITS = 2
"""Visits in a row on which all generators agreed before it is visited less."""

SMALL_GROUP = 4
"""Up to this k the third rollout is all there is to save: one visit makes a problem known."""

MOST_DOUBT = 2
"""Most visits that earlier disagreement asks for in addition."""

RAREST_SOLVED, RAREST_HOPELESS = 8, 4
"""Every how many epochs a problem is visited at least; what it teaches others may make a hopeless
one solvable, so that one is looked at more often."""


@frozen
class Standing:
    """What the visits to a problem have shown so far.

    Attributes:
        right: Whether all rollouts of the last visits were right, or all wrong; None where the last
            visit was mixed, or before the first.
        visits: How many visits in a row were so.
        rollouts: How many rollouts these had.
        mixed: How many visits of all were mixed.
        due: The epoch from which it is visited again.
    """

    right: bool | None = None
    visits: int = 0
    rollouts: int = 0
    mixed: int = 0
    due: int = 1

    @property
    def trust(self) -> int:
        """Visits in a row, less what earlier disagreement takes away."""
        return self.visits - min(self.mixed, MOST_DOUBT)

    def known(self, k: int) -> bool | None:
        """What its groups will be: True for all right, False for all wrong, None for unknown.

        Args:
            k: The size of a full group.
        """
        needed = 1 if k <= SMALL_GROUP else RESTING_VISITS
        trusted = self.trust >= needed and self.rollouts >= KNOWN_ROLLOUTS
        return self.right if trusted else None

    @property
    def every(self) -> int:
        """Every how many epochs it is visited."""
        if self.trust < RESTING_VISITS or self.rollouts < RESTING_ROLLOUTS:
            return 1
        rarest = RAREST_SOLVED if self.right else RAREST_HOPELESS
        return int(min(rarest, 2 ** (self.trust - 1)))


def visited(
    standing: Standing, rewards: Mapping[Owner, Sequence[float]], generators: int, epoch: int
) -> Standing:
    """The standing after one more visit.

    Failures have no reward, so they prove nothing: a visit on which a generator has fewer than two
    judged rollouts, and nothing else was mixed, leaves the standing as it is.

    Args:
        standing: Before the visit.
        rewards: Generator → rewards of its judged rollouts.
        generators: How many there are.
        epoch: Of the visit.
    """
    groups = [tuple(group) for group in rewards.values() if group]
    kinds = {min(group) >= SUCCESS_REWARD for group in groups}
    if any(rewards_differ(group) for group in groups) or len(kinds) > 1:
        return Standing(mixed=standing.mixed + 1, due=epoch + 1)
    if len(groups) < generators or any(len(group) < FIRST for group in groups):
        return evolve(standing, due=epoch + 1)
    (right,) = kinds
    same = standing if right is standing.right else Standing(mixed=standing.mixed)
    now = Standing(
        right=right,
        visits=same.visits + 1,
        rollouts=same.rollouts + sum(map(len, groups)),
        mixed=standing.mixed,
    )
    return evolve(now, due=epoch + now.every)


def adapts(asked: bool, k: int) -> bool:
    """Whether groups of k can adapt at all: they need room above the first two rollouts."""
    return asked and k > FIRST


def grown(size: int, k: int) -> int:
    """The size after one step: by half, so that a group of 8 waits four times (2, 3, 5, 8)."""
    return min(k, size + math.ceil(size / 2))


def may_grow(rewards: Collection[float], known: bool | None) -> bool:
    """Whether one more rollout of a group is worth making.

    Args:
        rewards: Of what was judged so far; failures are not among them.
        known: What the group is expected to be (`Standing.known`).
    """
    if len(rewards) < FIRST:
        return True
    if rewards_differ(tuple(rewards)):
        return False
    return known is None or (min(rewards) >= SUCCESS_REWARD) is not known


def fewest_visits(epochs: int) -> int:
    """The fewest visits to a problem in so many epochs: one that everybody always solves."""
    standing, visits = Standing(), 0
    for epoch in range(1, epochs + 1):
        if epoch >= standing.due:
            visits += 1
            standing = visited(standing, {"": (1.0,) * RESTING_ROLLOUTS}, 1, epoch)
    return visits
