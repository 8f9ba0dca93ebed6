"""Measured credit of an experience: what randomly leaving it out says of its effect; pure.

Within a cell (the judged answers of one owner to one problem in one batch) the experience was
left out of some prompts by lot. Where it had no effect, any of the cell's answers could as well
have been those without it. So ``gain``, the sum over cells of w · (mean reward with it − mean
reward without it), w = n_with · n_without / n, is a martingale. Its noise is measured as a third of
its squared steps and two thirds of the variance that the lot alone gives to the same rewards. From
both follows a supermartingale, which is mixed over normally distributed bets; the effects that it
has not refuted at 95 % are the interval. That holds at every look, however often one looks and
whenever one stops, for any number of cells and any rewards; and it needs sums alone, so that the
evidence of two batches can be added.

Sources: Delyon, "Exponential inequalities for sums of weakly dependent variables", Electron. J.
Probab. 14 (2009), for the supermartingale exp(λS − λ²([S] + 2⟨S⟩)/6); Howard, Ramdas, McAuliffe and
Sekhon, "Time-uniform Chernoff bounds via nonnegative supermartingales", Probab. Surveys 17 (2020);
Robbins, "Statistical methods related to the law of the iterated logarithm" (1970), for the mixture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from attrs import frozen

from grpo_framework.records import CreditStatus

LEAST_CELLS = 10
"""Cells with answers on both sides below which nothing is said of an experience."""

ALPHA = 0.05
"""Share of experiences without any effect that are ever called `proven` or `harmful`, at most."""

_MIXTURE = 0.5
"""Inverse variance of the mixed bets; the interval is the sharpest for a noise of some ten times
as much, which a few dozen cells of 0/1 rewards have."""

_STEP = 0.01
_BISECTIONS = 20


@frozen
class Credit:
    """Evidence of one experience's effect on the reward; two of them can be added.

    Attributes:
        cells: Cells in which it was both shown and withheld.
        shown: Judged answers for whose prompt it was handed over, where the lot could withhold it.
        withheld: Judged answers for whose prompt the lot withheld it.
        weight: Sum of w = n_with · n_without / n over the cells.
        gain: Sum of w · (mean reward with it − mean reward without it).
        noise: With `noise_slope` and `noise_curve`, the noise of `gain` if its effect were t:
            noise − 2 · t · noise_slope + t² · noise_curve.
        noise_slope: See `noise`.
        noise_curve: See `noise`.
    """

    cells: int = 0
    shown: int = 0
    withheld: int = 0
    weight: float = 0.0
    gain: float = 0.0
    noise: float = 0.0
    noise_slope: float = 0.0
    noise_curve: float = 0.0

    @classmethod
    def of_cell(cls, with_it: Sequence[float], without: Sequence[float]) -> Credit:
        """The evidence of one cell.

        Args:
            with_it: Rewards of the answers whose prompt held it.
            without: Rewards of those for which it was left out by lot.
        """
        used, left = len(with_it), len(without)
        if not used or not left:
            return cls(shown=used, withheld=left)
        number = used + left
        weight = used * left / number
        mean = math.fsum((*with_it, *without)) / number
        gain = weight * (math.fsum(with_it) / used - math.fsum(without) / left)
        squares = math.fsum((reward - mean) ** 2 for reward in (*with_it, *without))
        # Variance of the gain over the lots that leave out as many, by the rewards' spread.
        lot = weight / (number - 1)
        return cls(
            cells=1,
            shown=used,
            withheld=left,
            weight=weight,
            gain=gain,
            noise=(gain**2 + 2 * lot * squares) / 3,
            noise_slope=(gain * weight + 2 * lot * gain) / 3,
            noise_curve=(weight**2 + 2 * lot * weight) / 3,
        )

    @classmethod
    def sum(cls, parts: Iterable[Credit]) -> Credit:
        """All evidence together; the order of the parts is no matter, to the last bit."""
        held = tuple(parts)
        return cls(
            cells=sum(part.cells for part in held),
            shown=sum(part.shown for part in held),
            withheld=sum(part.withheld for part in held),
            weight=math.fsum(part.weight for part in held),
            gain=math.fsum(part.gain for part in held),
            noise=math.fsum(part.noise for part in held),
            noise_slope=math.fsum(part.noise_slope for part in held),
            noise_curve=math.fsum(part.noise_curve for part in held),
        )

    def __add__(self, other: Credit) -> Credit:
        return Credit.sum((self, other))

    @property
    def effect(self) -> float | None:
        """The estimated effect on the reward, −1 to 1; None without a cell."""
        return min(1.0, max(-1.0, self.gain / self.weight)) if self.weight else None

    @property
    def measured(self) -> bool:
        """Whether there are at least `LEAST_CELLS` cells."""
        return self.cells >= LEAST_CELLS

    @property
    def interval(self) -> tuple[float, float]:
        """The effects that the evidence has not refuted: holds the truth at all times with 95 %."""
        effect = self.effect
        if effect is None:
            return -1.0, 1.0
        return -self._farthest(-effect, -1.0), self._farthest(effect, 1.0)

    @property
    def status(self) -> CreditStatus:
        """``proven`` where the interval is above 0, ``harmful`` where it is below."""
        if not self.measured or not self._refutes(0.0):
            return "unknown"
        low, high = self.interval
        if low > 0:
            return "proven"
        return "harmful" if high < 0 else "unknown"

    def _farthest(self, start: float, sign: float) -> float:
        """The largest effect, times the sign, that is not refuted."""
        steps = math.ceil((1.0 - start) / _STEP)
        for number in range(steps + 1):
            inner = 1.0 - number * _STEP
            inner = max(start, inner)
            if inner == start or not self._refutes(sign * inner):
                break
        if number == 0:
            return inner
        outer = min(1.0, inner + _STEP)
        for _ in range(_BISECTIONS):
            middle = (inner + outer) / 2
            if self._refutes(sign * middle):
                outer = middle
            else:
                inner = middle
        return outer

    def _refutes(self, effect: float) -> bool:
        """Whether an effect is out of the interval."""
        off = self.gain - effect * self.weight
        noise = self.noise - 2 * effect * self.noise_slope + effect**2 * self.noise_curve
        spread = max(noise, 0.0) + _MIXTURE
        return off**2 >= spread * (math.log(spread / _MIXTURE) - 2 * math.log(ALPHA))
