"""Training against the simulated endpoint: how close to the best possible schedule, at what cost.

    python -m benchmarks.throughput [bare] [small] [large] [staleness] [stragglers] [limited]

``small``: 40 problems x 5 rollouts x 2 epochs, batches of 20, concurrency 32. ``large``: 400
problems x 5 rollouts, one epoch in one batch, concurrency 256. One generator, its critic, the
advisor with consolidation, `math/equivalence`, journal and events: the command ``grpo-cli train``
as users run it. Service times are lognormal (median 0.5 s, sigma 0.8).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from attrs import evolve, frozen

from benchmarks.answers import problem_text
from benchmarks.bounds import Course, Ideal, ideal
from benchmarks.clients import Watched, run_cli
from benchmarks.endpoint import Behaviour, read_log, simulated_endpoint
from grpo_framework.records import Problem, Question


@frozen
class Measured:
    """One run: what the client and the endpoint saw."""

    course: Course
    client: Watched
    log: list[dict[str, Any]]
    best: Ideal

    @property
    def first(self) -> float:
        """When the first call of the run proper arrived; the first of all is the preflight's."""
        return min(float(row["arrival"]) for row in self.log if row["seed"])

    @property
    def last(self) -> float:
        """When the last call ended."""
        return max(float(row["end"]) for row in self.log)

    @property
    def wall(self) -> float:
        """Seconds from the first call to the end of the last one."""
        return self.last - self.first

    @property
    def refused(self) -> float:
        """Share of requests that got 429."""
        return float(sum(row["kind"] == "limited" for row in self.log)) / len(self.log)

    @property
    def outside(self) -> float:
        """Seconds of start and exit outside the calls."""
        begin = min(float(row["arrival"]) for row in self.log)
        return (begin - self.client.began) + (self.client.ended - self.last)

    def figures(self) -> dict[str, float]:
        """What is printed."""
        flying = sum(row["end"] - row["arrival"] for row in self.log) / self.wall
        cpu = self.client.cpu_between(self.first, self.last) / self.best.calls
        return {
            "calls": self.best.calls,
            "requests": len(self.log),
            "wall_s": self.wall,
            "wall_over_greedy": self.wall / self.best.greedy,
            "wall_over_bound": self.wall / self.best.bound,
            "greedy_over_bound": self.best.greedy / self.best.bound,
            "wall_over_service": self.wall * self.course.concurrency / self.best.service,
            "greedy_over_service": self.best.greedy * self.course.concurrency / self.best.service,
            "cpu_ms_per_call": 1000 * cpu,
            "peak_mb": self.client.peak,
            "peak_mb_with_workers": self.client.peak_all,
            "in_flight": flying,
            "in_flight_at_best": self.best.service / self.best.bound,
            "refused_share": self.refused,
            "outside_s": self.outside,
            "outside_cpu_s": self.client.cpu[-1] - cpu * self.best.calls,
        }


def make_problems(count: int) -> tuple[Problem, ...]:
    """Sums, as `benchmarks.answers` knows them."""
    dice = random.Random(count)
    pairs = [(dice.randrange(100, 1000), dice.randrange(100, 1000)) for _ in range(count)]
    return tuple(
        Problem(Question(f"sum-{number}", problem_text(a, b)), str(a + b))
        for number, (a, b) in enumerate(pairs)
    )


def small_course() -> Course:
    return Course(make_problems(40), epochs=2, batch_size=20, rollouts=5, concurrency=32)


def large_course() -> Course:
    return Course(make_problems(400), epochs=1, batch_size=400, rollouts=5, concurrency=256)


def arguments_of(course: Course, url: str, folder: Path) -> list[str]:
    """The command line of a course; its problems are written into the folder."""
    rows = [
        {"id": problem.id, "problem": problem.question.text, "answer": problem.answer}
        for problem in course.problems
    ]
    problems = folder / "problems.jsonl"
    problems.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    flags: dict[str, object] = {
        "--datasets": problems,
        "--split": "all",
        "--max-problems": len(course.problems),
        "--model": "openai/simulated",
        "--generator": "prompted/step-by-step",
        "--critic": "prompted/fuse",
        "--advisor": "prompted/advisor",
        "--comparator": "math/equivalence",
        "--epochs": course.epochs,
        "--batch-size": course.batch_size,
        "--rollouts-per-generator": course.rollouts,
        "--concurrency": course.concurrency,
        "--seed": course.seed,
        "--experience-dir": folder / "experiences",
        "--run-dir": folder / "run",
    }
    listed = [str(part) for pair in flags.items() for part in pair]
    return ["train", *listed, "--set", f"model.options.base_url={url}"]


def measure(course: Course, behaviour: Behaviour, *extra: str, staleness: int = 0) -> Measured:
    """Run one course once.

    Raises:
        RuntimeError: The client failed; with what it said.
    """
    with tempfile.TemporaryDirectory(prefix="grpo-throughput-") as name:
        folder = Path(name)
        flags = [*extra, "--staleness", str(staleness)]
        with simulated_endpoint(behaviour, log=folder / "calls.jsonl") as url:
            client = run_cli([*arguments_of(course, url, folder), *flags], folder=folder)
        if client.status:
            message = f"grpo-cli train ended with {client.status}:\n{client.output[-2000:]}"
            raise RuntimeError(message)
        log = read_log(folder / "calls.jsonl")
    return Measured(course, client, log, ideal(course, log, staleness, behaviour.rate))


def small(behaviour: Behaviour) -> dict[str, float]:
    return measure(small_course(), behaviour).figures()


