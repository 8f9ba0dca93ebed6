"""Several runs that differ in their seed: spread, recurring texts, one budget."""

from __future__ import annotations

from decimal import Decimal
from statistics import stdev

import pytest
from attrs import evolve

from grpo_framework.calls import Account, Spending
from grpo_framework.codec import to_document
from grpo_framework.config import BudgetLimits
from grpo_framework.errors import BudgetExhausted, ValidationFailed
from grpo_framework.experience import Experience
from grpo_framework.records import Usage
from grpo_framework.replicates import (
    Replicate,
    Spread,
    find_recurring,
    remaining,
    summarise,
)
from grpo_framework.reports import EpochReport, OwnerReport, RunReport, VersionReport
from grpo_framework.validation import validate


def replicate(number, *, reward=0.5, cost=0.25, texts=(), owner="generator_1", **more):
    """A run of two epochs; only the last one's reward counts."""
    rows = [
        (OwnerReport("generator_1", rollouts=9, mean_reward=mean, cost=cost), OwnerReport("shared"))
        for mean in (0.0, reward)
    ]
    epochs = tuple(EpochReport(n, 1.0, row) for n, row in enumerate(rows, 1))
    report = RunReport(
        outcome="finished", epochs=epochs, cost=2 * cost, usage=Usage(calls=10), simulation=True
    )
    held = tuple(Experience(f"G1-{n:03}", text) for n, text in enumerate(texts, 1))
    return Replicate(number, number - 1, f"runs/{number}", "e", report, {owner: held}, **more)


def test_figures_are_of_the_last_epoch_and_the_costs_of_all():
    """Mean reward as the run ended, the library at the end, dollars over all epochs."""
    result = summarise([replicate(1, reward=0.75, texts=["a", "b"])], threshold=90)
    figures = {each.owner: each.figures for each in result.replicates[0].owners}
    assert figures["generator_1"] == {
        "mean_reward": 0.75,
        "validation": None,
        "experiences": 2,
        "cost": 0.5,
    }
    assert figures["shared"] == {
        "mean_reward": None,
        "validation": None,
        "experiences": 0,
        "cost": 0,
    }


def test_the_validation_score_is_that_of_the_version_that_is_the_result():
    """Of the best epoch, not the last; owners that were not scored have none."""
    versions = tuple(
        VersionReport(epoch, score, {"generator_1": score}, {})
        for epoch, score in enumerate((0.2, 0.6, 0.4))
    )
    run = replicate(1)
    scored = evolve(run, report=evolve(run.report, validation=versions, best_epoch=1))
    (summary,) = summarise([scored], threshold=90).replicates
    assert {each.owner: each.figures["validation"] for each in summary.owners} == {
        "generator_1": 0.6,
        "shared": None,
    }


def test_the_spread_is_between_runs():
    rewards = (0.2, 0.5, 0.6)
    runs = [replicate(n, reward=reward) for n, reward in enumerate(rewards, 1)]
    result = summarise(runs, threshold=90)
    spread = {each.owner: each.figures for each in result.spread}
    found = spread["generator_1"]["mean_reward"]
    assert found.mean == pytest.approx(1.3 / 3)
    assert found.sd == pytest.approx(stdev(rewards))
    assert (found.replicates, found.min, found.max) == (3, 0.2, 0.6)
    assert spread["shared"]["mean_reward"] == Spread(0, None, None, None, None)
    assert (result.usage.calls, result.cost, result.simulation) == (30, 1.5, True)


def test_one_replicate_has_no_deviation():
    assert Spread.of([0.4, None]) == Spread(1, 0.4, None, 0.4, 0.4)


SAME = "Always check the units of the final result before answering."
NEARLY = "Always check the units of the final result, before answering!"
OTHER = "Never check the units of the final result before answering."


def test_texts_learned_in_several_replicates_are_found_whoever_learned_them():
    """Near duplicates count, opposites do not; twice in one replicate is not in several."""
    runs = [
        replicate(1, texts=[SAME, "Draw a picture of the situation."]),
        replicate(2, texts=[NEARLY, OTHER], owner="shared"),
        replicate(3, texts=["List what is given.", "List what is given."]),
    ]
    (found,) = find_recurring(runs, threshold=90)
    assert found.content == SAME
    assert found.replicates == (1, 2)
    assert [(each.owner, each.id) for each in found.experiences] == [
        ("generator_1", "G1-001"),
        ("shared", "G1-001"),
    ]


def test_what_was_in_most_replicates_comes_first():
    runs = [replicate(n, texts=[SAME] if n == 1 else [SAME, "Be brief in it."]) for n in (1, 2, 3)]
    assert [each.replicates for each in find_recurring(runs, threshold=90)] == [(1, 2, 3), (2, 3)]


def test_inherited_texts_were_not_learned():
    runs = [replicate(n, texts=[SAME], inherited=frozenset([SAME])) for n in (1, 2)]
    assert find_recurring(runs, threshold=90) == ()


def test_the_result_satisfies_its_schema_and_a_broken_one_does_not():
    document = to_document(summarise([replicate(1, texts=[SAME]), replicate(2)], threshold=90))
    validate("replicates", document)
    document["spread"][0]["figures"].pop("cost")
    with pytest.raises(ValidationFailed):
        validate("replicates", document)


def spent(calls, cost="0", tokens=0, elapsed=0.0):
    return Account(Spending(Decimal(cost), tokens, calls), elapsed)


def test_what_the_others_have_used_up_is_not_left():
    limits = BudgetLimits(max_cost=1.0, max_tokens=1000, max_calls=100, max_time=60.0)
    left = remaining(limits, [spent(30, "0.1", 400, 10.0), spent(20, "0.2", 100, 5.5)])
    assert left == BudgetLimits(max_cost=0.7, max_tokens=500, max_calls=50, max_time=44.5)
    assert remaining(BudgetLimits(), [spent(10**9)]) == BudgetLimits()


@pytest.mark.parametrize("limit", ["max_cost", "max_tokens", "max_calls", "max_time"])
def test_nothing_left_names_the_limit_of_all(limit):
    used = spent(100, "1", 1000, 60.0)
    whole = {"max_cost": 1.0, "max_tokens": 1000, "max_calls": 100, "max_time": 60.0}
    with pytest.raises(BudgetExhausted, match=f"all replicates.*{limit} = ") as caught:
        remaining(BudgetLimits(**{limit: whole[limit]}), [used])
    assert caught.value.limit == limit
    assert f"--{limit.replace('_', '-')}" in caught.value.hint
