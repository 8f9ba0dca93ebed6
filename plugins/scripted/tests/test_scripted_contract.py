"""The suites of the kit, applied to every component of the plugin."""

from __future__ import annotations

from typing import ClassVar

import pytest
from grpo_scripted import plugin

from grpo_framework.testing import suites


class TestScriptedGenerator(suites.GeneratorSuite):
    @pytest.fixture
    def component(self):
        return next(iter(plugin.grpo_generators()))


class TestScriptedCritic(suites.CriticSuite):
    @pytest.fixture
    def component(self):
        return next(iter(plugin.grpo_critics()))


class TestScriptedComparator(suites.ComparatorSuite):
    @pytest.fixture
    def component(self):
        return next(iter(plugin.grpo_comparators()))

    @pytest.fixture
    def cases(self):
        return (
            suites.ComparatorCase(
                "42", ("42", "So the answer is \\boxed{42}.", "think\n42."), ("43", "\\boxed{4}")
            ),
            suites.ComparatorCase("1,000", ("1,000", "1000"), ("1,00", "100")),
        )


class TestScriptedStore(suites.ExperienceStoreSuite):
    persistent: ClassVar[bool] = False

    @pytest.fixture
    def component(self):
        return next(iter(plugin.grpo_experience_stores()))


class TestScriptedAdvisor(suites.AdvisorSuite):
    @pytest.fixture
    def component(self):
        return next(iter(plugin.grpo_advisors()))

    @pytest.fixture
    def options(self):
        return {"useless": 3, "harmful": 1}


class TestScriptedChatModel(suites.ChatModelSuite):
    @pytest.fixture
    def component(self):
        return next(iter(plugin.grpo_chat_models()))


class TestScriptedProblems(suites.ProblemSourceSuite):
    @pytest.fixture
    def component(self):
        return next(iter(plugin.grpo_problem_sources()))


class TestScriptedObserver(suites.ObserverSuite):
    @pytest.fixture
    def component(self):
        return next(iter(plugin.grpo_observers()))

    @pytest.fixture
    def options(self, tmp_path):
        return {"path": str(tmp_path / "new folder" / "events.jsonl")}
