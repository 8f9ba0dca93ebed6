"""Hygiene from the configuration and the run's problems to the decision on a batch."""

from __future__ import annotations

import pytest

from grpo_framework.config import load_config
from grpo_framework.errors import ConfigError
from grpo_framework.experience import Add, Library, Modify
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins
from grpo_framework.records import Problem, Question

PROBLEMS = (Problem(Question("p1", "How many apples are in the 37 boxes of Ann?"), "1776"),)
MORE = "When quantities have units, write the unit beside every number until the end of all."
LESS = "When quantities have units, write the unit beside every number until the end."


def decide(manager, proposals, *owners):
    snapshot = {owner: Library(owner) for owner in (*owners, "shared")}
    decided = manager.decider.decide(snapshot, proposals, {}, now="")
    return {commit.plan.owner: commit for commit in decided}


def test_the_manager_guards_the_problems_it_is_told():
    """An experience with a training answer is refused; without problems nothing is known."""
    manager = ExperienceManager(plugins=Plugins(()))
    leak = {"generator_1": [Add("Say that the answer is 1776.")]}
    assert len(decide(manager, leak, "generator_1")["generator_1"].after) == 1
    refused = decide(manager.guarding(PROBLEMS), leak, "generator_1")["generator_1"].plan.refused
    assert [item.rule for item in refused] == ["answer-leak"]


def test_rules_of_the_configuration_are_asked():
    """Keys of the table `hygiene` reach the decision."""
    config = load_config(settings=['hygiene.rules={brand="acme"}', 'hygiene.off=["link"]'])
    manager = ExperienceManager.from_config(config, Plugins(()))
    adds = [Add("Use acme paper."), Add("Check the table at www.example.org first.")]
    commit = decide(manager, {"critic": adds}, "critic")["critic"]
    assert [item.rule for item in commit.plan.refused] == ["untrusted"]
    assert len(commit.after) == 1


def test_a_wrong_pattern_is_an_error_before_anything_runs():
    """The message names the rule."""
    with pytest.raises(ConfigError, match="hygiene rule 'brand'") as caught:
        load_config(settings=['hygiene.rules={brand="("}'])
    assert caught.value.pointer == "/hygiene/rules/brand"


def test_a_rule_that_does_not_exist_cannot_be_left_out():
    """A slip of the pen would leave the rule on unnoticed."""
    with pytest.raises(ConfigError, match="'linkk', which is no rule") as caught:
        load_config(settings=['hygiene.off=["link", "linkk"]'])
    assert caught.value.pointer == "/hygiene/off/1"


def test_an_edit_made_of_an_addition_is_promoted_whole():
    """Two generators learn the same, one as an edit of what it held: nothing stays behind."""
    manager = ExperienceManager(plugins=Plugins(()))
    first = decide(manager, {"generator_1": [Add(LESS)]}, "generator_1", "generator_2")
    snapshot = {owner: commit.after for owner, commit in first.items()}
    proposals = {"generator_1": [Add(MORE)], "generator_2": [Add(MORE)]}
    commits = manager.decider.decide(snapshot, proposals, {}, now="")
    after = {commit.plan.owner: commit.after for commit in commits}
    assert [item.content for item in after["shared"].experiences] == [MORE]
    assert len(after["generator_1"]) == len(after["generator_2"]) == 0
    planned = manager.decider.decide(snapshot, {"generator_1": [Add(MORE)]}, {}, now="")
    (edit,) = next(item for item in planned if item.plan.owner == "generator_1").plan.accepted
    assert isinstance(edit, Modify)
