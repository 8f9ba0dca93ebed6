"""Replicates killed on the way: the same command goes on, and nothing is paid for twice."""

from __future__ import annotations

import json
import time
from collections import Counter

GRACE = 0.2
"""Seconds after a kill in which the endpoint still reads what the dead process had sent."""
IN_FLIGHT = 8
"""Calls that a run has under way at the most, by default."""


def replicated(place):
    """The arguments of two small trainings."""
    return [
        *place.train,
        "--epochs=1",
        "--max-problems=3",
        "--replicates=2",
        "--adaptive-groups",
        "--json",
    ]


def figures(stdout):
    """What a comparison says, without times and with no run's name."""
    document = json.loads(stdout)
    for row in (*document["replicates"], document):
        row["usage"].pop("seconds")
    return document


def test_replicates_killed_in_the_second_go_on_with_the_same_command(arena, endpoint):
    """The first is not run again, the second goes on: the comparison is that of an undisturbed one."""
    calm, calm_endpoint = arena("calm"), endpoint()
    undisturbed = calm.run(*replicated(calm), url=calm_endpoint.url)
    assert undisturbed.returncode == 0, undisturbed.stderr
    first, second = (row["usage"]["calls"] for row in json.loads(undisturbed.stdout)["replicates"])
    place, server = arena("killed"), endpoint()
    process = place.start(*replicated(place), url=server.url)
    server.wait_for(first + second // 2)
    assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate()
    time.sleep(GRACE)
    assert json.loads((place.folder / "run/replicate-1/report.json").read_text())
    assert not (place.folder / "run/replicate-2/report.json").exists()
    first_journal = (place.folder / "run/replicate-1/journal.sqlite").read_bytes()
    done = place.run(*replicated(place), url=server.url)
    assert done.returncode == 0, done.stderr
    assert figures(done.stdout) == figures(undisturbed.stdout)
    assert (place.folder / "run/replicate-1/journal.sqlite").read_bytes() == first_journal
    paid = Counter(row["key"] for row in server.answered)
    once = Counter(row["key"] for row in calm_endpoint.answered)
    assert not once - paid
    # A preflight of each model may come once more; a call gives its place back before its answer
    # is recorded, so twice as many as have a place may be lost.
    assert len(server.answered) - len(calm_endpoint.answered) <= 2 * IN_FLIGHT + 1
