"""A large run: memory, the journal's share of the time, and how soon a resumed run goes on.

    python -m benchmarks.scale [--problems 10000] [--json]

10,000 problems x 3 generators x 3 rollouts in one epoch; generators, critic, comparator and advisor
of the `scripted` plugin, with journal and events as always. The run is killed when 95 % of its
attempts are recorded, and resumed.

Limits: peak resident set under 300 MB and no growth over the second half, journal under 10 % of the
CPU time (its thread, and the encoding of its entries), first new entry under 5 s after a resume.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import fmean

from benchmarks.clients import Watched, run_cli
from grpo_framework.packing import pack, unpack

LIMITS = {"peak_mb": 300.0, "growth": 1.15, "journal_share": 0.1, "resume_s": 5.0}
SHARE = 0.95
"""Share of the attempts after which the run is killed."""
SAMPLE = 2000
"""Entries by which the cost of encoding one is measured."""


def arguments_of(folder: Path, problems: int) -> list[str]:
    """The command line of the run."""
    source = f"{{use='scripted/problems',options={{count={problems}}}}}"
    flags: dict[str, object] = {
        "--set": f"datasets=[{source}]",
        "--split": "all",
        "--max-problems": problems,
        "--epochs": 1,
        "--batch-size": 100,
        "--concurrency": 32,
        "--critic": "scripted/default",
        "--advisor": "scripted/default",
        "--comparator": "scripted/default",
        "--experience-dir": folder / "experiences",
        "--run-dir": folder / "run",
    }
    listed = [str(part) for pair in flags.items() for part in pair]
    return ["train", *listed, *(["--generator", "scripted/default"] * 3), "--quiet"]


class Recorded:
    """Looks into the journal of a run while that goes on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._looked = 0.0

    def number(self, sql: str) -> int:
        """The one number that a query gives; 0 where there is no journal yet."""
        if not self._path.exists():
            return 0
        try:
            with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as database:
                return int(database.execute(sql).fetchone()[0] or 0)
        except sqlite3.OperationalError:
            return 0

    @property
    def newest(self) -> int:
        """Number of the newest entry."""
        return self.number("SELECT max(number) FROM entries")

    def holds_attempts(self, count: int) -> bool:
        """Whether so many attempts are recorded; looks now and then."""
        if time.monotonic() < self._looked + 0.3:
            return False
        self._looked = time.monotonic()
        return self.number("SELECT count(*) FROM entries WHERE kind = 'attempt'") >= count

    def encoding_seconds(self) -> float:
        """CPU seconds that the encoding of all entries took, by a sample of them."""
        with closing(sqlite3.connect(self._path)) as database:
            rows = database.execute(
                "SELECT value FROM entries ORDER BY random() LIMIT ?",
                (SAMPLE,),
            ).fetchall()
        values = [unpack(data) for (data,) in rows]
        started = time.process_time()
        for value in values:
            pack(value)
        return (time.process_time() - started) / len(rows) * self.newest


def growth_of(client: Watched) -> float:
    """Mean memory of the last fifth of a run over that of the fifth before the middle."""
    fifth = len(client.resident) // 5
    middle = len(client.resident) // 2
    return fmean(client.resident[-fifth:]) / fmean(client.resident[middle - fifth : middle])


def measure(problems: int) -> dict[str, float]:
    """Run, kill, resume.

    Raises:
        RuntimeError: A run ended as it should not have.
    """
    with tempfile.TemporaryDirectory(prefix="grpo-scale-") as name:
        folder = Path(name)
        arguments = arguments_of(folder, problems)
        recorded = Recorded(folder / "run" / "journal.sqlite")
        most = int(problems * 9 * SHARE)
        first = run_cli(arguments, folder=folder, kill_when=lambda: recorded.holds_attempts(most))
        if first.status != -9:
            message = f"the run ended with {first.status} before it was killed: {first.output}"
            raise RuntimeError(message)
        before = recorded.newest
        news: list[float] = []

        def look() -> bool:
            if not news and recorded.newest > before:
                news.append(time.time())
            return False

        second = run_cli(arguments, folder=folder, kill_when=look)
        if second.status or not news:
            message = f"the resumed run ended with {second.status}: {second.output}"
            raise RuntimeError(message)
        cpu = first.cpu[-1] + second.cpu[-1]
        journal = first.beside + second.beside + recorded.encoding_seconds()
        return {
            "problems": problems,
            "entries": recorded.newest,
            "wall_s": first.ended - first.began,
            "cpu_s": cpu,
            "peak_mb": max(first.peak, second.peak),
            "growth": growth_of(first),
            "journal_share": journal / cpu,
            "resume_s": news[0] - second.began,
            "resume_cpu_s": second.cpu_between(second.began, news[0]),
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; exit 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--problems", type=int, default=10_000, help="of the run")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    figures = measure(given.problems)
    if given.json:
        print(json.dumps({**figures, "limits": LIMITS}))
    else:
        for name, value in figures.items():
            limit = f"  (limit {LIMITS[name]:g})" if name in LIMITS else ""
            print(f"{name:14} {value:10.3f}{limit}")
    return int(any(figures[name] >= limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
