"""What was looked up in the price tables, kept in a small file in the user's cache directory.

An answer depends on the model's name and the version of the tables alone, so a later run needs
neither the tables nor a process that loads them. The file is a convenience: where it is missing,
damaged or cannot be written, prices are looked up as without it. Two processes that write at once
do not wait for each other: one loses its answer and looks it up again another time.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from attrs import frozen

from grpo_framework.atomic import write_atomically
from grpo_openai.tables import Prices, ask

TABLES = "genai-prices"
"""The distribution whose tables are asked."""

DIRECTORY_VARIABLE = "GRPO_CACHE_DIR"
"""Environment variable of the directory; where it is empty, nothing is kept."""

FILE = "openai-prices.json"
MAX_ANSWERS = 200
"""Answers kept, the newest of them."""

_MAX_NAME = 200
_MAX_BYTES = 500_000
_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,30})?(E[+-]?[0-9]{1,2})?")


@frozen
class Answer:
    """What the tables of a version say about a model.

    Attributes:
        model: Its name, as it was asked for.
        version: Of the tables.
        prices: None where it is not known.
    """

    model: str
    version: str
    prices: Prices | None


def find_prices(name: str) -> Prices | None:
    """The prices of a model from the tables, or from what they said before.

    Args:
        name: As for `grpo_openai.prices.price_of`.
    """
    file, version = cache_file(), _version()
    if file is None or version is None or len(name) > _MAX_NAME:
        return ask(name).prices
    for answer in read_answers(file):
        if (answer.model, answer.version) == (name, version):
            return answer.prices
    found = ask(name)
    if found.lasting and all(map(_is_price, found.prices or ())):
        _keep(file, Answer(name, version, found.prices))
    return found.prices


def cache_file() -> Path | None:
    """Where answers are kept: in ``$GRPO_CACHE_DIR``, else in the user's cache directory."""
    given = os.environ.get(DIRECTORY_VARIABLE)
    if given is not None:
        return Path(given) / FILE if given else None
    from platformdirs import user_cache_path

    directory = user_cache_path("grpo-framework", appauthor=False)
    # A user without a home has a relative one: nothing is strewn into the working directory.
    return directory / FILE if directory.is_absolute() else None


def read_answers(file: Path) -> tuple[Answer, ...]:
    """The answers in a file, oldest first; none where it is missing or anything in it is wrong."""
    try:
        with file.open("rb") as opened:
            data = opened.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            return ()
        return tuple(_answer(row) for row in json.loads(data)["answers"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return ()


def _answer(row: Any) -> Answer:
    """An answer from its document; ValueError, TypeError or KeyError where it is none."""
    model, version, prices = row["model"], row["version"], row["prices"]
    if not (isinstance(model, str) and isinstance(version, str) and len(row) == 3):
        raise ValueError(row)
    if prices is None:
        return Answer(model, version, None)
    if not isinstance(prices, list) or not all(map(_is_price, prices)):
        raise ValueError(prices)
    of_input, of_output = prices
    return Answer(model, version, (of_input, of_output))


def _is_price(text: object) -> bool:
    return isinstance(text, str) and _DECIMAL.fullmatch(text) is not None


def _keep(file: Path, answer: Answer) -> None:
    """Write an answer behind those that are there; what cannot be written is not kept."""
    # They are read again: asking took its time, and other processes write as well.
    same = (answer.model, answer.version)
    others = [each for each in read_answers(file) if (each.model, each.version) != same]
    rows = [
        {"model": each.model, "version": each.version, "prices": each.prices}
        for each in [*others, answer][-MAX_ANSWERS:]
    ]
    with suppress(OSError):
        write_atomically(file, json.dumps({"answers": rows}, indent=1) + "\n")


def _version() -> str | None:
    try:
        return metadata.version(TABLES)
    except metadata.PackageNotFoundError:
        return None
