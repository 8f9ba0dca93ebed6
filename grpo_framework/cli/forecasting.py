"""Prints what a run will ask for, before anything is spent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from grpo_framework.cli.output import print_json, print_table
from grpo_framework.codec import to_document
from grpo_framework.forecast import GATED, TEACHING, Forecast, Range, add_up
from grpo_framework.listening import LIKELY_ANSWER


def show_forecast(forecasts: Sequence[Forecast], *, as_json: bool) -> None:
    """Print calls, tokens and price by role, and of all together."""
    if as_json:
        print_json(forecast_document(forecasts))
        return
    total = add_up(forecasts)
    heads = ("role", "model", "calls", "tokens in", "tokens out", "$")
    print_table(heads, [_row(each) for each in (*forecasts, total)], numbers=heads[2:])
    click.echo("nothing was called; retries of failed calls come on top")
    teaching = any(each.role == "advisor" for each in forecasts)
    likely = f"answers of {LIKELY_ANSWER} tokens or their limit"
    likely += f", {TEACHING:.0%} of the groups teach" if teaching else ""
    click.echo(f"likely (least - most); likely is: {likely}")
    if any(each.role == "gate" for each in forecasts):
        click.echo(
            "gate: measures edits on validation problems, likely with "
            f"{GATED:.0%} of its pairs; --gate-budget bounds them, --gate none leaves it out"
        )
    if total.cost is None:
        unknown = ", ".join(sorted({each.model for each in forecasts if each.cost is None}))
        click.echo(f"the price of {unknown} is not known: set prices in the configuration")


def forecast_document(forecasts: Sequence[Forecast]) -> dict[str, Any]:
    """A forecast as JSON: by role, and all together."""
    return {"roles": to_document(list(forecasts)), "all": to_document(add_up(forecasts))}


def sum_up(forecasts: Sequence[Forecast]) -> str:
    """All roles together, in a few words."""
    total = add_up(forecasts)
    cost = "price unknown" if total.cost is None else _span(total.cost, _dollars, "$")
    tokens = total.input_tokens + total.output_tokens
    return f"{_span(total.calls, _whole)} calls, {_span(tokens, _rounded)} tokens, {cost}"


def _row(forecast: Forecast) -> tuple[str, ...]:
    return (
        forecast.role,
        forecast.model,
        _span(forecast.calls, _whole),
        _span(forecast.input_tokens, _rounded),
        _span(forecast.output_tokens, _rounded),
        "unknown" if forecast.cost is None else _span(forecast.cost, _dollars),
    )


def _span(span: Range, form: Callable[[float], str], unit: str = "") -> str:
    """The likely figure, and in brackets the least and the most where they differ."""
    low, likely, high = form(span.low), form(span.likely), form(span.high)
    return f"{unit}{likely}" if low == high else f"{unit}{likely} ({low} - {high})"


def _whole(count: float) -> str:
    return format(count, ".0f")


def _rounded(count: float) -> str:
    """A number in four digits at the most: what is so uncertain needs no more."""
    for size, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= 10 * size or (count >= size > 1e3):
            return f"{count / size:.{1 if count < 100 * size else 0}f}{name}"
    return _whole(count)


def _dollars(amount: float) -> str:
    return format(amount, ".4f" if amount < 1 else ".2f")
