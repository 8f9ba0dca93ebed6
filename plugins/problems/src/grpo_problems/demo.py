"""The demo set: problems of this project that a very small model solves sometimes, not always.

Each kind of problem is a grid of small numbers. The numbers of a kind are dealt to the splits in an
order that a hash fixes, so that no two splits share a problem, nor the numbers of one kind; within
a split the kinds alternate, so that its first problems already show all of them. No random
generator is asked: the set is the same on every machine and in every version of Python.

Kinds and sizes were chosen by measuring the default model; the README has the figures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import chain, islice, product, zip_longest
from typing import TypeAlias

from attrs import frozen

from grpo_framework.records import Problem, Question
from grpo_problems.sources import Source

SIZES = {"train": 9, "validation": 6, "test": 9}
"""Split → problems of each kind."""

NAMES = ("Mia", "Tom", "Ana", "Ben", "Zoe", "Leo", "Eva", "Max")
THINGS = ("apples", "pencils", "stamps", "shells", "marbles", "cards", "books", "coins")
HOLDERS = (("box", "boxes"), ("bag", "bags"), ("basket", "baskets"), ("jar", "jars"))
UNITS = (("days", "weeks", 7), ("feet", "yards", 3), ("quarts", "gallons", 4))

Numbers: TypeAlias = tuple[int, ...]
Writer: TypeAlias = Callable[[Numbers, int], tuple[str, int]]
"""The numbers of a problem and its turn, which picks the words → text and answer."""


@frozen
class Kind:
    """One kind of problem.

    Attributes:
        name: Its name, part of the ids.
        subject: ``word problems``, ``units``, ``fractions`` or ``LaTeX``.
        grid: All the numbers that its problems can be made with.
        write: Makes a problem of them.
    """

    name: str
    subject: str
    grid: tuple[Numbers, ...]
    write: Writer


def _write_more(numbers: Numbers, turn: int) -> tuple[str, int]:
    held, more = numbers
    name, things = NAMES[turn % 8], THINGS[turn * 3 % 8]
    text = (
        f"{name} has {held} {things} and gets {more} more. How many {things} does {name} have now?"
    )
    return text, held + more


def _write_groups(numbers: Numbers, turn: int) -> tuple[str, int]:
    size, groups = numbers
    (one, many), things = HOLDERS[turn % 4], THINGS[turn * 5 % 8]
    return (
        f"Each {one} holds {size} {things}. How many {things} are in {groups} {many}?",
        size * groups,
    )


def _write_units(numbers: Numbers, _: int) -> tuple[str, int]:
    unit, count = numbers
    small, large, factor = UNITS[unit]
    return f"How many {small} are {count} {large}?", count * factor


def _write_part(numbers: Numbers, _: int) -> tuple[str, int]:
    below, answer = numbers
    return f"What is 1/{below} of {below * answer}?", answer


def _write_quotient(numbers: Numbers, _: int) -> tuple[str, int]:
    below, answer = numbers
    return rf"Compute $\frac{{{below * answer}}}{{{below}}}$.", answer


def _write_sum(numbers: Numbers, _: int) -> tuple[str, int]:
    return f"Compute ${numbers[0]} + {numbers[1]}$.", numbers[0] + numbers[1]


def _write_product(numbers: Numbers, _: int) -> tuple[str, int]:
    return rf"Compute ${numbers[0]} \times {numbers[1]}$.", numbers[0] * numbers[1]


def _grid(*ranges: range) -> tuple[Numbers, ...]:
    return tuple(product(*ranges))


KINDS: tuple[Kind, ...] = (
    Kind("more", "word problems", _grid(range(2, 10), range(2, 6)), _write_more),
    Kind("part", "fractions", _grid(range(2, 6), range(2, 8)), _write_part),
    Kind("product", "LaTeX", _grid(range(2, 10), range(2, 6)), _write_product),
    Kind("units", "units", _grid(range(3), range(2, 10)), _write_units),
    Kind("groups", "word problems", _grid(range(2, 8), range(2, 6)), _write_groups),
    Kind("sum", "LaTeX", _grid(range(2, 15), range(2, 10)), _write_sum),
    Kind("quotient", "LaTeX", _grid(range(2, 6), range(2, 10)), _write_quotient),
)
"""In the order in which they alternate."""


def make_problems() -> tuple[Problem, ...]:
    """All problems of the demo set: train, validation and test, the kinds alternating in each."""
    dealt = [tuple(_deal(kind)) for kind in KINDS]
    return tuple(
        problem
        for split in SIZES
        for problem in chain.from_iterable(
            zip_longest(*([each for each in kind if each.split == split] for kind in dealt))
        )
        if problem is not None
    )


def _deal(kind: Kind) -> Iterator[Problem]:
    """A kind's problems: each of its numbers in at most one split, in at most one problem."""
    shuffled = iter(sorted(kind.grid, key=lambda numbers: _shuffle(kind.name, numbers)))
    turn = 0
    for split, size in SIZES.items():
        for numbers in islice(shuffled, size):
            text, answer = kind.write(numbers, turn)
            turn += 1
            yield Problem(
                Question(f"demo-{kind.name}-{turn}", text, kind.subject, "demo"),
                str(answer),
                split,
                f"problems/demo, {kind.name} {turn}",
            )


def _shuffle(name: str, numbers: Numbers) -> bytes:
    return hashlib.sha256(f"{name} {numbers}".encode()).digest()


def demo_source() -> Source:
    """The source of the demo set."""
    return Source(make_problems)
