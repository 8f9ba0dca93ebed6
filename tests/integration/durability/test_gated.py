"""A run whose edits are measured, stopped and killed in the middle of that: the same end."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest
from attrs import evolve

VALIDATION = 4
OWNERS = ("generator_1", "generator_2", "generator_3", "critic", "shared")


def gated(place, *more):
    """The arguments of a small run with a gate; writes its problems."""
    rows = [
        {
            "id": f"p{n}",
            "problem": f"Add {n * 13 + 2} and {n * 7 + 5}.",
            "answer": n * 20 + 7,
            "split": "validation" if n < VALIDATION else "train",
        }
        for n in range(VALIDATION + 4)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (place.folder / "split.jsonl").write_text(text)
    begin = [each for each in place.train if "--datasets" not in each]
    return [*begin, "--datasets=split.jsonl", "--gate=paired", "--gate-budget=8", *more]


def held(place):
    """Every owner's library in the store with its edits on trial, without times."""
    from grpo_jsonstore.store import DirectoryStore

    store = DirectoryStore(place.folder / "experiences")
    found = {owner: asyncio.run(store.load(owner)) for owner in OWNERS}
    return {
        owner: evolve(
            library,
            experiences=tuple(evolve(each, created_at="") for each in library.experiences),
        )
        for owner, library in found.items()
    }


def entries(place):
    """Kind and key of all entries of the run's journal, as they were made."""
    journal = place.folder / "run" / "journal.sqlite"
    with closing(sqlite3.connect(journal)) as database:
        return database.execute("SELECT kind, key FROM entries ORDER BY number").fetchall()


def is_measuring(place):
    """Whether the run stands in a gate: pairs of a batch are journalled, and not its end."""
    rows = entries(place)
    done = {key for kind, key in rows if kind == "checkpoint"}
    pairs = {"/".join(key.split("/")[1:3]) for _, key in rows if key.startswith("gate/")}
    return bool(pairs - done)


def calls_before_pairs(place):
    """For each attempt of a pair, how many calls were answered before it was recorded."""
    calls, found = 0, []
    for kind, key in entries(place):
        calls += kind == "call"
        if kind == "attempt" and key.startswith("gate/"):
            found.append(calls)
    return found


def assert_same(place, other):
    assert held(place) == held(other)
    assert place.libraries == other.libraries
    assert place.rewards == other.rewards
    assert place.report == other.report


@pytest.fixture(scope="module")
def runs(undisturbed):
    """Uninterrupted gated runs by their further flags, each made once."""
    made = {}

    def run(*more):
        if more not in made:
            made[more] = undisturbed(lambda place: gated(place, *more))
        return made[more]

    return run


def test_edits_are_measured_and_the_undecided_kept_in_the_store(runs):
    """What the others are compared with: pairs were made, and trials stand in the store."""
    calm = runs()
    gates = [owner["gated"] for epoch in calm.report["epochs"] for owner in epoch["owners"]]
    assert sum(sum(row.values()) for row in gates) > 5
    assert sum(len(library.trials) for library in held(calm).values()) > 2
    roles = {row["role"] for epoch in calm.report["epochs"] for row in epoch["roles"]}
    assert {"gate", "validation"} <= roles


def test_a_gated_run_is_rescored_by_what_it_learned_from(runs):
    """The validation problems belong to the run, too: they are no change of its problems."""
    done = runs().run("runs", "rescore", "run", "--comparator=math/equivalence", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["changes"] == []
    assert all(row["answers"] > 0 for row in document["owners"])


def test_a_limit_of_calls_in_a_gate_pays_for_nothing_twice(runs, arena, endpoint):
    """Stopped again and again, a few calls further each time: the same end for the same calls."""
    calm = runs()
    place, server = arena("tight"), endpoint()
    step, limit, stops = len(calm.calls) // 5, 0, 0
    done = None
    while done is None or done.returncode == 4:
        limit += step
        again = ["runs", "resume", "run", "--quiet"] if done else gated(place)
        done = place.run(*again, f"--max-calls={limit}", url=server.url)
        stops += done.returncode == 4 and is_measuring(place)
        assert len(server.calls) <= limit
        assert limit < 7 * step, "it goes on for ever"
    assert done.returncode == 0, done.stderr
    assert stops > 1
    assert_same(place, calm)
    # A preflight is good for ten minutes, so not even that came twice.
    assert sorted(row["key"] for row in server.answered) == sorted(
        row["key"] for row in calm.answered
    )


@pytest.mark.parametrize("more", [(), ("--staleness=1",)], ids=["strict", "stale"])
def test_killed_in_a_gate(runs, arena, endpoint, more):
    """SIGKILL while pairs are under way, in the first batch and the last: the same end."""
    calm = runs(*more)
    pairs = calls_before_pairs(calm)
    place, server = arena("killed"), endpoint()
    measuring = 0
    process = place.start(*gated(place, *more), url=server.url)
    for share in (0.15, 0.5, 0.85):
        server.wait_for(pairs[int(share * len(pairs))])
        place.kill(process)
        measuring += is_measuring(place)
        process = place.start("runs", "resume", "run", "--quiet", url=server.url)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert measuring > 1
    assert_same(place, calm)
    place.check_repeats(calm.answered, server.answered)


def test_a_replay_measures_again_from_the_journal(runs):
    """No model is asked; libraries, rulings and report are the same."""
    done = runs().run("train", "--replay", "run", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["identical"] is True
    assert document["differences"] == []


def test_a_dry_run_names_what_measuring_costs(runs, arena, endpoint):
    """The roles `gate` and `validation`, and what was used then lies in the range foretold."""
    calm = runs()
    place, server = arena(), endpoint()
    done = place.run(*gated(place), "--dry-run", "--json", url=server.url)
    assert done.returncode == 0, done.stderr
    foretold = {row["role"]: row["calls"] for row in json.loads(done.stdout)["roles"]}
    assert not server.calls
    for role in ("gate", "validation"):
        used = sum(
            row["usage"]["calls"]
            for epoch in calm.report["epochs"]
            for row in epoch["roles"]
            if row["role"] == role
        )
        assert used > 0
        assert foretold[role]["low"] <= used <= foretold[role]["high"]
    free = place.run(*gated(place), "--gate=none", "--dry-run", "--json", url=server.url)
    assert {row["role"] for row in json.loads(free.stdout)["roles"]}.isdisjoint(
        {"gate", "validation"}
    )
