"""What a run is expected to ask for: ranges of calls, tokens and dollars."""

from __future__ import annotations

import math
from collections.abc import Iterable

from attrs import frozen

from grpo_framework.adaptive import FIRST, adapts, fewest_visits
from grpo_framework.config import RunConfig
from grpo_framework.records import Price, Stage, Usage

TEACHING = 0.5
"""Share of the groups that are taken to teach something, where a likely figure is asked for."""

GATED = 0.8
"""Share of the gate's budget of pairs that is taken to be used: most edits do little, and to find
that out takes nearly all of it."""


@frozen
class Range:
    """From the least to the most, and what is likely between them."""

    low: float = 0
    likely: float = 0
    high: float = 0

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.likely + other.likely, self.high + other.high)

    def __mul__(self, times: float) -> Range:
        return Range(self.low * times, self.likely * times, self.high * times)


def exactly(count: float) -> Range:
    """What is known for certain."""
    return Range(count, count, count)


@frozen
class Forecast:
    """What one role will ask one chat model for.

    Attributes:
        role: ``generator``, ``critic``, ``comparator``, ``advisor``, ``gate``, ``validation``
            or ``preflight``.
        model: Reference of the chat model.
        calls: Answered calls; retries come on top.
        input_tokens: Of the prompts.
        output_tokens: Of the answers.
        cost: US dollars; None where the price is not known.
    """

    role: str
    model: str
    calls: Range = Range()
    input_tokens: Range = Range()
    output_tokens: Range = Range()
    cost: Range | None = Range()

    def __add__(self, other: Forecast) -> Forecast:
        cost = None if self.cost is None or other.cost is None else self.cost + other.cost
        return Forecast(
            self.role,
            self.model,
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            cost,
        )

    def repeated(self, times: int) -> Forecast:
        """The same asked for several times over."""
        return Forecast(
            self.role,
            self.model,
            self.calls * times,
            self.input_tokens * times,
            self.output_tokens * times,
            None if self.cost is None else self.cost * times,
        )


def cost_of(price: Price | None, inputs: Range, outputs: Range) -> Range | None:
    """The price of so many tokens, None where it is not known."""
    if price is None:
        return None
    ends = (
        (inputs.low, outputs.low),
        (inputs.likely, outputs.likely),
        (inputs.high, outputs.high),
    )
    return Range(*(float(price.cost(Usage(int(read), int(said)))) for read, said in ends))


def add_up(forecasts: Iterable[Forecast]) -> Forecast:
    """All roles and models together."""
    total = Forecast("all", "")
    for forecast in forecasts:
        total = total + forecast
    return total


def learning_times(config: RunConfig, problems: int, sample: int) -> dict[Stage, Range]:
    """How often a stage comes in a run, for each time that it is done once with every problem.

    With `patience` the least is that of a run whose epochs bring nothing from the first on; all of
    them are likely.

    Args:
        config: Of the run.
        problems: Training problems.
        sample: Problems that are led through the stages; what comes once a batch is done once for
            all of them.
    """
    k, most = config.rollouts_per_generator, config.epochs * problems
    epochs = min(config.epochs, config.patience or config.epochs)
    fewest = epochs * problems
    visits, rollouts = Range(fewest, most, most), Range(fewest * k, most * k, most * k)
    if adapts(config.adaptive_groups, k):
        fewest, spared = (fewest_visits(many) * problems for many in (epochs, config.epochs))
        visits = Range(fewest, (spared + most) / 2, most)
        rollouts = Range(fewest * FIRST, (spared * FIRST + most * k) / 2, most * k)
    batches = count_batches(config, problems) * sample
    return {
        "attempt": rollouts,
        "verdict": rollouts,
        "fusion": visits,
        "fusion_verdict": visits,
        "advice": Range(0, visits.likely * TEACHING, visits.high),
        "batch_advice": Range(0, batches, batches),
        "consolidation": Range(0, batches, batches),
        "commit": Range(),
    }


def measuring_times(
    config: RunConfig, problems: int, validation: int
) -> dict[str, dict[Stage, Range]]:
    """The same for what is measured: each version on validation problems, each edit in pairs.

    At the least the libraries are scored once and no edit is proposed; at the most every owner
    needs its whole budget of pairs in every batch, and every epoch brings another version. A share
    of that budget is likely, `GATED`, and another version in every epoch.

    Args:
        config: Of the run.
        problems: Training problems.
        validation: Validation problems; 0 where nothing is measured.

    Returns:
        By the roles ``validation`` and ``gate``.
    """
    if not validation:
        return {}
    k, scored = config.rollouts_per_generator, config.epochs + 1
    often = Range(1, scored, scored)
    # The shared library's pairs and the critic's attempts are spread over the generators.
    generators, pairs = len(config.generators), count_batches(config, problems) * config.gate.budget
    used = Range(0, pairs * GATED, pairs)
    gate = _by_stage(used * (2 + 2 / generators + k / generators), used * (2 / generators))
    return {"validation": _by_stage(often * (validation * k), often * validation), "gate": gate}


def count_batches(config: RunConfig, problems: int) -> int:
    """The batches of a run."""
    return config.epochs * math.ceil(problems / config.batch_size)


def _by_stage(answers: Range, fusions: Range) -> dict[Stage, Range]:
    return {
        "attempt": answers,
        "verdict": answers,
        "fusion": fusions,
        "fusion_verdict": fusions,
    }
