"""Conformance suites: one class per noun, which a plugin's test subclasses with one fixture.

::

    from grpo_framework.testing.suites import ExperienceStoreSuite

    class TestMyStore(ExperienceStoreSuite):
        @pytest.fixture
        def component(self):
            return my_component

A test of a suite cannot be overridden silently: the class that does so is refused, unless the
override carries ``@pytest.mark.xfail(reason="…")``.
"""

from grpo_framework.testing.suites.advisors import AdvisorSuite
from grpo_framework.testing.suites.base import ComponentSuite
from grpo_framework.testing.suites.chat_models import ChatModelSuite
from grpo_framework.testing.suites.comparators import ComparatorCase, ComparatorSuite
from grpo_framework.testing.suites.embedders import EmbedderSuite
from grpo_framework.testing.suites.observers import ObserverSuite
from grpo_framework.testing.suites.rollouts import CriticSuite, GeneratorSuite
from grpo_framework.testing.suites.sources import ProblemSourceSuite
from grpo_framework.testing.suites.stores import ExperienceStoreSuite

__all__ = [
    "AdvisorSuite",
    "ChatModelSuite",
    "ComparatorCase",
    "ComparatorSuite",
    "ComponentSuite",
    "CriticSuite",
    "EmbedderSuite",
    "ExperienceStoreSuite",
    "GeneratorSuite",
    "ObserverSuite",
    "ProblemSourceSuite",
]
