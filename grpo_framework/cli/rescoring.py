"""All answers of a run judged again with another comparator, from the run's events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

from attrs import define, field

from grpo_framework.cli.judging import find_comparator, open_comparator
from grpo_framework.config import RunConfig
from grpo_framework.errors import ConfigError
from grpo_framework.events import AnswerFused, RolloutFinished
from grpo_framework.identity import check_problems
from grpo_framework.plugins import Plugins
from grpo_framework.protocols import Comparator
from grpo_framework.records import FinalAnswer, Owner, Problem, Rollout, Verdict
from grpo_framework.reports import bearer
from grpo_framework.rollouts import describe, judge
from grpo_framework.standing import read_events
from grpo_framework.workshop import Workshop

AT_ONCE = 64
"""Answers that are judged side by side."""


@define
class _Sums:
    answers: int = 0
    before: Fraction = Fraction(0)
    now: Fraction = Fraction(0)
    judged: int = 0
    changes: list[dict[str, Any]] = field(factory=list)


async def rescore_run(path: Path, config: RunConfig, plugins: Plugins) -> dict[str, Any]:
    """Judge all rollouts and fused answers of a run again; no model is called, nothing written.

    Args:
        path: The run's directory.
        config: Of the run, with the comparator that judges now.
        plugins: Of this process.

    Returns:
        ``owners``: mean rewards before and now; ``changes``: the verdicts that differ.

    Raises:
        ConfigError: The comparator needs a chat model, or the problems have changed.
    """
    workshop = Workshop(config, plugins)
    if find_comparator(workshop).uses_chat_model:
        message = f"{config.comparator.use} asks a chat model; an earlier run is rescored without"
        raise ConfigError(message, pointer="/comparator", hint="name another --comparator")
    problems, validation = await workshop.training_problems()
    check_problems(path, problems, validation)
    known = {problem.id: problem for problem in problems}
    sums: dict[Owner, _Sums] = {}
    answers = _read_answers(path)
    async with open_comparator(workshop) as comparator:
        while chunk := list(islice(answers, AT_ONCE)):
            verdicts = await asyncio.gather(
                *(_judge(comparator, known[answer.unit.problem], answer) for answer in chunk)
            )
            for answer, verdict in zip(chunk, verdicts, strict=True):
                _add(sums.setdefault(bearer(answer.unit), _Sums()), answer, verdict)
    return {
        "owners": [_owner_row(owner, sums[owner]) for owner in sorted(sums)],
        "changes": [row for owner in sorted(sums) for row in sums[owner].changes],
    }


def _read_answers(path: Path) -> Iterator[Rollout | FinalAnswer]:
    for event in read_events(path):
        if isinstance(event, RolloutFinished):
            yield event.rollout
        elif isinstance(event, AnswerFused):
            yield event.final


async def _judge(
    comparator: Comparator, problem: Problem, answer: Rollout | FinalAnswer
) -> Verdict | str:
    try:
        return await judge(comparator, problem, answer.attempt)
    # A comparator is foreign code: what it fails on is this answer's and no other's.
    except Exception as error:
        return describe(error)


def _add(sums: _Sums, answer: Rollout | FinalAnswer, verdict: Verdict | str) -> None:
    sums.answers += 1
    sums.before += Fraction(answer.reward)
    now = None if isinstance(verdict, str) else verdict.reward
    if now is not None:
        sums.judged += 1
        sums.now += Fraction(now)
    if now != answer.reward:
        unit = answer.unit
        sums.changes.append(
            {
                "owner": bearer(unit),
                "stage": unit.stage,
                "problem": unit.problem,
                "epoch": unit.epoch,
                "index": unit.index,
                "before": answer.reward,
                "now": now,
                "reason": verdict if isinstance(verdict, str) else verdict.reason,
            }
        )


def _owner_row(owner: Owner, sums: _Sums) -> dict[str, Any]:
    return {
        "owner": owner,
        "answers": sums.answers,
        "before": float(sums.before / sums.answers),
        "now": float(sums.now / sums.judged) if sums.judged else None,
        "changed": len(sums.changes),
        "unjudged": sums.answers - sums.judged,
    }
