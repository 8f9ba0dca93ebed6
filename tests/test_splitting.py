"""Problems are chosen by split; a wrong option is named by its place in the configuration."""

from __future__ import annotations

import pytest

from grpo_framework.config import load_config
from grpo_framework.errors import ConfigError
from grpo_framework.records import Problem, Question
from grpo_framework.splitting import choose


def problems(*splits):
    return tuple(
        Problem(Question(f"p{number}", f"1+{number}"), str(number + 1), split=split)
        for number, split in enumerate(splits)
    )


def chosen(split, *splits, **flags):
    config = load_config(None, {"split": split, **flags})
    return [problem.id for problem in choose(problems(*splits), config)]


@pytest.mark.parametrize("split", ["train", "validation", "test", "all"])
def test_without_named_splits_all_problems_are_in_each(split):
    """A plain file serves for everything."""
    assert chosen(split, "", "", "") == ["p0", "p1", "p2"]


def test_rows_that_name_no_split_are_for_training_where_others_do():
    """Nothing that is trained on is tested with because a row left its split out."""
    rows = ("train", "", "test", "")
    assert chosen("train", *rows) == ["p0", "p1", "p3"]
    assert chosen("test", *rows) == ["p2"]
    assert chosen("all", *rows) == ["p0", "p1", "p2", "p3"]


def test_the_first_so_many_are_taken_and_an_empty_split_is_an_error():
    """The error names the splits that are there."""
    assert chosen("train", "train", "train", "train", max_problems=2) == ["p0", "p1"]
    with pytest.raises(ConfigError, match="no problem is in the split 'validation'") as caught:
        chosen("validation", "train", "test")
    assert "test, train" in caught.value.hint
