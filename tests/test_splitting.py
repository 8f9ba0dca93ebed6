"""Problems are chosen by split; a wrong option is named by its place in the configuration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpo_framework.config import SplitShares, load_config
from grpo_framework.errors import ConfigError, ProblemError
from grpo_framework.records import Problem, Question
from grpo_framework.splitting import (
    LEAST_TO_SPLIT,
    LEAST_VALIDATION,
    choose,
    choose_validation,
    split_problems,
)


def problems(*splits):
    return tuple(
        Problem(Question(f"p{number}", f"1+{number}"), str(number + 1), split=split)
        for number, split in enumerate(splits)
    )


def choose_from(held, config):
    return choose(held, split_problems(held, config.splits), config)


def chosen(split, *splits, **flags):
    config = load_config(None, {"split": split, **flags})
    return [problem.id for problem in choose_from(problems(*splits), config)]


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


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (
            Problem(Question("p", "Add \ud800"), "1", source="mine.jsonl:3"),
            "mine.jsonl:3: the text",
        ),
        (Problem(Question("p", "Add"), "\ud83d"), "problem 'p': the answer holds half a character"),
        (Problem(Question("\udfff", "Add"), "1"), r"the id holds half a character, \\udfff at 1"),
    ],
)
def test_half_a_character_is_an_error_before_anything_is_asked(problem, said):
    r"""What no file can hold: JSON's ``\ud83d`` without its other half."""
    config = load_config(None, {"split": "train"})
    with pytest.raises(ProblemError, match=said) as caught:
        choose_from((problem,), config)
    assert "whole character" in caught.value.hint


def test_the_first_so_many_are_taken_and_an_empty_split_is_an_error():
    """The error names the splits that are there."""
    assert chosen("train", "train", "train", "train", max_problems=2) == ["p0", "p1"]
    with pytest.raises(ConfigError, match="no problem is in the split 'validation'") as caught:
        chosen("validation", "train", "test")
    assert "test, train" in caught.value.hint


def texts(numbers):
    """Problems without named splits; equal numbers are one text in other case and spacing."""
    return tuple(
        Problem(Question(f"p{place}", (f"Add  {n} and 1", f"add {n} AND 1 ")[place % 2]), "1")
        for place, n in enumerate(numbers)
    )


NUMBERS = st.one_of(
    st.lists(st.integers(0, 9), max_size=LEAST_TO_SPLIT - 1),
    st.lists(st.integers(0, 40), min_size=LEAST_TO_SPLIT, max_size=140),
)
SHARES = st.builds(
    SplitShares,
    validation=st.floats(0.0, 0.5),
    test=st.floats(0.0, 0.4),
    seed=st.integers(0, 9),
)


def places(splits):
    """Problem id → the names of the splits that it is in."""
    found = {}
    for name in ("train", "validation", "test"):
        for problem in getattr(splits, name):
            found.setdefault(problem.id, []).append(name)
    return found


@given(NUMBERS, SHARES)
def test_splits_hold_each_problem_once_and_a_text_together(numbers, shares):
    """Disjoint, nothing left out, in the order of the file; doubles of a text are not torn apart."""
    held = texts(numbers)
    splits = split_problems(held, shares)
    found = places(splits)
    assert found.keys() == {problem.id for problem in held}
    if len(held) < LEAST_TO_SPLIT:
        assert splits.whole
        assert splits.train == splits.validation == splits.test == held
        return
    assert not splits.whole
    assert all(len(names) == 1 for names in found.values())
    by_text = {}
    for number, problem in zip(numbers, held, strict=True):
        by_text.setdefault(number, set()).update(found[problem.id])
    assert all(len(names) == 1 for names in by_text.values())
    for name in ("train", "validation", "test"):
        chosen = [problem.id for problem in getattr(splits, name)]
        assert chosen == sorted(chosen, key=lambda id_: int(id_[1:]))


@given(NUMBERS, SHARES, st.randoms(use_true_random=False))
def test_splits_do_not_depend_on_the_order_of_the_file(numbers, shares, dice):
    """Another order, the same division."""
    held = list(texts(numbers))
    before = places(split_problems(held, shares))
    dice.shuffle(held)
    assert places(split_problems(held, shares)) == before


