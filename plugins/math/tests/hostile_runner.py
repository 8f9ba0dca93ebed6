"""Judge the hostile inputs in one setting and print one line of JSON for each: run as a process
that can be killed.

Usage: `python hostile_runner.py SETTING [FIRST [LAST]]`, SETTING one of `SETTINGS`. Rows come from
`hostile.jsonl`: each side is a
list of [text, count] pieces.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

SETTINGS = ("main", "thread", "asyncio", "spawn", "no-signals")


def read_inputs() -> list[dict[str, str]]:
    """Read the hostile inputs and write out their repeats."""
    lines = (Path(__file__).parent / "hostile.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        {
            "name": row["name"],
            "kind": row["kind"],
            "gold": "".join(text * count for text, count in row["gold"]),
            "pred": "".join(text * count for text, count in row["pred"]),
        }
        for row in map(json.loads, lines)
    ]


def read_peak(process: str = "self") -> int:
    """Read the peak memory of a process and of its living descendants, in kilobytes; 0 without
    /proc."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
        children = [
            child
            for task in Path(f"/proc/{process}/task").iterdir()
            for child in (task / "children").read_text(encoding="ascii").split()
        ]
    except OSError:  # the process has ended meanwhile, or the platform has no /proc
        return 0
    own = next(
        (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0
    )
    return own + sum(read_peak(child) for child in children)


def judge(row: dict[str, str]) -> dict[str, Any]:
    """Compare one input both ways round and time it."""
    from grpo_math import compare, compare_response

    started = time.perf_counter()
    if row["kind"] == "response":
        first = second = compare_response(row["gold"], row["pred"])
        seconds = time.perf_counter() - started
    else:
        first = compare(row["gold"], row["pred"])
        seconds = time.perf_counter() - started
        started = time.perf_counter()
        second = compare(row["pred"], row["gold"])
        seconds = max(seconds, time.perf_counter() - started)
    return {
        "name": row["name"],
        "verdict": str(first.verdict),
        "swapped": str(second.verdict),
        "reason": first.reason[:120].encode("ascii", "backslashreplace").decode(),
        "seconds": round(seconds, 4),
        "megabytes": read_peak() // 1024,
    }


def show(result: dict[str, Any]) -> None:
    print(json.dumps(result), flush=True)


def refuse(*_: object) -> NoReturn:
    """Stand in for the signal functions that a platform lacks."""
    message = "no POSIX signals here"
    raise OSError(message)


async def judge_in_loop(rows: list[dict[str, str]]) -> None:
    for row in rows:
        await asyncio.sleep(0)
        show(judge(row))


def run(setting: str, rows: list[dict[str, str]]) -> None:
    if setting == "thread":
        with ThreadPoolExecutor(max_workers=2) as pool:
            for result in pool.map(judge, rows):
                show(result)
    elif setting == "asyncio":
        asyncio.run(judge_in_loop(rows))
    elif setting == "spawn":
        # A worker of a pool is daemonic: it may have no children of its own.
        with multiprocessing.get_context("spawn").Pool(1) as workers:
            for result in workers.imap(judge, rows):
                show(result)
    else:
        if setting == "no-signals":
            for name in ("setitimer", "alarm", "pthread_kill", "siginterrupt"):
                if hasattr(signal, name):
                    setattr(signal, name, refuse)
        for row in rows:
            show(judge(row))


if __name__ == "__main__":
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    last = int(sys.argv[3]) if len(sys.argv) > 3 else None
    run(sys.argv[1], read_inputs()[first:last])
