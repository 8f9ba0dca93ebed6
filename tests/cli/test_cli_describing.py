"""The report of a run in lines for people."""

from __future__ import annotations

import asyncio
import io

from grpo_framework.cli.describing import describe_report
from grpo_framework.console import ConsoleObserver
from grpo_framework.events import (
    EpochFinished,
    LibraryCommitted,
    RunStarted,
    UnitFailed,
    VersionScored,
)
from grpo_framework.experience import Add, Plan, Refusal
from grpo_framework.records import Failure, OwnerScore, Unit, Usage
from grpo_framework.reports import (
    EpochReport,
    OwnerReport,
    Refused,
    RoleReport,
    RunReport,
    VersionReport,
)


def version(epoch, score):
    return VersionReport(epoch, score, {"generator_1": score}, {})


def epoch(number, *refused, **applied):
    owner = OwnerReport("generator_1", operations_applied=applied, operations_refused=refused)
    return EpochReport(number, 1.0, (owner,))


def test_an_unchanged_version_is_told_with_the_one_it_repeats_and_so_is_the_result():
    report = RunReport(
        epochs=(epoch(1, add=2), epoch(2, keep=1), epoch(3), epoch(4, delete=1)),
        validation=tuple(map(version, range(5), (0.5, 0.6, 0.6, 0.6, 0.6))),
        best_epoch=3,
    )
    lines = [line for line in describe_report(report) if "validation" in line]
    assert lines == [
        "on validation problems, the start: 0.500",
        "on validation problems, epoch 1, unchanged to epoch 3: 0.600 (the result)",
        "on validation problems, epoch 4: 0.600",
    ]


def test_what_was_refused_is_told_with_rule_and_count():
    duplicates = Refused("add", "duplicate", 2, ())
    report = RunReport(
        epochs=(
            epoch(1, duplicates, Refused("add", "on-trial", 7, ())),
            epoch(2, duplicates, Refused("delete", "unknown-id", 1, ())),
            epoch(3, Refused("add", "promoted", 5, ())),
        )
    )
    lines = describe_report(report)
    assert "generator_1: 12 operations refused: 7 on-trial, 4 duplicate, 1 unknown-id" in lines
    assert "on-trial: undecided; at the end they wait in the store for a later training" in lines


def watch(*events):
    """What a run's observer prints where stderr is no terminal."""
    stream = io.StringIO()
    observer = ConsoleObserver(stream)

    async def tell():
        for event in events:
            await observer.notify(event)

    asyncio.run(tell())
    return stream.getvalue()


def test_the_same_score_is_not_printed_again_while_the_run_goes():
    scores = (OwnerScore("generator_1", 0.25, 20, "w1"),)
    other = (OwnerScore("generator_1", 0.25, 20, "w2"),)
    said = watch(*(VersionScored(*row, ()) for row in ((0, scores), (1, scores), (2, other))))
    assert said.splitlines() == [
        "  on validation problems, the start: generator_1 0.25",
        "  on validation problems, epoch 1: no text changed, so the scores are those before",
        "  on validation problems, epoch 2: generator_1 0.25",
    ]


def test_a_commit_says_by_which_rules_it_refused():
    rules = ("duplicate", "gate", "duplicate", "promoted")
    refused = tuple(Refusal(Add("x"), rule, "") for rule in rules)
    said = watch(LibraryCommitted(1, 1, Plan("generator_1", 0, (), refused), 3, 3, 1))
    assert "1 went to the shared library, 3 refused (2 duplicate, 1 gate); 3 -> 3" in said
    assert "3 -> 3 experiences\n" in said


def test_one_of_a_thing_is_said_in_the_singular():
    said = watch(
        RunStarted("r", "", ("generator_1", "critic"), 1, 1, 1),
        LibraryCommitted(1, 1, Plan("critic", 0, (Add("x"),)), 0, 1, 1),
    )
    assert "1 problem, 1 epoch: 1 generator x 1 rollout and 1 fusion a problem\n" in said
    assert "0 -> 1 experience\n" in said


def test_failures_alike_are_told_once_with_the_rollout_and_counted():
    failures = [
        UnitFailed(Failure(Unit(1, 1, "p", "generator_1", "attempt", index), "connection", "down"))
        for index in range(3)
    ]
    said = watch(*failures, EpochFinished(1)).splitlines()
    assert said == [
        "  failed: generator_1 attempt #1 p: connection: down",
        "  … and 2 more like these",
        "epoch 1 done",
    ]


def test_an_endpoint_that_counts_no_tokens_is_told():
    """Zero tokens are no price: some endpoints leave `usage` out."""
    rows = RoleReport("critic", Usage(0, 0, 3)), RoleReport("generator", Usage(90, 20, 9), 0.1)
    lines = describe_report(RunReport(epochs=(EpochReport(1, 1.0, (), roles=rows),)))
    (said,) = (line for line in lines if "counted" in line)
    assert "endpoint of critic: the cost is not known" in said
    none = RoleReport("critic"), rows[1]
    report = RunReport(epochs=(EpochReport(1, 1.0, (), roles=none),))
    assert not [line for line in describe_report(report) if "counted" in line]


def test_rewards_that_fall_are_told_where_no_edit_was_measured():
    """The default model on four problems: what it learns by itself may well do harm."""

    def told(*means, validation=()):
        owners = [OwnerReport("generator_1", rollouts=4, mean_reward=mean) for mean in means]
        epochs = tuple(EpochReport(n, 1.0, (row,)) for n, row in enumerate(owners, 1))
        report = RunReport(epochs=epochs, validation=validation)
        return [line for line in describe_report(report) if "fell" in line]

    (line,) = told(0.3, 0.1, 0.0)
    assert line.startswith("the mean reward fell from 0.30 to 0.00, and no edit was measured")
    assert told(0.0, 0.1, 0.3) == told(0.3) == told(0.3, None) == told() == []
    assert told(0.3, 0.0, validation=(version(0, 0.3),)) == []
