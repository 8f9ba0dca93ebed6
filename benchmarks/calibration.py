"""Whether `grpo-cli ab` says what is true: error rates, power and coverage over simulated tests.

    python -m benchmarks.calibration [--tests 1000] [--processes 2] [--seed 1] [--json FILE]

The problems differ as real ones do: the chance of a right answer without experiences is spread from
0 to 0.8 with most problems near the ends, generators agree on what is hard, and part of the luck is
common to both arms, as with equal seeds. The experiences help half of the problems by 0.20 and the
others not at all: +0.10. What is measured is `compare_pairs` and what it is made of, on 0/1
rewards; a sequential test is stopped by the same `BettingTest` that stops the command. A tenth as
many tests go through the whole runner, with the simulated student.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from attrs import frozen

from benchmarks.students import teach
from grpo_framework.abtest import Difference, Pair, compare_pairs
from grpo_framework.abtest.betting import BettingTest
from grpo_framework.abtest.comparing import by_problem, conclude, contrast
from grpo_framework.evaluation import estimate

GAIN = 0.10
HELPED = 0.5
COMMON_LUCK = 0.3


@frozen
class Design:
    """One kind of A/B test."""

    problems: int
    repeats: int
    generators: int
    gain: float
    sequential: bool = False

    @property
    def name(self) -> str:
        """In one line."""
        kind = "sequential" if self.sequential else "fixed sample"
        return (
            f"{self.problems} problems x {self.repeats} repeats x {self.generators} generators, "
            f"true effect {self.gain:+.2f}, {kind}"
        )

    def tests(self, asked: int) -> int:
        """How many tests show it: an error of 5 % takes twice as many."""
        return asked if self.gain else 2 * asked


@frozen
class Trial:
    """What one simulated test said."""

    verdict: str
    covered: bool
    width: float
    any_owner: bool | None
    used: int


@frozen
class _Said:
    """What the statistics say; those of single owners where there are several."""

    difference: Difference
    verdict: str
    any_owner: bool | None = None


NULL = (
    Design(100, 4, 1, 0.0),
    Design(100, 4, 3, 0.0),
    Design(100, 1, 1, 0.0),
    Design(20, 4, 3, 0.0),
    Design(10, 4, 1, 0.0),
)
GAINS = (
    Design(100, 4, 1, GAIN),
    Design(100, 4, 3, GAIN),
    Design(100, 1, 1, GAIN),
    Design(20, 4, 1, GAIN),
    Design(10, 4, 1, GAIN),
)
SEQUENTIAL = (
    Design(100, 4, 1, 0.0, sequential=True),
    Design(400, 2, 1, 0.0, sequential=True),
    Design(100, 4, 1, GAIN, sequential=True),
    Design(400, 4, 1, GAIN, sequential=True),
)


def draw_pairs(design: Design, random: np.random.Generator) -> list[Pair]:
    """Both arms' rewards on fresh problems."""
    count, generators = design.problems, design.generators
    hard = random.beta(0.5, 0.5, count)
    shape = (count, generators, design.repeats)
    own = random.beta(0.5, 0.5, (count, generators))
    base = (1 - 2 * GAIN) * np.where(random.random((count, generators)) < 0.7, hard[:, None], own)
    helped = random.random(count) < HELPED
    better = base + np.where(helped, design.gain / HELPED, 0.0)[:, None]
    luck = random.random(shape)
    other = np.where(random.random(shape) < COMMON_LUCK, luck, random.random(shape))
    left = (luck < base[:, :, None]).astype(float)
    right = (other < better[:, :, None]).astype(float)
    return [
        Pair(f"p{p}", f"generator_{g + 1}", r, float(left[p, g, r]), float(right[p, g, r]))
        for p in range(count)
        for g in range(generators)
        for r in range(design.repeats)
    ]


def _stop(pairs: Sequence[Pair], design: Design) -> Sequence[Pair]:
    """The pairs up to the look that decides; a look after each problem sees all that pairs show."""
    test = BettingTest()
    each = design.generators * design.repeats
    for start in range(0, len(pairs), each):
        test.add(by_problem(pairs[start : start + each])[0].difference)
        if test.decided:
            return pairs[: start + each]
    return pairs


def try_one(job: tuple[Design, int, int]) -> Trial:
    """One simulated A/B test."""
    design, seed, number = job
    random = np.random.default_rng([seed, number])
    pairs: Sequence[Pair] = draw_pairs(design, random)
    if design.sequential:
        pairs = _stop(pairs, design)
    if design.generators > 1:
        whole = compare_pairs(pairs)
        owners = any(row.verdict != "undecided" for row in whole.per_owner)
        said = _Said(whole.difference, whole.verdict, owners)
    else:
        found = contrast(by_problem(pairs), sequential=design.sequential)
        said = _Said(found, conclude(found))
    assert said.difference.ci95 is not None
    low, high = said.difference.ci95
    return Trial(
        verdict=said.verdict,
        covered=low <= design.gain <= high,
        width=high - low,
        any_owner=said.any_owner,
        used=len({pair.problem for pair in pairs}),
    )


