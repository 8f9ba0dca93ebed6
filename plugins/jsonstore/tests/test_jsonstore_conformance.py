"""The framework's suite of experience stores."""

from __future__ import annotations

from typing import Any

import pytest
from grpo_jsonstore import grpo_experience_stores

from grpo_framework.component import Component
from grpo_framework.testing.suites import ExperienceStoreSuite


class TestDirectory(ExperienceStoreSuite):
    """`jsonstore/directory`."""

    @pytest.fixture
    def component(self) -> Component[Any]:
        (component,) = grpo_experience_stores()
        return component
