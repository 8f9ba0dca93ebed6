"""Measure grpo_math beside math-verify in one run: accuracy, speed and hostile inputs.

Run `python benchmarks/comparators.py` (see `--help`); the tables are those of `plugins/math/tests`.
math-verify is optional: `pip install "math-verify==0.9.0" "antlr4-python3-runtime==4.13.2"`.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import importlib.util
import json
import logging
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent / "plugins" / "math" / "tests"
MONEY_AND_UNITS = ("unit", "currency", "temperatures", "money", "oneside")
Row = dict[str, str]
Judge = Callable[[str, str], str]


def read_rows(folder: str) -> list[Row]:
    """Read the rows of a folder of tables, in a fixed order."""
    return [
        json.loads(line)
        for path in sorted((TESTS / folder).glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def load_own() -> tuple[Judge, Judge]:
    """Load grpo_math: judges of a pair and of a whole response."""
    from grpo_math import compare, compare_response  # noqa: PLC0415 - import time is measured

    def pair(gold: str, pred: str) -> str:
        return str(compare(gold, pred).verdict)

    def response(gold: str, text: str) -> str:
        return str(compare_response(gold, text).verdict)

    return pair, response


def load_rival() -> tuple[Judge, Judge]:
    """Load math-verify with its defaults, both sides in dollars as it wants bare LaTeX."""
    rival: Any = importlib.import_module("math_verify")  # optional, and without types
    parse, verify = rival.parse, rival.verify

    logging.disable(logging.CRITICAL)

    def read(text: str) -> list[Any]:
        found: list[Any] = parse(text if "$" in text or "\\boxed" in text else f"${text}$")
        return found or parse(text)

    def pair(gold: str, pred: str) -> str:
        return "equal" if verify(read(gold), read(pred)) else "different"

    def response(gold: str, text: str) -> str:
        found = parse(text)
        if not found:
            return "unknown"
        return "equal" if verify(read(gold), found) else "different"

    return pair, response


ENGINES: dict[str, tuple[str, str, Callable[[], tuple[Judge, Judge]]]] = {
    "grpo_math": ("grpo-math", "grpo_math", load_own),
    "math_verify": ("math-verify", "math_verify", load_rival),
}


def describe_times(seconds: Iterable[float]) -> dict[str, float]:
    """Describe times in milliseconds: mean, median, 99th percentile, maximum."""
    ordered = sorted(second * 1_000 for second in seconds)
    if not ordered:
        return {"mean_ms": 0.0, "median_ms": 0.0, "p99_ms": 0.0, "max_ms": 0.0}
    return {
        "mean_ms": round(statistics.fmean(ordered), 4),
        "median_ms": round(statistics.median(ordered), 4),
        "p99_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 3),
        "max_ms": round(ordered[-1], 2),
    }


def time_rows(judge: Judge, rows: list[Row], key: str) -> list[tuple[Row, str, float]]:
    """Judge every row once, in order; an exception is the verdict `raised`."""
    results = []
    for row in rows:
        started = time.perf_counter()
        try:
            verdict = judge(row["gold"], row[key])
        except Exception:  # a rival's exception is a result of the measurement
            verdict = "raised"
        results.append((row, verdict, time.perf_counter() - started))
    return results


def is_right(row: Row, verdict: str) -> bool:
    """Tell whether a verdict pays the label's reward: only `equal` does."""
    return (verdict == "equal") == (row["expect"] == "equal")


