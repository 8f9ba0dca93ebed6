"""What the models of known providers cost."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from grpo_framework.records import Price
from grpo_openai.remembered import find_prices


@lru_cache(maxsize=1000)
def price_of(name: str, /) -> Price | None:
    """The price of a model by its name, None where it is not known.

    Of a price that depends on the length of the prompt, the highest tier counts: a budget must
    hold in any case. Discounts for cached prompts are left out for the same reason.

    Args:
        name: As the endpoint takes it: ``gpt-4.1-mini``, or with a provider in front, as routers
            have it (``deepseek/deepseek-chat``).
    """
    found = find_prices(name)
    return None if found is None else Price(Decimal(found[0]), Decimal(found[1]))
