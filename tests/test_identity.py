"""What a run is: the same configuration, problems and plugins, or it is another run."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from grpo_framework.config import HOW_NOT_WHAT, load_config
from grpo_framework.errors import ConfigError, DataError
from grpo_framework.identity import (
    IDENTITY,
    check_identity,
    check_problems,
    identify,
    identity_document,
)
from grpo_framework.plugins import Plugins
from grpo_framework.records import Problem, Question

PROBLEMS = tuple(Problem(Question(f"p{n}", f"What is {n}?"), str(n)) for n in range(3))


def identity(problems=PROBLEMS, settings=()):
    return identify(load_config(settings=settings), problems, Plugins([]))


@pytest.fixture
def run(tmp_path):
    (tmp_path / IDENTITY).write_text(json.dumps(identity_document(identity())))
    return tmp_path


def test_the_same_is_the_same(run):
    check_identity(run, identity())
    check_problems(run, PROBLEMS, ())


@pytest.mark.parametrize(
    "setting", ["concurrency=3", "budget.max_calls=7", "calls.timeout=5", "max_failures=0.1"]
)
def test_how_a_run_is_carried_out_may_change(run, setting):
    assert setting.partition("=")[0].partition(".")[0] in HOW_NOT_WHAT
    check_identity(run, identity(settings=[setting]))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (["seed=5"], "seed: 0 is now 5"),
        (["epochs=1", "batch_size=2"], "batch_size: 8 is now 2; epochs: 3 is now 1"),
        (["model.options.temperature=0.5"], "temperature"),
    ],
)
def test_every_change_of_the_configuration_is_named(run, settings, named):
    with pytest.raises(ConfigError) as caught:
        check_identity(run, identity(settings=settings))
    assert named in caught.value.message
    assert f"--fork {run}" in caught.value.hint


@pytest.mark.parametrize(
    "changed",
    [
        PROBLEMS[:2],
        PROBLEMS[::-1],
        (*PROBLEMS[:2], evolve(PROBLEMS[2], answer="9")),
        (*PROBLEMS[:2], Problem(Question("p2", "What is two?"), "2")),
    ],
)
def test_other_problems_are_another_run(run, changed):
    """Fewer, in another order, with another answer or text."""
    for check in (
        lambda: check_identity(run, identity(changed)),
        lambda: check_problems(run, changed, ()),
    ):
        with pytest.raises(ConfigError, match=r"problems .*have changed"):
            check()


def test_another_version_of_a_plugin_is_another_run(run):
    then = evolve(identity(), plugins={"math": "grpo-math 1.0", "old": "grpo-old 1.0"})
    (run / IDENTITY).write_text(json.dumps(identity_document(then)))
    now = evolve(identity(), plugins={"math": "grpo-math 1.1", "new": "grpo-new 1.0"})
    with pytest.raises(ConfigError) as caught:
        check_identity(run, now)
    assert "plugin math: grpo-math 1.0 is now grpo-math 1.1" in caught.value.message
    assert "plugin old: grpo-old 1.0 is now not used" in caught.value.message
    assert "new" not in caught.value.message.replace("now", "")


@pytest.mark.parametrize("content", [None, "", "{}", '{"config": 1}'])
def test_a_record_that_cannot_be_read_is_an_error(tmp_path, content):
    if content is not None:
        (tmp_path / IDENTITY).write_text(content)
    with pytest.raises(DataError, match="cannot be read"):
        check_identity(tmp_path, identity())