def score(results: list[tuple[Row, str, float]]) -> dict[str, Any]:
    """Score judged rows by family and in all, in per cent."""

    def rates(part: list[tuple[Row, str, float]]) -> dict[str, Any]:
        equal = [verdict for row, verdict, _ in part if row["expect"] == "equal"]
        other = [verdict for row, verdict, _ in part if row["expect"] != "equal"]
        return {
            "rows": len(part),
            "accuracy": percent(sum(is_right(row, verdict) for row, verdict, _ in part), len(part)),
            "recall": percent(equal.count("equal"), len(equal)),
            "false_positives": percent(other.count("equal"), len(other)),
        }

    families = defaultdict(list)
    for result in results:
        families[result[0]["family"]].append(result)
    money = [result for result in results if result[0]["family"].startswith(MONEY_AND_UNITS)]
    wrong = [seconds for row, _, seconds in results if row["expect"] != "equal"]
    return {
        **rates(results),
        "units_and_money": rates(money)["accuracy"] if money else None,
        "times": describe_times(seconds for _, _, seconds in results),
        "times_on_wrong": describe_times(wrong),
        "families": {name: rates(part) for name, part in sorted(families.items())},
    }


def percent(part: int, whole: int) -> float:
    """Return a share in per cent; 0 of nothing is 0."""
    return round(100 * part / whole, 2) if whole else 0.0


def judge_table(judge: Judge, rows: list[Row], key: str) -> dict[str, Any]:
    """Judge and score a table; processor time tells the cost apart from the load of the machine."""
    started = time.process_time()
    report = score(time_rows(judge, rows, key))
    spent = time.process_time() - started
    return {**report, "processor_mean_ms": round(spent / len(rows) * 1_000, 4)}


def measure_import(module: str, repeats: int) -> dict[str, float]:
    """Measure an import in fresh processes, with bytecode as installed: medians in milliseconds."""
    code = (
        "import time; s, p = time.perf_counter(), time.process_time(); "
        f"import {module}; print(time.perf_counter() - s, time.process_time() - p)"
    )
    cached = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        cached["PYTHONPYCACHEPREFIX"] = folder
        run = partial(subprocess.run, check=True, capture_output=True, text=True, env=cached)
        runs = [run([sys.executable, "-c", code]) for _ in range(repeats + 1)]
    wall, processor = zip(*(map(float, done.stdout.split()) for done in runs[1:]), strict=True)
    return {
        "import_ms": round(statistics.median(wall) * 1_000, 1),
        "import_processor_ms": round(statistics.median(processor) * 1_000, 1),
    }


def measure_batch(rows: list[Row], processes: int, repeats: int) -> int:
    """Measure pairs a second of `compare_many`, the start of its workers included."""
    from grpo_math import compare_many  # noqa: PLC0415 - import time is measured

    pairs = [(row["gold"], row["pred"]) for row in rows] * repeats
    started = time.perf_counter()
    judged = sum(1 for _ in compare_many(pairs, processes=processes))
    return round(judged / (time.perf_counter() - started))


