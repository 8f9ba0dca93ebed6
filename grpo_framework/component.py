"""What a plugin declares: `Component[T]`, and the `Wiring` that its factory receives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from grpo_framework.errors import ConfigError
from grpo_framework.protocols import ChatModel
from grpo_framework.records import Owner, Price

T_co = TypeVar("T_co", covariant=True)


def unknown_price(name: str, /) -> None:
    """Nothing is known about what a model costs."""


def free(name: str, /) -> Price:  # noqa: ARG001 - the signature of all prices
    """A model on the user's own machine costs nothing."""
    return Price()


NO_OPTIONS: Mapping[str, Any] = MappingProxyType(
    {"type": "object", "properties": {}, "additionalProperties": False}
)
"""The options schema of a component that has none."""


@frozen
class Wiring:
    """What a factory may use, and nothing else.

    Attributes:
        name: The part of the reference behind the plugin's name (``gpt-4.1-mini`` of
            ``openai/gpt-4.1-mini``); the component's own name where it takes no other.
        owner: Who it is for (``generator_1``, ``critic`` …); empty where it serves all.
        options: Validated against the component's options schema, defaults not filled in.
        data_dir: Where data sets lie as files, if the user said so (``--data-dir``).
        experience_dir: Where experiences are kept (``--experience-dir``).
        environment: The environment variables; read keys here, so that tests can give their own.
        answer_key: Question text → reference answer, for components declared as `simulation` only.
    """

    name: str
    owner: Owner = ""
    options: Mapping[str, Any] = field(factory=dict, hash=False)
    data_dir: Path | None = None
    experience_dir: Path = Path("experiences")
    environment: Mapping[str, str] = field(factory=dict, hash=False, repr=False)
    answer_key: Mapping[str, str] = field(factory=dict, hash=False, repr=False)
    _chat_model: ChatModel | None = None

    @property
    def chat_model(self) -> ChatModel:
        """The chat model of this owner's role, guarded (limits, timeout, retry, account).

        Raises:
            ConfigError: The component did not declare `uses_chat_model`.
        """
        if self._chat_model is None:
            message = f"component '{self.name}' asked for a chat model it did not declare"
            raise ConfigError(message, hint="declare uses_chat_model=True in its Component")
        return self._chat_model


Factory = Callable[[Wiring], AbstractAsyncContextManager[T_co]]


@frozen
class Component(Generic[T_co]):
    """A declaration: something a plugin can make.

    Attributes:
        name: Its name within the plugin; ``plugin/name`` is the reference.
        factory: Async context manager function: opens the thing on entry, closes it on exit.
            Heavy imports go inside it.
        summary: One line for ``grpo-cli plugins``.
        options: JSON Schema (draft 2020-12) of its options, an object.
        patterns: File-name patterns (``*.jsonl``, ``*``) of other names that it takes; the name
            given then is `Wiring.name`.
        uses_chat_model: Whether the factory asks for `Wiring.chat_model`.
        simulation: Whether it only plays a model and therefore gets `Wiring.answer_key`; said in
            every report of a run that uses it.
        price: Of a chat model: what the model of a name costs, None where that is not known;
            `free` for one that runs on the user's own machine.
    """

    name: str
    factory: Factory[T_co] = field(repr=False)
    summary: str = ""
    options: Mapping[str, Any] = field(default=NO_OPTIONS, repr=False, hash=False)
    patterns: tuple[str, ...] = ()
    uses_chat_model: bool = False
    simulation: bool = False
    price: Callable[[str], Price | None] = field(default=unknown_price, repr=False)

    def takes(self, name: str, /, *, greedy: bool = True) -> bool:
        """Whether a name fits one of the patterns.

        Args:
            name: The part of a reference behind the plugin's name.
            greedy: Whether the pattern ``*``, which any name fits, counts.
        """
        return any(
            fnmatchcase(name, pattern) for pattern in self.patterns if greedy or pattern != "*"
        )
