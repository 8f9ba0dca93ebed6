"""`grpo-cli plugins`: what is installed, what it offers, and what failed."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

import click

from grpo_framework.cli.exits import one_line
from grpo_framework.cli.options import find_plugins, json_flag
from grpo_framework.cli.output import print_json, print_table
from grpo_framework.component import Component
from grpo_framework.plugins import PluginRecord


@click.command("plugins")
@json_flag
@click.pass_context
def command(ctx: click.Context, /, as_json: bool) -> None:
    """List the installed plugins and what they offer.

    A plugin that cannot be used is listed last, with its error; it harms only runs that name it.
    """
    # A plugin is foreign code and may print while it is imported; stdout is for the result.
    with contextlib.redirect_stdout(sys.stderr):
        records = find_plugins(ctx).records()
    ordered = sorted(records, key=lambda record: (bool(record.failure), record.name))
    if as_json:
        print_json({"plugins": [_document(record) for record in ordered]})
        return
    rows, styles = [], []
    for record in ordered:
        found = _rows(record)
        rows += found
        styles += ["red" if record.failure else None] * len(found)
    if rows:
        print_table(
            ("plugin", "distribution", "offers", "reference", "summary"), rows, styles=styles
        )
    else:
        click.echo("no plugins are installed")


def _rows(record: PluginRecord) -> list[tuple[str, ...]]:
    """One row a component; a plugin's name and distribution stand in its first row."""
    head = (record.name, record.distribution)
    if record.failure:
        return [(*head, "failed", "", one_line(record.failure))]
    rows = [
        (noun, f"{record.name}/{component.name}", one_line(component.summary))
        for noun, components in record.components
        for component in components
    ]
    if not rows:
        return [(*head, "nothing", "", "")]
    return [(*(head if place == 0 else ("", "")), *row) for place, row in enumerate(rows)]


def _document(record: PluginRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "distribution": record.distribution,
        "module": record.module,
        "failure": record.failure,
        "components": [
            _component(record, noun, component)
            for noun, components in record.components
            for component in components
        ],
    }


def _component(record: PluginRecord, noun: str, component: Component[Any]) -> dict[str, Any]:
    return {
        "noun": noun,
        "name": component.name,
        "reference": f"{record.name}/{component.name}",
        "summary": component.summary,
        "patterns": list(component.patterns),
        "uses_chat_model": component.uses_chat_model,
        "simulation": component.simulation,
        "options": dict(component.options),
    }
