"""Whether measured credit says what is true: error rate and exposures needed, over simulated runs.

    python -m benchmarks.credit [--runs 1000] [--processes 2] [--seed 1] [--json FILE]

A run is one experience's life: batches of 8 problems, groups of answers, each prompt with the
experience unless the lot withholds it, a look at its status after every batch, until it is decided
or the batches are over. Problems are as uneven as real ones: the
chance of a right answer is spread from 0 to 1, for most problems near the ends. An effect moves
that chance on every problem, as far as there is room: so the mean effect is a little below the
nominal one, and the interval is held against that mean.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from attrs import frozen

from grpo_framework.experience import Credit

BATCH = 8
LOOKS = 150
EXPOSURES = (150, 300, 600, 1200, 2400, 3600)


@frozen
class Design:
    """One kind of run.

    Attributes:
        name: What is special about it.
        effect: What the experience adds to the chance of a right answer, as far as there is room.
        dropout: Probability with which it is withheld.
        group: Answers of one cell.
        ends: How uneven problems are: below 1 most are nearly always right or wrong.
        partial: Whether rewards are partial credit rather than 0 or 1.
        adaptive: Whether a group starts with 2 answers and grows only while these are the same.
    """

    name: str
    effect: float
    dropout: float = 0.1
    group: int = 3
    ends: float = 0.5
    partial: bool = False
    adaptive: bool = False


@frozen
class Life:
    """What became of one experience: its status, after how many answers, and the last interval."""

    status: str
    answers: int
    covered: bool


NULL = (
    Design("groups of 3", 0.0),
    Design("groups of 3, problems of middling difficulty", 0.0, ends=5.0),
    Design("groups of 3, partial credit", 0.0, partial=True),
    Design("groups of 8", 0.0, group=8),
    Design("groups of 3, dropout 0.3", 0.0, dropout=0.3),
    Design("groups of 2, grown up to 5 while uniform", 0.0, group=5, adaptive=True),
)
EFFECTS = tuple(
    Design("groups of 3", effect) for effect in (0.1, 0.2, 0.3, 0.5, -0.1, -0.2, -0.3, -0.5)
)
OTHERS = (
    Design("groups of 3, dropout 0.3", -0.2, dropout=0.3),
    Design("groups of 2, grown up to 5 while uniform", -0.2, group=5, adaptive=True),
)


def _reward(design: Design, chance: float, dice: random.Random) -> float:
    if design.partial:
        return sum(dice.random() < chance for _ in range(4)) / 4
    return float(dice.random() < chance)


def _cell(design: Design, dice: random.Random) -> tuple[Credit, float]:
    """One group's evidence, and the true effect on its problem."""
    base = dice.betavariate(design.ends, design.ends)
    helped = min(1.0, max(0.0, base + design.effect))
    lots = [dice.random() < design.dropout for _ in range(design.group)]
    if not design.adaptive and len(set(lots)) == 1:  # nothing to compare, whatever the rewards
        return Credit(shown=lots.count(False), withheld=lots.count(True)), 0.0
    rewards: tuple[list[float], list[float]] = ([], [])
    for number, withheld in enumerate(lots):
        if design.adaptive and number >= 2 and len({*rewards[0], *rewards[1]}) > 1:
            break
        rewards[withheld].append(_reward(design, base if withheld else helped, dice))
    return Credit.of_cell(*rewards), helped - base


def live(job: tuple[Design, int, int]) -> Life:
    """One experience, looked at after every batch until it is decided."""
    design, seed, number = job
    # The draws must follow from the seed; nothing here is a secret.
    dice = random.Random(f"{seed}/{number}/{design}")
    credit, weighed = Credit(), 0.0
    for _ in range(LOOKS):
        cells = [_cell(design, dice) for _ in range(BATCH)]
        weighed += math.fsum(cell.weight * effect for cell, effect in cells)
        credit = Credit.sum((credit, *(cell for cell, _ in cells)))
        if credit.status != "unknown":
            break
    low, high = credit.interval
    truth = weighed / credit.weight if credit.weight else 0.0
    return Life(credit.status, credit.shown + credit.withheld, low <= truth <= high)


def summarise(design: Design, lives: Sequence[Life]) -> dict[str, Any]:
    """Shares over the runs of one design."""
    count = len(lives)
    found = sorted(life.answers for life in lives if life.status != "unknown")
    return {
        "design": design.name,
        "effect": design.effect,
        "runs": count,
        "proven": sum(life.status == "proven" for life in lives) / count,
        "harmful": sum(life.status == "harmful" for life in lives) / count,
        "covered": sum(life.covered for life in lives) / count,
        "median_answers": median(found) if 2 * len(found) >= count else None,
        "found_within": {
            str(limit): sum(answers <= limit for answers in found) / count for limit in EXPOSURES
        },
    }


HEAD = (
    "| runs | effect | number | proven (%) | harmful (%) | interval holds the truth (%) | half are "
    f"decided after (answers) | {' | '.join(f'decided within {each} (%)' for each in EXPOSURES)} |"
    f"\n|{'---|' * (7 + len(EXPOSURES))}"
)


def show(row: dict[str, Any]) -> str:
    """A design's figures as a row of a Markdown table."""
    shares = [f"{100 * row[key]:.1f}" for key in ("proven", "harmful", "covered")]
    half = "-" if row["median_answers"] is None else f"{row['median_answers']:.0f}"
    within = [f"{100 * share:.1f}" for share in row["found_within"].values()]
    cells = [row["design"], f"{row['effect']:+.1f}", str(row["runs"]), *shares, half, *within]
    return f"| {' | '.join(cells)} |"


def find_misses(row: dict[str, Any]) -> Iterator[str]:
    """What of the promises does not hold; for 1,000 runs and more."""
    wrong = row["proven"] * (row["effect"] <= 0) + row["harmful"] * (row["effect"] >= 0)
    if wrong > 0.05:
        yield f"{row['design']}, effect {row['effect']:+.1f}: {wrong:.3f} false verdicts"
    if row["covered"] < 0.95:
        yield f"{row['design']}, effect {row['effect']:+.1f}: covered in {row['covered']:.3f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all designs, print the figures, and return 1 where a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=1_000, help="simulated runs of a design")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    given = parser.parse_args(arguments)
    rows = []
    print(HEAD, flush=True)
    with ProcessPoolExecutor(given.processes) as pool:
        for design in (*NULL, *EFFECTS, *OTHERS):
            jobs = [(design, given.seed, number) for number in range(given.runs)]
            size = max(1, math.ceil(len(jobs) / (8 * given.processes)))
            rows.append(summarise(design, list(pool.map(live, jobs, chunksize=size))))
            print(show(rows[-1]), flush=True)
    if given.json is not None:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")
    misses = [miss for row in rows for miss in find_misses(row)]
    for miss in misses:
        print(f"does not hold: {miss}", file=sys.stderr)
    return int(bool(misses))


if __name__ == "__main__":
    sys.exit(main())
