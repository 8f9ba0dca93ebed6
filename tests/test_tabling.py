"""Tables that fit: nothing that names a row or counts something is cut."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from grpo_framework.cli.epochs import report_tables
from grpo_framework.reports import EpochReport, OwnerReport, RunReport
from grpo_framework.tabling import lay_out

PATH = "/home/someone/with/a/long/name/runs/20261126-053154-887-1163af"
WORDS = "Before you answer, read the question again and check that each number was used once."


def draw(tables):
    console = Console(file=io.StringIO(), width=10_000, soft_wrap=True)
    for table in tables:
        console.print(table)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160])
def test_the_table_of_an_epoch_names_its_owners_and_cuts_no_figure(width):
    owners = tuple(OwnerReport(f"generator_{number}", rollouts=12345) for number in range(1, 12))
    lines = draw(report_tables(RunReport(epochs=(EpochReport(1, 9.0, owners),)), width=width))
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)
    heads = [line for line in lines if line.startswith("owner")]
    assert sorted(set(" ".join(heads).split()) - {"owner"}) == sorted(
        [
            "rollouts",
            "reward",
            "injected",
            "fused",
            "lift",
            "mixed/right/wrong",
            "applied",
            "shared",
            "refused",
            "library",
            "calls",
            "tokens",
            "$",
            "failed",
            "s",
        ]
    )
    assert sum(line.startswith("generator_11 ") for line in lines) == len(heads)


def test_what_fits_stays_one_table():
    lines = draw(lay_out(("a", "b"), [(1, 2)], width=4, title="t"))
    assert lines == ["t", "a  b", "1  2"]


def test_a_path_is_not_broken_where_the_line_is_too_short():
    lines = draw(lay_out(("run", "outcome"), [(PATH, "finished")], width=40))
    assert any(line.startswith(f"{PATH}  finished") for line in lines)


def test_words_are_broken_between_words_and_numbers_stay():
    lines = draw(lay_out(("id", "used", "content"), [("g-1", 1234, WORDS)], width=60))
    assert lines[1].startswith("g-1  1234  Before")
    assert " ".join(" ".join(lines[1:]).split()) == f"g-1 1234 {WORDS}"
    assert max(map(len, lines)) <= 60


def test_keys_are_said_again_in_each_part():
    columns = ("replicate", "seed", "owner", "reward")
    lines = draw(lay_out(columns, [(1, 7, "c", 1.0)], width=24, keys=("replicate", "owner")))
    assert lines == [
        "replicate  seed  owner",
        "1          7     c",
        "replicate  owner  reward",
        "1          c      1.0",
    ]
