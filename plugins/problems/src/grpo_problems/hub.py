"""Rows of data sets of the hub, through the library `datasets`, an optional extra."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grpo_framework.errors import ProblemError
from grpo_problems.known import Hub
from grpo_problems.rows import SPLITS
from grpo_problems.tables import Row


def read_hub(hub: Hub, name: str, revision: str | None = None) -> Iterator[Row]:
    """Read all rows of a data set of the hub; blocking, downloads it unless it is in the cache.

    Args:
        hub: Which one; without splits, all it has.
        name: Its short name, for ids made from positions.
        revision: A commit or tag, for runs that can be repeated.

    Raises:
        ProblemError: `datasets` is not installed, or cannot load it.
    """
    for config in hub.configs or (None,):
        tables = _load(hub.path, config, revision)
        wanted = hub.splits or {split: SPLITS.get(split.lower(), "") for split in tables}
        for split, ours in wanted.items():
            if split not in tables:
                listed = ", ".join(tables)
                raise ProblemError(
                    f"the data set {hub.path} has no split '{split}'; it has {listed}"
                )
            parts = (name, config if len(hub.configs) > 1 else "", split if len(wanted) > 1 else "")
            origin = "-".join(part for part in parts if part)
            for values in tables[split]:
                yield Row(values, origin=origin, split=ours)


def _load(path: str, config: str | None, revision: str | None) -> Mapping[str, Any]:
    try:
        from datasets import load_dataset  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise ProblemError(
            f"the data set {path} needs the library datasets, which is not installed",
            hint="pip install 'grpo-problems[hub]'",
        ) from error
    try:
        tables: Mapping[str, Any] = load_dataset(path, config, revision=revision)
    # The library raises what its parts raise: connection, HTTP, cache and parser errors alike.
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ProblemError(
            f"the data set {path} cannot be loaded: {reason[:300]}",
            hint="check name, network and login, or give a file with --data-dir",
        ) from error
    return tables
