"""How long a store takes with a large library: `python benchmarks/store.py [--experiences N]`.

Prints the median of loads by a fresh store, of commits of ten operations, and of commits that only
count uses, in milliseconds, and the disk use of the history. Limits, for 10,000 experiences: a load
under 500 ms, a commit of ten operations under 100 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from attrs import evolve
from grpo_jsonstore.store import DirectoryStore

from grpo_framework.experience import Count, Experience, Library, count

OWNER = "generator_1"


def make_library(size: int) -> Library:
    """A library of texts of common length."""
    experiences = tuple(
        Experience(
            f"G1-{number:03d}",
            f"When a problem of kind {number * 7919 % 10007} asks for a rate, divide the total by "
            "the number of parts – and check the units of the result against the question.",
            usage_count=number % 11,
            success_count=number % 7,
            created_at="2025-11-22T10:00:00+00:00",
            source_problem="A train goes 60 km in 2 h. How far does it go in 5 h at that speed?",
        )
        for number in range(1, size + 1)
    )
    return Library(OWNER, 1, experiences, size + 1)


def edit_ten(library: Library) -> Library:
    """The next version: five experiences deleted, five added."""
    number = library.next_number
    new = tuple(Experience(f"G1-{number + n}", f"advice {number + n}") for n in range(5))
    kept = library.experiences[5:]
    return Library(OWNER, library.version + 1, kept + new, number + 5)


async def measure(work: Awaitable[Any]) -> tuple[float, Any]:
    """Milliseconds that an awaitable takes, and what it gives."""
    start = time.perf_counter()
    result = await work
    return (time.perf_counter() - start) * 1000, result


async def run(directory: Path, size: int, repeats: int) -> dict[str, Any]:
    """Fill a store and measure it."""
    await DirectoryStore(directory).commit(make_library(size), expected_version=0)
    loads, edits, counts = [], [], []
    for _ in range(repeats):
        store = DirectoryStore(directory)
        took, library = await measure(store.load(OWNER))
        loads.append(took)
        edited = edit_ten(library)
        took, _ = await measure(store.commit(edited, expected_version=library.version))
        edits.append(took)
        uses = {id_: Count(usage=3, success=1) for id_ in edited.ids[::3]}
        counted = evolve(count(edited, uses), version=edited.version + 1)
        took, _ = await measure(store.commit(counted, expected_version=edited.version))
        counts.append(took)
    history = sum(path.stat().st_size for path in (directory / ".history").rglob("*.json"))
    return {
        "experiences": size,
        "load_ms": round(statistics.median(loads), 1),
        "commit_ten_ms": round(statistics.median(edits), 1),
        "commit_counts_ms": round(statistics.median(counts), 1),
        "file_mb": round((directory / f"{OWNER}_experiences.json").stat().st_size / 1e6, 2),
        "history_mb": round(history / 1e6, 2),
        "versions": 1 + 2 * repeats,
    }


def main() -> None:
    """Read the arguments, measure, print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiences", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        result = asyncio.run(run(Path(directory), arguments.experiences, arguments.repeats))
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
