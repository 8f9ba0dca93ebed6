"""Ctrl-C on a real training process."""

from __future__ import annotations

import json
import signal
import time

from grpo_framework.cli import interrupting

LIMIT = 120
"""Seconds after which a process counts as stuck, also on a machine that has much else to do."""
MOST = 30.0
"""Seconds in which a stop has surely ended, also on a machine that has much else to do; a stop that
waited for calls that hang would take their time limit, and one left to the watch `PATIENT`."""
PATIENT = 120.0
CLEANLY = f"""
from grpo_framework.cli import interrupting, main
interrupting.PATIENCE = {PATIENT}
main()
"""
"""``grpo-cli`` whose watch over the time of a clean stop does not strike on a slow machine."""
HELD = """
import threading
from contextlib import asynccontextmanager
from pathlib import Path

from grpo_framework import Component, hookimpl

class Held:
    async def compare(self, problem, answer, /):
        Path("held").touch()
        threading.Event().wait()

@asynccontextmanager
async def open_held(wiring):
    yield Held()

@hookimpl
def grpo_comparators():
    yield Component("held", open_held)
"""
"""A plugin that does what none may: it holds up the event loop, and for ever."""


def interrupt(process, times=1):
    """Send the signal, and again at once; gives the seconds until the process has ended."""
    started = time.monotonic()
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    out, err = process.communicate(timeout=LIMIT)
    return time.monotonic() - started, out, err


def left(err):
    """Whether the watch, or a second signal, ended the process: it has a word before it goes."""
    return err.splitlines()[:2] == ["", "interrupted"]


def test_one_stops_cleanly_and_says_how_to_go_on(arena, endpoint):
    """Exit code 130 and no result, by itself; the run is listed as stopped."""
    place, server = arena(), endpoint()
    process = place.start(*place.train, url=server.url, program=("-c", CLEANLY))
    server.wait_for(20)
    seconds, out, err = interrupt(process)
    assert process.returncode == 130
    assert seconds < MOST
    assert out == ""
    assert not left(err)
    assert err.splitlines() == ["stopped; go on with: grpo-cli runs resume run", "interrupted"]
    listed = json.loads(place.run("runs", "list", ".", "--json").stdout)
    assert [row["outcome"] for row in listed] == ["stopped"]
    assert listed[0]["calls"] > 0


def test_before_the_models_answer_there_is_nothing_to_go_on_with(arena, endpoint):
    """The preflight call hangs: it says that nothing was begun, and nothing is left behind."""
    place, server = arena(), endpoint(hung=1.0)
    process = place.start(*place.train, url=server.url, program=("-c", CLEANLY))
    server.wait_for_connection()
    seconds, out, err = interrupt(process)
    assert process.returncode == 130
    assert seconds < MOST
    assert not left(err)
    said, last = err.splitlines()
    assert (out, last) == ("", "interrupted")
    assert "nothing is begun or written" in said
    assert said.endswith("the same command starts again")
    assert [path.name for path in place.folder.iterdir()] == ["sums.jsonl"]


def test_calls_that_hang_do_not_hold_it_up(arena, endpoint):
    """All calls under way hang; the journal is closed and what was answered is kept."""
    place, server = arena(), endpoint(hung=0.3, tries=1000)
    process = place.start(*place.train, url=server.url, program=("-c", CLEANLY))
    server.wait_for(20)
    time.sleep(1.0)
    seconds, _, err = interrupt(process)
    assert process.returncode == 130
    assert seconds < MOST
    assert err.splitlines() == ["stopped; go on with: grpo-cli runs resume run", "interrupted"]
    assert not left(err)
    assert not (place.folder / "run" / "journal.sqlite-wal").exists()


def test_a_component_that_blocks_the_loop_is_left_behind(arena, endpoint):
    """No clean stop can get through to it; the watch ends the process two seconds later."""
    assert interrupting.PATIENCE < 2.0
    place, server = arena(), endpoint()
    install(place.folder, "held", HELD)
    process = place.start(*place.train, "--comparator=held/held", url=server.url)
    until = time.monotonic() + LIMIT
    while not (place.folder / "held").exists() and time.monotonic() < until:
        time.sleep(0.02)
    _, out, err = interrupt(process)
    assert process.returncode == 130
    assert out == ""
    assert left(err)
    assert err.splitlines()[2:] == ["stopped; go on with: grpo-cli runs resume run"]
    assert place.run("runs", "list", ".").returncode == 0


def install(folder, name, source):
    """Put a plugin where a program started in the folder finds it."""
    (folder / f"{name}.py").write_text(source)
    info = folder / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[grpo_framework]\n{name} = {name}\n")


def test_a_second_one_ends_it_at_once(arena, endpoint):
    """No waiting for anything, the same exit code; what was recorded is still there."""
    place, server = arena(), endpoint()
    process = place.start(*place.train, url=server.url)
    server.wait_for(20)
    seconds, _, err = interrupt(process, times=2)
    # In the interpreter's last moments it is the signal itself that ends it: 130 for a shell too.
    assert process.returncode in (130, -signal.SIGINT)
    assert seconds < MOST
    assert "grpo-cli runs resume run" in err
    done = place.run("runs", "resume", "run", "--quiet", url=server.url)
    assert done.returncode == 0, done.stderr
