"""The experience store with 10,000 experiences: how long loading and a small commit take.

    python -m benchmarks.store [--size 10000] [--runs 7] [--json]

Limits: loading under 0.5 s, a commit of 10 operations under 100 ms; compared are the medians.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from attrs import evolve

from grpo_framework.config import load_config
from grpo_framework.experience import Experience, Library
from grpo_framework.plugins import Plugins
from grpo_framework.workshop import open_store

LIMITS = {"load_s": 0.5, "commit_s": 0.1}
EDITS = 10
OWNER = "generator_1"


def make_experience(number: int, text: str = "") -> Experience:
    """One of many, each with a text of its own."""
    return Experience(
        id=f"G1-{number:05}",
        content=f"When step {number} of a sum carries, write the carry down first. {text}".strip(),
        category="checking",
        success_count=number % 7,
        usage_count=number % 11,
        created_at="2025-01-01T00:00:00+00:00",
        source_problem=f"Add {number} and {number + 1}.",
    )


def edit(library: Library, round_: int) -> Library:
    """The next version: half of the edits change a text, half add an experience."""
    held = list(library.experiences)
    for place in range(EDITS // 2):
        held[place] = make_experience(place, f"Changed in round {round_}.")
    first = len(held)
    held += [make_experience(first + place) for place in range(EDITS - EDITS // 2)]
    return evolve(library, experiences=tuple(held), version=library.version + 1)


async def measure(size: int, runs: int) -> dict[str, float]:
    """Median seconds of loading and of committing."""
    with tempfile.TemporaryDirectory(prefix="grpo-store-") as name:
        folder = Path(name)
        config = load_config(None, {"experience_dir": str(folder)})
        plugins = Plugins.discover()
        async with open_store(config, plugins) as store:
            library = evolve(
                await store.load(OWNER),
                experiences=tuple(make_experience(number) for number in range(size)),
                version=1,
            )
            await store.commit(library, expected_version=0)
        loads, commits = [], []
        for round_ in range(runs):
            async with open_store(config, plugins) as store:
                started = time.perf_counter()
                library = await store.load(OWNER)
                loads.append(time.perf_counter() - started)
                after = edit(library, round_)
                started = time.perf_counter()
                await store.commit(after, expected_version=library.version)
                commits.append(time.perf_counter() - started)
    assert len(library) >= size
    return {"size": size, "load_s": median(loads), "commit_s": median(commits)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; exit 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--size", type=int, default=10_000, help="experiences in the library")
    parser.add_argument("--runs", type=int, default=7, help="loads and commits")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    figures = asyncio.run(measure(given.size, given.runs))
    if given.json:
        print(json.dumps({**figures, "limits": LIMITS}))
    else:
        for name, limit in LIMITS.items():
            print(f"{name:10} {figures[name]:7.3f}  (limit {limit})")
    return int(any(figures[name] >= limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
