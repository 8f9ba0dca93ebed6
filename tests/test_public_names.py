"""The package's public names: lazy, complete, and the same in all four places."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import grpo_framework


def type_checking_names():
    tree = ast.parse(Path(grpo_framework.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    return {
        (node.module.removeprefix("grpo_framework."), alias.name)
        for node in block.body
        for alias in node.names
    }


def test_all_the_table_and_the_imports_for_type_checkers_name_the_same():
    table = {(module, name) for module, names in grpo_framework._EXPORTS.items() for name in names}
    assert table == type_checking_names()
    assert sorted(name for _, name in table) == sorted(grpo_framework.__all__)
    assert len(set(grpo_framework.__all__)) == len(grpo_framework.__all__)


@pytest.mark.parametrize("name", grpo_framework.__all__)
def test_each_public_name_is_the_one_of_its_module(name):
    home = importlib.import_module(f"grpo_framework.{grpo_framework._HOMES[name]}")
    assert getattr(grpo_framework, name) is getattr(home, name)
    assert name in dir(grpo_framework)


def test_the_v2_names_say_what_replaced_them():
    with pytest.raises(ImportError, match=r"import TrainingFreeGRPOTrainer$"):
        from grpo_framework import TrainingFreeGRPOTrainerV2  # noqa: F401
    with pytest.raises(ImportError, match=r"V2 suffix is gone.*import ExperienceManager$"):
        from grpo_framework import ExperienceManagerV2  # noqa: F401


def test_an_unknown_name_is_an_ordinary_attribute_error():
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = grpo_framework.nothing_such
    assert not hasattr(grpo_framework, "__path_of_nothing__")
