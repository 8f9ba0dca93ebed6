"""What all suites share: the fixtures, the guard against overriding, the declaration's tests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import pytest

from grpo_framework.component import Component, Wiring
from grpo_framework.errors import ValidationFailed
from grpo_framework.protocols import ChatModel
from grpo_framework.testing.models import ScriptedReplies
from grpo_framework.testing.samples import ANSWER_KEY
from grpo_framework.validation import validate_with

_KIT = "grpo_framework.testing."
_METASCHEMA = {"$ref": "https://json-schema.org/draft/2020-12/schema"}
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")

Drive: TypeAlias = Callable[[Callable[[Any], Awaitable[Any]]], Any]
"""Opens the component, runs an async function with what it made, closes it, all within a limit."""


def _reason_to_fail(test: object) -> str:
    """The reason of a test's xfail mark, or empty."""
    marks = getattr(test, "pytestmark", [])
    return next((str(mark.kwargs.get("reason", "")) for mark in marks if mark.name == "xfail"), "")


def _refuse_overrides(cls: type) -> None:
    """Refuse a class that replaces a suite's test without a reasoned xfail.

    Raises:
        TypeError: With the class and the test.
    """
    for suite in cls.__mro__:
        if not suite.__module__.startswith(_KIT):
            continue
        for name, original in vars(suite).items():
            if not name.startswith("test_"):
                continue
            used = getattr(cls, name, None)
            if used is original or getattr(used, "__module__", "").startswith(_KIT):
                continue
            if not _reason_to_fail(used):
                message = (
                    f"{cls.__name__} overrides {suite.__name__}.{name}; mark the override with "
                    f'@pytest.mark.xfail(reason="why the contract cannot be kept")'
                )
                raise TypeError(message)


class ComponentSuite:
    """The tests of every component's declaration; the suites of the nouns build on it.

    Fixtures to define in a subclass: `component`; and where they do not fit, `options`, `name`,
    `chat_model` (for a component that uses one), `answer_key`, `environment`, `data_dir`.

    Attributes:
        seconds: Limit of one test's work with the component; not a measurement.
        protocol: The Protocol that the component's product implements.
    """

    seconds: ClassVar[float] = 60.0
    protocol: ClassVar[type] = object

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        _refuse_overrides(cls)

    @pytest.fixture
    def component(self) -> Component[Any]:
        """The component under test: define this fixture."""
        message = f"{type(self).__name__} must define the fixture 'component'"
        raise NotImplementedError(message)

    @pytest.fixture
    def name(self, component: Component[Any]) -> str:
        """`Wiring.name`; another one for a component that takes names by pattern."""
        return component.name

    @pytest.fixture
    def options(self) -> Mapping[str, Any]:
        """The component's options."""
        return {}

    @pytest.fixture
    def chat_model(self) -> ChatModel:
        """The model behind a component that uses one."""
        return ScriptedReplies(default="Six sevens are 42.\nAnswer: 42")

    @pytest.fixture
    def answer_key(self) -> Mapping[str, str]:
        """Question text → reference answer, for a simulation."""
        return ANSWER_KEY

    @pytest.fixture
    def environment(self) -> Mapping[str, str]:
        """The environment variables that the component sees."""
        return {}

    @pytest.fixture
    def data_dir(self) -> Path | None:
        """Where data sets lie, for a component that reads them."""
        return None

    @pytest.fixture
    def owner(self) -> str:
        """Who the component works for."""
        return ""

    @pytest.fixture
    def wiring(
        self,
        component: Component[Any],
        name: str,
        options: Mapping[str, Any],
        chat_model: ChatModel,
        answer_key: Mapping[str, str],
        environment: Mapping[str, str],
        data_dir: Path | None,
        owner: str,
        tmp_path: Path,
    ) -> Wiring:
        """What the component's factory receives; like in a run, only what it declared."""
        return Wiring(
            name=name,
            owner=owner,
            options=options,
            data_dir=data_dir,
            experience_dir=tmp_path / "experiences",
            environment=environment,
            answer_key=answer_key if component.simulation else {},
            chat_model=chat_model if component.uses_chat_model else None,
        )

    @pytest.fixture
    def drive(self, component: Component[Any], wiring: Wiring) -> Drive:
        """Run an async function with the opened component."""

        async def run(use: Callable[[Any], Awaitable[Any]]) -> Any:
            async with asyncio.timeout(self.seconds), component.factory(wiring) as product:
                return await use(product)

        return lambda use: asyncio.run(run(use))

    def test_declares_a_name_and_a_summary(self, component: Component[Any]) -> None:
        """The name is lower-case letters, digits, '.', '_' and '-'; the summary is one line."""
        assert isinstance(component, Component)
        assert _NAME.fullmatch(component.name), f"'{component.name}' is no component name"
        assert component.summary.strip(), "the summary is empty"
        assert "\n" not in component.summary

    def test_options_schema_is_valid(self, component: Component[Any]) -> None:
        """The options schema is valid draft 2020-12, a closed object, and explains each option."""
        schema = dict(component.options)
        validate_with("options schema", _METASCHEMA, schema)
        assert schema.get("type") == "object"
        closed = schema.get("additionalProperties", schema.get("unevaluatedProperties", True))
        assert closed is not True, "unknown options would be accepted: a misspelt one is lost"
        for option, part in schema.get("properties", {}).items():
            assert part.get("description", "").strip(), f"option '{option}' has no description"
            if "default" in part:
                validate_with(f"default of {option}", part, part["default"])

    def test_options_are_checked(
        self, component: Component[Any], options: Mapping[str, Any]
    ) -> None:
        """The suite's own options fit the schema, an option that does not exist is refused."""
        validate_with("options", component.options, dict(options))
        with pytest.raises(ValidationFailed):
            validate_with("options", component.options, {**options, "no such option": 1})

    def test_factory_opens_and_closes(self, component: Component[Any], wiring: Wiring) -> None:
        """The factory is an async context manager; it opens twice in a row and twice at once."""

        async def run() -> None:
            async with asyncio.timeout(self.seconds):
                manager = component.factory(wiring)
                assert isinstance(manager, AbstractAsyncContextManager)
                async with manager as product:
                    assert isinstance(product, self.protocol)
                async with component.factory(wiring) as one, component.factory(wiring) as two:
                    assert isinstance(one, self.protocol)
                    assert isinstance(two, self.protocol)

        asyncio.run(run())

    def test_errors_pass_through_the_factory(
        self, component: Component[Any], wiring: Wiring
    ) -> None:
        """An error raised while the component is open comes out of its factory as it was."""

        async def run() -> None:
            async with asyncio.timeout(self.seconds):
                with pytest.raises(LookupError, match="from inside"):
                    async with component.factory(wiring):
                        raise LookupError("from inside")

        asyncio.run(run())


async def cancel_when_asked(work: Awaitable[Any], asked: asyncio.Event) -> None:
    """Cancel work once it waits for its model, and assert that the cancellation comes out."""
    task = asyncio.ensure_future(work)
    waiter = asyncio.ensure_future(asked.wait())
    await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    assert asked.is_set(), "the component never asked its chat model"
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
