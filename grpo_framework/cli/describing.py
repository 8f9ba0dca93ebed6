"""The report of a run in lines for people."""

from __future__ import annotations

from collections import Counter
from statistics import fmean

from grpo_framework.cli.epochs import report_tables
from grpo_framework.cli.exits import one_line
from grpo_framework.cli.output import make_console, print_whole, room_of
from grpo_framework.experience import HARMFUL, PROMOTED, ROOM
from grpo_framework.records import Outcomes, Owner, Usage
from grpo_framework.reports import RunReport, VersionReport
from grpo_framework.telling import count_of, describe_rules, name_version


def describe_report(report: RunReport) -> list[str]:
    """A report for people: a table an epoch, the costs by role, and what failed."""
    console = make_console()
    lines = []
    for table in report_tables(report, width=room_of(console)):
        with console.capture() as captured:
            print_whole(console, table)
        lines.append(captured.get().rstrip())
    lines += [
        *_describe_validation(report),
        *_describe_unfinished(report),
        *_describe_saved(report),
        *_describe_refused(report),
        *_describe_removed(report),
        *_describe_proven(report),
        *_describe_fall(report),
        *describe_costs(report),
    ]
    for failure in (failure for epoch in report.epochs for failure in epoch.failures):
        where = f"{failure.owner} {failure.stage}"
        lines.append(f"failed {failure.count} x {where}: {failure.kind}: {failure.message}")
    return lines


def _describe_validation(report: RunReport) -> list[str]:
    """How the versions did on validation problems, and which of them is the result."""
    lines = []
    for versions in _unlike(report):
        first, last = versions[0], versions[-1]
        if first.score is None:
            continue
        name = name_version(first.epoch)
        since = "" if first is last else f", unchanged to {name_version(last.epoch)}"
        result = any(version.epoch == report.best_epoch for version in versions)
        ending = " (the result)" if result else ""
        lines.append(f"on validation problems, {name}{since}: {first.score:.3f}{ending}")
    gated = [owner.gated for epoch in report.epochs for owner in epoch.owners]
    counts = [
        (sum(row.accepted for row in gated), "helped"),
        (sum(row.rejected for row in gated), "were rejected"),
        (sum(row.provisional for row in gated), "times undecided, to be tried again"),
    ]
    if any(number for number, _ in counts):
        found = ", ".join(f"{number} {what}" for number, what in counts)
        lines.append(f"edits measured on validation problems: {found}")
    return lines


def _unlike(report: RunReport) -> list[list[VersionReport]]:
    """The scored versions; those whose epoch changed no text stand with the one before them."""
    found: list[list[VersionReport]] = []
    edited = {
        epoch.epoch: any(set(row.operations_applied) - {"keep"} for row in epoch.owners)
        for epoch in report.epochs
    }
    for version in report.validation:
        same = bool(found) and found[-1][-1].owners == version.owners
        if same and not edited.get(version.epoch, True):
            found[-1].append(version)
        else:
            found.append([version])
    return found


def _describe_unfinished(report: RunReport) -> list[str]:
    """Answers that are not just wrong: cut off at the token limit, without an answer, refused."""
    found: dict[Owner, Outcomes] = {}
    for row in (row for epoch in report.epochs for row in epoch.owners):
        found[row.owner] = found.get(row.owner, Outcomes()) + row.outcomes
    lines = []
    for owner, outcomes in found.items():
        kinds = [(kind, count) for kind, count in outcomes.failures if kind != "wrong"]
        if kinds:
            named = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in kinds)
            lines.append(f"{owner}: of {outcomes.total} answers {named}")
    return lines


def _describe_saved(report: RunReport) -> list[str]:
    """What adaptive groups spared; what failed was made too, and is in no count here."""
    if not report.adaptive_groups:
        return []
    made, saved = report.rollouts
    rested = sum(epoch.resting for epoch in report.epochs)
    share = saved / (made + saved) if saved else 0.0
    line = (
        f"adaptive groups: {saved} rollouts saved beside {made} that were made ({share:.0%}); "
        f"problems left out because all generators agreed on them again and again: {rested}"
    )
    return [line]


def _describe_refused(report: RunReport) -> list[str]:
    """By which rules operations were not carried out; what was promoted was."""
    found: dict[Owner, Counter[str]] = {}
    for owner in (row for epoch in report.epochs for row in epoch.owners):
        for row in owner.operations_refused:
            if row.rule != PROMOTED:
                found.setdefault(owner.owner, Counter())[row.rule] += row.count
    lines = [
        f"{owner}: {count_of(rules.total(), 'operation')} refused: {describe_rules(rules)}"
        for owner, rules in found.items()
    ]
    if any("on-trial" in rules for rules in found.values()):
        lines.append("on-trial: undecided; at the end they wait in the store for a later training")
    return lines


def _describe_removed(report: RunReport) -> list[str]:
    """What left the libraries unasked: each harmful experience, and how many made room."""
    lines = []
    room: Counter[Owner] = Counter()
    for owner in (row for epoch in report.epochs for row in epoch.owners):
        for removed in owner.removed:
            if removed.rule == HARMFUL:
                what = one_line(f"{removed.id}, {removed.reason}: {removed.text}")
                lines.append(f"{owner.owner}: removed {what}")
        room[owner.owner] += sum(removed.rule == ROOM for removed in owner.removed)
    return lines + [
        f"{owner}: {count} of the least useful experiences made room for others"
        for owner, count in room.items()
        if count
    ]


def _describe_proven(report: RunReport) -> list[str]:
    """What has been shown to help, at the end."""
    rows = report.epochs[-1].owners if report.epochs else ()
    lines = []
    for owner in rows:
        named = [
            f"{row.id} {row.effect:+.2f} ({row.low:+.2f} to {row.high:+.2f})"
            for row in owner.experiences
            if row.status == "proven"
        ]
        if named:
            lines.append(f"{owner.owner}: proven to help: {', '.join(named)}")
    return lines


def _describe_fall(report: RunReport) -> list[str]:
    """Where rewards fell and no edit was measured, what was learned may do harm."""
    means = [
        [each.mean_reward for each in epoch.owners if each.mean_reward is not None]
        for epoch in report.epochs
    ]
    if report.validation or len(means) < 2 or not means[0] or not means[-1]:
        return []
    first, last = fmean(means[0]), fmean(means[-1])
    line = (
        f"the mean reward fell from {first:.2f} to {last:.2f}, and no edit was measured before it "
        "was kept: see with grpo-cli ab whether these experiences help"
    )
    return [line] if last < first else []


def describe_costs(report: RunReport) -> list[str]:
    """Calls, tokens and dollars of each role over all epochs."""
    usage: dict[str, Usage] = {}
    cost: dict[str, float] = {}
    for row in (row for epoch in report.epochs for row in epoch.roles):
        usage[row.role] = usage.get(row.role, Usage()) + row.usage
        cost[row.role] = cost.get(row.role, 0.0) + row.cost
    lines = [
        f"{role}: {spent.calls} calls, {spent.input_tokens} tokens in, "
        f"{spent.output_tokens} out, ${cost[role]:.4f}"
        for role, spent in sorted(usage.items())
    ]
    unknown = [
        role for role, spent in sorted(usage.items()) if spent.calls and not spent.input_tokens
    ]
    if unknown:
        lines.append(
            f"no tokens were counted by the endpoint of {', '.join(unknown)}: the cost is not "
            "known; a budget, and what `runs show` says was spent, count the most that it can be"
        )
    return lines
