"""Prices come from a table; what is not in it is not guessed."""

from __future__ import annotations

import sys
from decimal import Decimal

import pytest
from grpo_openai import tables
from grpo_openai.plugin import grpo_chat_models

(COMPONENT,) = grpo_chat_models()


def test_known_models_have_a_price():
    """Dollars per million tokens, more for output than for input."""
    price = COMPONENT.price("gpt-4.1-mini")
    assert price is not None
    assert Decimal(0) < price.input < price.output < 100


def test_a_providers_name_may_stand_before_the_models():
    """As routers name their models; the price is that provider's."""
    assert COMPONENT.price("openai/gpt-4o") is not None
    assert COMPONENT.price("deepseek/deepseek-chat") is not None


def test_of_tiers_the_highest_counts():
    """A budget must hold for long prompts too."""
    from genai_prices import Usage, calc_price

    tiers = calc_price(Usage(), "gemini-2.5-pro", provider_id="google").model_price.input_mtok
    assert COMPONENT.price("gemini-2.5-pro").input == tiers.tiers[-1].price > tiers.base


@pytest.mark.parametrize("name", ["simulated", "my/own-model", "", "/", "none/such/thing"])
def test_an_unknown_model_has_no_price(name):
    """Neither 0 nor anybody else's."""
    assert COMPONENT.price(name) is None


def test_the_tables_are_loaded_beside_this_process(monkeypatch):
    """They are large, and one row of them is wanted; the answers are the same."""
    names = ["gpt-4.1-mini", "deepseek/deepseek-chat", "--help", "x\ny"]
    here = [tables.look_up(name) for name in names]
    monkeypatch.setattr(tables, "look_up", pytest.fail)
    assert [tables.ask(name) for name in names] == here


@pytest.mark.parametrize(("name", "value"), [("executable", None), ("frozen", True)])
def test_a_program_that_is_no_interpreter_is_not_started(monkeypatch, name, value):
    """A frozen program would start itself, which would ask again, without end."""
    monkeypatch.setattr(sys, name, value, raising=False)
    monkeypatch.setattr("subprocess.run", pytest.fail)
    assert tables.ask("gpt-4.1-mini") == tables.look_up("gpt-4.1-mini")


def test_without_a_process_they_are_loaded_here(monkeypatch):
    """An embedded interpreter has no program to start."""
    monkeypatch.setattr(sys, "executable", "/none/such/python")
    assert tables.ask("gpt-4.1-mini") == tables.look_up("gpt-4.1-mini")
    assert tables.ask("gpt-4.1-mini").prices is not None