def measure_hostile() -> dict[str, Any]:
    """Measure time and peak memory of each hostile input in a process of its own."""
    count = len((TESTS / "hostile.jsonl").read_text(encoding="utf-8").splitlines())
    worst: list[dict[str, Any]] = []
    for index in range(count):
        command = [
            sys.executable,
            "-X",
            "utf8",
            str(TESTS / "hostile_runner.py"),
            "main",
            str(index),
            str(index + 1),
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            worst.append(json.loads(done.stdout.splitlines()[0]))
        except (subprocess.TimeoutExpired, IndexError):
            worst.append(
                {"name": f"input {index}", "verdict": "none", "seconds": 60.0, "megabytes": 0}
            )
    slowest = max(worst, key=lambda result: result["seconds"])
    largest = max(worst, key=lambda result: result["megabytes"])
    over = [
        r["name"]
        for r in worst
        if r["seconds"] > 1 or r["megabytes"] > 200 or r["verdict"] == "none"
    ]
    return {
        "inputs": count,
        "worst_seconds": slowest["seconds"],
        "slowest": slowest["name"],
        "peak_megabytes": largest["megabytes"],
        "largest": largest["name"],
        "median_seconds": statistics.median(result["seconds"] for result in worst),
        "over_a_limit": over,
    }


def measure_extraction(rows: list[Row]) -> dict[str, float]:
    """Measure the extraction alone over the response tables."""
    from grpo_math.extraction import extract  # noqa: PLC0415 - import time is measured
    from grpo_math.options import DEFAULT  # noqa: PLC0415

    results = time_rows(lambda _, text: extract(text, options=DEFAULT).how, rows, "response")
    return describe_times(seconds for _, _, seconds in results)


def measure(engine: str, args: argparse.Namespace) -> dict[str, Any]:
    """Measure one engine."""
    distribution, module, load = ENGINES[engine]
    pairs = read_rows("tables")[:: args.every]
    responses = read_rows("responses")[:: args.every]
    pair, response = load()
    time_rows(pair, pairs[:20], "pred")  # what is compiled at first use is not counted
    report = {
        "version": importlib.metadata.version(distribution),
        "pairs": judge_table(pair, pairs, "pred"),
        "responses": judge_table(response, responses, "response"),
        **measure_import(module, args.repeats),
    }
    if engine == "grpo_math":
        report["extraction"] = measure_extraction(responses)
        report["processes"] = args.processes
        report["pairs_per_second"] = {
            "one process": measure_batch(pairs, 1, 5),
            "all processes": measure_batch(pairs, args.processes, 20),
        }
        if not args.skip_hostile:
            report["hostile"] = measure_hostile()
    return report


RATES = ("rows", "accuracy", "recall", "false_positives")
TIMES = ("processor_mean_ms", "times/mean_ms", "times/median_ms", "times/p99_ms", "times/max_ms")
FIGURES = (
    *(f"{table}/{figure}" for table in ("pairs", "responses") for figure in (*RATES, *TIMES)),
    *("pairs/units_and_money", "pairs/times_on_wrong/mean_ms", "pairs/times_on_wrong/max_ms"),
    *("extraction/mean_ms", "import_ms", "import_processor_ms", "processes"),
    *("pairs_per_second/one process", "pairs_per_second/all processes"),
    *("hostile/inputs", "hostile/worst_seconds", "hostile/slowest", "hostile/peak_megabytes"),
    *("hostile/largest", "hostile/over_a_limit"),
)


def read_figure(report: Any, path: str) -> str:
    """Read one figure of a report by its path; a dash where it was not measured."""
    for key in path.split("/"):
        report = report.get(key) if isinstance(report, dict) else None
    return "-" if report is None else str(report)


def show(reports: dict[str, dict[str, Any]]) -> None:
    """Print the figures as a table, one column for each engine."""
    names = list(reports)
    print(f"{'':34}" + "".join(f"{name + ' ' + reports[name]['version']:>22}" for name in names))
    for path in FIGURES:
        print(f"{path:34}" + "".join(f"{read_figure(reports[name], path):>22}" for name in names))
    for table in ("pairs", "responses"):
        print(f"\naccuracy by family ({table})")
        for family in reports[names[0]][table]["families"]:
            cells = (reports[name][table]["families"][family]["accuracy"] for name in names)
            print(f"  {family:32}" + "".join(f"{cell:>22}" for cell in cells))


def main() -> int:
    """Run the measurement and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument("--only", choices=list(ENGINES), help="measure one engine")
    parser.add_argument("--skip-hostile", action="store_true", help="leave out the hostile inputs")
    parser.add_argument("--every", type=int, default=1, help="take every n-th row only")
    parser.add_argument("--repeats", type=int, default=7, help="imports measured (default 7)")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="workers of a batch"
    )
    args = parser.parse_args()
    reports = {}
    for engine, (distribution, module, _) in ENGINES.items():
        if args.only in (None, engine):
            if importlib.util.find_spec(module) is None:
                print(f"{distribution} is not installed: it is left out", file=sys.stderr)
                continue
            reports[engine] = measure(engine, args)
    if not reports:
        return 2
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, {platform.machine()}")
    show(reports)
    if args.json:
        args.json.write_text(json.dumps(reports, indent=2, ensure_ascii=False), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
