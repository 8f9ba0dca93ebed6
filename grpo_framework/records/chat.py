"""Calls to a chat model or an embedder: request, reply and cost."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from attrs import field, frozen


@frozen
class Usage:
    """What model calls cost.

    Attributes:
        input_tokens: Tokens of the prompts.
        output_tokens: Tokens of the answers.
        calls: Answered calls.
        seconds: Time spent in the calls, summed over calls.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    calls: int = 0
    seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.calls + other.calls,
            self.seconds + other.seconds,
        )


@frozen
class Message:
    """One turn of a chat; `role` is ``system``, ``user`` or ``assistant``."""

    role: Literal["system", "user", "assistant"]
    content: str


@frozen
class ChatRequest:
    """One call to a chat model.

    Attributes:
        messages: The chat so far, at least one turn.
        seed: Seed of the sampling, where the model has one.
        temperature: Sampling temperature; None leaves it to the model's options.
        max_tokens: Upper limit of the answer's tokens; None leaves it to the model's options.
        stop: Texts that end the answer.
        schema: JSON Schema that the answer must satisfy; the caller still validates the answer.
    """

    messages: tuple[Message, ...]
    seed: int | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = field(default=None, hash=False)


@frozen
class ChatReply:
    """The answer of a chat model.

    Attributes:
        text: What it said.
        finish: ``stop``, ``length`` (cut off at the token limit) or ``refused``.
        usage: Tokens of this call, as the model counted them; `calls` is 1.
        model: The model's name as the endpoint gave it.
    """

    text: str
    finish: Literal["stop", "length", "refused"] = "stop"
    usage: Usage = Usage(calls=1)
    model: str = ""


@frozen
class EmbedReply:
    """What an embedder made of some texts.

    Attributes:
        vectors: One a text, in their order, all of one length.
        usage: Tokens of the call, as the embedder counted them; `calls` is 1.
    """

    vectors: tuple[tuple[float, ...], ...] = field(repr=False)
    usage: Usage = Usage(calls=1)


@frozen
class Price:
    """What a model costs, in US dollars per million tokens."""

    input: Decimal = Decimal(0)
    output: Decimal = Decimal(0)

    def cost(self, usage: Usage) -> Decimal:
        """The price of a call in US dollars, exact."""
        total = self.input * usage.input_tokens + self.output * usage.output_tokens
        return total / 1_000_000
