"""What a run is expected to ask for: ranges of calls, tokens and dollars."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from grpo_framework.records import Price, Usage


@frozen
class Range:
    """From the least to the most."""

    low: float = 0
    high: float = 0

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)


@frozen
class Forecast:
    """What one role will ask one chat model for.

    Attributes:
        role: ``generator``, ``critic``, ``comparator``, ``advisor`` or ``preflight``.
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


def cost_of(price: Price | None, inputs: Range, outputs: Range) -> Range | None:
    """The price of so many tokens, None where it is not known."""
    if price is None:
        return None
    ends = ((inputs.low, outputs.low), (inputs.high, outputs.high))
    low, high = (float(price.cost(Usage(int(read), int(said)))) for read, said in ends)
    return Range(low, high)


def add_up(forecasts: Iterable[Forecast]) -> Forecast:
    """All roles and models together."""
    total = Forecast("all", "")
    for forecast in forecasts:
        total = total + forecast
    return total
