"""Numbers on the command line: what is none is a wrong command line, told by its flag."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("flag", "value", "said"),
    [
        ("--max-cost", "nan", "'nan' is no finite number"),
        ("--max-time", "inf", "'inf' is no finite number"),
        ("--credit-dropout", "nan", "'nan' is no finite number"),
        ("--group-size", "99999999", "1<=x<=1000"),
    ],
)
def test_what_is_no_number_of_its_range_is_refused_by_its_flag(run, toy, flag, value, said):
    result = run("train", *toy, flag, value, "--dry-run")
    assert result.exit_code == 2
    assert flag in result.stderr
    assert said in result.stderr


def test_a_dry_run_refuses_replicates_that_do_not_begin_alike(run, toy):
    flags = ("--use-existing-experiences", "--replicates=2", "--dry-run")
    result = run("train", *toy, *flags)
    assert result.exit_code == 3
    assert "replicates begin alike" in result.stderr
