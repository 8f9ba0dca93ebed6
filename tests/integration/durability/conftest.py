"""Training as a user runs it: real processes, against a simulated endpoint in one of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LIMIT = 300
"""Seconds after which a process counts as stuck, also on a machine that has much else to do."""
PROBLEMS = 6
CONCURRENCY = 8
"""Calls that a run has in flight at the most, by default."""
QUICK = {"median": 0.03, "sigma": 0.5, "seconds": 4 * LIMIT}


class Arena:
    """A folder with problems, and the way to run ``grpo-cli`` in it on an endpoint."""

    def __init__(self, folder):
        self.folder = folder
        self._processes = []
        folder.mkdir(parents=True, exist_ok=True)
        rows = [
            {"id": f"p{n}", "problem": f"Add {n * 17 + 3} and {n * 5 + 8}.", "answer": n * 22 + 11}
            for n in range(PROBLEMS)
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "sums.jsonl").write_text(text)

    @property
    def train(self):
        """The arguments of a small run in the directory ``run``."""
        return [
            "train",
            "--datasets=sums.jsonl",
            "--model=openai/simulated",
            "--comparator=math/equivalence",
            "--epochs=2",
            "--batch-size=4",
            "--run-dir=run",
            "--quiet",
        ]

    def start(self, *arguments, url="", program=("-m", "grpo_framework.cli")):
        """Start ``grpo-cli``, or what else Python is told to run in its place."""
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("OPENAI_")
        }
        if url:
            # The endpoint takes any path and logs it: so each call names the process that made it.
            environment["OPENAI_BASE_URL"] = f"{url}/{len(self._processes)}"
        process = subprocess.Popen(
            [sys.executable, *program, *map(str, arguments)],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Not every runner of tests leaves the signal as a terminal does.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        self._processes.append(process)
        return process

    def kill(self, process):
        """Kill a running process."""
        assert process.poll() is None, process.communicate()
        process.kill()
        process.communicate()

    def check_repeats(self, calm, stormy):
        """No call was answered twice but those that were in flight when the process died.

        A call is in flight until its answer is recorded: no death may lose more than were under
        way, and than have been answered while the journal was about to record those before.

        Args:
            calm: Calls answered in an uninterrupted run.
            stormy: Those of this one.

        Returns:
            How many were answered twice.
        """
        once = Counter(row["key"] for row in calm)
        assert set(once.values()) == {1}
        askers = {key: [] for key in once}
        for row in stormy:
            askers[row["key"]].append(process_of(row))
        assert all(askers.values())
        # Who answered last has recorded it; all before have died with the answer.
        lost = Counter(number for each in askers.values() for number in sorted(each)[:-1])
        assert all(len(set(each)) == len(each) for each in askers.values())
        assert max(lost.values(), default=0) <= 2 * CONCURRENCY, lost
        return lost.total()

    def close(self):
        for process in self._processes:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()

    def run(self, *arguments, url=""):
        """Run to the end; gives the exit code, stdout and stderr."""
        process = self.start(*arguments, url=url)
        out, err = process.communicate(timeout=LIMIT)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    @property
    def libraries(self):
        """The experiences as the run left them, without times."""
        files = sorted((self.folder / "run" / "experiences").iterdir())
        assert len(files) == 5
        return {file.name: without(json.loads(file.read_text()), "created_at") for file in files}

    @property
    def store(self):
        """The experiences that the store holds, without times."""
        files = sorted((self.folder / "experiences").glob("*_experiences.json"))
        return {file.name: without(json.loads(file.read_text()), "created_at") for file in files}

    @property
    def report(self):
        """The run's report, without times."""
        return without(json.loads((self.folder / "run" / "report.json").read_text()), "seconds")

    @property
    def rewards(self):
        """The reward of every rollout and fusion, by its address."""
        found = {}
        for line in (self.folder / "run" / "events.jsonl").read_text().splitlines():
            event = json.loads(line)
            judged = event.get("rollout") or event.get("final")
            if judged is not None:
                address = tuple(judged["unit"].values())
                assert address not in found
                found[address] = judged["verdict"]["reward"]
        return found


def process_of(row):
    """Which of an arena's processes made a call that an endpoint logged, counted from 0."""
    return int(row["path"].split("/")[2])


def without(document, key):
    """A JSON document without a key, wherever it stands."""
    if isinstance(document, dict):
        return {name: without(value, key) for name, value in document.items() if name != key}
    if isinstance(document, list):
        return [without(item, key) for item in document]
    return document


class Endpoint:
    """A running simulated endpoint and its log."""

    def __init__(self, log, behaviour):
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in behaviour.items()]
        command = [sys.executable, "-m", "benchmarks.endpoint", f"--log={log}", *flags]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.url = self._process.stdout.readline().strip()
        self._log = log
        assert self.url.startswith("http")

    @property
    def calls(self):
        """What the endpoint logged, one row a request that has ended."""
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    @property
    def answered(self):
        return [row for row in self.calls if row["kind"] == "ok"]

    def wait_for(self, number):
        """Wait until so many requests have ended."""
        until = time.monotonic() + LIMIT
        while time.monotonic() < until:
            if self._log.exists() and self._log.read_bytes().count(b"\n") >= number:
                return
            time.sleep(0.005)
        raise AssertionError(f"the endpoint did not get {number} requests")

    def wait_for_connection(self):
        """Wait until somebody is connected."""
        port = f":{int(self.url.rpartition(':')[2].partition('/')[0]):04X} "
        until = time.monotonic() + LIMIT
        while time.monotonic() < until:
            rows = Path("/proc/net/tcp").read_text().splitlines()
            if any(port in row and row.split()[3] == "01" for row in rows):
                time.sleep(0.2)
                return
            time.sleep(0.02)
        raise AssertionError("nobody connected to the endpoint")

    def close(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """Make a run without any trouble, with the arguments that a function of its place gives."""
    _need_the_plugin()

    def run(arguments):
        folder = tmp_path_factory.mktemp("undisturbed")
        server = Endpoint(folder / "calls.jsonl", QUICK)
        place = Arena(folder / "arena")
        done = place.run(*arguments(place), url=server.url)
        server.close()
        place.close()
        assert done.returncode == 0, done.stderr
        place.calls, place.answered = server.calls, server.answered
        return place

    return run


@pytest.fixture(scope="session")
def calm(undisturbed):
    """A run without any trouble, made once: what all others must come to."""
    return undisturbed(lambda place: place.train)


@pytest.fixture
def finished(calm, tmp_path):
    """A copy of that run, to do anything with; its endpoint is gone."""
    shutil.copytree(calm.folder, tmp_path / "finished")
    place = Arena(tmp_path / "finished")
    yield place
    place.close()


def _need_the_plugin():
    if None in map(importlib.util.find_spec, ("aiohttp", "grpo_openai")):
        pytest.skip("needs the plugin openai")


@pytest.fixture
def endpoint(tmp_path):
    """Start simulated endpoints; they end with the test."""
    _need_the_plugin()
    started = []

    def start(**behaviour):
        log = tmp_path / f"calls-{len(started)}.jsonl"
        started.append(Endpoint(log, {**QUICK, **behaviour}))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def arena(tmp_path):
    """Make folders to run in."""

    made = []

    def make(name="arena"):
        made.append(Arena(tmp_path / name))
        return made[-1]

    yield make
    for one in made:
        one.close()
