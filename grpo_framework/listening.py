"""Chat models that only listen: they write down what they are asked, so that it can be priced."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import define, field

from grpo_framework.calls.budget import MESSAGE_OVERHEAD
from grpo_framework.calls.scope import current_scope
from grpo_framework.config import ComponentConfig
from grpo_framework.experience import Library, estimate_tokens
from grpo_framework.forecast import Forecast, Range, cost_of
from grpo_framework.opening import known_price
from grpo_framework.plugins import EMBEDDER
from grpo_framework.records import ChatReply, ChatRequest, Owner, Problem, Stage, Usage
from grpo_framework.workshop import Workshop

SHORTEST_ANSWER = 20
LONGEST_ANSWER = 2048
"""Tokens of an answer, where neither the caller nor the model's options set a limit."""
FEWEST, MOST = 0.65, 1.15
"""What a tokenizer counts, as shares of `estimate_tokens`."""


@define
class Heard:
    """What one model was asked in one stage and pass."""

    calls: int = 0
    input_tokens: float = 0
    output_tokens: float = 0


@define
class Notes:
    """What all models were asked in one pass, by stage, owner and model."""

    full: bool
    heard: dict[tuple[Stage, Owner, str], Heard] = field(factory=dict)


class Listener:
    """A chat model that writes down what it is asked, and answers with filler.

    Args:
        use: The model in whose place it stands.
        notes: Gives the notes of the present pass.
    """

    def __init__(self, use: ComponentConfig, notes: Callable[[], Notes]) -> None:
        self._use = use
        self._notes = notes

    async def chat(self, request: ChatRequest, /) -> ChatReply:
        """Write a request down."""
        scope, notes = current_scope(), self._notes()
        own = self._use.options.get("max_tokens")
        limit = request.max_tokens or (own if isinstance(own, int) else LONGEST_ANSWER)
        tokens = limit if notes.full else min(limit, SHORTEST_ANSWER)
        if scope is not None:
            size = sum(estimate_tokens(turn.content) for turn in request.messages)
            size += 0 if request.schema is None else estimate_tokens(repr(request.schema))
            extra = MESSAGE_OVERHEAD * len(request.messages) if notes.full else 0
            key = (scope.unit.stage, scope.unit.owner, self._use.use)
            heard = notes.heard.setdefault(key, Heard())
            heard.calls += 1
            heard.input_tokens += size * (MOST if notes.full else FEWEST) + extra
            heard.output_tokens += tokens
        return ChatReply(filler(tokens), usage=Usage(calls=1))


def filler(tokens: int) -> str:
    """An answer of about so many tokens."""
    return "word " * max(0, tokens - 4) + "\\boxed{0}"


def forecast_embeddings(
    workshop: Workshop, problems: Iterable[Problem], libraries: Iterable[Library]
) -> tuple[Forecast, ...]:
    """What the embedder will be asked for, if there is one: each text once, if at all.

    Raises:
        ConfigError: A cost limit is set and the price is not known.
    """
    use = workshop.config.embedder
    if use is None:
        return ()
    texts = [problem.question.text for problem in problems]
    texts += [each.content for library in libraries for each in library.experiences]
    tokens = Range(0, round(MOST * sum(map(estimate_tokens, texts))))
    cost = cost_of(known_price(workshop, use, EMBEDDER), tokens, Range())
    return (Forecast("embedder", use.use, Range(1, len(texts)), tokens, Range(), cost),)
