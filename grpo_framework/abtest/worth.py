"""What experiences are found to be worth: frozen values."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from grpo_framework.abtest.values import (
    ArmUsage,
    Changes,
    Difference,
    Failures,
    Looks,
    OwnerComparison,
    Pair,
)
from grpo_framework.evaluation import Held
from grpo_framework.records import Owner

Worth = Literal["helps", "harms", "unknown"]
"""What an experience is found to be."""


@frozen
class Ablated:
    """What one experience is worth.

    Attributes:
        id: The experience.
        owner: Whose it is.
        content: Its text.
        measured: The owners whose rewards make the effect.
        effect: Mean reward with it − mean reward without it, over problems.
        strict: The effect where a side that failed alone earned nothing; None where none did. The
            verdict needs both to say the same.
        p_adjusted: The p-value (the larger one of effect and strict) after Holm's correction for
            all items.
        verdict: From the adjusted p-value, so that all items together err in at most 5 %.
        problems: How many are solved only with it (fixed), only without it (broken), and the rest.
        minimum_detectable_effect: The smallest true effect that this sample finds with 80 % power.
        per_owner: Each owner whose prompts it is in.
        failures: What failed; arm a is the store without it.
        usage: What was asked because of it: the answers without it.
        sequential: The course of a sequential test; None for a fixed sample.
        pairs: Pair by pair, a without it and b with it.
        halves: Those with one failed side alone, and 0 for it.
    """

    id: str
    owner: Owner
    content: str
    measured: tuple[Owner, ...]
    effect: Difference
    strict: Difference | None
    p_adjusted: float
    verdict: Worth
    problems: Changes
    minimum_detectable_effect: float | None
    per_owner: tuple[OwnerComparison, ...]
    failures: Failures
    usage: ArmUsage
    sequential: Looks | None
    pairs: tuple[Pair, ...] = field(repr=False)
    halves: tuple[Pair, ...] = field(repr=False)


@frozen
class Ablation:
    """The result of ``grpo-cli experiences ablate`` (schema ``ablation``).

    Attributes:
        store: The full store, as it was named.
        libraries: Owner → what it holds.
        items: In the order in which they were measured.
        full: What the full store's answers cost; they are shared by all items.
        total: What all cost.
        split: Of the problems.
        problems: How many there are to ask.
        repeats: Attempts of each generator at each problem.
        seed: Of the run.
        fingerprint: Of the configuration.
        simulation: Whether a component only played a model: such rewards prove nothing.
        training_problems: Ids of problems among those asked that the store was trained on.
        gate_problems: Ids of problems by which the gate chose what stands in the store: effects on
            these are a little too good.
        stopped: What ended it before its end; empty if nothing did.
        units: Units of work tried.
        seconds: Wall time.
    """

    store: str
    libraries: dict[Owner, Held]
    items: tuple[Ablated, ...]
    full: ArmUsage
    total: ArmUsage
    split: str
    problems: int
    repeats: int
    seed: int
    fingerprint: str
    simulation: bool
    training_problems: tuple[str, ...]
    gate_problems: tuple[str, ...]
    stopped: str
    units: int
    seconds: float
