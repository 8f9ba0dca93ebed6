"""Chat models that only listen: they write down what they are asked, so that it can be priced."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import define, field, frozen

from grpo_framework.calls.budget import MESSAGE_OVERHEAD
from grpo_framework.calls.scope import current_scope
from grpo_framework.config import ComponentConfig
from grpo_framework.experience import Library, estimate_tokens
from grpo_framework.forecast import Forecast, Range, cost_of
from grpo_framework.opening import known_price
from grpo_framework.plugins import EMBEDDER
from grpo_framework.records import ChatReply, ChatRequest, Owner, Problem, Stage, Usage
from grpo_framework.workshop import Workshop

LONGEST_ANSWER = 2048
"""Tokens of an answer, where neither the caller nor the model's options set a limit."""
LIKELY_ANSWER = 300
"""Tokens of a likely answer: some steps of reasoning and a result."""


@frozen
class Assumption:
    """What is taken for granted about answers and tokenizers in one pass.

    Attributes:
        answer: Tokens of every answer, where its limit allows so many.
        share: What a tokenizer counts, as a share of `estimate_tokens`.
        overhead: Tokens that stand around each message.
        learns: Whether groups teach something.
    """

    answer: int
    share: float
    overhead: int
    learns: bool = True


LEAST = Assumption(20, 0.65, 0, learns=False)
LIKELY = Assumption(LIKELY_ANSWER, 0.85, 4)
MOST = Assumption(2**31, 1.15, MESSAGE_OVERHEAD)


@define
class Heard:
    """What one model was asked in one stage and pass."""

    calls: int = 0
    input_tokens: float = 0
    output_tokens: float = 0


@define
class Notes:
    """What all models were asked in one pass, by stage, owner and model."""

    assumed: Assumption
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
        assumed = notes.assumed
        tokens = min(limit, assumed.answer)
        if scope is not None:
            size = sum(estimate_tokens(turn.content) for turn in request.messages)
            size += 0 if request.schema is None else estimate_tokens(repr(request.schema))
            key = (scope.unit.stage, scope.unit.owner, self._use.use)
            heard = notes.heard.setdefault(key, Heard())
            heard.calls += 1
            heard.input_tokens += size * assumed.share + assumed.overhead * len(request.messages)
            heard.output_tokens += tokens
        return ChatReply(filler(tokens), usage=Usage(calls=1))


def filler(tokens: int) -> str:
    """An answer of about so many tokens."""
    return "word " * max(0, tokens - 4) + "\\boxed{0}"


def forecast_embeddings(
    workshop: Workshop, problems: Sequence[Problem], held: Sequence[Mapping[Owner, Library]]
) -> tuple[Forecast, ...]:
    """What the embedder will be asked for, if there is one: each text once, if at all.

    Args:
        workshop: Finds the embedder.
        problems: What is asked.
        held: The libraries at the least, likely, and at the most.

    Raises:
        ConfigError: A cost limit is set and the price is not known.
    """
    use = workshop.config.embedder
    if use is None:
        return ()
    asked = [problem.question.text for problem in problems]
    likely, most = (
        [*asked, *(each.content for library in held[end].values() for each in library.experiences)]
        for end in (1, 2)
    )
    tokens = Range(0, _tokens(LIKELY, likely), _tokens(MOST, most))
    cost = cost_of(known_price(workshop, use, EMBEDDER), tokens, Range())
    calls = Range(1, len(likely), len(most))
    return (Forecast("embedder", use.use, calls, tokens, Range(), cost),)


def _tokens(assumed: Assumption, texts: Iterable[str]) -> int:
    return round(assumed.share * sum(map(estimate_tokens, texts)))
