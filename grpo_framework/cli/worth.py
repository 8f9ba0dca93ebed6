"""What experiences were found to be worth, as text on stdout."""

from __future__ import annotations

import click

from grpo_framework.abtest import Ablated, Ablation
from grpo_framework.abtest.values import ArmUsage
from grpo_framework.cli.exits import one_line
from grpo_framework.cli.output import print_table
from grpo_framework.cli.verdicts import show_difference, show_number
from grpo_framework.telling import count_of

_HEADS = (
    "id",
    "owner",
    "effect",
    "p (Holm)",
    "verdict",
    "fixed",
    "broken",
    "could have shown",
    "pairs",
    "cost",
    "content",
)


def show_ablation(result: Ablation) -> None:
    """Print a row for each experience, and what a reader of the figures must know."""
    print_table(_HEADS, [_row(item) for item in result.items])
    click.echo(
        "effect: mean reward with the experience - without it, over problems; "
        f"{count_of(result.problems, 'problem')} of the split {result.split}, "
        f"{count_of(result.repeats, 'repeat')}"
    )
    click.echo(f"full store        {_spent(result.full)}, shared by all items")
    click.echo(f"all together      {_spent(result.total)}")
    for line in _remarks(result):
        click.echo(line)


def _row(item: Ablated) -> list[str]:
    reach = item.minimum_detectable_effect
    return [
        item.id,
        item.owner,
        show_difference(item.effect),
        show_number(item.p_adjusted).removeprefix("= "),
        item.verdict,
        str(item.problems.fixed),
        str(item.problems.broken),
        "nothing" if reach is None else f"{reach:.3f}",
        str(len(item.pairs)),
        f"${item.usage.cost:.4f}",
        one_line(item.content),
    ]


def _spent(usage: ArmUsage) -> str:
    tokens = usage.input_tokens + usage.output_tokens
    return f"{usage.calls} calls, {tokens} tokens, ${usage.cost:.4f}"


def _remarks(result: Ablation) -> list[str]:
    remarks = []
    early = [item for item in result.items if item.sequential and item.sequential.stopped_early]
    if early:
        rows = (f"{item.id} after {item.sequential.looks}" for item in early if item.sequential)
        remarks.append(f"stopped early: {', '.join(rows)} problems")
    for item in result.items:
        if item.failures.pairs:
            remarks.append(f"{item.id}: {item.failures.pairs} pairs had a failed side, left out")
        if item.strict is not None:
            remarks.append(
                f"{item.id}: where a side that failed alone earns nothing, the effect is "
                f"{show_difference(item.strict)}; the verdict needs both to say the same"
            )
        for arm in item.failures.arms:
            side = "without" if arm.arm == "a" else "with"
            remarks += [
                f"{item.id}: failed {cause.count} x {side} it, {cause.owner} {cause.stage}: "
                + one_line(f"{cause.kind}: {cause.message}")
                for cause in arm.causes
            ]
    if result.training_problems:
        remarks.append(
            f"{len(result.training_problems)} of the problems were trained on: "
            "this shows what was learned by heart, it proves no effect"
        )
    if result.gate_problems:
        remarks.append(
            f"the gate chose by {len(result.gate_problems)} of the problems what is kept: "
            "effects on these are a little too good; --split test has not been chosen by"
        )
    if result.simulation:
        remarks.append("simulated: a component knew the answers, so these rewards prove nothing")
    return remarks
