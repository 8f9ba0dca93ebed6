"""The kit's pytest plugin (entry point ``pytest11``): fixtures for tests of plugins.

It is loaded at the start of every pytest run of every project in the environment. So it imports
nothing of this project at the top; each fixture imports what it needs when a test asks for it.
"""

# ruff: noqa: PLC0415 - see the docstring

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from grpo_framework.component import Wiring
    from grpo_framework.experience import Library
    from grpo_framework.records import Problem, Question
    from grpo_framework.testing.models import ScriptedReplies

pytest.register_assert_rewrite("grpo_framework.testing.suites")


@pytest.fixture
def grpo_question() -> Question:
    """A question: what is 6 times 7."""
    from grpo_framework.testing.samples import QUESTION

    return QUESTION


@pytest.fixture
def grpo_problem() -> Problem:
    """The problem of `grpo_question`, with its answer 42."""
    from grpo_framework.testing.samples import PROBLEM

    return PROBLEM


@pytest.fixture
def grpo_library() -> Library:
    """A library of generator_1 with two experiences at version 1."""
    from grpo_framework.testing.samples import make_library

    return make_library()


@pytest.fixture
def grpo_chat_model() -> ScriptedReplies:
    """A chat model that always says that the answer is 42, and records its requests."""
    from grpo_framework.testing.models import ScriptedReplies

    return ScriptedReplies(default="Six sevens are 42.\nAnswer: 42")


@pytest.fixture
def grpo_wiring(tmp_path: Path, grpo_chat_model: ScriptedReplies) -> Wiring:
    """A wiring with a temporary experience directory, the fake chat model and an answer key."""
    from grpo_framework.component import Wiring
    from grpo_framework.testing.samples import ANSWER_KEY

    return Wiring(
        name="default",
        owner="generator_1",
        experience_dir=tmp_path / "experiences",
        answer_key=ANSWER_KEY,
        chat_model=grpo_chat_model,
    )
