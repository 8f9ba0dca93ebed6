"""The framework's suite of experience stores, applied to the directory store."""

from __future__ import annotations

import grpo_jsonstore
import pytest

from grpo_framework.testing.suites import ExperienceStoreSuite


class TestDirectoryStore(ExperienceStoreSuite):
    """The component as it is installed, with its defaults."""

    @pytest.fixture
    def component(self):
        return next(iter(grpo_jsonstore.grpo_experience_stores()))
