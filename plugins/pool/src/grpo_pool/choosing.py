"""Which tactic to try next: Thompson sampling over measured credit; pure, no model calls.

Source: Chapelle and Li, An Empirical Evaluation of Thompson Sampling, NeurIPS 2011.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from math import sqrt

from attrs import frozen

from grpo_framework.experience import Experience, Library, near_duplicate, normalise
from grpo_framework.records import (
    Contrast,
    CreditStatus,
    Diagnosis,
    Measured,
    Outcome,
    Outcomes,
    Past,
    Shown,
    Verdict,
    outcome_of,
)
from grpo_pool.tactics import Tactic

PRIOR_STRENGTH = 6.0
"""How many rollouts the expectation of an untried tactic is worth."""

SURE_USES = 20
"""Judged rollouts below which no tactic is given up."""

_SAME = 90.0
_Z95 = 1.645


@frozen
class Arm:
    """A tactic with what is known of it.

    Attributes:
        tactic: What it says.
        held: The experience that says it already, None where the library has none.
        successes: Successful judged rollouts whose prompt held it; where its effect was measured,
            what that effect makes of as many as its evidence is worth.
        failures: The others.
        effect: Its measured effect on the reward, None where that is not known.
        status: What is known of the effect.
        measured: Whether the effect rests on evidence of its own, which holds at every look.
    """

    tactic: Tactic
    held: Experience | None
    successes: float
    failures: float
    effect: float | None = None
    status: CreditStatus = "unknown"
    measured: bool = False

    @property
    def uses(self) -> float:
        """Judged rollouts whose prompt held it."""
        return self.successes + self.failures


def main_failure(contrast: Contrast) -> Outcome:
    """The commonest kind of failure in a group; of equals the one commoner in earlier batches."""
    counts = Counter(dict(_measured(contrast).outcomes.failures))
    earlier = Counter(dict(_past(contrast).measured.outcomes.failures))
    if not counts:
        return "wrong"
    return max(counts, key=lambda kind: (counts[kind], earlier[kind]))


def share_out(outcomes: Outcomes, count: int) -> tuple[Outcome, ...]:
    """The kinds of failure that so many proposals are for, in proportion (D'Hondt), main one first.

    Args:
        outcomes: Of a batch.
        count: How many proposals there are.
    """
    given: Counter[Outcome] = Counter()
    found = []
    for _ in range(count if outcomes.failures else 0):
        kind = max(outcomes.failures, key=lambda row: row[1] / (given[row[0]] + 1))[0]
        given[kind] += 1
        found.append(kind)
    return tuple(found)


def list_arms(
    tactics: Iterable[Tactic], kind: Outcome, contrast: Contrast, library: Library
) -> tuple[Arm, ...]:
    """The tactics against a kind of failure, without those that were refused before."""
    refused = {
        str(number): normalise(row.text)
        for number, row in enumerate(_past(contrast).rejected)
        if row.text
    }
    shown = {} if contrast.diagnosis is None else {x.id: x for x in contrast.diagnosis.shown}
    base = base_rate(contrast)
    arms = []
    for tactic in tactics:
        if kind not in tactic.kinds or not tactic.fits(contrast.owner):
            continue
        held = find_held(tactic, library)
        if held is None:
            if not _says(tactic, refused):
                arms.append(Arm(tactic, None, 0, 0))
            continue
        arms.append(_arm(tactic, held, shown.get(held.id), base))
    return tuple(arms)


def _arm(tactic: Tactic, held: Experience, shown: Shown | None, base: float) -> Arm:
    """A tactic that the library holds; a measured effect goes before the rate.

    The rate mixes what the experience does with what it was in prompts together with; the effect
    does not.
    """
    credit = held.credit
    if shown is not None and shown.effect is not None:
        effect, weight, status = shown.effect, shown.weight, shown.status
    elif credit.measured and credit.effect is not None:
        effect, weight, status = credit.effect, credit.weight, credit.status
    else:
        failures = max(0, held.usage_count - held.success_count)
        return Arm(tactic, held, held.success_count, failures)
    rate, worth = min(1.0, max(0.0, base + effect)), weight or held.usage_count
    return Arm(tactic, held, rate * worth, (1 - rate) * worth, effect, status, weight > 0)


def choose(arms: Sequence[Arm], base: float, seed: int, count: int) -> tuple[Arm, ...]:
    """Draw from each arm's posterior and take the best.

    Args:
        arms: What there is to choose from.
        base: Expected reward of an untried tactic, 0 to 1.
        seed: Decides the draws.
        count: How many to take.
    """
    drawn = []
    for arm in arms:
        # The draws must follow from the seed; nothing here is a secret.
        dice = random.Random(f"{seed}/{arm.tactic.name}")  # noqa: S311
        expected = base + (1 - base) * arm.tactic.mends
        alpha = PRIOR_STRENGTH * expected + arm.successes
        beta = PRIOR_STRENGTH * (1 - expected) + arm.failures
        drawn.append((dice.betavariate(alpha, beta), arm.tactic.name, arm))
    return tuple(arm for _, _, arm in sorted(drawn, key=lambda row: (-row[0], row[1]))[:count])


def is_given_up(arm: Arm, base: float) -> bool:
    """Whether a held tactic is known to do harm.

    By its measured effect; where that is not known, by a rate that is surely below the base,
    one-sided, at 95 per cent.
    """
    if arm.measured:
        return arm.status == "harmful"
    if arm.held is None or arm.uses < SURE_USES:
        return False
    rate = arm.successes / arm.uses
    return rate + _Z95 * sqrt(max(rate * (1 - rate), 1 / arm.uses) / arm.uses) < base


def base_rate(contrast: Contrast) -> float:
    """The owner's share of right attempts so far, drawn towards a half while there are few."""
    outcomes = (_past(contrast).measured + _measured(contrast)).outcomes
    return (outcomes.right + 1) / (outcomes.total + 2)


def find_held(tactic: Tactic, library: Library) -> Experience | None:
    """The experience of a library that says what a tactic says, in any of its languages."""
    texts = {item.id: normalise(item.content) for item in library.experiences}
    for text in tactic.texts:
        id_ = near_duplicate(normalise(text), texts, threshold=_SAME)
        if id_ is not None:
            return next(item for item in library.experiences if item.id == id_)
    return None


def _says(tactic: Tactic, texts: dict[str, str]) -> bool:
    return any(
        near_duplicate(normalise(text), texts, threshold=_SAME) is not None for text in tactic.texts
    )


def _measured(contrast: Contrast) -> Measured:
    if contrast.diagnosis is not None:
        return contrast.diagnosis.measured
    kinds = (
        outcome_of(sample.attempt, Verdict(sample.reward, extracted=sample.extracted))
        for sample in contrast.samples
    )
    return Measured(Outcomes.of(kinds))


def _past(contrast: Contrast) -> Past:
    return (contrast.diagnosis or Diagnosis()).past
