"""The case tables: every row is judged as labelled, both ways round, and by family."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from grpo_math import Cause, Options, Result, Verdict, compare, compare_response

HERE = Path(__file__).parent
TABLES = sorted((HERE / "tables").glob("*.jsonl"))
RESPONSES = sorted((HERE / "responses").glob("*.jsonl"))


def read(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def judge(compared: Callable[..., Result], gold: str, text: str) -> Result:
    """Compare by the defaults; what ran out of time on a busy machine is given more."""
    result = compared(gold, text)
    if result.cause is Cause.TIMEOUT:
        return compared(gold, text, options=Options(timeout=10))
    return result


def describe(row: dict[str, str], got: object) -> str:
    pred = row.get("pred", row.get("response", ""))
    return f"{row['gold']!r} | {pred[-80:]!r}: expected {row['expect']}, got {got} ({row['why']})"


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_pairs_of_family_are_judged_as_labelled(path: Path) -> None:
    """Each row has its label's verdict; the failure names the family's accuracy and every wrong
    row."""
    rows = read(path)
    wrong = []
    for row in rows:
        result = judge(compare, row["gold"], row["pred"])
        if result.verdict != row["expect"]:
            wrong.append(describe(row, f"{result.verdict} by {result.rule}: {result.reason}"))
    accuracy = 1 - len(wrong) / len(rows)
    assert not wrong, f"{path.stem}: {accuracy:.1%} of {len(rows)}\n" + "\n".join(wrong)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_pairs_of_family_do_not_flip_when_swapped(path: Path) -> None:
    """compare(a, b) has the verdict of compare(b, a)."""
    flipped = []
    for row in read(path):
        here = judge(compare, row["gold"], row["pred"]).verdict
        there = judge(compare, row["pred"], row["gold"]).verdict
        if here != there:
            flipped.append(f"{row['gold']!r} | {row['pred']!r}: {here}, swapped {there}")
    assert not flipped, "\n".join(flipped)


@pytest.mark.parametrize("path", RESPONSES, ids=lambda path: path.stem)
def test_responses_of_family_are_judged_as_labelled(path: Path) -> None:
    """Whole responses have their label's verdict; `none` means that no answer is found."""
    rows = read(path)
    wrong = []
    for row in rows:
        result = judge(compare_response, row["gold"], row["response"])
        expected = Verdict.UNKNOWN if row["expect"] == "none" else row["expect"]
        if result.verdict != expected:
            wrong.append(
                describe(row, f"{result.verdict} of {result.extracted!r}: {result.reason}")
            )
    accuracy = 1 - len(wrong) / len(rows)
    assert not wrong, f"{path.stem}: {accuracy:.1%} of {len(rows)}\n" + "\n".join(wrong)


def test_tables_are_broad_and_balanced() -> None:
    """At least 31 families of pairs and 15 of responses, and as many near misses as equals."""
    labels = Counter(row["expect"] for path in TABLES for row in read(path))
    assert len(TABLES) >= 31
    assert len(RESPONSES) >= 15
    assert set(labels) == {"equal", "different"}
    assert labels["different"] >= labels["equal"]
    assert labels.total() >= 1_800
    assert sum(len(read(path)) for path in RESPONSES) >= 500


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_side_of_the_table_equals_itself(path: Path) -> None:
    """Comparison is reflexive over every answer of the tables."""
    sides = {side for row in read(path) for side in (row["gold"], row["pred"])}
    apart = [side for side in sorted(sides) if compare(side, side).verdict is not Verdict.EQUAL]
    assert not apart, apart
