"""What llama.cpp's server is told and tells, pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from grpo_framework.errors import ModelError
from grpo_framework.records import ChatReply, ChatRequest, Usage
from grpo_llamacpp.options import Settings

_SEEDS = 2**32 - 1
"""The highest 32-bit number would mean a random seed."""

_COMPACT: Mapping[str, Any] = {
    "whitespace_flexible": False,
    "key_separator": ": ",
    "item_separator": ", ",
    "coerce_one_of": True,
    "lenient": True,
}
"""For LLGuidance: JSON on one line, which costs a small model under half the tokens; and what it
cannot enforce of a schema is left to the caller's own validation."""


def write_request(
    request: ChatRequest, settings: Settings, to_grammar: Callable[[dict[str, Any]], str]
) -> bytes:
    """Write a request.

    A lone surrogate, which no JSON in UTF-8 can carry, becomes U+FFFD.

    Args:
        request: What is asked.
        settings: The options.
        to_grammar: Turns a JSON Schema into a grammar.
    """
    seed = settings.seed if request.seed is None else request.seed
    limit = settings.max_tokens if request.max_tokens is None else request.max_tokens
    body: dict[str, Any] = {
        **settings.defaults,
        "messages": [{"role": turn.role, "content": turn.content} for turn in request.messages],
        "max_tokens": limit,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if seed is not None:
        body["seed"] = seed % _SEEDS
    stop = (*request.stop, *settings.stop)
    if stop:
        body["stop"] = list(dict.fromkeys(stop))
    if request.schema is not None:
        plain = json.loads(json.dumps(request.schema, default=_plain))
        body["grammar"] = to_grammar({**plain, "x-guidance": _COMPACT})
    text = json.dumps(body, ensure_ascii=False)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        pairs = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return pairs.encode("utf-8")


def _plain(value: Any) -> Any:
    """Frozen mappings inside a schema, for `json.dumps`."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def read_events(events: Iterable[bytes], *, model: str, seconds: float) -> ChatReply:
    """Put the events of one answer together.

    Args:
        events: The chunks of a streamed chat completion, each a JSON document.
        model: Name of the model for the reply.
        seconds: How long it took.

    Raises:
        ModelError: The events hold an error, end too early, or hold no text of a finished answer.
    """
    texts: list[str] = []
    finish = ""
    usage = Usage(calls=1, seconds=seconds)
    for event in events:
        document = json.loads(event)
        if "error" in document:
            raise read_failure(document["error"])
        for choice in document.get("choices", ()):
            texts.append(choice.get("delta", {}).get("content") or "")
            finish = choice.get("finish_reason") or finish
        counts = document.get("usage")
        if counts:
            usage = Usage(counts["prompt_tokens"], counts["completion_tokens"], 1, seconds)
    text = "".join(texts)
    if not finish:
        raise ModelError("llama.cpp ended its answer too early", kind="bad_reply")
    if finish == "length":
        return ChatReply(text, "length", usage, model)
    if not text:
        raise ModelError("the model's answer is empty", kind="bad_reply")
    return ChatReply(text, "stop", usage, model)


def read_failure(error: Any) -> ModelError:
    """What llama.cpp means by an error."""
    fields = error if isinstance(error, dict) else {"message": str(error)}
    said = " ".join(str(fields.get("message", "")).split())
    too_large = "too large to process" in said
    if fields.get("type") == "exceed_context_size_error" or too_large:
        return ModelError(
            f"the prompt is longer than a slot's context: {said}",
            kind="context_too_long",
            hint="raise the option context, or give the model less to read",
        )
    code = fields.get("code")
    client = isinstance(code, int) and 400 <= code < 500
    return ModelError(f"llama.cpp said: {said}", kind="bad_request" if client else "overloaded")