def summarise(trials: Sequence[Trial], design: Design) -> dict[str, Any]:
    """Shares over the tests of one design."""
    owners = [trial.any_owner for trial in trials if trial.any_owner is not None]
    shares = {
        name: fmean(trial.verdict == name for trial in trials)
        for name in ("better", "worse", "undecided")
    }
    return {
        "design": design.name,
        "tests": len(trials),
        **shares,
        "covered": fmean(trial.covered for trial in trials),
        "interval_width": fmean(trial.width for trial in trials),
        "any_owner_decided": fmean(owners) if owners else None,
        "problems_used": fmean(trial.used for trial in trials),
    }


def cover_mean(job: tuple[int, int, int, int]) -> bool:
    """Whether the interval of one simulated evaluation's mean@k holds the truth."""
    problems, rollouts, seed, number = job
    random = np.random.default_rng([seed, number])
    chances = random.beta(0.5, 0.5, problems)
    found = estimate([float(each) / rollouts for each in random.binomial(rollouts, chances)])
    assert found.low is not None
    assert found.high is not None
    return found.low <= 0.5 <= found.high


def evaluations(
    pool: ProcessPoolExecutor, tests: int, seed: int
) -> Iterable[tuple[str, dict[str, Any]]]:
    """Coverage of the intervals of `grpo-cli evaluate`."""
    for problems, rollouts in ((10, 3), (20, 1), (20, 3), (100, 3)):
        jobs = [(problems, rollouts, seed, number) for number in range(tests)]
        covered = fmean(pool.map(cover_mean, jobs, chunksize=50))
        yield f"evaluate, {problems} problems x {rollouts} rollouts", {"covered": covered}


def students(
    pool: ProcessPoolExecutor, tests: int, seed: int
) -> Iterable[tuple[str, dict[str, Any]]]:
    """The same through engine and runner, with the simulated student (`benchmarks.students`)."""
    for helps, sequential in ((False, False), (False, True), (True, False), (True, True)):
        jobs = [(seed, number, helps, sequential) for number in range(tests)]
        taught = list(pool.map(teach, jobs, chunksize=5))
        gain, kind = 0.1 if helps else 0.0, "sequential" if sequential else "fixed sample"
        yield (
            f"simulated student, 100 problems x 4 repeats, true effect {gain:+.2f}, {kind}",
            {
                "tests": tests,
                "better": fmean(each.verdict == "better" for each in taught),
                "worse": fmean(each.verdict == "worse" for each in taught),
                "covered": fmean(each.covered for each in taught),
                "problems_used": fmean(each.problems for each in taught),
            },
        )


def show(row: Mapping[str, Any]) -> str:
    """A design's figures as a row of a Markdown table."""
    shares = ("better", "worse", "covered", "any_owner_decided")
    cells = ["-" if row[key] is None else f"{100 * row[key]:.1f}" for key in shares]
    cells += [f"{row['interval_width']:.3f}", f"{row['problems_used']:.0f}"]
    return f"| {row['design']} | {row['tests']} | {' | '.join(cells)} |"


HEAD = (
    "| A/B tests | tests | better (%) | worse (%) | interval covers (%) | any owner decided (%) "
    "| interval width | problems used |\n|---|---|---|---|---|---|---|---|"
)


def find_misses(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What of the promises does not hold; for 1,000 tests and more."""
    misses = []
    for row in rows:
        null, fixed = "+0.00" in row["design"], "fixed" in row["design"]
        if null and row["better"] + row["worse"] > 0.05:
            misses.append(f"{row['design']}: {row['better'] + row['worse']:.3f} false verdicts")
        if not fixed and row["covered"] < 0.95:
            misses.append(f"{row['design']}: covered in {row['covered']:.3f}")
        full = row["design"].startswith("100 problems x 4 repeats")
        if fixed and full and not null and row["better"] < 0.8:
            misses.append(f"{row['design']}: better in {row['better']:.3f}")
        if fixed and full and not 0.93 <= row["covered"] <= 0.97:
            misses.append(f"{row['design']}: covered in {row['covered']:.3f}")
    return misses


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all designs, print the figures, and return 1 where a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tests", type=int, default=1_000, help="simulated tests of a design")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    given = parser.parse_args(arguments)
    rows: list[dict[str, Any]] = []
    print(HEAD, flush=True)
    with ProcessPoolExecutor(given.processes) as pool:
        for design in (*NULL, *GAINS, *SEQUENTIAL):
            jobs = [(design, given.seed, number) for number in range(design.tests(given.tests))]
            size = max(1, math.ceil(len(jobs) / (8 * given.processes)))
            rows.append(summarise(list(pool.map(try_one, jobs, chunksize=size)), design))
            print(show(rows[-1]), flush=True)
        means = dict(evaluations(pool, given.tests, given.seed))
        taught = dict(students(pool, math.ceil(given.tests / 10), given.seed))
    for name, figures in means.items():
        print(f"{name}: interval covers {100 * figures['covered']:.1f} %")
    for name, figures in taught.items():
        shares = (f"{key} {100 * figures[key]:.1f} %" for key in ("better", "worse", "covered"))
        print(f"{name}: {', '.join(shares)}; {figures['problems_used']:.0f} problems used")
    if given.json is not None:
        document = {"ab": rows, "evaluate": means, "students": taught}
        given.json.write_text(json.dumps(document, indent=2) + "\n")
    misses = find_misses(rows)
    for miss in misses:
        print(f"does not hold: {miss}", file=sys.stderr)
    return int(bool(misses))


if __name__ == "__main__":
    sys.exit(main())
