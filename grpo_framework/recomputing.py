"""The report of a run, computed again from what its directory holds, number by number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import frozen

from grpo_framework.codec import to_document
from grpo_framework.differing import compare_documents
from grpo_framework.errors import DataError
from grpo_framework.events import AnswerFused, Event, GroupFinished, RolloutFinished
from grpo_framework.experience import CRITIC
from grpo_framework.records import Owner
from grpo_framework.reports import RunReport
from grpo_framework.standing import read_events, read_report, recompute_report


@frozen
class Recomputed:
    """What came of it.

    Attributes:
        report: As it follows from the events.
        differences: Where ``report.json`` or the events themselves say otherwise, one line each.
    """

    report: RunReport
    differences: tuple[str, ...]

    @property
    def identical(self) -> bool:
        """Whether every number is what the run's directory gives."""
        return not self.differences


def recompute(path: Path) -> Recomputed:
    """Compute a run's report from its events, and the groups' rewards from its single answers.

    Args:
        path: The run's directory.

    Raises:
        DataError: The run has not come to its end, or its files cannot be read.
    """
    written = read_report(path)
    if written is None:
        hint = f"finish it first: grpo-cli runs resume {path}"
        raise DataError("this run has not come to its end", path=path, hint=hint)
    report = recompute_report(path)
    found = (
        *compare_documents("report", to_document(written), to_document(report)),
        *check_groups(read_events(path)),
    )
    return Recomputed(report, found)


def check_groups(events: Iterable[Event]) -> Iterator[str]:
    """Where a group's rewards are not those of its single answers; one line each."""
    rewards: dict[tuple[int, int, str, Owner], dict[int, float]] = defaultdict(dict)
    fused: dict[tuple[int, int, str, Owner], float] = {}
    groups: list[GroupFinished] = []
    for event in events:
        if isinstance(event, RolloutFinished):
            unit = event.rollout.unit
            place = (unit.epoch, unit.batch, unit.problem, unit.owner)
            rewards[place][unit.index] = event.rollout.reward
        elif isinstance(event, AnswerFused):
            unit = event.final.unit
            fused[unit.epoch, unit.batch, unit.problem, unit.owner] = event.final.reward
        elif isinstance(event, GroupFinished):
            groups.append(event)
    for group in groups:
        place = (group.epoch, group.batch, group.problem, group.owner)
        where = f"epoch {group.epoch} batch {group.batch} {group.problem} {group.owner}"
        if group.owner == CRITIC:
            same = (group.epoch, group.batch, group.problem)
            single = sorted(value for key, value in fused.items() if key[:3] == same)
            if single != sorted(group.rewards):
                yield f"{where}: rewards {group.rewards} of the group, {single} of its answers"
            continue
        told = [rewards[place][index] for index in sorted(rewards[place])]
        if told != list(group.rewards):
            yield f"{where}: rewards {list(group.rewards)} of the group, {told} of its answers"
        if group.fused != fused.get(place):
            yield f"{where}: fused {group.fused} of the group, {fused.get(place)} of its answer"
