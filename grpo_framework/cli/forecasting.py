"""Prints what a run will ask for, before anything is spent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from grpo_framework.cli.output import print_json, print_table
from grpo_framework.codec import to_document
from grpo_framework.forecast import Forecast, Range, add_up


def show_forecast(forecasts: Sequence[Forecast], *, as_json: bool) -> None:
    """Print calls, tokens and price by role, and of all together."""
    if as_json:
        print_json(forecast_document(forecasts))
        return
    total = add_up(forecasts)
    heads = ("role", "model", "calls", "tokens in", "tokens out", "$")
    print_table(heads, [_row(each) for each in (*forecasts, total)], numbers=heads[2:])
    click.echo("nothing was called; retries of failed calls come on top")
    if any(each.role == "gate" for each in forecasts):
        click.echo(
            "gate: measures edits on validation problems, at the most so often; --gate-budget "
            "bounds it, --gate none leaves it out"
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
    cost = "price unknown" if total.cost is None else f"${_span(total.cost, '.4f')}"
    tokens = total.input_tokens + total.output_tokens
    return f"{_span(total.calls)} calls, {_span(tokens)} tokens, {cost}"


def _row(forecast: Forecast) -> tuple[str, ...]:
    return (
        forecast.role,
        forecast.model,
        _span(forecast.calls),
        _span(forecast.input_tokens),
        _span(forecast.output_tokens),
        "unknown" if forecast.cost is None else _span(forecast.cost, ".4f"),
    )


def _span(span: Range, form: str = ".0f") -> str:
    low, high = format(span.low, form), format(span.high, form)
    return low if low == high else f"{low} - {high}"
