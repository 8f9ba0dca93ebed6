"""Budgets, dead models and outages, seen from the endpoint."""

from __future__ import annotations

import json

import pytest

PRICE = '--set=prices."openai/simulated"={input=0.4, output=1.6}'


def test_a_limit_of_calls_is_kept_over_sessions(calm, arena, endpoint):
    """Preflight and retries counted, at most 100 requests; then on with a larger limit."""
    place, server = arena("tight"), endpoint(error=0.1)
    stopped = place.run(*place.train, "--max-calls=100", url=server.url)
    assert stopped.returncode == 4
    assert "go on with: grpo-cli runs resume run" in stopped.stderr
    assert "max_calls = 100" in stopped.stderr.splitlines()[-1]
    assert 95 <= len(server.calls) <= 100
    answered = len(server.answered)
    again = place.run("runs", "resume", "run", "--quiet", "--max-calls=130", url=server.url)
    assert again.returncode == 4
    assert 125 <= len(server.calls) <= 130
    done = place.run("runs", "resume", "run", "--quiet", "--max-calls=9999", url=server.url)
    assert done.returncode == 0, done.stderr
    assert (place.libraries, place.rewards) == (calm.libraries, calm.rewards)
    assert place.report == calm.report
    assert answered > 50
    assert len(server.answered) == len(calm.answered)


def test_the_preflight_of_a_resume_is_held_against_what_was_spent(arena, endpoint):
    """A run that has used its calls up sends not even a preflight when it is gone on with."""
    place, server = arena(), endpoint()
    assert place.run(*place.train, "--max-calls=30", url=server.url).returncode == 4
    assert len(server.calls) == 30
    # The preflight of ten minutes ago counts no more.
    (place.folder / "run" / "preflight.json").unlink()
    again = place.run("runs", "resume", "run", "--quiet", url=server.url)
    assert again.returncode == 4
    assert "max_calls = 30 (spent 30 calls" in again.stderr
    assert "go on with" in again.stderr
    assert len(server.calls) == 30


def test_evaluation_keeps_to_the_budget_too(arena, endpoint):
    place, server = arena(), endpoint()
    done = place.run(
        *("evaluate", "--datasets=sums.jsonl", "--model=openai/simulated", "--max-calls=40"),
        url=server.url,
    )
    assert done.returncode == 4
    assert 35 <= len(server.calls) <= 40


def test_a_price_that_is_not_known_is_an_error_before_the_start(arena, endpoint):
    place, server = arena(), endpoint()
    refused = place.run(*place.train, "--max-cost=1", url=server.url)
    assert refused.returncode == 3
    assert "the price of openai/simulated is not known" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert [path.name for path in place.folder.iterdir()] == ["sums.jsonl"]
    assert not server.calls


def test_a_dry_run_foretells_the_calls_and_asks_nobody(calm, arena, endpoint):
    """The counts of generators and critic are exact, all others and the price within the range."""
    place, server = arena(), endpoint()
    told = json.loads(place.run(*place.train, PRICE, "--dry-run", "--json", url=server.url).stdout)
    assert not server.calls
    assert [path.name for path in place.folder.iterdir()] == ["sums.jsonl"]
    price = {"input_tokens": 0.4e-6, "output_tokens": 1.6e-6}
    counted = {}
    for epoch in calm.report["epochs"]:
        for row in epoch["roles"]:
            found = counted.setdefault(row["role"], dict.fromkeys(("calls", "cost"), 0))
            found["calls"] += row["usage"]["calls"]
            found["cost"] += sum(row["usage"][key] * rate for key, rate in price.items())
            for key in ("input_tokens", "output_tokens"):
                found[key] = found.get(key, 0) + row["usage"][key]
    foretold = {row["role"]: row for row in told["roles"]}
    assert foretold.keys() - {"preflight"} == counted.keys()
    for role, found in counted.items():
        for key, value in found.items():
            assert foretold[role][key]["low"] <= value <= foretold[role][key]["high"], (role, key)
    for role in ("generator", "critic"):
        assert foretold[role]["calls"]["low"] == foretold[role]["calls"]["high"]
    assert told["all"]["calls"]["high"] >= len(calm.calls)


