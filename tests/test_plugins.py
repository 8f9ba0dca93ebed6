"""Discovery and isolation of plugins, and how references are resolved."""

from __future__ import annotations

from contextlib import asynccontextmanager
from types import ModuleType

import pytest

from grpo_framework.component import Component
from grpo_framework.errors import PluginError, UnknownComponent
from grpo_framework.hookspecs import ENTRY_POINT_GROUP, hookimpl
from grpo_framework.plugins import (
    CHAT_MODEL,
    COMPARATOR,
    GENERATOR,
    NOUNS,
    PROBLEM_SOURCE,
    Plugins,
    Source,
)


@asynccontextmanager
async def factory(wiring):
    yield wiring


def component(name, **more):
    return Component(name, factory, **more)


def module(**hooks):
    """A plugin module; each keyword is a hook with what it returns."""
    made = ModuleType("a_plugin")
    for name, answer in hooks.items():
        setattr(made, name, hookimpl(_constant(answer)))
    return made


def _constant(answer):
    return lambda: answer


def source(name, load, distribution=None):
    return Source(name, f"{name}.plugin", distribution or f"grpo-{name} 1.0", load)


def plugins(**modules):
    return Plugins(source(name, _constant(made)) for name, made in modules.items())


GOOD = module(grpo_generators=[component("direct"), component("stepwise")])


def test_a_plugin_is_imported_only_when_it_is_needed():
    """Finding plugins imports none; naming one imports that one, once."""
    loaded = []

    def load(name):
        loaded.append(name)
        return GOOD

    found = Plugins([source("one", lambda: load("one")), source("two", lambda: load("two"))])
    assert found.names == ("one", "two")
    assert loaded == []
    found.find(GENERATOR, "two/direct")
    found.find(GENERATOR, "two/stepwise")
    assert loaded == ["two"]


def raiser(error):
    def load():
        raise error

    return load


BROKEN = {
    "import error": (raiser(ModuleNotFoundError("No module named 'torch'")), "No module named"),
    "any error at import": (raiser(ZeroDivisionError("division\nby zero")), "division by zero"),
    "error without text": (raiser(RuntimeError()), "RuntimeError"),
    "exit at import": (raiser(SystemExit(3)), "SystemExit: 3"),
    "unknown hook": (
        lambda: module(grpo_generator=[component("x")]),
        "unknown hook 'grpo_generator'",
    ),
    "hook that raises": (
        lambda: _raising_module(),
        "OSError: no disk",
    ),
    "no iterable": (lambda: module(grpo_generators=7), "TypeError"),
    "no component": (
        lambda: module(grpo_generators=["direct"]),
        "must return Component values, not str",
    ),
    "a name twice": (
        lambda: module(grpo_generators=[component("a"), component("a")]),
        "grpo_generators offers 'a' twice",
    ),
    "wrong options schema": (
        lambda: module(grpo_critics=[component("a", options={"type": "objekt"})]),
        "not a valid JSON Schema at /type",
    ),
    "hook with unknown argument": (lambda: _argument_module(), "wiring"),
}


def _raising_module():
    made = ModuleType("raising")

    @hookimpl
    def grpo_generators():
        raise OSError("no disk")

    made.grpo_generators = grpo_generators
    return made


def _argument_module():
    made = ModuleType("arguments")

    @hookimpl
    def grpo_generators(wiring):
        return [wiring]

    made.grpo_generators = grpo_generators
    return made


