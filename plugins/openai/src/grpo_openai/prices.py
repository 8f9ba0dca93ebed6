"""What the models of known providers cost, by the tables of `genai-prices`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from grpo_framework.records import Price


def price_of(name: str, /) -> Price | None:
    """The price of a model by its name, None where it is not known.

    Of a price that depends on the length of the prompt, the highest tier counts: a budget must
    hold in any case. Discounts for cached prompts are left out for the same reason.

    Args:
        name: As the endpoint takes it: ``gpt-4.1-mini``, or with a provider in front, as routers
            have it (``deepseek/deepseek-chat``).
    """
    # Importing it takes 0.2 s, which only runs on these models should wait for.
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
        return Price(_highest(found.input_mtok), _highest(found.output_mtok))
    return None


def _highest(price: Any) -> Decimal:
    """A price, or the highest of its tiers; nothing is charged for what has none."""
    if price is None:
        return Decimal(0)
    if isinstance(price, Decimal):
        return price
    highest: Decimal = max(price.base, *(tier.price for tier in price.tiers))
    return highest