@pytest.mark.parametrize("role", ["critic_model", "advisor_model"])
def test_a_dead_model_stops_the_run_before_anything_is_spent(arena, endpoint, role):
    """Exit 3, one line with its name, nothing written, and nothing asked but preflights."""
    place, server = arena(), endpoint()
    dead = f'--set={role}={{use="openai/dead", options={{base_url="http://127.0.0.1:9/v1"}}}}'
    stopped = place.run(*place.train, dead, url=server.url)
    assert stopped.returncode == 3
    assert "openai/dead does not answer" in stopped.stderr
    assert len(stopped.stderr.splitlines()) == 1
    assert len(server.calls) <= 1
    assert [path.name for path in place.folder.iterdir()] == ["sums.jsonl"]


def test_an_outage_opens_the_breaker_and_the_run_can_be_gone_on_with(calm, arena, endpoint):
    """The model dies in the middle: exit 1, resumable; the endpoint comes back, nothing is lost."""
    place, server = arena("outage"), endpoint()
    port = server.url.rpartition(":")[2].partition("/")[0]
    process = place.start(*place.train, "--set=calls.tries=1", url=server.url)
    server.wait_for(60)
    server.close()
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "failed 10 times in a row" in err.splitlines()[-1]
    assert "go on with: grpo-cli runs resume run" in err
    back = endpoint(port=port)
    done = place.run("runs", "resume", "run", "--quiet", url=back.url)
    assert done.returncode == 0, done.stderr
    assert (place.libraries, place.rewards, place.report) == (
        calm.libraries,
        calm.rewards,
        calm.report,
    )


def test_a_finished_run_is_not_run_again(calm, finished, endpoint):
    """Given again, it shows its report; another configuration is refused with what differs."""
    place, server = finished, endpoint()
    calls = len(calm.calls)
    for again in (place.train, ["runs", "resume", "run", "--quiet"]):
        done = place.run(*again, "--json", url=server.url)
        assert done.returncode == 0
        assert "the run in run is finished" in done.stderr
        assert json.loads(done.stdout)["outcome"] == "finished"
    shown = place.run("runs", "show", "run")
    for text in ("sums.jsonl", "openai/simulated", "4 of 4 batches", "epoch 2", "advisor: "):
        assert text in shown.stdout
    document = json.loads(place.run("runs", "show", "run", "--json").stdout)
    assert document["standing"]["calls"] == calls
    assert document["report"]["outcome"] == "finished"
    other = place.run(*place.train, "--seed=3", url=server.url)
    assert other.returncode == 3
    assert "seed: 0 is now 3" in other.stderr
    assert "--fork run" in other.stderr
    assert not server.calls


def test_two_processes_cannot_work_on_one_run(arena, endpoint):
    place, server = arena(), endpoint(median=2.0)
    process = place.start(*place.train, url=server.url)
    server.wait_for(10)
    second = place.run("runs", "resume", "run", "--quiet", url=server.url)
    assert second.returncode == 3
    assert "another process works on this run" in second.stderr
    listed = json.loads(place.run("runs", "list", ".", "--json").stdout)
    assert [row["outcome"] for row in listed] == ["running"]
    assert process.poll() is None


def test_a_run_whose_experiences_were_reverted_says_the_way_that_is_left(arena, endpoint):
    """It cannot be resumed on other experiences; a new run begins with what it had learned."""
    place, server = arena(), endpoint()
    assert place.run(*place.train, "--max-calls=100", url=server.url).returncode == 4
    assert any(place.store.values())
    assert place.run("experiences", "revert", "0").returncode == 0
    refused = place.run("runs", "resume", "run", "--quiet", "--max-calls=9999", url=server.url)
    assert refused.returncode == 3
    (line,) = refused.stderr.splitlines()
    way = "grpo-cli train --fork run --experience-dir NEW"
    assert "they were reverted or changed since" in line
    assert way in line
    fork = place.run(*way.split()[1:], "--max-calls=2", "--quiet", url=server.url)
    assert fork.returncode == 4
    held = json.loads((place.folder / "NEW" / "generator_1_experiences.json").read_text())
    assert held


def test_a_finished_run_names_the_experiences_that_it_left(calm):
    told = calm.run(*calm.train, "--experience-dir=elsewhere")
    assert told.returncode == 0
    assert "experiences in experiences, learned from" in told.stdout
