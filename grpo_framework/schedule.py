"""Which problems when: the batches of a run, all derived from its seed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from attrs import frozen

from grpo_framework.adaptive import adapts
from grpo_framework.config import Execution
from grpo_framework.records import Problem


@frozen(kw_only=True)
class RunSettings:
    """What determines the course of a run; see `TrainingFreeGRPOTrainer` for the meanings."""

    rollouts_per_generator: int = 3
    num_epochs: int = 3
    batch_size: int = 8
    seed: int = 0
    gen_exec: Execution = "parallel"
    rollout_exec: Execution = "parallel"
    staleness: int = 0
    credit_dropout: float = 0.1
    unit_timeout: float | None = None
    run_id: str = ""
    max_failures: float = 0.5
    patience: int | None = None
    adaptive_groups: bool = False

    @property
    def adaptive_k(self) -> int | None:
        """The k that groups grow up to; None where they are full from the beginning."""
        k = self.rollouts_per_generator
        return k if adapts(self.adaptive_groups, k) else None


@frozen
class Batch:
    """Problems that see one snapshot of the libraries and end in one commit an owner.

    Attributes:
        epoch: Counted from 1.
        number: Counted from 1 within the epoch.
        problems: In their order.
        before: Problems of the epoch in earlier batches.
        of_problems: Problems of the epoch.
        of_batches: Batches of the epoch.
        resting: Problems that were scheduled and are not visited this time, by id.
        known: Problem id → whether all its rollouts are expected to be right, or all wrong; None
            where groups do not adapt.
    """

    epoch: int
    number: int
    problems: tuple[Problem, ...]
    before: int
    of_problems: int
    of_batches: int
    resting: tuple[str, ...] = ()
    known: Mapping[str, bool] | None = None

    @property
    def first(self) -> bool:
        """Whether it begins its epoch."""
        return self.number == 1

    @property
    def last(self) -> bool:
        """Whether it ends its epoch."""
        return self.number == self.of_batches


def plan_batches(
    problems: Sequence[Problem], epochs: int, batch_size: int, seed: int
) -> tuple[Batch, ...]:
    """All batches of a run; every epoch visits all problems, in an order of its own.

    Args:
        problems: Of the run.
        epochs: How often each is visited.
        batch_size: Most problems of a batch.
        seed: Of the run.
    """
    starts = range(0, len(problems), batch_size)
    batches = []
    for epoch in range(1, epochs + 1):
        order = list(problems)
        # The order must follow from the seed; nothing here is a secret.
        random.Random(f"{seed}/{epoch}").shuffle(order)  # noqa: S311
        batches += [
            Batch(
                epoch=epoch,
                number=number,
                problems=tuple(order[start : start + batch_size]),
                before=start,
                of_problems=len(order),
                of_batches=len(starts),
            )
            for number, start in enumerate(starts, 1)
        ]
    return tuple(batches)
