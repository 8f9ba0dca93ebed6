"""Pure estimators of an evaluation: mean@k, pass@k, majority@k, and intervals over problems.

The sampling unit is the problem: rollouts of one problem are not independent, so an interval
resamples whole problems (a cluster bootstrap), never single rollouts.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

from attrs import frozen

from grpo_framework.evaluation.intervals import mean_interval
from grpo_framework.records import SUCCESS_REWARD

SUBSETS = 2_000
"""Up to so many subsets of a group are enumerated for majority@k; beyond it, so many are drawn."""


@frozen
class Estimate:
    """A mean over problems with its 95 % interval.

    Attributes:
        value: The mean of the problems' values; None where there was none to take it of.
        low: Lower end of the interval.
        high: Upper end of the interval.
        problems: How many problems it was taken over.
    """

    value: float | None
    low: float | None
    high: float | None
    problems: int


def pass_at_k(rewards: Sequence[float], k: int) -> float | None:
    """The probability that k rollouts hold a success: unbiased, 1 − C(n−c, k) / C(n, k).

    Args:
        rewards: Of the n judged rollouts of one problem.
        k: From 1.

    Returns:
        From 0 to 1; None where fewer than k rollouts were judged.

    Source: Chen et al., "Evaluating Large Language Models Trained on Code", arXiv 2107.03374.
    """
    count = len(rewards)
    if count < k:
        return None
    wrong = sum(reward < SUCCESS_REWARD for reward in rewards)
    return 1.0 - math.comb(wrong, k) / math.comb(count, k)


def majority_at_k(rewards: Sequence[float], votes: Sequence[int | None], k: int) -> float | None:
    """The expected reward of the answer that most of k rollouts give.

    Taken over all subsets of k rollouts, or over `SUBSETS` of them, drawn with a fixed seed. A tie
    counts as the mean of the tied answers, which is its expectation under a fair draw; a rollout
    without an answer has no vote; where none has one, the reward is that of giving no answer.

    Args:
        rewards: Of the n judged rollouts of one problem.
        votes: Number of the answer each of them gave, None for no answer; as many as `rewards`.
        k: From 1.

    Returns:
        From 0 to 1; None where fewer than k rollouts were judged.

    Source: Wang et al., "Self-Consistency Improves Chain of Thought Reasoning", arXiv 2203.11171.
    """
    count = len(rewards)
    if count < k:
        return None
    if math.comb(count, k) <= SUBSETS:
        return fmean(_elected(rewards, votes, chosen) for chosen in combinations(range(count), k))
    # The seed is fixed, so that the same rollouts always give the same figure.
    draw = random.Random(count * 1_000 + k)  # noqa: S311
    return fmean(_elected(rewards, votes, draw.sample(range(count), k)) for _ in range(SUBSETS))


def _elected(rewards: Sequence[float], votes: Sequence[int | None], chosen: Sequence[int]) -> float:
    ballots: defaultdict[int, list[float]] = defaultdict(list)
    for place in chosen:
        vote = votes[place]
        if vote is not None:
            ballots[vote].append(rewards[place])
    if not ballots:
        return fmean(rewards[place] for place in chosen)
    most = max(map(len, ballots.values()))
    return fmean(fmean(held) for held in ballots.values() if len(held) == most)


def estimate(
    values: Sequence[float | None], *, lowest: float = 0.0, highest: float = 1.0
) -> Estimate:
    """The mean over problems and its 95 % interval, clustered on problems (`mean_interval`).

    Args:
        values: One a problem; None where the problem has no value.
        lowest: The least value there can be.
        highest: The greatest value there can be.
    """
    known = [value for value in values if value is not None]
    if not known:
        return Estimate(None, None, None, 0)
    low, high = mean_interval(known, lowest=lowest, highest=highest)
    return Estimate(fmean(known), low, high, len(known))
