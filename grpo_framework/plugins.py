"""Plugins: discover, isolate, list, and resolve references; nobody else touches pluggy.

`Plugins` is built and passed on; a test makes its own. Discovery reads entry points and imports
nothing; a plugin is imported when a reference names it, or when all are to be listed.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from importlib import metadata
from typing import Any, Generic, TypeVar, cast

import pluggy
from attrs import evolve, frozen

from grpo_framework import hookspecs
from grpo_framework.component import Component
from grpo_framework.errors import PluginError, UnknownComponent, ValidationFailed
from grpo_framework.hookspecs import ENTRY_POINT_GROUP
from grpo_framework.protocols import (
    Advisor,
    ChatModel,
    Comparator,
    Critic,
    Embedder,
    ExperienceStore,
    Generator,
    Observer,
    ProblemSource,
)
from grpo_framework.validation import check_schema

T = TypeVar("T")


@frozen
class Noun(Generic[T]):
    """A kind of component: its name in messages, and the hook that offers it."""

    name: str
    hook: str


GENERATOR: Noun[Generator] = Noun("generator", "grpo_generators")
CRITIC: Noun[Critic] = Noun("critic", "grpo_critics")
COMPARATOR: Noun[Comparator] = Noun("comparator", "grpo_comparators")
STORE: Noun[ExperienceStore] = Noun("experience store", "grpo_experience_stores")
ADVISOR: Noun[Advisor] = Noun("advisor", "grpo_advisors")
CHAT_MODEL: Noun[ChatModel] = Noun("chat model", "grpo_chat_models")
PROBLEM_SOURCE: Noun[ProblemSource] = Noun("problem source", "grpo_problem_sources")
OBSERVER: Noun[Observer] = Noun("observer", "grpo_observers")
EMBEDDER: Noun[Embedder] = Noun("embedder", "grpo_embedders")

NOUNS: tuple[Noun[Any], ...] = (
    *(GENERATOR, CRITIC, COMPARATOR, STORE, ADVISOR),
    *(CHAT_MODEL, PROBLEM_SOURCE, OBSERVER, EMBEDDER),
)


@frozen
class Source:
    """Where a plugin comes from, before it is imported.

    Attributes:
        name: The plugin's name.
        module: What the entry point names.
        distribution: Name and version of the distribution that brings it.
        load: Imports and returns the module.
    """

    name: str
    module: str
    distribution: str
    load: Callable[[], object]


@frozen
class Offer(Generic[T]):
    """A component with the plugin that offers it and the name it was asked for."""

    plugin: str
    component: Component[T]
    name: str

    @property
    def reference(self) -> str:
        """``plugin/name``, as a configuration would write it."""
        return f"{self.plugin}/{self.name}"


@frozen
class PluginRecord:
    """A plugin as listed: what it offers, or why it cannot be used.

    Attributes:
        name: Its name.
        distribution: Name and version of what brings it.
        module: What its entry point names.
        components: Noun → its components; empty where it failed.
        failure: Why it cannot be used, in one line; empty where it can.
    """

    name: str
    distribution: str
    module: str
    components: tuple[tuple[str, tuple[Component[Any], ...]], ...] = ()
    failure: str = ""

    def of(self, noun: Noun[T]) -> tuple[Component[T], ...]:
        """Its components of one noun."""
        return cast("tuple[Component[T], ...]", dict(self.components).get(noun.name, ()))


class Plugins:
    """The plugins of one process: found at once, imported when needed, each failure isolated."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources: dict[str, list[Source]] = {}
        for source in sources:
            self._sources.setdefault(source.name, []).append(source)
        self._records: dict[str, PluginRecord] = {}
        # Checking a schema takes 10 ms: a run checks those of the components that it names.
        self._checked: set[tuple[str, int]] = set()

    @classmethod
    def discover(cls) -> Plugins:
        """Find the installed plugins; imports none."""
        found: dict[tuple[str, str, str], Source] = {}
        for entry in metadata.entry_points(group=ENTRY_POINT_GROUP):
            dist = entry.dist
            title = f"{dist.name} {dist.version}" if dist is not None else "unknown distribution"
            # One distribution seen twice on sys.path is one plugin.
            found[entry.name, entry.value, title] = Source(
                entry.name, entry.value, title, entry.load
            )
        return cls(found.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all plugins, usable or not, sorted."""
        return tuple(sorted(self._sources))

    def record(self, name: str) -> PluginRecord:
        """Import a plugin, if that has not been done, and say what it offers or why it failed.

        Args:
            name: One of `names`.
        """
        record = self._imported(name)
        for _, components in record.components:
            for component in components:
                self._check(name, component)
        return self._records[name]

    def _imported(self, name: str) -> PluginRecord:
        """A plugin's record, the schemas of its options unchecked."""
        if name not in self._records:
            self._records[name] = _load(name, self._sources[name])
        return self._records[name]

    def _check(self, name: str, component: Component[Any]) -> None:
        """Check the schema of a component's options; where it is none, the plugin has failed."""
        if (name, id(component)) in self._checked:
            return
        self._checked.add((name, id(component)))
        try:
            check_schema(component.options)
        except ValidationFailed as error:
            self._records[name] = _failed(self._records[name], error)

    def records(self) -> tuple[PluginRecord, ...]:
        """Import and list all plugins."""
        return tuple(self.record(name) for name in self.names)

    def imported(self) -> tuple[PluginRecord, ...]:
        """The usable plugins that were imported so far: those that the run names."""
        records = (self._records[name] for name in sorted(self._records))
        return tuple(record for record in records if not record.failure)

    def offers(self, noun: Noun[T]) -> tuple[Offer[T], ...]:
        """All usable components of a noun, by reference."""
        return tuple(
            Offer(record.name, component, component.name)
            for record in map(self._imported, self.names)
            for component in record.of(noun)
        )

    def find(self, noun: Noun[T], reference: str) -> Offer[T]:
        """Resolve a reference.

        ``plugin/component``; ``plugin`` where it offers one of that noun; ``plugin/anything`` where
        a component of the plugin takes such names; ``component`` where one plugin has it; or a name
        that fits a pattern such as ``*.jsonl``.

        Raises:
            UnknownComponent: Nobody offers it; the known references come with it, nearest first.
            PluginError: The plugin that is named cannot be used; with its distribution and cause.
        """
        plugin, slash, rest = reference.partition("/")
        found: Offer[T] | None = None
        if plugin in self._sources:
            record = self._usable(plugin)
            found = _named(record, noun, rest) if slash else _only(record, noun)
            if found is None:
                self.record(plugin)
                self._usable(plugin)
        offer = self._find_bare(noun, reference) if found is None else found
        self._check(offer.plugin, offer.component)
        self._usable(offer.plugin)
        return offer

    def _usable(self, plugin: str) -> PluginRecord:
        record = self._imported(plugin)
        if record.failure:
            message = f"plugin '{plugin}' ({record.distribution}) cannot be used: {record.failure}"
            hint = "grpo-cli plugins lists all plugins; mend or uninstall this one"
            raise PluginError(message, plugin=plugin, distribution=record.distribution, hint=hint)
        return record

    def _find_bare(self, noun: Noun[T], reference: str) -> Offer[T]:
        """A reference without a plugin's name: an exact name first, then a telling pattern."""
        offers = self.offers(noun)
        exact = [offer for offer in offers if offer.name == reference]
        if not exact:
            exact = [
                Offer(offer.plugin, offer.component, reference)
                for offer in offers
                if offer.component.takes(reference, greedy=False)
            ]
        if len(exact) == 1:
            return exact[0]
        hint = ""
        if len(exact) > 1:
            rivals = ", ".join(sorted(offer.reference for offer in exact))
            hint = f"'{reference}' is ambiguous, write one of {rivals}"
        known = _known(offers, reference)
        # What is missing among problems is mostly a file: no plugin has it.
        wide = {offer.plugin for offer in offers if "*" in offer.component.patterns}
        open_to = () if noun is PROBLEM_SOURCE else sorted(wide)
        raise UnknownComponent(noun.name, reference, known, hint=hint, open_to=open_to)


def _known(offers: Iterable[Offer[Any]], reference: str) -> list[str]:
    """All references to offers; where a plugin takes any name, the one that was meant for it."""
    plugin, _, rest = reference.partition("/")
    found = []
    for offer in offers:
        patterns = [pattern for pattern in offer.component.patterns if pattern != "*"]
        found += [f"{offer.plugin}/{name}" for name in (offer.name, *patterns)]
        any_name = len(patterns) < len(offer.component.patterns)
        if any_name and rest and difflib.get_close_matches(plugin, [offer.plugin]):
            found.append(f"{offer.plugin}/{rest}")
    return found


def _named(record: PluginRecord, noun: Noun[T], name: str) -> Offer[T] | None:
    for component in record.of(noun):
        if component.name == name:
            return Offer(record.name, component, name)
    for component in record.of(noun):
        if name and component.takes(name):
            return Offer(record.name, component, name)
    return None


def _only(record: PluginRecord, noun: Noun[T]) -> Offer[T] | None:
    components = record.of(noun)
    return Offer(record.name, components[0], components[0].name) if len(components) == 1 else None


def _load(name: str, sources: list[Source]) -> PluginRecord:
    """Import one plugin; whatever it does wrong ends in its record and nowhere else."""
    first = sources[0]
    if len(sources) > 1:
        rivals = " and ".join(sorted(source.distribution for source in sources))
        failure = f"{rivals} both claim the name '{name}'; uninstall one"
        return PluginRecord(name, rivals, first.module, failure=failure)
    try:
        components = _ask(name, first.load())
    # A plugin is foreign code: whatever it raises, even SystemExit, must not end the host.
    except (Exception, SystemExit) as error:
        return _failed(PluginRecord(name, first.distribution, first.module), error)
    return PluginRecord(name, first.distribution, first.module, components)


def _failed(record: PluginRecord, error: BaseException) -> PluginRecord:
    text = " ".join(str(error).split())
    failure = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return evolve(record, components=(), failure=failure)


def _ask(name: str, module: object) -> tuple[tuple[str, tuple[Component[Any], ...]], ...]:
    """Register a plugin with a manager of its own and call each of its hooks once."""
    manager = pluggy.PluginManager("grpo_framework")
    manager.add_hookspecs(hookspecs)
    manager.register(module, name)
    manager.check_pending()
    offered = []
    for noun in NOUNS:
        answers = getattr(manager.hook, noun.hook)()
        components = tuple(component for answer in answers for component in answer)
        _check(noun, components)
        if components:
            offered.append((noun.name, components))
    return tuple(offered)


def _check(noun: Noun[Any], components: tuple[object, ...]) -> None:
    names = set()
    for component in components:
        if not isinstance(component, Component):
            message = f"{noun.hook} must return Component values, not {type(component).__name__}"
            raise TypeError(message)
        if component.name in names:
            message = f"{noun.hook} offers '{component.name}' twice"
            raise ValueError(message)
        names.add(component.name)
