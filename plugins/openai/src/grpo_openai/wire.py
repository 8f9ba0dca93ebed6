"""The wire format, pure: a request → the bytes of a body, the bytes of a body → a reply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import orjson

from grpo_framework.errors import ModelError
from grpo_framework.records import ChatReply, ChatRequest, Usage
from grpo_openai.settings import JsonMode, Settings, TokensField

_FINISH: Mapping[str, Literal["stop", "length", "refused"]] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "refused",
    "refusal": "refused",
}
"""Any other finish reason, and none, counts as stop."""

_MOST_TOKENS = 2**53
"""No call has more, and above it a JSON reader may have rounded the count."""


def write_body(
    request: ChatRequest, settings: Settings, *, json_mode: JsonMode, tokens_field: TokensField
) -> bytes:
    """Write the body of a call.

    What the caller sets wins over the options, and `extra_body` over both. A lone surrogate, which
    no JSON in UTF-8 can carry, becomes U+FFFD.

    Args:
        request: What is asked.
        settings: The options.
        json_mode: How a schema is asked for.
        tokens_field: Name of the limit's field.
    """
    body: dict[str, Any] = {
        "model": settings.model,
        "messages": [{"role": turn.role, "content": turn.content} for turn in request.messages],
        **settings.defaults,
    }
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.seed is not None:
        body["seed"] = request.seed
    limit = settings.max_tokens if request.max_tokens is None else request.max_tokens
    if limit is not None:
        body[tokens_field] = limit
    stop = (*request.stop, *settings.stop)
    if stop:
        body["stop"] = list(dict.fromkeys(stop))
    if request.schema is not None and json_mode != "off":
        body["response_format"] = _response_format(request.schema, settings, json_mode)
    for name in settings.omit:
        body.pop(name, None)
    body.update(settings.extra_body)
    try:
        return orjson.dumps(body, default=_plain)
    except TypeError:  # lone surrogates, keys that are no text, integers beyond 64 bits: rare
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=_plain)
        return _well_formed(text).encode("utf-8")


def _response_format(
    schema: Mapping[str, Any], settings: Settings, mode: JsonMode
) -> dict[str, Any]:
    if mode == "json_object":
        return {"type": "json_object"}
    named = {"name": "reply", "schema": schema, "strict": settings.strict_schema}
    return {"type": "json_schema", "json_schema": named}


def _plain(value: Any) -> Any:
    """Frozen mappings inside a schema, for `json.dumps`."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _well_formed(text: str) -> str:
    """Join surrogate pairs and replace lone surrogates."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def read_document(raw: bytes) -> Any:
    """Parse a body as JSON.

    An integer beyond 64 bits may become a float; a count that is one is refused by `read_reply`.

    Raises:
        ModelError: Of kind ``bad_reply``.
    """
    try:
        return orjson.loads(raw)
    except ValueError:  # `json` takes more: lone surrogates, NaN
        pass
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        start = raw[:80].decode("utf-8", "replace")
        message = f"the endpoint's reply of {len(raw)} bytes is no JSON ({error}): {start!r}"
        raise ModelError(message, kind="bad_reply") from None


def read_reply(document: Any, *, seconds: float) -> ChatReply:
    """Read a chat completion.

    Args:
        document: The parsed body.
        seconds: How long the call took.

    Raises:
        ModelError: Of kind ``bad_reply``: something is missing or has another type, or the answer
            is empty although the model says that it finished.
    """
    choices = _member(document, "choices", list, "the reply")
    if not choices:
        raise _bad("'choices' is empty")
    message = _member(choices[0], "message", dict, "choices[0]")
    reason = choices[0].get("finish_reason")
    if reason == "error":
        raise _bad("the finish reason is 'error'")
    finish = _FINISH.get(reason, "stop") if isinstance(reason, str) else "stop"
    text = _content(message)
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        text, finish = text or _sound(refusal), "refused"
    if not text and finish == "stop":
        raise _bad(f"the answer is empty (finish reason {reason!r})")
    model = document.get("model")
    return ChatReply(
        text, finish, _usage(document, seconds), _sound(model) if isinstance(model, str) else ""
    )


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if content is None:
        return ""
    if isinstance(content, list):
        content = "".join(
            part["text"]
            for part in content
            if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    if not isinstance(content, str):
        raise _bad(f"'content' is of type {type(content).__name__}")
    return _sound(content)


def _sound(text: str) -> str:
    """Text that can be written as UTF-8, whatever the endpoint sent."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return _well_formed(text)
    return text


def _usage(document: Mapping[str, Any], seconds: float) -> Usage:
    """Usage as the endpoint counted it; 0 where it says nothing."""
    usage = document.get("usage")
    if usage is None:
        return Usage(calls=1, seconds=seconds)
    if not isinstance(usage, dict):
        raise _bad("'usage' is no object")
    counts = []
    for name in ("prompt_tokens", "completion_tokens"):
        count = usage.get(name)
        count = 0 if count is None else count
        whole = isinstance(count, int) and not isinstance(count, bool)
        if not (whole and 0 <= count <= _MOST_TOKENS):
            raise _bad(f"'usage.{name}' is {count!r}")
        counts.append(count)
    return Usage(counts[0], counts[1], calls=1, seconds=seconds)


def _member(holder: Any, name: str, kind: type, where: str) -> Any:
    if not isinstance(holder, dict):
        raise _bad(f"{where} is no object")
    value = holder.get(name)
    if not isinstance(value, kind):
        found = "missing" if name not in holder else f"of type {type(value).__name__}"
        raise _bad(f"'{name}' of {where} is {found}")
    return value


def _bad(what: str) -> ModelError:
    return ModelError(f"the endpoint's reply is no chat completion: {what}", kind="bad_reply")