@pytest.mark.parametrize(("load", "cause"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_listed_and_harms_no_other(load, cause):
    """Its failure is one line in its record; the others are usable."""
    found = Plugins([source("bad", load), source("good", lambda: GOOD)])
    bad, good = found.records()
    assert cause in bad.failure
    assert "\n" not in bad.failure
    assert bad.components == ()
    assert good.failure == ""
    assert found.find(GENERATOR, "good/direct").reference == "good/direct"


@pytest.mark.parametrize(("load", "cause"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_fatal_where_it_is_named(load, cause):
    """The message names plugin, distribution and cause."""
    found = Plugins([source("bad", load, "grpo-bad 0.3")])
    with pytest.raises(PluginError) as caught:
        found.find(GENERATOR, "bad/direct")
    assert "'bad' (grpo-bad 0.3) cannot be used" in caught.value.message
    assert cause in caught.value.message
    assert (caught.value.plugin, caught.value.distribution) == ("bad", "grpo-bad 0.3")


@pytest.mark.parametrize("error", [KeyboardInterrupt()])
def test_an_interruption_is_no_plugin_failure(error):
    """Whoever presses Ctrl-C while plugins are imported ends the program."""
    with pytest.raises(KeyboardInterrupt):
        Plugins([source("bad", raiser(error))]).records()


def test_two_distributions_that_claim_one_name_are_both_named():
    """Neither is imported; the conflict is listed and fatal where the name is used."""
    loaded = []
    rivals = [
        source("math", lambda: loaded.append(1), "grpo-math 1.0"),
        source("math", lambda: loaded.append(2), "better-math 2.0"),
    ]
    found = Plugins([*rivals, source("good", lambda: GOOD)])
    failure = found.record("math").failure
    assert "better-math 2.0 and grpo-math 1.0 both claim the name 'math'" in failure
    assert loaded == []
    with pytest.raises(PluginError, match="uninstall one"):
        found.find(COMPARATOR, "math/equivalence")


def test_one_noun_may_not_be_offered_twice_but_two_nouns_may_share_a_name():
    """``scripted/default`` may be a generator and a critic."""
    found = plugins(
        scripted=module(grpo_generators=[component("default")], grpo_critics=[component("default")])
    )
    (record,) = found.records()
    assert [noun for noun, _ in record.components] == ["generator", "critic"]


def test_installed_plugins_are_discovered_by_entry_point(tmp_path, monkeypatch):
    """A distribution on the path is found with name, version and module; a path twice is one."""
    info = tmp_path / "grpo_found-2.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: grpo-found\nVersion: 2.5\n")
    (info / "entry_points.txt").write_text(f"[{ENTRY_POINT_GROUP}]\nfound = no_such_module_here\n")
    for _ in range(2):
        monkeypatch.syspath_prepend(str(tmp_path))
    found = Plugins.discover()
    assert "found" in found.names
    record = found.record("found")
    assert (record.distribution, record.module) == ("grpo-found 2.5", "no_such_module_here")
    assert "no_such_module_here" in record.failure


SOURCES = plugins(
    problems=module(
        grpo_problem_sources=[
            component("demo"),
            component("file", patterns=("*.jsonl", "*.csv")),
            component("hub", patterns=("*",)),
        ]
    ),
    other=module(grpo_problem_sources=[component("aime2024"), component("demo2")]),
    openai=module(grpo_chat_models=[component("chat", patterns=("*",))]),
    llamacpp=module(grpo_chat_models=[component("smollm2-135m", patterns=("*.gguf",))]),
)


@pytest.mark.parametrize(
    ("noun", "reference", "found"),
    [
        (PROBLEM_SOURCE, "problems/demo", "problems/demo"),
        (PROBLEM_SOURCE, "demo", "problems/demo"),
        (PROBLEM_SOURCE, "aime2024", "other/aime2024"),
        (PROBLEM_SOURCE, "problems/data/a.jsonl", "problems/data/a.jsonl"),
        (PROBLEM_SOURCE, "data/a.jsonl", "problems/data/a.jsonl"),
        (PROBLEM_SOURCE, "problems/openai/gsm8k", "problems/openai/gsm8k"),
        (CHAT_MODEL, "openai/gpt-4.1-mini", "openai/gpt-4.1-mini"),
        (CHAT_MODEL, "openai/org/model", "openai/org/model"),
        (CHAT_MODEL, "openai", "openai/chat"),
        (CHAT_MODEL, "llamacpp", "llamacpp/smollm2-135m"),
        (CHAT_MODEL, "llamacpp/models/x.gguf", "llamacpp/models/x.gguf"),
    ],
)
def test_a_reference_is_resolved(noun, reference, found):
    """By full name, by the plugin's only component, by bare name, by a telling pattern."""
    assert SOURCES.find(noun, reference).reference == found


def test_an_exact_name_beats_a_pattern():
    """The name asked for is what the component is told."""
    offer = SOURCES.find(PROBLEM_SOURCE, "problems/a.csv")
    assert (offer.component.name, offer.name) == ("file", "a.csv")
    assert SOURCES.find(PROBLEM_SOURCE, "problems/demo").component.name == "demo"


@pytest.mark.parametrize(
    ("noun", "reference", "nearest"),
    [
        (PROBLEM_SOURCE, "aime2042", "other/aime2024"),
        (PROBLEM_SOURCE, "problem/demo", "problems/demo"),
        (PROBLEM_SOURCE, "other/demo", "other/demo2"),
        (CHAT_MODEL, "llamacpp/smollm2", "llamacpp/smollm2-135m"),
        (CHAT_MODEL, "openia/any-name", "openai/any-name"),
    ],
)
def test_an_unknown_reference_lists_the_known_ones_nearest_first(noun, reference, nearest):
    """A typing error is mended by reading the message."""
    with pytest.raises(UnknownComponent) as caught:
        SOURCES.find(noun, reference)
    assert caught.value.known[0] == nearest
    assert caught.value.noun == noun.name


def test_a_plugin_of_another_noun_is_no_answer():
    """A chat model is not taken for a generator."""
    with pytest.raises(UnknownComponent, match="unknown generator 'openai'"):
        SOURCES.find(GENERATOR, "openai")


def test_a_bare_name_that_several_offer_is_ambiguous():
    """The error says which full names there are; nobody is taken by chance."""
    found = plugins(a=GOOD, b=GOOD)
    with pytest.raises(
        UnknownComponent, match="'direct' is ambiguous, write one of a/direct, b/direct"
    ):
        found.find(GENERATOR, "direct")


def test_a_plugins_name_alone_needs_one_component():
    """Where it offers several of the noun, the error lists them."""
    with pytest.raises(UnknownComponent) as caught:
        plugins(a=GOOD).find(GENERATOR, "a")
    assert set(caught.value.known) == {"a/direct", "a/stepwise"}


def test_every_noun_has_its_hook():
    """The facade asks each hook spec once."""
    everything = module(**{noun.hook: [component(noun.name)] for noun in NOUNS})
    (record,) = plugins(all=everything).records()
    assert [noun for noun, _ in record.components] == [noun.name for noun in NOUNS]
    for noun in NOUNS:
        assert [each.name for each in record.of(noun)] == [noun.name]
        assert [offer.reference for offer in plugins(all=everything).offers(noun)] == [
            f"all/{noun.name}"
        ]
