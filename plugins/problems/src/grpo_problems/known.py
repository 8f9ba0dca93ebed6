"""The data sets that are known by name: where their files lie, and what the hub calls them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from attrs import frozen

from grpo_problems.tables import SUFFIXES

SPLITS = ("train", "validation", "test")


@frozen
class Hub:
    """A data set on the hub.

    Attributes:
        path: ``organisation/name``.
        configs: Its configurations, all of them read; empty where it has none.
        splits: Its splits that are read → what the framework calls them.
    """

    path: str
    configs: tuple[str, ...] = ()
    splits: Mapping[str, str] = MappingProxyType({"train": ""})


@frozen
class Known:
    """A data set known by name.

    Attributes:
        name: Its name.
        summary: One line.
        hub: Where the hub has it, None where it does not.
        old_paths: Where the older scripts kept it; all of them together are the set.
        problem_keys: Spellings beside the usual ones.
        answer_keys: Spellings beside the usual ones.
        id_keys: Spellings beside ``id``.
        answer_after: See `grpo_problems.rows.Reading`.
    """

    name: str
    summary: str
    hub: Hub | None = None
    old_paths: tuple[str, ...] = ()
    problem_keys: tuple[str, ...] = ()
    answer_keys: tuple[str, ...] = ()
    id_keys: tuple[str, ...] = ()
    answer_after: str = ""


KNOWN: tuple[Known, ...] = (
    Known(
        "aime2024",
        "30 problems of AIME 2024",
        Hub("Maxwell-Jia/AIME_2024"),
        ("dataset/AIME_2024/aime_2024_problems.jsonl",),
        id_keys=("ID",),
    ),
    Known(
        "aime2025",
        "30 problems of AIME 2025 I and II",
        Hub("opencompass/AIME2025", ("AIME2025-I", "AIME2025-II"), {"test": ""}),
        ("dataset/AIME2025/aime2025-I.jsonl", "dataset/AIME2025/aime2025-II.jsonl"),
    ),
    Known(
        "physics",
        "the physics problems of the older scripts, from a file",
        old_paths=("dataset/physics_problems.json",),
    ),
    Known(
        "gsm8k",
        "grade school word problems, train and test",
        Hub("openai/gsm8k", ("main",), {"train": "train", "test": "test"}),
        answer_after="####",
    ),
    Known(
        "math500",
        "500 problems of MATH",
        Hub("HuggingFaceH4/MATH-500", splits={"test": ""}),
        id_keys=("unique_id",),
    ),
    Known(
        "dapo",
        "17,000 competition problems with integer answers",
        Hub("open-r1/DAPO-Math-17k-Processed", ("en",)),
        problem_keys=("prompt",),
        answer_keys=("solution",),
    ),
)


def candidates(known: Known, directory: Path) -> Iterator[tuple[tuple[Path, str], ...]]:
    """The groups of files that could hold the set in a directory, first choice first.

    Yields:
        Files of one group, each with the split that its name says.
    """
    for suffix in SUFFIXES:
        yield ((directory / f"{known.name}{suffix}", ""),)
    for suffix in SUFFIXES:
        yield tuple((directory / f"{known.name}_{split}{suffix}", split) for split in SPLITS)
    if known.old_paths:
        old = tuple(Path(path) for path in known.old_paths)
        yield tuple((directory / path, "") for path in old)
        yield tuple((directory / path.relative_to("dataset"), "") for path in old)
        yield tuple((directory / path.name, "") for path in old)
