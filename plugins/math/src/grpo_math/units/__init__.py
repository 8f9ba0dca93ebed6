"""Units of measure and money: an exact table, and a reader of compound units."""

from __future__ import annotations

from grpo_math.units.reader import UnitReading, read_unit
from grpo_math.units.table import PLAIN, Unit

__all__ = ["PLAIN", "Unit", "UnitReading", "read_unit"]
