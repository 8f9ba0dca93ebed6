"""What betting on differences wins: the arithmetic that gate and sequential test share.

Source: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B
86 (2024).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any


def log_wealth(differences: Sequence[float], shares: Sequence[float]) -> float:
    """The log wealth of the gambler who bets that the mean is above 0; starts at 0.

    Args:
        differences: Each in [-1, 1], in any order.
        shares: Bet sizes among which the stake is split evenly, each between 0 and 1.
    """
    counted = Counter(differences)
    logs = [
        math.fsum(often * math.log1p(share * value) for value, often in counted.items())
        for share in shares
    ]
    return log_mean(logs)


def log_mean(logs: Any) -> float:
    """The log of the mean of exponentials."""
    top = float(max(logs))
    return top + math.log(math.fsum(math.exp(each - top) for each in logs) / len(logs))
