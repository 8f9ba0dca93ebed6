"""The framework's suite of problem sources, for each way problems come."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from grpo_problems import grpo_problem_sources

from grpo_framework.component import Component
from grpo_framework.testing.suites import ProblemSourceSuite

COMPONENTS = {component.name: component for component in grpo_problem_sources()}


class TestDemo(ProblemSourceSuite):
    """`problems/demo`."""

    @pytest.fixture
    def component(self) -> Component[Any]:
        return COMPONENTS["demo"]


class TestFile(ProblemSourceSuite):
    """`problems/file`, named by its path."""

    @pytest.fixture
    def component(self) -> Component[Any]:
        return COMPONENTS["file"]

    @pytest.fixture
    def name(self, tmp_path: Path) -> str:
        path = tmp_path / "some.jsonl"
        path.write_text('{"problem": "1+1?", "answer": 2}\n{"problem": "2+2?", "answer": "4"}\n')
        return str(path)


class TestFileByOption(TestFile):
    """`problems/file`, with the option `path`."""

    @pytest.fixture
    def name(self) -> str:
        return "file"

    @pytest.fixture
    def options(self, tmp_path: Path) -> Mapping[str, Any]:
        path = tmp_path / "some.csv"
        path.write_text("question,answer\n1+1?,2\n")
        return {"path": str(path), "split": "train"}


class TestKnown(ProblemSourceSuite):
    """A set known by name, in a data directory."""

    @pytest.fixture
    def component(self) -> Component[Any]:
        return COMPONENTS["gsm8k"]

    @pytest.fixture
    def data_dir(self, tmp_path: Path) -> Path:
        for split in ("train", "test"):
            path = tmp_path / f"gsm8k_{split}.jsonl"
            path.write_text('{"question": "1+1?", "answer": "2 ones\\n#### 2"}\n')
        return tmp_path
