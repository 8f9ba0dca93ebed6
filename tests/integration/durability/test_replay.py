"""A finished run looked into: replayed, rescored and forked without a model."""

from __future__ import annotations

import json

import pytest


def snapshot(folder):
    """Every file of a folder with its content, but for the lock and SQLite's own files."""
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "journal.sqlite" not in path.name
    }


def test_a_replay_gives_the_same_libraries_and_report(finished):
    """No model is opened; nothing is written."""
    before = snapshot(finished.folder)
    done = finished.run("train", "--replay", "run", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["identical"] is True
    assert document["differences"] == []
    effects = [
        row for owner in document["report"]["epochs"][-1]["owners"] for row in owner["experiences"]
    ]
    assert sum(row["withheld"] for row in effects) > 0
    assert "identical" in finished.run("train", "--replay", "run").stdout.splitlines()[-1]
    assert snapshot(finished.folder) == before


def test_a_replay_names_what_differs(finished):
    """An experience changed by hand is found, with its place."""
    file = next((finished.folder / "run" / "experiences").glob("generator_1*"))
    rows = json.loads(file.read_text())
    rows[0]["content"] = "something else"
    file.write_text(json.dumps(rows))
    done = finished.run("train", "--replay", "run", "--json")
    assert done.returncode == 1
    (difference,) = json.loads(done.stdout)["differences"]
    assert difference.startswith("generator_1_experiences.json/0/content: ")


def test_every_number_of_a_report_follows_from_the_runs_events(finished):
    """The report computed again is the one that was written; nothing is touched."""
    before = snapshot(finished.folder)
    done = finished.run("runs", "recompute", "run", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["identical"] is True
    written = json.loads((finished.folder / "run" / "report.json").read_text())
    assert document["report"] == written
    assert "identical" in finished.run("runs", "recompute", "run").stdout.splitlines()[-1]
    assert snapshot(finished.folder) == before


def test_a_number_that_does_not_follow_is_named(finished):
    """A changed report, and a changed answer among the events, are each found with their place."""
    file = finished.folder / "run" / "report.json"
    whole = file.read_text()
    report = json.loads(whole)
    report["epochs"][0]["owners"][0]["rollouts"] += 1
    file.write_text(json.dumps(report))
    done = finished.run("runs", "recompute", "run")
    assert done.returncode == 1
    assert "report/epochs/0/owners/0/rollouts: " in done.stdout
    file.write_text(whole)
    events = finished.folder / "run" / "events.jsonl"
    rows = [json.loads(line) for line in events.read_text().splitlines()]
    answer = next(row for row in rows if row["event"] == "RolloutFinished")["rollout"]
    answer["verdict"]["reward"] = 1.0 - answer["verdict"]["reward"]
    events.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = finished.run("runs", "recompute", "run", "--json")
    assert done.returncode == 1
    (difference,) = json.loads(done.stdout)["differences"]
    assert answer["unit"]["problem"] in difference


def test_an_entry_that_is_missing_is_an_error(finished):
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(finished.folder / "run" / "journal.sqlite")) as database:
        database.execute("DELETE FROM entries WHERE kind = 'fusion' AND number % 7 = 0")
        database.commit()
    done = finished.run("train", "--replay", "run")
    assert done.returncode == 3
    assert "the journal has no fusion" in done.stderr


def test_rescoring_asks_no_model_and_writes_nothing(finished):
    """Another comparator: mean rewards before and now, and each verdict that changed."""
    before = snapshot(finished.folder)
    same = finished.run("runs", "rescore", "run", "--comparator=math/equivalence", "--json")
    assert same.returncode == 0, same.stderr
    assert json.loads(same.stdout)["changes"] == []
    done = finished.run("runs", "rescore", "run", "--comparator=text/contains", "--json")
    if done.returncode:
        done = finished.run("runs", "rescore", "run", "--comparator=text/exact", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["before"] == "math/equivalence"
    owners = {row["owner"]: row for row in document["owners"]}
    assert owners.keys() == {"generator_1", "generator_2", "generator_3", "critic"}
    assert owners["generator_1"]["answers"] == 2 * 6 * 3
    means = {owner: row["before"] for owner, row in owners.items()}
    told = finished.report["epochs"]
    for owner, mean in means.items():
        rows = [row for epoch in told for row in epoch["owners"] if row["owner"] == owner]
        key = "fused_reward" if owner == "critic" else "mean_reward"
        if owner != "critic":
            assert mean == pytest.approx(sum(row[key] for row in rows) / len(rows))
    assert len(document["changes"]) == sum(row["changed"] for row in document["owners"])
    assert snapshot(finished.folder) == before


def test_a_fork_begins_with_the_old_runs_libraries(finished, endpoint):
    """Another seed is another run; the old one and its store stay as they are."""
    before = snapshot(finished.folder)
    server = endpoint()
    more = ["--epochs=1", "--seed=9", "--experience-dir=other", "--run-dir=second", "--quiet"]
    done = finished.run("train", "--fork", "run", *more, url=server.url)
    assert done.returncode == 0, done.stderr
    after = snapshot(finished.folder)
    assert before.items() <= after.items()
    report = json.loads((finished.folder / "second" / "report.json").read_text())
    begun = {row["owner"]: row["library_before"] for row in report["epochs"][0]["owners"]}
    ended = {row["owner"]: row["library_after"] for row in finished.report["epochs"][-1]["owners"]}
    assert begun == ended
    assert sum(begun.values()) > 0


def test_what_failed_fails_again_in_a_replay(arena, endpoint):
    """With its kind, its message and the calls it had made: the same report."""
    place, server = arena(), endpoint(error=0.08)
    lenient = ["--set=calls.tries=1", "--set=calls.breaker=1000", "--set=max_failures=0.9"]
    # The preflight may meet a fault as well.
    for _ in range(3):
        done = place.run(*place.train, *lenient, url=server.url)
        if done.returncode != 3:
            break
    assert done.returncode == 0, done.stderr
    assert place.report["failures"] > 5
    server.close()
    again = place.run("train", "--replay", "run", "--json")
    document = json.loads(again.stdout)
    assert document["differences"] == []
    assert document["report"]["failures"] == place.report["failures"]
