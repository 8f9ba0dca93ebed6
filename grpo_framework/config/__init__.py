"""One TOML file and the flags → a frozen `RunConfig` with a fingerprint."""

from grpo_framework.config.loading import config_from_document, load_config, set_keys
from grpo_framework.config.values import (
    DEFAULTS,
    HOW_NOT_WHAT,
    BudgetLimits,
    CallLimits,
    ComponentConfig,
    Execution,
    GateLimits,
    PriceConfig,
    RunConfig,
    SplitShares,
)

__all__ = [
    "DEFAULTS",
    "HOW_NOT_WHAT",
    "BudgetLimits",
    "CallLimits",
    "ComponentConfig",
    "Execution",
    "GateLimits",
    "PriceConfig",
    "RunConfig",
    "SplitShares",
    "config_from_document",
    "load_config",
    "set_keys",
]