def large(behaviour: Behaviour) -> dict[str, float]:
    return measure(large_course(), behaviour).figures()


def staleness(behaviour: Behaviour) -> dict[str, float]:
    return measure(small_course(), behaviour, staleness=1).figures()


def stragglers(behaviour: Behaviour) -> dict[str, float]:
    """With 1 % of the calls ten times as slow, hedged, over the run without them."""
    base = measure(small_course(), behaviour)
    late = measure(small_course(), evolve(behaviour, straggler=0.01), "--hedge")
    bare = measure(small_course(), evolve(behaviour, straggler=0.01))
    return {
        "wall_s": late.wall,
        "wall_over_without": late.wall / base.wall,
        "unhedged_over_without": bare.wall / base.wall,
        "copies_share": len(late.log) / len(base.log) - 1,
    }


def limited(behaviour: Behaviour) -> dict[str, float]:
    """With a rate limit of a sixth of the demand."""
    rate = 60.0 * 0.5 / behaviour.median
    run = measure(large_course(), evolve(behaviour, rate=rate))
    best = max(run.best.calls / rate, run.best.bound)
    return {
        "rate": rate,
        "calls": run.best.calls,
        "wall_s": run.wall,
        "wall_over_best": run.wall / best,
        "wall_over_greedy": run.wall / run.best.greedy,
        "greedy_over_best": run.best.greedy / best,
        "refused_share": run.refused,
        "early": sum(row["early"] for row in run.log),
    }


def bare(behaviour: Behaviour) -> dict[str, float]:
    """What the same requests cost with aiohttp alone: how busy this machine is."""
    body = {"model": "m", "messages": [{"role": "user", "content": problem_text(1, 2) * 100}]}

    async def post_all(url: str, calls: int) -> float:
        slots = asyncio.Semaphore(32)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:

            async def post(seed: int) -> None:
                data = json.dumps({**body, "seed": seed}).encode()
                async with slots, session.post(f"{url}/chat/completions", data=data) as response:
                    json.loads(await response.read())

            await asyncio.gather(*(post(seed) for seed in range(32)))
            started = time.process_time()
            await asyncio.gather(*(post(seed) for seed in range(32, 32 + calls)))
            return (time.process_time() - started) / calls

    figures = {}
    # Between calls that come seldom a busy machine does other work, and each begins anew.
    for name, share in (("cpu_ms_per_call", 0.1), ("cpu_ms_at_the_pace_of_small", 1.0)):
        with simulated_endpoint(evolve(behaviour, median=behaviour.median * share)) as url:
            figures[name] = 1000 * asyncio.run(post_all(url, 600))
    return figures


WORKLOADS: Mapping[str, Callable[[Behaviour], dict[str, float]]] = {
    "bare": bare,
    "small": small,
    "large": large,
    "staleness": staleness,
    "stragglers": stragglers,
    "limited": limited,
}
LIMITS: Mapping[str, Mapping[str, float]] = {
    "bare": {},
    "small": {
        "wall_over_greedy": 1.1,
        "wall_over_bound": 1.35,
        "cpu_over_bare": 7.5,
        "peak_mb": 100,
        "outside_s": 0.8,
    },
    "large": {
        "wall_over_greedy": 1.1,
        "wall_over_bound": 1.35,
        "cpu_over_bare": 7.5,
        "peak_mb": 100,
        "in_flight": -130,
        "outside_s": 0.8,
    },
    "staleness": {"wall_over_service": 1.3},
    "stragglers": {"wall_over_without": 1.15},
    "limited": {"wall_over_best": 1.15, "refused_share": 0.05, "early": 0},
}
"""Upper limits of figures; a negative one is a lower limit.

A call may take 1.5 ms of the client's CPU time on a machine where aiohttp alone takes 0.2 ms: on
any other it is the ratio that says whether it does.
"""


def missed(name: str, figures: Mapping[str, float]) -> list[str]:
    """The figures that are beyond their limit."""
    return [
        key
        for key, limit in LIMITS[name].items()
        if (figures[key] < -limit if limit < 0 else figures[key] > limit)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; exit 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("workloads", nargs="*", metavar="|".join(WORKLOADS))
    parser.add_argument("--scale", type=float, default=1.0, help="factor of all service times")
    parser.add_argument("--seed", type=int, default=0, help="of the endpoint")
    parser.add_argument("--json", action="store_true", help="print one JSON object a workload")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.workloads) - set(WORKLOADS))
    if unknown:
        parser.error(f"no such workload: {', '.join(unknown)}")
    behaviour = Behaviour(seed=given.seed, median=0.5 * given.scale)
    failed = False
    alone: dict[str, float] = {}
    for name in given.workloads or WORKLOADS:
        figures = WORKLOADS[name](behaviour)
        if name == "bare":
            alone = figures
        elif "cpu_over_bare" in LIMITS[name]:
            alone = alone or bare(behaviour)
            figures["cpu_over_bare"] = figures["cpu_ms_per_call"] / alone["cpu_ms_per_call"]
        beyond = missed(name, figures)
        failed = failed or bool(beyond)
        if given.json:
            print(json.dumps({"workload": name, **figures, "missed": beyond}), flush=True)
            continue
        print(name)
        for key, value in figures.items():
            limit = LIMITS[name].get(key)
            wanted = "" if limit is None else f"  {'>=' if limit < 0 else '<='} {abs(limit):g}"
            print(f"  {key:24} {value:10.3f}{wanted}{'  MISSED' if key in beyond else ''}")
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
