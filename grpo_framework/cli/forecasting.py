"""Prints what a run will ask for, before anything is spent."""

from __future__ import annotations

from collections.abc import Sequence

import click

from grpo_framework.cli.output import print_json, print_table
from grpo_framework.codec import to_document
from grpo_framework.forecast import Forecast, Range, add_up


def show_forecast(forecasts: Sequence[Forecast], *, as_json: bool) -> None:
    """Print calls, tokens and price by role, and of all together."""
    total = add_up(forecasts)
    if as_json:
        print_json({"roles": to_document(list(forecasts)), "all": to_document(total)})
        return
    heads = ("role", "model", "calls", "tokens in", "tokens out", "$")
    print_table(heads, [_row(each) for each in (*forecasts, total)], numbers=heads[2:])
    click.echo("nothing was called; retries of failed calls come on top")
    if total.cost is None:
        unknown = ", ".join(sorted({each.model for each in forecasts if each.cost is None}))
        click.echo(f"the price of {unknown} is not known: set prices in the configuration")


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
