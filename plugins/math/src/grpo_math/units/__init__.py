"""Units of measure and money: an exact table, and a reader of compound units."""

from __future__ import annotations

from grpo_math.units.reader import UnitReading, is_product, read_unit
from grpo_math.units.table import PLAIN, Unit

__all__ = ["PLAIN", "Unit", "UnitReading", "is_product", "read_unit"]
