"""The suites fail for components that break their contract: a pytest within pytest runs them."""

from __future__ import annotations

import re
import textwrap

pytest_plugins = ["pytester"]

HEAD = """
import asyncio
from contextlib import asynccontextmanager
import pytest
from grpo_framework.component import Component
from grpo_framework.errors import VersionConflict, StoreError
from grpo_framework.experience import Add, Keep, Library, Modify
from grpo_framework.records import *
from grpo_framework.testing import suites

def component_of(make, **fields):
    @asynccontextmanager
    async def factory(wiring):
        yield make(wiring)
    return Component("thing", factory, summary="A thing", **fields)
"""

STORE = """
class Store:
    def __init__(self, wiring=None):
        self.kept = {}
    async def load(self, owner, /, *, version=None):
        versions = self.kept.get(owner, {})
        wanted = max(versions, default=0) if version is None else version
        if wanted == 0:
            return Library(owner)
        if wanted not in versions:
            raise StoreError("no such version")
        return versions[wanted]
    async def commit(self, library, /, *, expected_version):
        versions = self.kept.setdefault(library.owner, {})
        found = max(versions, default=0)
        if found != expected_version:
            raise VersionConflict(library.owner, expected=expected_version, found=found)
        if library.version <= found:
            raise StoreError("not above")
        versions[library.version] = library

class TestIt(suites.ExperienceStoreSuite):
    persistent = False
    @pytest.fixture
    def component(self):
        return component_of(Broken)
"""

FAULTS = {
    "store that is right": (STORE + "class Broken(Store): pass", []),
    "store that forgets old versions": (
        STORE
        + """
class Broken(Store):
    async def commit(self, library, /, *, expected_version):
        await super().commit(library, expected_version=expected_version)
        self.kept[library.owner] = {library.version: library}
""",
        ["test_every_version_can_be_loaded"],
    ),
    "store that lets every rival win": (
        STORE
        + """
class Broken(Store):
    async def commit(self, library, /, *, expected_version):
        if max(self.kept.get(library.owner, {}), default=0) != expected_version:
            raise VersionConflict(library.owner, expected=expected_version, found=-1)
        await asyncio.sleep(0)
        self.kept.setdefault(library.owner, {})[library.version] = library
""",
        ["test_one_of_concurrent_commits_wins", "test_stale_commit_conflicts"],
    ),
    "store that strips text": (
        STORE
        + """
from attrs import evolve
class Broken(Store):
    async def commit(self, library, /, *, expected_version):
        texts = [evolve(each, content=each.content.strip()) for each in library.experiences]
        library = evolve(library, experiences=tuple(texts))
        await super().commit(library, expected_version=expected_version)
""",
        ["test_round_trip"],
    ),
    "store that keeps only the keys of the guide's files": (
        STORE
        + """
from attrs import evolve
from grpo_framework.experience import Credit
class Broken(Store):
    async def commit(self, library, /, *, expected_version):
        plain = tuple(evolve(each, credit=Credit()) for each in library.experiences)
        library = evolve(library, experiences=plain)
        await super().commit(library, expected_version=expected_version)
""",
        ["test_measured_credit_survives"],
    ),
    "comparator that raises on None and reads reward from outside 0..1": (
        """
class Broken:
    async def compare(self, problem, answer, /):
        return Verdict(2.0 if problem.answer in answer.strip() else 0.0)

class TestIt(suites.ComparatorSuite):
    @pytest.fixture
    def component(self):
        return component_of(lambda wiring: Broken())
""",
        ["test_no_answer_is_reward_zero", "test_tells_right_from_wrong"],
    ),
    "generator that swallows cancellation and works one by one": (
        """
class Broken:
    def __init__(self, wiring):
        self.model = wiring.chat_model
        self.lock = asyncio.Lock()
    async def attempt(self, question, library, /, *, seed):
        async with self.lock:
            try:
                reply = await self.model.chat(ChatRequest((Message("user", question.text),)))
            except asyncio.CancelledError:
                return Attempt("")
        return Attempt(reply.text)

class TestIt(suites.GeneratorSuite):
    seconds = 2.0
    @pytest.fixture
    def component(self):
        return component_of(Broken, uses_chat_model=True)
""",
        ["test_cancellation_passes", "test_calls_overlap"],
    ),
    "advisor that returns a list and invents without contrast": (
        """
class Broken:
    async def advise(self, contrasts, library, /):
        return [Add("Think."), Modify("G1-001", "Think more.")]

class TestIt(suites.AdvisorSuite):
    @pytest.fixture
    def component(self):
        return component_of(lambda wiring: Broken())
""",
        ["test_advises_on_a_full_library", "test_no_contrast_no_proposal"],
    ),
    "source with an id twice and an empty answer": (
        """
class Broken:
    async def problems(self):
        return (Problem(Question("a", "x"), "1"), Problem(Question("a", "y"), " "))

class TestIt(suites.ProblemSourceSuite):
    @pytest.fixture
    def component(self):
        return component_of(lambda wiring: Broken())
""",
        ["test_ids_are_unique", "test_problems_are_whole"],
    ),
    "observer that chokes on one event": (
        """
from grpo_framework.events import UnitFailed
class Broken:
    async def notify(self, event, /):
        if isinstance(event, UnitFailed):
            raise RuntimeError("what is this")

class TestIt(suites.ObserverSuite):
    @pytest.fixture
    def component(self):
        return component_of(lambda wiring: Broken())
""",
        ["test_takes_every_event", "test_takes_events_at_once"],
    ),
    "chat model that ignores schema and counts nothing": (
        """
class Broken:
    async def chat(self, request, /):
        await asyncio.sleep(0)
        return ChatReply("words only")

class TestIt(suites.ChatModelSuite):
    @pytest.fixture
    def component(self):
        return component_of(lambda wiring: Broken())
""",
        ["test_reply_fits_the_schema", "test_counts_tokens"],
    ),
    "declaration with an open schema, no descriptions and a bad name": (
        STORE.replace("component_of(Broken)", "declared()")
        + """
class Broken(Store): pass
def declared():
    from attrs import evolve
    made = component_of(Broken, options={"type": "object", "properties": {"size": {"type": "int"}}})
    return evolve(made, name="My Store", summary="")
""",
        [
            "test_declares_a_name_and_a_summary",
            "test_options_schema_is_valid",
            "test_options_are_checked",
        ],
    ),
}


def test_faults_are_caught(pytester):
    """Components with a fault fail the tests that say so, and a right one fails none."""
    for number, (body, _) in enumerate(FAULTS.values()):
        text = textwrap.dedent(HEAD) + textwrap.dedent(body)
        pytester.makepyfile(**{f"test_fault_{number}": text})
    result = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider")
    failed = re.findall(r"FAILED test_fault_(\d+)\.py::TestIt::(\w+)", result.stdout.str())
    for number, (fault, (_, expected)) in enumerate(FAULTS.items()):
        names = {name for place, name in failed if place == str(number)}
        assert set(expected) <= names, f"{fault}: only {names} failed"
        assert expected or not names, f"{fault}: {names} failed"
    assert result.parseoutcomes()["passed"] > 20 * len(FAULTS) / 2
