"""A stranger's plugin: its own folder, built wheels, its own environment, no editable install."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest

SETUP = """\
    [metadata]
    name = {name}
    version = 0.1

    [options]
    py_modules = {module}
    python_requires = >=3.11
    install_requires = grpo-framework

    [options.entry_points]
    grpo_framework =
        {plugin} = {module}
    """

ACME = '''\
    """A generator and a store of one's own: what the tutorial's reader would write."""

    import json
    import re
    from contextlib import asynccontextmanager

    from grpo_framework import (
        Add, Attempt, Component, Experience, Library, VersionConflict, hookimpl,
    )

    LESSON = "Multiply the count by the price before you add what is left."


    class Agent:
        """Knows one kind of problem, and solves it every other time, or when it has the lesson."""

        async def attempt(self, question, library, /, *, seed):
            numbers = [int(text) for text in re.findall(r"\\d+", question.text)]
            taught = any("count by the price" in each.content for each in library.experiences)
            if "How many dollars" not in question.text:
                return Attempt("I cannot say.", answer="?")
            count, price, rest = numbers
            right = taught or seed % 2
            return Attempt(f"With {LESSON}" if right else "By guessing.",
                           answer=str(count * price + rest if right else count + price))


    class Teacher:
        async def advise(self, contrasts, library, /):
            return tuple(Add(LESSON, source_problem=each.question.text) for each in contrasts)


    class Shelf:
        """One file for each version of each library."""

        def __init__(self, folder):
            self.folder = folder

        def newest(self, owner):
            return max((int(path.stem) for path in (self.folder / owner).glob("*.json")), default=0)

        async def load(self, owner, /, *, version=None):
            number = self.newest(owner) if version is None else version
            if number == 0:
                return Library(owner)
            text = (self.folder / owner / f"{number}.json").read_text(encoding="utf-8")
            document = json.loads(text)
            rows = tuple(Experience(**row) for row in document["experiences"])
            return Library(owner, number, rows, document["next_number"])

        async def commit(self, library, /, *, expected_version):
            found = self.newest(library.owner)
            if found != expected_version:
                raise VersionConflict(library.owner, expected=expected_version, found=found)
            path = self.folder / library.owner / f"{library.version}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = [{"id": each.id, "content": each.content} for each in library.experiences]
            document = {"next_number": library.next_number, "experiences": rows}
            path.write_text(json.dumps(document), encoding="utf-8")


    @asynccontextmanager
    async def open_agent(wiring):
        yield Agent()


    @asynccontextmanager
    async def open_teacher(wiring):
        yield Teacher()


    @asynccontextmanager
    async def open_shelf(wiring):
        yield Shelf(wiring.experience_dir / wiring.options.get("folder", "shelf"))


    @hookimpl
    def grpo_generators():
        yield Component("agent", open_agent, summary="An agent of our own")


    @hookimpl
    def grpo_advisors():
        yield Component("teacher", open_teacher)


    @hookimpl
    def grpo_experience_stores():
        options = {"type": "object", "properties": {"folder": {"type": "string"}},
                   "additionalProperties": False}
        yield Component("shelf", open_shelf, options=options)
    '''

BROKEN = """\
    raise RuntimeError("this plugin needs a GPU")
    """


@pytest.fixture(scope="module")
def installed(build, environment, core_wheel, plugin_wheel, tmp_path_factory):
    """An environment with core, the scripted plugin, the stranger's plugin and a broken one."""

    def wheel(name, plugin, text):
        folder = tmp_path_factory.mktemp("sources") / name
        folder.mkdir()
        module = f"{plugin}_plugin"
        setup = dedent(SETUP).format(name=name, plugin=plugin, module=module)
        (folder / "setup.cfg").write_text(setup)
        (folder / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        )
        (folder / f"{module}.py").write_text(dedent(text))
        return build(folder, "build_wheel")

    environment.install(
        core_wheel,
        plugin_wheel("scripted"),
        wheel("acme-agents", "acme", ACME),
        wheel("broken-thing", "broken", BROKEN),
    )
    return environment


@pytest.fixture
def stranger(installed, tmp_path):
    """That environment, in a folder that is empty."""
    return installed.within(tmp_path)


TRAIN = [
    "grpo-cli",
    "train",
    "--generator",
    "acme/agent",
    "--generator",
    "acme/agent",
    "--store",
    "acme/shelf",
    "--critic",
    "scripted/default",
    "--comparator",
    "scripted/default",
    "--advisor",
    "acme/teacher",
    "--datasets",
    "scripted/problems",
    "--max-problems",
    "24",
    "--epochs",
    "2",
    "--seed",
    "1",
    "--json",
]


def test_a_third_party_plugin_is_listed_and_used(stranger):
    """Listed with version and components; its generator learns, its store keeps what it learned."""
    listed = stranger.run("grpo-cli", "plugins", "--json")
    assert listed.returncode == 0, listed.stderr
    plugins = {each["name"]: each for each in json.loads(listed.stdout)["plugins"]}
    assert plugins["acme"]["distribution"] == "acme-agents 0.1"
    offered = {each["reference"] for each in plugins["acme"]["components"]}
    assert offered == {"acme/agent", "acme/teacher", "acme/shelf"}

    trained = stranger.run(*TRAIN)
    assert trained.returncode == 0, trained.stderr
    report = json.loads(trained.stdout)
    report = report.get("report", report)
    first, last = (
        {owner["owner"]: owner for owner in epoch["owners"]} for epoch in report["epochs"]
    )
    assert first["generator_1"]["groups"]["mixed"] > 0
    assert last["generator_1"]["mean_reward"] > first["generator_1"]["mean_reward"]
    kept = stranger.folder / "experiences" / "shelf"
    texts = [path.read_text() for path in kept.rglob("*.json")]
    assert any("Multiply the count by the price" in text for text in texts)


def test_a_broken_plugin_is_listed_with_its_error_and_harms_nothing(stranger):
    """It is fatal only where it is named, and then the message names it and its cause."""
    listed = stranger.run("grpo-cli", "plugins", "--json")
    plugins = {each["name"]: each for each in json.loads(listed.stdout)["plugins"]}
    assert plugins["broken"]["failure"] == "RuntimeError: this plugin needs a GPU"
    assert plugins["scripted"]["failure"] == ""

    named = stranger.run(*TRAIN, "--generator", "broken/agent")
    assert named.returncode == 3
    (line,) = [line for line in named.stderr.splitlines() if "broken" in line]
    assert "broken-thing 0.1" in line
    assert "this plugin needs a GPU" in line
    assert "Traceback" not in named.stderr
    assert not (stranger.folder / "experiences").exists()


def test_unknown_components_and_options_of_a_third_party_plugin_are_errors(stranger):
    """The nearest name is offered; a wrong option is named with its place; nothing is written."""
    misspelt = stranger.run(*TRAIN, "--generator", "acme/agnet")
    assert misspelt.returncode == 3
    assert "nearest first: acme/agent" in misspelt.stderr
    wrong = stranger.run(*TRAIN, "--set", "store.options.folder=7")
    assert wrong.returncode == 3
    assert "/folder: 7 is not of type string" in wrong.stderr
    assert not (stranger.folder / "experiences").exists()
