"""The tables of `genai-prices`, asked for one model: ``python -m grpo_openai.tables MODEL``.

They take 0.2 s and 25 MB to load, and one row of them is wanted: so they are loaded by a process of
its own, beside the run, and what they take is given back when it ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

Prices: TypeAlias = tuple[str, str]
"""Dollars per million tokens of input and of output, as decimal numbers."""

_PATIENCE = 20.0
"""Seconds for the process; after them the tables are loaded here."""


class Found(NamedTuple):
    """What the tables say about a model.

    Attributes:
        prices: None where it is not known.
        lasting: Whether these tables will say the same at any later time: some prices depend on
            the hour, and some have a successor whose day has not come.
    """

    prices: Prices | None
    lasting: bool


def ask(name: str) -> Found:
    """`look_up` in a process of its own, or here where there is none to be had."""
    if not sys.executable or getattr(sys, "frozen", False):
        # An embedded interpreter names no program, and a frozen one names itself.
        return look_up(name)
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
        prices, lasting = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return look_up(name)
    return Found(None if prices is None else (str(prices[0]), str(prices[1])), bool(lasting))


def look_up(name: str) -> Found:
    """The prices of a model by its name.

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
    now = datetime.now(UTC)
    for query in wanted:
        try:
            found = calc_price(Usage(), genai_request_timestamp=now, **query)
        except LookupError:
            continue
        price = found.model_price
        prices = str(_highest(price.input_mtok)), str(_highest(price.output_mtok))
        return Found(prices, _is_lasting(found.model, now))
    return Found(None, lasting=True)


def _is_lasting(model: Any, now: datetime) -> bool:
    """Whether a model's price now is its last; of rows with conditions the last that holds wins."""
    from genai_prices.types import StartDateConstraint

    if not isinstance(model.prices, list):
        return True
    condition = model.prices[-1].constraint
    if isinstance(condition, StartDateConstraint):
        return condition.active(now)
    return condition is None


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
