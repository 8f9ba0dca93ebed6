"""An A/B test's result as text on stdout."""

from __future__ import annotations

import click

from grpo_framework.abtest import SIDES, Comparison, Difference, OwnerComparison
from grpo_framework.abtest.comparing import conclude
from grpo_framework.cli.exits import one_line
from grpo_framework.cli.output import print_table
from grpo_framework.evaluation import Estimate
from grpo_framework.telling import count_of

_SAID = {
    "better": "better: B is better than A",
    "worse": "worse: B is worse than A",
    "undecided": "undecided: this sample does not tell A and B apart",
}


def show_comparison(result: Comparison) -> None:
    """Print the arms, the difference, the verdict, and each owner."""
    _show_arms(result)
    click.echo(f"difference B - A  {show_difference(result.difference)}, {_p(result.difference)}")
    click.echo(f"verdict           {_verdict(result)}")
    changes = result.problems
    click.echo(
        f"problems          {changes.fixed} fixed, {changes.broken} broken, "
        f"{changes.same} the same; {count_of(result.repeats, 'repeat')}"
    )
    click.echo(f"could have shown  {_reach(result.minimum_detectable_effect)}")
    if result.per_owner:
        print_table(
            ["owner", "A", "B", "difference", "p (Holm)", "verdict", "fixed", "broken", "pairs"],
            [_row(row) for row in result.per_owner],
        )
    for line in _remarks(result):
        click.echo(line)


def _verdict(result: Comparison) -> str:
    if result.verdict == conclude(result.difference):
        return _SAID[result.verdict]
    return "undecided: what failed in one arm alone may make the difference (see below)"


def _show_arms(result: Comparison) -> None:
    rows = []
    for side in SIDES:
        arm, usage = result.arms[side], result.usage[side]
        held = sum(library.experiences for library in arm.libraries.values())
        tokens = usage.input_tokens + usage.output_tokens
        cost = f"${usage.cost:.4f}"
        cells = [side.upper(), one_line(arm.name), held, _mean(arm.mean), usage.calls, tokens, cost]
        rows.append(cells)
    heads = ["arm", "experiences of", "experiences", "mean reward", "calls", "tokens", "cost"]
    print_table(heads, rows)


def _mean(mean: Estimate) -> str:
    if mean.value is None or mean.low is None or mean.high is None:
        return "-"
    return f"{mean.value:.3f} [{mean.low:.3f}, {mean.high:.3f}]"


def show_difference(found: Difference) -> str:
    """A difference with its 95 % interval."""
    if found.mean is None or found.ci95 is None:
        return "- (no pair is complete)"
    low, high = found.ci95
    return f"{found.mean:+.3f} [{low:+.3f}, {high:+.3f}]"


def _p(found: Difference) -> str:
    return f"p {show_number(found.p_value)} ({found.test})"


def show_number(p_value: float) -> str:
    """A p-value with its sign, as ``= 0.0123``."""
    return "< 0.0001" if p_value < 0.0001 else f"= {p_value:.4f}"


def _reach(effect: float | None) -> str:
    if effect is None:
        return "nothing: too few problems for any effect to be seen"
    return f"a true difference of {effect:.3f} or more (80 % power at 5 %)"


def _row(row: OwnerComparison) -> list[str]:
    means = ["-" if value is None else f"{value:.3f}" for value in (row.a, row.b)]
    adjusted = show_number(row.p_adjusted).removeprefix("= ")
    changes = [str(row.problems.fixed), str(row.problems.broken), str(row.pairs)]
    return [row.owner, *means, show_difference(row.difference), adjusted, row.verdict, *changes]


def _remarks(result: Comparison) -> list[str]:
    """What a reader of the figures must know."""
    remarks = []
    looks = result.sequential
    if looks is not None:
        end = "stopped early" if looks.stopped_early else "not stopped early"
        remarks.append(
            f"sequential: {end}, after {looks.looks} of {looks.problems_planned} problems; "
            "interval and p-value hold however often one looks"
        )
    failures = result.failures
    if failures.pairs:
        remarks.append(
            f"{failures.pairs} pairs had a failed side and are left out; "
            f"{failures.problems} problems have no pair left"
        )
    if result.strict is not None:
        remarks.append(
            "where a side that failed alone earns nothing, the difference is "
            f"{show_difference(result.strict)}, {_p(result.strict)}"
        )
    for arm in failures.arms:
        remarks += [
            f"failed {cause.count} x {arm.arm.upper()} {cause.owner} {cause.stage}: "
            f"{one_line(f'{cause.kind}: {cause.message}')}"
            for cause in arm.causes
        ]
    if result.training_problems:
        remarks.append(
            f"{len(result.training_problems)} of the problems were trained on: "
            "this shows what was learned by heart, it proves no gain"
        )
    if result.simulation:
        remarks.append("simulated: a component knew the answers, so these rewards prove nothing")
    return remarks
