"""The contract of both components, by the kit; and what is this plugin's own."""

from __future__ import annotations

import asyncio

import pytest
from hello_plugin import grpo_experience_stores, grpo_generators
from hello_plugin.agent import Agent
from hello_plugin.store import SqliteStore

from grpo_framework import Library, StoreError
from grpo_framework.testing.models import ScriptedReplies
from grpo_framework.testing.suites import ExperienceStoreSuite, GeneratorSuite


class TestAgent(GeneratorSuite):
    """The suite of generators."""

    @pytest.fixture
    def component(self):
        return next(iter(grpo_generators()))


class TestSqlite(ExperienceStoreSuite):
    """The suite of stores."""

    @pytest.fixture
    def component(self):
        return next(iter(grpo_experience_stores()))


def test_experiences_stand_before_the_problem(grpo_question, grpo_library):
    """What was learned goes into the prompt, and the problem comes last."""
    model = ScriptedReplies(default=r"\boxed{42}")
    asyncio.run(Agent(model, "brief").attempt(grpo_question, grpo_library, seed=1))
    prompt = model.requests[0].messages[-1].content
    assert prompt.index("[G1-001]") < prompt.index(grpo_question.text)


def test_a_file_that_is_no_database_is_an_error_that_names_it(tmp_path):
    """Damage is reported and nothing is overwritten."""
    path = tmp_path / "hello.sqlite"
    path.write_text("no database" * 100)
    store = SqliteStore(path)
    with pytest.raises(StoreError, match=r"hello\.sqlite"):
        asyncio.run(store.commit(Library("critic", 1), expected_version=0))
    assert path.read_text() == "no database" * 100
