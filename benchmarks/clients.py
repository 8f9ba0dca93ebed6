"""Runs ``grpo-cli`` as a process of its own and watches it from outside: CPU, memory, wall time."""

from __future__ import annotations

import bisect
import compileall
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from attrs import define, field

_ROOT = Path(__file__).parents[1]
_TICK = os.sysconf("SC_CLK_TCK")
EVERY = 0.02
"""Seconds between two looks at the process."""


@define
class Watched:
    """A process that has ended.

    Attributes:
        status: Its exit status.
        began: When it was started, in seconds of the wall clock.
        ended: When it had ended.
        peak: Largest resident set of the process itself, in MB.
        peak_all: The same with its worker processes.
        times: When it was looked at.
        cpu: CPU seconds by then, of the process and its workers.
        resident: Resident MB of the process itself then.
        beside: CPU seconds of the process's threads other than the first, in all.
        output: What it said on stderr.
    """

    status: int = 0
    began: float = 0.0
    ended: float = 0.0
    peak: float = 0.0
    peak_all: float = 0.0
    times: list[float] = field(factory=list)
    cpu: list[float] = field(factory=list)
    resident: list[float] = field(factory=list)
    beside: float = 0.0
    output: str = ""

    def cpu_between(self, first: float, last: float) -> float:
        """CPU seconds spent between two moments of the wall clock."""
        return self._cpu_at(last) - self._cpu_at(first)

    def _cpu_at(self, moment: float) -> float:
        place = bisect.bisect_left(self.times, moment)
        return self.cpu[min(place, len(self.cpu) - 1)]


def run_cli(
    arguments: Sequence[str], *, folder: Path, kill_when: Callable[[], bool] = lambda: False
) -> Watched:
    """Run ``grpo-cli`` to its end.

    Args:
        arguments: Of the command.
        folder: Working directory.
        kill_when: Is asked many times a second; the process is killed when it says so.
    """
    _compile()
    watched = Watched(began=time.time())
    with (folder / "stderr.txt").open("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "grpo_framework.cli", *arguments],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**os.environ, "OPENAI_API_KEY": "none"},
        )
        over = threading.Event()
        thread = threading.Thread(target=_watch, args=(process.pid, watched, over))
        thread.start()
        try:
            while process.poll() is None:
                if kill_when():
                    process.kill()
                time.sleep(EVERY)
            watched.status = process.wait()
        finally:
            process.kill()
            watched.ended = time.time()
            over.set()
            thread.join()
        errors.seek(0)
        watched.output = errors.read()
    return watched


@cache
def _compile() -> None:
    """Bytecode beside the sources, as an installed package has it."""
    for folder in (_ROOT / "grpo_framework", _ROOT / "schemas", *_ROOT.glob("plugins/*/src")):
        compileall.compile_dir(folder, quiet=1)


def _watch(pid: int, watched: Watched, over: threading.Event) -> None:
    while not over.wait(EVERY):
        tree = _tree(pid)
        looked = [found for found in map(_look, tree) if found is not None]
        if not looked:
            continue
        watched.times.append(time.time())
        # A worker that has ended takes its CPU time along to its parent's sum.
        watched.cpu.append(max(sum(cpu for cpu, _, _ in looked), (watched.cpu or [0.0])[-1]))
        watched.resident.append(looked[0][1])
        watched.beside = max(watched.beside, _beside(pid))
        watched.peak = max(watched.peak, looked[0][2])
        watched.peak_all = max(watched.peak_all, sum(resident for _, resident, _ in looked))


def _tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found, place = [pid], 0
    while place < len(found):
        for file in Path(f"/proc/{found[place]}/task").glob("*/children"):
            try:
                found += map(int, file.read_text(encoding="ascii").split())
            except OSError:
                continue
        place += 1
    return found


def _look(pid: int) -> tuple[float, float, float] | None:
    """CPU seconds, resident MB and its peak of a process; None where it has gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return None
    rows = dict(line.split(":", 1) for line in status.splitlines())
    if "VmRSS" not in rows:
        return None
    resident, peak = (int(rows[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    # Own time and that of children it has waited for.
    return sum(map(int, stat[11:15])) / _TICK, resident, peak


def _beside(pid: int) -> float:
    """CPU seconds of a process's threads but the first: here, of the journal's."""
    total = 0.0
    for file in Path(f"/proc/{pid}/task").glob("[0-9]*/stat"):
        if file.parent.name != str(pid):
            try:
                stat = file.read_text(encoding="utf-8").rpartition(")")[2].split()
            except OSError:
                continue
            total += (int(stat[11]) + int(stat[12])) / _TICK
    return total
