"""What a training asks of its store before anything is paid for."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from grpo_framework.cli.output import command_line
from grpo_framework.errors import StoreError


@pytest.fixture
def probed(store):
    """The toy store, as one that can be probed and held."""
    told = []

    class Probed(type(store)):
        refusal = ""

        async def probe(self):
            told.append("probe")
            if self.refusal:
                raise StoreError(self.refusal)

        @asynccontextmanager
        async def hold(self):
            told.append("hold")
            yield

    store.__class__ = Probed
    return told


def test_a_store_that_cannot_be_written_ends_the_training_before_it_begins(
    run, toy, store, probed, tmp_path
):
    store.__class__.refusal = "the disk says no"
    stopped = run("train", *toy, "--advisor=toy", "--quiet")
    assert stopped.exit_code == 3
    assert "the disk says no" in stopped.stderr
    assert "go on with" not in stopped.stderr
    assert probed == ["probe"]
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_has_begun_says_how_to_go_on_after_a_fault_of_the_store(
    run, toy, store, probed, monkeypatch
):
    async def broken(*_, **__):
        raise StoreError("gone")

    loads = store.load

    async def load(owner, /, *, version=None):
        if "hold" in probed:
            await broken()
        return await loads(owner, version=version)

    monkeypatch.setattr(store, "load", load)
    stopped = run("train", *toy, "--advisor=toy", "--quiet", "--run-dir=here")
    assert stopped.exit_code == 3
    assert probed == ["probe", "hold"]
    lines = stopped.stderr.splitlines()
    assert lines[-2].startswith("stopped; go on with: ")
    assert lines[-2].endswith("runs resume here")
    assert lines[-1] == "error: gone"


@pytest.mark.parametrize(
    ("called", "found", "said"),
    [
        ("/x/bin/grpo-cli", None, "/x/bin/grpo-cli"),
        ("/x/bin/grpo-cli", "/x/bin/grpo-cli", "grpo-cli"),
        ("/x/cli/__main__.py", None, "grpo-cli"),
        ("/an odd/grpo-cli", None, "'/an odd/grpo-cli'"),
    ],
)
def test_a_line_to_go_on_with_can_be_given_to_the_shell(monkeypatch, called, found, said):
    monkeypatch.setattr("sys.argv", [called])
    monkeypatch.setattr("shutil.which", lambda _: found)
    assert command_line("runs", "resume", "runs/x") == f"{said} runs resume runs/x"
