"""What adaptive groups save, and what they miss: mixed groups and rollouts beside full groups.

    python -m benchmarks.groups [--problems 150] [--runs 4] [--processes 2] [--seed 1] [--json FILE]

Both arms are whole trainings by `TrainingFreeGRPOTrainer` with the same seeds, and a rollout of the
same address has the same reward in both. The student is simulated: a problem's chance of a right
rollout is drawn from a beta distribution with most problems near the ends, as pass rates of a
language model on mathematics are; each generator differs from it by a normal number (0.5) on the
logistic scale; and all chances rise by 0.1 an epoch on that scale, so what was settled changes.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from grpo_framework.engine import Engine
from grpo_framework.events import EpochStarted, Event
from grpo_framework.experience import CRITIC, Library, Limits
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins
from grpo_framework.records import Attempt, Problem, Question, Verdict
from grpo_framework.reports import RunReport
from grpo_framework.trainer import TrainingFreeGRPOTrainer

SHAPES = {
    "easy (mean 0.83, as GSM8K)": (1.2, 0.25),
    "middle (mean 0.50, as MATH)": (0.3, 0.3),
    "hard (mean 0.31)": (0.4, 0.9),
}
"""Name → parameters of the beta distribution of the problems' chances."""

BETWEEN_GENERATORS = 0.5
LEARNING = 0.1
KEPT, MADE = 0.95, 0.75
"""At least this share of the mixed groups, for at most this share of the rollouts."""


@frozen
class Design:
    """One kind of training."""

    shape: str
    k: int
    epochs: int
    generators: int = 3

    @property
    def promised(self) -> bool:
        """Whether the figures must hold; where they do not, the documentation says so."""
        enough = self.generators >= 2 if self.k > 3 else self.generators == 3
        short_and_hard = self.epochs < 6 and self.shape.startswith("hard")
        return enough and (self.k > 3 or not short_and_hard)


DESIGNS = (
    *(Design(shape, k, epochs) for k in (3, 5, 8) for epochs in (3, 6) for shape in SHAPES),
    *(Design(shape, k, 3, n) for n in (1, 2) for k in (3, 8) for shape in list(SHAPES)[:2]),
)


@define
class Student:
    """A generator and the observer that tells it how much it has learned."""

    chances: dict[str, float]
    epoch: int = 1

    async def attempt(self, question: Question, _: Library, /, *, seed: int) -> Attempt:
        """Right by chance; the dice are the seed."""
        chance = self.chances[question.id] + LEARNING * (self.epoch - 1)
        right = random.Random(seed).random() < 1 / (1 + math.exp(-chance))
        return Attempt("right" if right else "wrong")

    async def notify(self, event: Event, /) -> None:
        """Take note of a new epoch."""
        if isinstance(event, EpochStarted):
            self.epoch = event.epoch


@frozen
class FirstAttempt:
    """A critic that takes the first attempt: no group of generators depends on it."""

    async def fuse(
        self,
        _question: Question,
        attempts: tuple[Attempt, ...],
        _library: Library,
        /,
        *,
        seed: int,  # noqa: ARG002 - the protocol's
    ) -> Attempt:
        """The first of them."""
        return attempts[0]


@frozen
class SameText:
    """A comparator of texts."""

    async def compare(self, problem: Problem, answer: str | None, /) -> Verdict:
        """Right where the texts are equal."""
        return Verdict(float(answer == problem.answer))


@frozen
class Empty:
    """A store that holds nothing: nobody proposes anything."""

    kept: dict[str, Library] = field(factory=dict)

    async def load(self, owner: str, /, *, version: int | None = None) -> Library:  # noqa: ARG002
        """Always the first version."""
        return self.kept.get(owner, Library(owner))

    async def commit(self, library: Library, /, *, expected_version: int) -> None:  # noqa: ARG002
        """Keep it."""
        self.kept[library.owner] = library


