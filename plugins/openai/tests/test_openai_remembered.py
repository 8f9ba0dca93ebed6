"""What the price tables said is kept for later runs, and nothing depends on it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib import metadata
from types import SimpleNamespace

import platformdirs
import pytest
from genai_prices.types import (
    ConditionalPrice,
    ModelPrice,
    StartDateConstraint,
    TimeOfDateConstraint,
)
from grpo_openai import remembered, tables
from grpo_openai.remembered import Answer, cache_file, find_prices, read_answers
from grpo_openai.tables import Found

VERSION = metadata.version(remembered.TABLES)
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.fixture
def asked(monkeypatch):
    """The names that the tables are asked for; what they say of each can be set."""
    names, said = [], {"known": Found(("0.4", "1.6"), lasting=True)}

    def ask(name):
        names.append(name)
        return said.get(name, Found(None, lasting=True))

    monkeypatch.setattr(remembered, "ask", ask)
    return SimpleNamespace(names=names, said=said)


def test_a_second_look_up_starts_no_process_and_says_the_same(monkeypatch):
    """Neither for a known model nor for one that the tables do not know."""
    names = ["gpt-4.1-mini", "simulated"]
    first = [find_prices(name) for name in names]
    assert first[0] is not None
    assert first[1] is None
    monkeypatch.setattr(subprocess, "run", pytest.fail)
    monkeypatch.setattr(tables, "look_up", pytest.fail)
    assert [find_prices(name) for name in names] == first


def test_another_version_of_the_tables_is_asked_anew(asked, monkeypatch):
    """Each version has its own answers; two installations do not undo each other's."""
    find_prices("known")
    asked.said["known"] = Found(("0.5", "2"), lasting=True)
    monkeypatch.setattr(metadata, "version", lambda _: "999")
    assert find_prices("known") == find_prices("known") == ("0.5", "2")
    assert asked.names == ["known"] * 2


def test_answers_of_several_versions_stand_side_by_side(asked, monkeypatch):
    """Whoever goes back to the version before need not ask again."""
    version = VERSION
    monkeypatch.setattr(metadata, "version", lambda _: version)
    find_prices("known")
    version = "999"
    find_prices("known")
    version = VERSION
    find_prices("known")
    assert asked.names == ["known"] * 2


def _written(**changes):
    row = {"model": "known", "version": VERSION, "prices": ["9", "9"], **changes}
    return json.dumps({"answers": [{"model": "x", "version": "1", "prices": None}, row]})


