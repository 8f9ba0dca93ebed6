"""The table of an epoch in the report of a run, for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from grpo_framework.experience import PROMOTED
from grpo_framework.reports import EpochReport, OwnerReport, RunReport
from grpo_framework.tabling import lay_out
from grpo_framework.telling import number_of


def report_tables(report: RunReport, *, width: int) -> Iterator[Table]:
    """A table for each epoch, in parts one below the other where the width takes no more."""
    for epoch in report.epochs:
        yield from _epoch_tables(epoch, adaptive=report.adaptive_groups, width=width)


def _epoch_tables(epoch: EpochReport, *, adaptive: bool, width: int) -> Iterator[Table]:
    figures = (
        "rollouts",
        *(["saved"] if adaptive else []),
        "reward",
        "injected",
        "fused",
        "lift",
        "mixed/right/wrong",
        "applied",
        "shared",
        "refused",
        "library",
        "calls",
        "tokens",
        "$",
        "failed",
        "s",
    )
    return lay_out(
        ("owner", *figures),
        [_cells(owner, adaptive=adaptive) for owner in epoch.owners],
        width=width,
        title=f"epoch {epoch.epoch} ({epoch.seconds:.0f} s)",
        numbers=figures,
    )


def _cells(owner: OwnerReport, *, adaptive: bool) -> tuple[str, ...]:
    groups, usage = owner.groups, owner.usage
    return (
        owner.owner,
        str(owner.rollouts),
        *([str(owner.rollouts_saved)] if adaptive else []),
        number_of(owner.mean_reward),
        number_of(owner.mean_injected_tokens, ".0f"),
        number_of(owner.fused_reward),
        number_of(owner.critic_lift, "+.2f"),
        f"{groups.mixed}/{groups.all_right}/{groups.all_wrong}",
        str(sum(owner.operations_applied.values())),
        str(_refused(owner, promoted=True)),
        str(_refused(owner, promoted=False)),
        f"{owner.library_before} > {owner.library_after}",
        str(usage.calls),
        str(usage.input_tokens + usage.output_tokens),
        f"{owner.cost:.4f}" if owner.cost else "-",
        str(owner.failures),
        f"{usage.seconds:.0f}",
    )


def _refused(owner: OwnerReport, *, promoted: bool) -> int:
    """Operations that were not carried out: promoted ones stand in the shared library instead."""
    rows = owner.operations_refused
    return sum(row.count for row in rows if (row.rule == PROMOTED) is promoted)
