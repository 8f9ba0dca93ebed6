"""Whether a library stays good under bad advice: what the gate and measured credit keep.

    python -m benchmarks.rot [--seeds 10] [--processes 2] [--quick] [--json FILE]

In each of ten batches the advisor proposes one good edit, three useless ones and one harmful one
(`benchmarks.rot_student`). The reward of the final library is known exactly. Trained is with
`TrainingFreeGRPOTrainer` and its defaults but for what a row names; the validation problems are 50,
the default at most. A student is asked with common luck, where two prompts differ only by what a
text does, and with dice that any change of the prompt throws anew, as with a real model.

Exits with 1 where a row that promises it keeps less than 90 % of the good or more than 10 % of the
harmful edits.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from attrs import asdict, frozen
from grpo_scripted.memory import MemoryStore

from benchmarks.rot_student import (
    OWNER,
    FirstAnswer,
    RottenAdvisor,
    SameText,
    Student,
    draw_offers,
    make_problems,
)
from grpo_framework import TrainingFreeGRPOTrainer
from grpo_framework.engine import Engine
from grpo_framework.events import EditsGated, Event, VersionScored
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins

BATCHES = 10
BATCH = 16
VALIDATION = 50
BUDGET = 48
LEAST_GOOD, MOST_HARMFUL = 0.9, 0.1


@frozen
class Setting:
    """How a run is made.

    Attributes:
        lessons: There are so many good edits; with fewer than batches they are proposed again.
        gate: As the trainer takes it.
        budget: The same.
        credit: Whether measured credit is on, as by default.
        promised: Whether it is to keep the good and not the harmful.
    """

    lessons: int
    gate: Literal["paired", "none"]
    budget: int = BUDGET
    credit: bool = True
    promised: bool = True

    @property
    def name(self) -> str:
        """The flags."""
        flags = ["--gate none"] if self.gate == "none" else []
        flags += [] if self.budget == BUDGET else [f"--gate-budget {self.budget}"]
        flags += [] if self.credit else ["--credit-dropout 0"]
        return " ".join(flags) or "defaults"


SETTINGS = (
    Setting(4, "none", credit=False, promised=False),
    Setting(4, "none", promised=False),
    Setting(4, "paired"),
    Setting(10, "none", credit=False, promised=False),
    Setting(10, "none", promised=False),
    Setting(10, "paired", promised=False),
    Setting(10, "paired", 160, promised=False),
    Setting(10, "paired", 400),
)


@frozen
class Outcome:
    """What became of one run's offers; shares are of those proposed.

    Attributes:
        good: Share of the good edits in the final library.
        useless: The same of the useless ones.
        harmful: The same of the harmful ones.
        before: Mean reward without experiences, exactly.
        after: Mean reward with the final library, exactly.
        judged: Validation answers that were judged, for the edits and for the versions.
        offered: Batches that proposed something.
    """

    good: float
    useless: float
    harmful: float
    before: float
    after: float
    judged: int
    offered: int


class _Judged:
    """Counts the answers to validation problems."""

    def __init__(self) -> None:
        self.units = 0

    async def notify(self, event: Event, /) -> None:
        """Add what an event says."""
        if isinstance(event, (EditsGated, VersionScored)):
            self.units += event.units


def run_once(job: tuple[Setting, bool, int]) -> Outcome:
    """One training run of ten batches."""
    setting, redraw, seed = job
    student = Student(setting.lessons, redraw=redraw)
    advisor = RottenAdvisor(draw_offers(seed, batches=BATCHES, lessons=setting.lessons))
    store, judged = MemoryStore(), _Judged()
    trainer = TrainingFreeGRPOTrainer(
        Engine((student,), FirstAnswer(), SameText(), advisor),
        ExperienceManager(store, plugins=Plugins(())),
        num_epochs=1,
        batch_size=BATCH,
        seed=seed,
        verbose=False,
        observers=[judged],
        gate=setting.gate,
        gate_budget=setting.budget,
        credit_dropout=0.1 if setting.credit else 0.0,
    )
    trainer.train(
        make_problems(BATCHES * BATCH, "train", student),
        make_problems(VALIDATION, "validation", student),
    )
    library = asyncio.run(store.load(OWNER))
    texts = {item.content for item in library.experiences}

    def kept(offered: set[str]) -> float:
        return len(texts & offered) / len(offered)

    return Outcome(
        good=kept({offer.good for offer in advisor.made}),
        useless=kept({text for offer in advisor.made for text in offer.useless}),
        harmful=kept({offer.harmful for offer in advisor.made}),
        before=student.reward(()),
        after=student.reward(texts),
        judged=judged.units,
        offered=len(advisor.made),
    )


def summarise(setting: Setting, redraw: bool, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Means over the seeds, with the worst one's share of the good."""
    rows = [asdict(outcome) for outcome in outcomes]
    means = {key: fmean(row[key] for row in rows) for key in rows[0]}
    return {
        "student": "dice thrown anew" if redraw else "common luck",
        "lessons": setting.lessons,
        "effect": Student(setting.lessons).gain,
        "setting": setting.name,
        "seeds": len(outcomes),
        "promised": setting.promised,
        **means,
        "worst_good": min(row["good"] for row in rows),
    }


HEAD = (
    "| student | good edits | setting | good kept (%) | worst seed | useless kept (%) "
    "| harmful kept (%) | reward before | after | validation answers |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def show(row: dict[str, Any]) -> str:
    """A setting's figures as a row of a Markdown table."""
    shares = (f"{100 * row[key]:.0f}" for key in ("good", "worst_good"))
    bad = (f"{100 * row[key]:.1f}" for key in ("useless", "harmful"))
    cells = (
        row["student"],
        f"{row['lessons']} of {row['effect']:+.2f}",
        f"`{row['setting']}`" if row["setting"].startswith("--") else row["setting"],
        *shares,
        *bad,
        f"{row['before']:.2f}",
        f"{row['after']:.2f}",
        f"{row['judged']:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def find_misses(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What of the promises does not hold."""
    return [
        f"{row['student']}, {row['lessons']} lessons, {row['setting']}: "
        f"kept {row['good']:.2f} of the good and {row['harmful']:.2f} of the harmful"
        for row in rows
        if row["promised"] and (row["good"] < LEAST_GOOD or row["harmful"] > MOST_HARMFUL)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all settings, print the figures, and return 1 where a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=10, help="runs of each setting")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="three seeds")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    given = parser.parse_args(arguments)
    seeds = min(3, given.seeds) if given.quick else given.seeds
    rows = []
    print(HEAD, flush=True)
    with ProcessPoolExecutor(given.processes) as pool:
        for redraw, setting in product((False, True), SETTINGS):
            outcomes = list(pool.map(run_once, [(setting, redraw, seed) for seed in range(seeds)]))
            rows.append(summarise(setting, redraw, outcomes))
            print(show(rows[-1]), flush=True)
    if given.json is not None:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")
    misses = find_misses(rows)
    for miss in misses:
        print(f"does not hold: {miss}", file=sys.stderr)
    return int(bool(misses))


if __name__ == "__main__":
    sys.exit(main())