DAMAGED = {
    "empty": "",
    "cut": _written()[:-3],
    "no text": b"\xff\xfe",
    "a list": "[]",
    "no answers": "{}",
    "answers of another kind": '{"answers": 3}',
    "rows of another kind": '{"answers": [3]}',
    "deep": "[" * 100_000,
    "long": _written() + " " * remembered._MAX_BYTES,
    "a number": _written(prices=[9, 9]),
    "a negative price": _written(prices=["9", "-9"]),
    "an infinite price": _written(prices=["Infinity", "9"]),
    "no number": _written(prices=["NaN", "9"]),
    "other digits": _written(prices=["٩", "9"]),
    "an endless exponent": _written(prices=["9E+99999", "9"]),
    "one price": _written(prices=["9"]),
    "three prices": _written(prices=["9"] * 3),
    "prices as text": _written(prices="99"),
    "no version": _written(version=None),
    "no model": _written(model=3),
    "one key more": _written(more=1),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_not_believed_and_is_replaced(content, asked):
    """Whatever is wrong in it, all of it is looked up anew."""
    file = cache_file()
    file.parent.mkdir()
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert find_prices("known") == find_prices("known") == ("0.4", "1.6")
    assert asked.names == ["known"]
    assert read_answers(file) == (Answer("known", VERSION, ("0.4", "1.6")),)


def test_what_the_damaged_files_differ_from_is_believed(asked):
    """Else the test before would show nothing."""
    file = cache_file()
    file.parent.mkdir()
    file.write_text(_written())
    assert find_prices("known") == ("9", "9")
    assert asked.names == []


def test_a_directory_that_cannot_be_made_changes_nothing(asked, cache):
    """Such as below a file; the same way as one that may only be read."""
    cache.write_text("in the way")
    assert find_prices("known") == find_prices("known") == ("0.4", "1.6")
    assert asked.names == ["known"] * 2
    assert cache.read_text() == "in the way"


def test_a_write_that_fails_changes_nothing(asked, monkeypatch):
    """A full disk, or a file system that may only be read."""

    def fail(*_):
        raise PermissionError(30, "Read-only file system")

    monkeypatch.setattr(remembered, "write_atomically", fail)
    assert find_prices("known") == ("0.4", "1.6")
    assert not cache_file().exists()


@pytest.mark.parametrize(
    "found", [Found(("0.4", "1.6"), lasting=False), Found(None, lasting=False)]
)
def test_what_does_not_last_is_not_kept(asked, found):
    """Tomorrow, or in an hour, the same tables say something else."""
    asked.said["known"] = found
    find_prices("known")
    find_prices("known")
    assert asked.names == ["known"] * 2
    assert not cache_file().exists()


def test_a_price_that_could_not_be_read_again_is_not_kept(asked):
    """One such row would make the whole file worth nothing."""
    find_prices("other")
    asked.said["known"] = Found(("-1", "1.6"), lasting=True)
    assert find_prices("known") == ("-1", "1.6")
    assert [each.model for each in read_answers(cache_file())] == ["other"]


def test_the_file_stays_small(asked, monkeypatch):
    """The newest answers are kept; a name without end is not."""
    monkeypatch.setattr(remembered, "MAX_ANSWERS", 3)
    for name in ["a", "b", "c", "d", "e" * 201]:
        find_prices(name)
    assert [each.model for each in read_answers(cache_file())] == ["b", "c", "d"]


def test_the_largest_file_that_is_written_is_read(asked):
    """With as many answers as there may be, of the longest names, in letters that JSON escapes."""
    file = cache_file()
    price = "9" * 12 + "." + "9" * 30 + "E+99"
    rows = [
        {"model": chr(0x4E00 + number) * 200, "version": VERSION, "prices": [price, price]}
        for number in range(remembered.MAX_ANSWERS)
    ]
    file.parent.mkdir()
    file.write_text(json.dumps({"answers": rows}, indent=1))
    assert len(read_answers(file)) == remembered.MAX_ANSWERS


def test_processes_that_write_at_once_leave_a_whole_file(cache):
    """Each finds its price; one may lose its answer, and it is looked up again."""
    code = (
        "import sys; from grpo_openai import remembered as r, tables as t\n"
        "r.ask = lambda name: t.Found(('1', '2'), True)\n"
        "for n in range(40): assert r.find_prices(f'{sys.argv[1]}-{n}') == ('1', '2')"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, str(each)]) for each in range(3)]
    assert [child.wait(120) for child in children] == [0, 0, 0]
    answers = read_answers(cache_file())
    assert 40 <= len(answers) <= 120
    assert [file.name for file in cache.iterdir()] == [remembered.FILE]


def test_where_answers_are_kept(monkeypatch, tmp_path, cache):
    """In the variable's directory; nowhere where it is empty; else in the user's own."""
    assert cache_file() == cache / remembered.FILE
    monkeypatch.setenv("GRPO_CACHE_DIR", "")
    assert cache_file() is None
    monkeypatch.delenv("GRPO_CACHE_DIR")
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, **_: tmp_path / name)
    assert cache_file() == tmp_path / "grpo-framework" / remembered.FILE
    monkeypatch.setattr(
        platformdirs, "user_cache_path", lambda name, **_: tmp_path.relative_to("/")
    )
    assert cache_file() is None


@pytest.mark.parametrize("missing", ["file", "version"])
def test_without_a_place_or_a_version_prices_are_looked_up(asked, monkeypatch, missing):
    """As if nothing were ever kept."""
    if missing == "file":
        monkeypatch.setenv("GRPO_CACHE_DIR", "")
    else:
        monkeypatch.setattr(remembered, "TABLES", "no-such-distribution")
    assert find_prices("known") == find_prices("known") == ("0.4", "1.6")
    assert asked.names == ["known"] * 2


def _row(constraint):
    return ConditionalPrice(constraint, prices=ModelPrice(input_mtok=Decimal(1)))


@pytest.mark.parametrize(
    ("prices", "lasting"),
    [
        (ModelPrice(input_mtok=Decimal(1)), True),
        ([_row(None)], True),
        ([_row(None), _row(StartDateConstraint(date(2026, 6, 1)))], True),
        ([_row(None), _row(StartDateConstraint(date(2026, 7, 1)))], False),
        ([_row(None), _row(TimeOfDateConstraint(time(1, tzinfo=UTC), time(4, tzinfo=UTC)))], False),
    ],
    ids=["one price", "one row", "begun", "to come", "by the hour"],
)
def test_a_price_lasts_where_no_row_can_take_its_place(prices, lasting):
    """A row by the hour comes and goes; one with a date comes and stays."""
    assert tables._is_lasting(SimpleNamespace(prices=prices), NOW) is lasting