@given(NUMBERS, SHARES)
def test_splits_are_as_large_as_asked_for(numbers, shares):
    """But for doubles, which come along; no validation split that would be too small to judge."""
    held = texts(numbers)
    splits = split_problems(held, shares)
    if splits.whole:
        return
    often = max(numbers.count(number) for number in numbers)
    wanted = round(len(held) * shares.test)
    assert len(splits.test) in range(wanted, wanted + often)
    wanted = round(len(held) * shares.validation)
    if wanted < LEAST_VALIDATION:
        assert not splits.validation
    else:
        left = len(held) - len(splits.test)
        assert min(wanted, left) <= len(splits.validation) < wanted + often


@given(
    st.lists(st.sampled_from(["", "train", "validation", "test"]), min_size=1, max_size=120),
    SHARES,
)
def test_named_splits_win(names, shares):
    """A row is where it says; only what is for training can become validation, where none is named."""
    if not any(names):
        return
    held = problems(*names)
    found = places(split_problems(held, shares))
    assert all(len(each) == 1 for each in found.values())
    for problem in held:
        (place,) = found[problem.id]
        if problem.split in ("validation", "test"):
            assert place == problem.split
        elif "validation" in names:
            assert place == "train"
        else:
            assert place in ("train", "validation")


@given(NUMBERS, st.one_of(st.none(), st.integers(1, 60)), st.integers(1, 60))
def test_what_judges_edits_is_bounded_and_trained_on_by_nobody(numbers, most, largest):
    """At most `splits.max_validation`, no more than `max_problems`, and never of another split."""
    held = texts(numbers)
    flags = {"splits": {"max_validation": largest}}
    flags |= {} if most is None else {"max_problems": most}
    config = load_config(None, flags)
    splits = split_problems(held, config.splits)
    judging = choose_validation(splits, config)
    assert len(judging) <= min(largest, len(held) if most is None else most)
    if splits.whole:
        assert judging == ()
        return
    assert set(judging) <= set(splits.validation)
    assert not set(judging) & {*splits.train, *splits.test}
    tested = load_config(None, {**flags, "split": "test"})
    assert choose_validation(split_problems(held, tested.splits), tested) == ()


def test_a_text_that_a_held_out_split_has_is_not_trained_on_under_another_id():
    def row(split, number, text=None):
        return Problem(Question(f"{split}-{number}", text or f"{split} {number}"), "1", split=split)

    shared = [row("train", n, f"How much is {n} plus one?") for n in range(6)]
    rows = [
        *shared,
        *(row("train", n) for n in range(10, 20)),
        *(row("validation", n, f"how much  is {n} plus one?") for n in (0, 1, 2)),
        row("validation", 10),
        *(row("test", n, f"How much is {n} plus one?") for n in (2, 3)),
    ]
    splits = split_problems(rows, SplitShares())
    assert [p.id for p in splits.test] == ["test-2", "test-3"]
    assert [p.id for p in splits.validation] == ["validation-0", "validation-1", "validation-10"]
    assert {p.id for p in splits.train} == {
        "train-4",
        "train-5",
        *(f"train-{n}" for n in range(10, 20)),
    }
    assert {p.id for p in splits.repeated} == {"validation-2", *(f"train-{n}" for n in range(4))}


def test_validation_problems_are_drawn_from_the_whole_file():
    rows = [Problem(Question(f"t{n}", f"train {n}"), "1", split="train") for n in range(10)]
    rows += [
        Problem(Question(f"v{n}", f"level {n // 100}, number {n}"), "1", split="validation")
        for n in range(500)
    ]
    config = load_config(None, {})
    chosen = choose_validation(split_problems(rows, config.splits), config)
    numbers = [int(problem.id[1:]) for problem in chosen]
    assert len(numbers) == 50
    assert numbers == sorted(numbers)
    assert {number // 100 for number in numbers} == {0, 1, 2, 3, 4}
