"""Problems of any source for a benchmark: read, dealt to the splits, written as one file."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from attrs import evolve, frozen

from grpo_framework.config import load_config
from grpo_framework.plugins import Plugins
from grpo_framework.records import Problem
from grpo_framework.workshop import Workshop

GATE_NEEDS = 20
"""Validation problems from which training measures its edits; see the explanation of the gate."""

ENOUGH = 2 * GATE_NEEDS
"""Problems, or training problems, from which so many are set aside for validation."""


@frozen
class Sizes:
    """Most problems of each split."""

    train: int
    validation: int
    test: int


def deal(problems: Sequence[Problem], sizes: Sizes, seed: int) -> list[Problem]:
    """Problems with splits, at most so many of each.

    Those that name no split are dealt by a hash: a fifth for validation, as many as the gate needs
    where there are enough, the others half for training and half for the test. Where only the
    validation split is missing, it comes out of the training split.

    Args:
        problems: All of them, in the source's order.
        sizes: Most of each split.
        seed: Of the dealing.
    """
    named = {problem.split for problem in problems} - {""}
    chosen = list(problems)
    if named:
        # As in training: beside problems that name a split, those that name none are for training.
        chosen = [evolve(each, split=each.split or "train") for each in chosen]
    if "validation" not in named:
        pool = [each for each in chosen if each.split in ("", "train")]
        pool.sort(key=lambda each: hashlib.sha256(f"{seed} {each.id}".encode()).digest())
        aside = max(len(pool) // 5, min(GATE_NEEDS, len(pool)) if len(pool) >= ENOUGH else 0)
        rest = len(pool) - aside
        train = rest if named else (rest + 1) // 2
        splits = ["validation"] * aside + ["train"] * train + ["test"] * (rest - train)
        dealt = [evolve(each, split=name) for each, name in zip(pool, splits, strict=True)]
        chosen = [*dealt, *(each for each in chosen if each.split not in ("", "train"))]
    taken: Counter[str] = Counter()
    kept = []
    for problem in chosen:
        taken[problem.split] += 1
        if taken[problem.split] <= getattr(sizes, problem.split, 0):
            kept.append(problem)
    return kept


async def read_problems(datasets: Sequence[str]) -> tuple[Problem, ...]:
    """All problems of the sources, as the framework reads them."""
    config = load_config(flags={"datasets": list(datasets), "split": "all"})
    return await Workshop(config, Plugins.discover()).problems()


def write_problems(path: Path, problems: Sequence[Problem]) -> None:
    """A problem file with splits, the same for all replicates."""
    rows = (
        {
            "id": each.id,
            "problem": each.question.text,
            "answer": each.answer,
            "subject": each.question.subject,
            "split": each.split,
        }
        for each in problems
    )
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