def draw_students(design: Design, problems: int, seed: int) -> list[Student]:
    """The generators: alike on what is hard, not the same."""
    dice = random.Random(f"{seed}/{design.shape}/{design.generators}")
    alpha, beta = SHAPES[design.shape]
    students = [Student({}) for _ in range(design.generators)]
    for number in range(problems):
        chance = min(max(dice.betavariate(alpha, beta), 1e-6), 1 - 1e-6)
        for student in students:
            spread = dice.gauss(0, BETWEEN_GENERATORS)
            student.chances[f"p{number}"] = math.log(chance / (1 - chance)) + spread
    return students


def train(design: Design, problems: int, seed: int, *, adaptive: bool) -> RunReport:
    """One arm."""
    students = draw_students(design, problems, seed)
    engine = Engine(tuple(students), FirstAttempt(), SameText(), concurrency=1000)
    trainer = TrainingFreeGRPOTrainer(
        engine,
        ExperienceManager(Empty(), Limits(), plugins=Plugins(())),
        rollouts_per_generator=design.k,
        num_epochs=design.epochs,
        adaptive_groups=adaptive,
        batch_size=25,
        seed=seed,
        verbose=False,
        observers=students,
    )
    questions = (Question(f"p{number}", f"problem {number}") for number in range(problems))
    return trainer.train([Problem(question, "right") for question in questions])


def count_mixed(report: RunReport) -> int:
    """Mixed groups of the generators."""
    rows = (row for epoch in report.epochs for row in epoch.owners if row.owner != CRITIC)
    return sum(row.groups.mixed for row in rows)


def compare(job: tuple[Design, int, int]) -> tuple[int, int, int, int]:
    """Mixed groups and rollouts of full groups, and of adaptive ones."""
    design, problems, seed = job
    full = train(design, problems, seed, adaptive=False)
    adaptive = train(design, problems, seed, adaptive=True)
    made, saved = adaptive.rollouts
    assert made + saved == full.rollouts[0]
    return count_mixed(full), full.rollouts[0], count_mixed(adaptive), made


def summarise(design: Design, counts: Iterable[tuple[int, int, int, int]]) -> dict[str, Any]:
    """The figures of a design over its runs."""
    mixed, rollouts, found, made = (sum(column) for column in zip(*counts, strict=True))
    return {
        "problems": design.shape,
        "generators": design.generators,
        "k": design.k,
        "epochs": design.epochs,
        "groups_mixed": mixed / (rollouts / design.k),
        "mixed_full": mixed,
        "mixed_found": found,
        "kept": found / mixed,
        "rollouts_full": rollouts,
        "rollouts_made": made,
        "made": made / rollouts,
        "promised": design.promised,
        "holds": found / mixed >= KEPT and made / rollouts <= MADE,
    }


HEAD = (
    "| problems | N | k | epochs | groups mixed (%) | mixed groups found (%) | rollouts made (%) "
    "| holds |\n|---|---|---|---|---|---|---|---|"
)


def show(row: dict[str, Any]) -> str:
    """A design's figures as a row of a Markdown table."""
    shares = " | ".join(f"{100 * row[key]:.1f}" for key in ("groups_mixed", "kept", "made"))
    place = " | ".join(str(row[key]) for key in ("problems", "generators", "k", "epochs"))
    return f"| {place} | {shares} | {'yes' if row['holds'] else 'no'} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all designs, print the figures, and return 1 where a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--problems", type=int, default=150, help="of one run")
    parser.add_argument("--runs", type=int, default=4, help="with seeds of their own")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    given = parser.parse_args(arguments)
    rows = []
    print(HEAD, flush=True)
    with ProcessPoolExecutor(given.processes) as pool:
        for design in DESIGNS:
            jobs = [(design, given.problems, given.seed + run) for run in range(given.runs)]
            rows.append(summarise(design, pool.map(compare, jobs)))
            print(show(rows[-1]), flush=True)
    if given.json is not None:
        given.json.write_text(json.dumps(rows, indent=2) + "\n")
    misses = [row for row in rows if row["promised"] and not row["holds"]]
    for row in misses:
        print(f"does not hold: {show(row)}", file=sys.stderr)
    return int(bool(misses))


if __name__ == "__main__":
    sys.exit(main())
