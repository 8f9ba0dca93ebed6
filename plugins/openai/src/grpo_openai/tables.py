"""The tables of `genai-prices`, asked for one model: ``python -m grpo_openai.tables MODEL``.

They take 0.2 s and 25 MB to load, and one row of them is wanted: so they are loaded by a process of
its own, beside the run, and what they take is given back when it ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from typing import Any, TypeAlias

Prices: TypeAlias = tuple[str, str]
"""Dollars per million tokens of input and of output, as decimal numbers."""

_PATIENCE = 20.0
"""Seconds for the process; after them the tables are loaded here."""


def ask(name: str) -> Prices | None:
    """`look_up` in a process of its own, or here where there is none to be had."""
    command = [sys.executable, "-P", "-m", __spec__.name, "--", name]
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, this module
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=True,
        )
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return look_up(name)
    return None if found is None else (str(found[0]), str(found[1]))


def look_up(name: str) -> Prices | None:
    """The prices of a model by its name, None where it is not known.

    Args:
        name: As for `grpo_openai.prices.price_of`.
    """
    from genai_prices import Usage, calc_price

    provider, _, model = name.rpartition("/")
    wanted: list[dict[str, Any]] = [{"model_ref": name}]
    if provider:
        wanted = [
            {"model_ref": name, "provider_id": "openrouter"},
            {"model_ref": model, "provider_id": provider},
        ]
    for query in wanted:
        try:
            found = calc_price(Usage(), **query).model_price
        except LookupError:
            continue
        return str(_highest(found.input_mtok)), str(_highest(found.output_mtok))
    return None


def _highest(price: Any) -> Decimal:
    """A price, or the highest of its tiers; nothing is charged for what has none."""
    if price is None:
        return Decimal(0)
    if isinstance(price, Decimal):
        return price
    highest: Decimal = max(price.base, *(tier.price for tier in price.tiers))
    return highest


if __name__ == "__main__":
    sys.stdout.write(json.dumps(look_up(sys.argv[-1])))
