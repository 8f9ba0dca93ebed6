"""An endpoint that fails in every way: the run takes longer, and nothing else changes."""

from __future__ import annotations

from collections import defaultdict

IMPATIENT = ["--set=calls.timeout=8", "--set=calls.timeout_floor=8", "--concurrency=16"]
SHARE = 0.05
RETRY_AFTER = 5
"""Seconds; many times what a request may take from the client to the endpoint's clock."""


def test_faults_of_every_kind_change_no_reward(calm, arena, endpoint):
    """500, dropped, cut-off JSON, 429 and hung requests: the fault-free run's libraries."""
    faults = dict.fromkeys(("error", "dropped", "truncated"), SHARE)
    limited = {"limited": SHARE / 2, "retry_after": RETRY_AFTER}
    stormy, bad = arena("stormy"), endpoint(**faults, **limited, hung=0.005, seed=0)
    done = stormy.run(*stormy.train, *IMPATIENT, url=bad.url)
    assert done.returncode == 0, done.stderr
    assert stormy.libraries == calm.libraries
    assert stormy.rewards == calm.rewards
    assert stormy.report == calm.report
    assert all(epoch["failures"] == [] for epoch in stormy.report["epochs"])
    kinds = {row["kind"] for row in bad.calls}
    assert kinds >= {"limited", "error", "dropped", "truncated", "ok"}
    assert sorted(row["key"] for row in bad.answered) == sorted(row["key"] for row in calm.answered)
    check_patience(bad.calls)


def check_patience(calls):
    """No request came again before its Retry-After had passed; nor did any other, but those that
    were under way when the endpoint said so."""
    barred = defaultdict(float)
    for row in sorted(calls, key=lambda row: row["arrival"]):
        assert row["arrival"] >= barred[row["key"]], row
        if row["kind"] == "limited":
            barred[row["key"]] = row["arrival"] + row["retry_after"]
    refusals = [(row["end"], row["arrival"] + row["retry_after"]) for row in calls
                if row["kind"] == "limited"]  # fmt: skip
    on_the_way = 0.5
    early = [
        (row["arrival"] - end, until - row["arrival"])
        for row in calls
        for end, until in refusals
        if end + on_the_way < row["arrival"] < until
    ]
    assert not early
