"""A training process is killed again and again; nothing is lost and nothing is paid for twice."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing

KILLS = 20
HELD = 4.0
"""Seconds in which a run that does not wait for its journal surely goes on; the journal itself waits
for ten before it gives up. On a slow machine less of it is seen."""


def test_twenty_kills_change_nothing(calm, arena, endpoint):
    """Libraries and report are those of an uninterrupted run; only calls in flight were repeated."""
    stormy, stormy_endpoint = arena("stormy"), endpoint()
    process = stormy.start(*stormy.train, url=stormy_endpoint.url)
    dice = random.Random(4)
    # On average the kills take half of the run: it does not end before the last one.
    per_kill = len(calm.calls) // (2 * KILLS)
    for number in range(KILLS):
        if number % 5 == 4:  # while it starts, or soon after
            time.sleep(dice.uniform(0.0, 0.6))
        else:
            so_far = len(stormy_endpoint.calls) if number else 0
            stormy_endpoint.wait_for(so_far + dice.randint(1, 2 * per_kill - 1))
            time.sleep(dice.uniform(0.0, 0.05))
        assert process.poll() is None, process.communicate()
        stormy.kill(process)
        again = ["runs", "resume", "run", "--quiet"] if number % 2 else stormy.train
        process = stormy.start(*again, url=stormy_endpoint.url)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    assert stormy.libraries == calm.libraries
    assert stormy.store.items() <= stormy.libraries.items()
    assert stormy.rewards == calm.rewards
    assert stormy.report == calm.report
    stormy.check_repeats(calm.answered, stormy_endpoint.answered)


def test_kills_change_nothing_where_batches_overlap(arena, endpoint):
    """With `--staleness 1` each resumed run counts the batch that was under way once."""
    reports = []
    for kills in (0, 4):
        place, server = arena(f"kills-{kills}"), endpoint()
        start = [*place.train, "--staleness=1", "--epochs=4"]
        process = place.start(*start, url=server.url)
        for number in range(kills):
            # In the second batch of an epoch or the first of the next, both of them begun.
            server.wait_for(len(reports[0][0]) * (number + 1) // (kills + 1))
            place.kill(process)
            process = place.start(*start, url=server.url)
        _, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
        reports.append((server.answered, place.libraries, place.rewards, place.report))
    assert reports[1][1:] == reports[0][1:]
    place.check_repeats(reports[0][0], reports[1][0])


def test_no_answer_is_used_before_it_is_recorded(calm, arena, endpoint):
    """Where nothing can be recorded, a run gets no further than the calls that it has under way."""
    place, server = arena("held"), endpoint()
    process = place.start(*place.train, url=server.url)
    server.wait_for(10)
    with closing(sqlite3.connect(place.folder / "run" / "journal.sqlite", timeout=60)) as journal:
        journal.execute("BEGIN IMMEDIATE")
        server.wait_for(len(server.calls) + 1)
        time.sleep(HELD)
        place.kill(process)
    done = place.run("runs", "resume", "run", "--quiet", url=server.url)
    assert done.returncode == 0, done.stderr
    assert place.report == calm.report
    assert place.check_repeats(calm.answered, server.answered) > 0
