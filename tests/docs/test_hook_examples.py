"""The examples of the hook pages keep their contracts, and a run can be made of them."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path

import pytest

from grpo_framework import ConfiguredEngine, ExperienceManager, Plugins, Source, load_config
from grpo_framework.plugins import NOUNS
from grpo_framework.testing.suites import (
    AdvisorSuite,
    ChatModelSuite,
    ComparatorSuite,
    CriticSuite,
    EmbedderSuite,
    ExperienceStoreSuite,
    GeneratorSuite,
    ObserverSuite,
    ProblemSourceSuite,
)
from grpo_framework.trainer import TrainingFreeGRPOTrainer
from grpo_framework.workshop import Workshop

FOLDER = Path(__file__).parents[2] / "examples" / "hooks"


def load(hook):
    path = FOLDER / f"{hook.removeprefix('grpo_')}.py"
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def offer(hook):
    (component,) = getattr(load(hook), hook)()
    return component


class TestGenerator(GeneratorSuite):
    @pytest.fixture
    def component(self):
        return offer("grpo_generators")


class TestCritic(CriticSuite):
    @pytest.fixture
    def component(self):
        return offer("grpo_critics")


class TestComparator(ComparatorSuite):
    @pytest.fixture
    def component(self):
        return offer("grpo_comparators")


class TestAdvisor(AdvisorSuite):
    @pytest.fixture
    def component(self):
        return offer("grpo_advisors")


class TestStore(ExperienceStoreSuite):
    persistent = False

    @pytest.fixture
    def component(self):
        return offer("grpo_experience_stores")


class TestChatModel(ChatModelSuite):
    structured = False

    @pytest.fixture
    def component(self):
        return offer("grpo_chat_models")


class TestSource(ProblemSourceSuite):
    @pytest.fixture
    def component(self):
        return offer("grpo_problem_sources")


class TestObserver(ObserverSuite):
    @pytest.fixture
    def component(self):
        return offer("grpo_observers")


class TestEmbedder(EmbedderSuite):
    @pytest.fixture
    def component(self):
        return offer("grpo_embedders")


def test_every_hook_has_an_example():
    """One file for each hook, and no other."""
    assert {path.stem for path in FOLDER.glob("*.py")} == {
        noun.hook.removeprefix("grpo_") for noun in NOUNS
    }


def test_a_run_is_made_of_the_examples_alone(capsys):
    """As plugins of a process, the examples train with each other."""
    plugins = Plugins(
        Source(
            noun.hook.removeprefix("grpo_"), noun.hook, "examples 1", lambda n=noun: load(n.hook)
        )
        for noun in NOUNS
    )
    config = load_config(
        flags={
            "datasets": ["problem_sources/sums"],
            "generators": ["generators/agent", "generators"],
            "critic": "critics/majority",
            "comparator": "comparators/last-word",
            "advisor": "advisors/brevity",
            "store": "experience_stores/shelf",
            "model": "chat_models/echo-1",
            "observers": ["observers/commits"],
            "embedder": "embedders/pieces",
            "inject_top": 1,
        }
    )
    trainer = TrainingFreeGRPOTrainer(
        causal_engine=ConfiguredEngine(config, plugins),
        experience_manager=ExperienceManager.from_config(config, plugins),
        num_epochs=1,
        verbose=False,
    )
    report = trainer.train(asyncio.run(Workshop(config, plugins).problems()))
    assert report.outcome == "finished"
    assert report.problems == 15
    assert {owner.owner for owner in report.epochs[0].owners} >= {"generator_2", "critic"}
    assert "generator_2 is at version" in capsys.readouterr().err
