"""The comparators' suite of the kit, applied to every component of the plugin."""

from __future__ import annotations

import pytest
from grpo_text import plugin

from grpo_framework.testing.suites import ComparatorCase, ComparatorSuite

COMPONENTS = {component.name: component for component in plugin.grpo_comparators()}


class TestExact(ComparatorSuite):
    @pytest.fixture
    def component(self):
        return COMPONENTS["exact"]


class TestNormalised(ComparatorSuite):
    @pytest.fixture
    def component(self):
        return COMPONENTS["normalised"]


class TestContains(ComparatorSuite):
    @pytest.fixture
    def component(self):
        return COMPONENTS["contains"]


class TestTokenF1(ComparatorSuite):
    @pytest.fixture
    def component(self):
        return COMPONENTS["token-f1"]


class TestRegex(ComparatorSuite):
    @pytest.fixture
    def component(self):
        return COMPONENTS["regex"]


class TestRegexExtracting(ComparatorSuite):
    @pytest.fixture
    def component(self):
        return COMPONENTS["regex"]

    @pytest.fixture
    def options(self):
        return {"pattern": r"####\s*(\S+)", "timeout": 5}

    @pytest.fixture
    def cases(self):
        return (ComparatorCase("42", ("#### 42", "#### 1\n#### 42\n"), ("42", "#### 43")),)


class TestMultipleChoice(ComparatorSuite):
    @pytest.fixture
    def component(self):
        return COMPONENTS["multiple-choice"]

    @pytest.fixture
    def cases(self):
        return (
            ComparatorCase("C", ("C", "(C)", "C. 12", "The answer is C."), ("B", "A cat sat.")),
            ComparatorCase("B", ("B",), ("C",), "Which?\nA. 10\nB. 12\nC. 14"),
        )
