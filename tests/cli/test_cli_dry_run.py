"""`grpo-cli train --dry-run`: few prompts are rendered, every role is counted, a likely figure."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from grpo_framework.cli import cli
from grpo_framework.component import Component
from grpo_framework.hookspecs import hookimpl
from grpo_framework.plugins import Plugins, Source
from grpo_framework.records import ChatRequest, Message

PRICE = '--set=prices."scripted/default"={input=1.0, output=1.0}'


class Overall:
    """Asks a model about batches and proposals, and never about a single group."""

    def __init__(self, model):
        self.model = model

    async def advise(self, contrasts, library, /):
        return ()

    async def advise_batch(self, diagnosis, library, /, *, seed):
        text = f"{len(diagnosis.shown)} experiences were shown. " + "word " * 100
        await self.model.chat(ChatRequest((Message("user", text),), max_tokens=50))
        return ()

    async def consolidate(self, proposals, library, /, *, seed):
        await self.model.chat(ChatRequest((Message("user", f"{len(proposals)} proposals"),)))
        return proposals


@asynccontextmanager
async def _overall(wiring):
    yield Overall(wiring.chat_model)


@hookimpl
def grpo_advisors():
    return [Component("whole", _overall, "advises on batches", uses_chat_model=True)]


@pytest.fixture
def foretell(tmp_path, monkeypatch):
    """A dry run's roles and its total, of so many problems."""
    pytest.importorskip("grpo_scripted")
    monkeypatch.chdir(tmp_path)
    module = SimpleNamespace(grpo_advisors=grpo_advisors)
    installed = [each for rows in Plugins.discover()._sources.values() for each in rows]
    overall = Source("overall", "overall", "overall 1", lambda: module)

    def invoke(problems, *flags):
        rows = (
            {"id": f"p{n}", "problem": f"Add {n} and 1. " + "Mind the signs. " * n, "answer": n + 1}
            for n in range(problems)
        )
        (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        train = ["train", "--datasets=p.jsonl", "--model=scripted/default", PRICE, "--dry-run"]
        plugins = Plugins([*installed, overall])
        done = CliRunner().invoke(cli, [*train, "--set=split=all", *flags], obj=plugins)
        assert done.exit_code == 0, done.stderr
        if "--json" not in flags:
            return done.stdout
        told = json.loads(done.stdout)
        return {row["role"]: row for row in told["roles"]}, told["all"]

    return invoke


def test_what_is_likely_stands_beside_the_bounds_and_well_below_the_most(foretell):
    roles, total = foretell(30, "--gate=none", "--json")
    for row in (*roles.values(), total):
        for key in ("calls", "input_tokens", "output_tokens", "cost"):
            assert row[key]["low"] <= row[key]["likely"] <= row[key]["high"], (row["role"], key)
    assert total["cost"]["likely"] < total["cost"]["high"] / 5
    assert roles["generator"]["output_tokens"]["likely"] == 300 * roles["generator"]["calls"]["low"]
    limits = ["--model=openai/gpt-4.1-mini", "--set=model.options.max_tokens=80"]
    limited = foretell(30, "--gate=none", *limits, "--json")[0]["generator"]
    assert limited["output_tokens"]["likely"] == 80 * limited["calls"]["low"]


@pytest.mark.parametrize(("adaptive", "fewest"), [([], 3), (["--adaptive-groups"], 2)])
def test_with_patience_the_least_is_a_run_that_ends_early(foretell, adaptive, fewest):
    """Its epochs bring nothing; that it comes to all of them is likely, as without patience."""
    flags = ["--generator=prompted/direct", "--gate=none", "--epochs=4", "--json", *adaptive]
    whole, _ = foretell(6, *flags)
    early, _ = foretell(6, *flags, "--patience=1")
    assert early["generator"]["calls"]["low"] == 6 * fewest
    assert early["critic"]["calls"]["low"] == 6
    for role in ("generator", "critic"):
        for key in ("likely", "high"):
            assert early[role]["calls"][key] == whole[role]["calls"][key]
    patient, _ = foretell(6, *flags, "--patience=9")
    assert patient["generator"]["calls"] == whole["generator"]["calls"]


def test_the_table_says_how_the_likely_figure_comes_about(foretell):
    text = foretell(4)
    assert "answers of 300 tokens or their limit, 50% of the groups teach" in text
    assert "likely (least - most)" in text


def test_few_prompts_are_rendered_and_their_bounds_hold_for_all(foretell, monkeypatch):
    """The problems' lengths differ much: a sample tells about the same as all of them."""
    flags = ("--gate=none", "--json")
    _, few = foretell(60, *flags)
    for module in ("walkthrough", "rehearsal"):
        monkeypatch.setattr(f"grpo_framework.{module}.SAMPLE", 60)
    _, every = foretell(60, *flags)
    assert few["calls"] == every["calls"]
    for key in ("input_tokens", "output_tokens"):
        assert few[key]["low"] <= every[key]["low"]
        assert few[key]["high"] >= every[key]["high"]
        assert few[key]["likely"] == pytest.approx(every[key]["likely"], rel=0.02)


@pytest.mark.parametrize("others", [[], ["--advisor=pool"], ["--advisor=prompted/advisor"]])
def test_advice_on_batches_and_consolidation_are_counted(foretell, others):
    """Also where several advisors are asked: three generators' batches, four owners' proposals."""
    flags = ["--gate=none", "--epochs=2", "--batch-size=3", "--json"]
    without, _ = foretell(9, *flags, *(others or ["--advisor=pool"]))
    roles, _ = foretell(9, *flags, "--advisor=overall", *others)
    batches = 2 * 3
    before = without.get("advisor", {"calls": {"high": 0}, "output_tokens": {"high": 0}})
    more = {
        key: roles["advisor"][key]["high"] - before[key]["high"]
        for key in before
        if key in ("calls", "output_tokens")
    }
    assert more == {"calls": batches * 7, "output_tokens": batches * (3 * 50 + 4 * 2048)}
    assert roles["advisor"]["calls"]["low"] == 0


def test_a_file_with_an_ending_that_says_nothing_is_told_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sums.txt").write_text("1+1")
    told = CliRunner().invoke(cli, ["train", "--dry-run", "--datasets=sums.txt"])
    assert told.exit_code == 3
    endings = ".csv .json .jsonl .ndjson .parquet"
    assert f"the file is there, but what is in one is told by its ending: {endings})" in told.stderr


def test_what_the_run_would_refuse_is_told(tmp_path, monkeypatch):
    """Experiences that are there already, and no word that the run is to go on from them."""
    monkeypatch.chdir(tmp_path)
    simulated = [
        *("--datasets=scripted/problems", "--model=scripted/default", "--generator=scripted"),
        *("--critic=scripted", "--comparator=scripted", "--advisor=scripted", "--gate=none"),
    ]
    foretelling = ["train", *simulated, "--dry-run"]
    assert "refused" not in CliRunner().invoke(cli, foretelling).stderr
    learned = CliRunner().invoke(cli, ["train", *simulated, "--epochs=1", "--run-dir=r", "--quiet"])
    assert learned.exit_code == 0
    told = CliRunner().invoke(cli, foretelling)
    assert told.exit_code == 0
    assert "the run would be refused: experiences already holds" in told.stderr
    for way in ("--use-existing-experiences", "--experience-dir=new", "--run-dir=r"):
        assert "refused" not in CliRunner().invoke(cli, [*foretelling, way]).stderr
