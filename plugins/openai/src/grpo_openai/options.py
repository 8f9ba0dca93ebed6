"""The options' JSON Schema, and the names that it and the settings share."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

UNNAMED = "chat"
"""The component's own name; no model is called that, so it needs the option `model`."""

UNNAMED_EMBEDDER = "embeddings"
"""The same for the embedder."""

VENDOR_URL = "https://api.openai.com/v1"
KEY_VARIABLE = "OPENAI_API_KEY"
URL_VARIABLE = "OPENAI_BASE_URL"


def _number(description: str, **limits: float) -> dict[str, Any]:
    return {"type": "number", "description": description, **limits}


def _integer(description: str, **limits: int) -> dict[str, Any]:
    return {"type": "integer", "description": description, **limits}


SAMPLING: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "temperature": _number(
            "Sampling temperature where the caller sets none.", minimum=0, maximum=2
        ),
        "top_p": _number(
            "Smallest set of tokens with this probability mass.", minimum=0, maximum=1
        ),
        "top_k": _integer("The k likeliest tokens (not in the vendor's own API).", minimum=-1),
        "min_p": _number(
            "Least probability relative to the likeliest token.", minimum=0, maximum=1
        ),
        "frequency_penalty": _number("Against frequent tokens.", minimum=-2, maximum=2),
        "presence_penalty": _number("Against tokens that occurred.", minimum=-2, maximum=2),
        "repetition_penalty": _number("Factor against repetition (vLLM, SGLang …).", minimum=0),
        "repeat_penalty": _number("Factor against repetition (llama.cpp, Ollama).", minimum=0),
        "logit_bias": {
            "type": "object",
            "description": "Token id → bias.",
            "additionalProperties": {"type": "number", "minimum": -100, "maximum": 100},
        },
        "seed": _integer("Seed where the caller sets none."),
        "reasoning_effort": {
            "type": "string",
            "minLength": 1,
            "description": "How much a reasoning model thinks: minimal, low, medium, high …",
        },
    }
)
"""Options that go into the body under their own name."""

OPTIONS: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "model": {
                "type": "string",
                "minLength": 1,
                "description": "The model's name as the endpoint knows it, instead of the one in "
                "the reference.",
            },
            "base_url": {
                "type": "string",
                "pattern": "^https?://[^/]",
                "description": f"Where the endpoint is, up to and with /v1; else the variable "
                f"{URL_VARIABLE}, else the vendor's.",
            },
            "api_key_env": {
                "type": "string",
                "minLength": 1,
                "default": KEY_VARIABLE,
                "description": "Name of the environment variable that holds the key.",
            },
            "api_key_header": {
                "type": "string",
                "minLength": 1,
                "default": "Authorization",
                "description": "Header that carries the key; any other than Authorization carries "
                "it without 'Bearer'.",
            },
            **SAMPLING,
            "max_tokens": _integer("Limit of an answer where the caller sets none.", minimum=1),
            "max_tokens_field": {
                "enum": ["auto", "max_tokens", "max_completion_tokens"],
                "default": "auto",
                "description": "The limit's name in the body; auto changes to the second when the "
                "endpoint asks for it.",
            },
            "stop": {
                "type": "array",
                "items": {"type": "string", "minLength": 1},
                "description": "Texts that end an answer, beside the caller's.",
            },
            "json_schema": {
                "enum": ["auto", "json_schema", "json_object", "off"],
                "default": "auto",
                "description": "How a wanted JSON Schema is asked for; auto falls back from the "
                "first to the last where the endpoint refuses it.",
            },
            "strict_schema": {
                "type": "boolean",
                "default": False,
                "description": "Whether the schema is sent as strict (the vendor then takes a "
                "subset of JSON Schema only).",
            },
            "omit": {
                "type": "array",
                "items": {"type": "string", "minLength": 1},
                "description": "Fields never sent, for endpoints that refuse them: seed, "
                "temperature …",
            },
            "extra_body": {
                "type": "object",
                "description": "Further fields of the body; they win over all others.",
            },
            "headers": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "Further headers; no secrets here.",
            },
            "query": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "Query of the address, such as an api-version.",
            },
            "proxy": {
                "type": "string",
                "description": "Proxy's address, empty for none; else HTTPS_PROXY, HTTP_PROXY and "
                "NO_PROXY of the environment.",
            },
            "connect_timeout": _number("Seconds to connect.", exclusiveMinimum=0, default=10),
            "total_timeout": _number("Seconds for a whole call.", exclusiveMinimum=0, default=600),
        },
    }
)

_ADDRESS = (
    "model",
    "base_url",
    "api_key_env",
    "api_key_header",
    "extra_body",
    "headers",
    "query",
    "proxy",
    "connect_timeout",
    "total_timeout",
)

EMBEDDER_OPTIONS: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **{name: OPTIONS["properties"][name] for name in _ADDRESS},
            "dimensions": _integer(
                "Length of the vectors, of models that can shorten them.", minimum=1
            ),
        },
    }
)
"""How an endpoint is reached is the same for both."""
