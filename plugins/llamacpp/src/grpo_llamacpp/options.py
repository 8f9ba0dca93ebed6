"""The options: their JSON Schema, and the frozen `Settings` that a wiring comes down to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from attrs import field, frozen

from grpo_framework.component import Wiring
from grpo_framework.errors import ConfigError
from grpo_llamacpp.weights import find_weights

EMBEDDER = "embeddings"
"""The embedder's own name; no file is called that."""

_MOST_THREADS = 8
"""Beyond this, more threads do not speed up the small models that run on a CPU."""


def _number(description: str, **limits: float) -> dict[str, Any]:
    return {"type": "number", "description": description, **limits}


def _integer(description: str, **limits: int) -> dict[str, Any]:
    return {"type": "integer", "description": description, **limits}


SAMPLING: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "temperature": _number(
            "Sampling temperature where the caller sets none.", minimum=0, default=0.8
        ),
        "top_p": _number(
            "Smallest set of tokens with this probability mass.", minimum=0, maximum=1, default=0.95
        ),
        "top_k": _integer("The k likeliest tokens, 0 for all.", minimum=0, default=40),
        "min_p": _number(
            "Least probability relative to the likeliest token.", minimum=0, maximum=1, default=0.05
        ),
        "repeat_penalty": _number(
            "Factor against repeating the last 64 tokens, 1 for none.", minimum=0, default=1.0
        ),
    }
)
"""Options that go into every request under their own name; the defaults are llama.cpp's."""

OPTIONS: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "model_path": {
                "type": "string",
                "minLength": 1,
                "description": "The GGUF file, or a directory that holds the default one.",
            },
            "slots": _integer(
                "Answers made at once; each has its own context.", minimum=1, maximum=256, default=4
            ),
            "threads": _integer(
                "CPU threads; else the cores this process may use, at most 8.", minimum=1
            ),
            "context": _integer(
                "Tokens of prompt and answer together, per slot.", minimum=256, default=4096
            ),
            "gpu_layers": _integer(
                "Layers on the GPU, with a build of xllamacpp that has one; -1 leaves it to "
                "llama.cpp.",
                minimum=-1,
                default=-1,
            ),
            **SAMPLING,
            "max_tokens": _integer(
                "Limit of an answer where the caller sets none.", minimum=1, default=512
            ),
            "stop": {
                "type": "array",
                "items": {"type": "string", "minLength": 1},
                "description": "Texts that end an answer, beside the caller's.",
            },
            "seed": _integer("Seed where the caller sets none; else a random one."),
            "cache_prompt": {
                "type": "boolean",
                "default": True,
                "description": "Whether a slot keeps the beginning that a prompt shares with its "
                "last one: faster, at the price of the last digit of reproducibility.",
            },
            "prompt_cache": _integer(
                "MiB of main memory for the beginnings of prompts that no slot holds at the "
                "moment; 0 keeps none.",
                minimum=0,
                default=256,
            ),
            "verbose": {
                "type": "boolean",
                "default": False,
                "description": "Whether llama.cpp writes its log to stderr.",
            },
        },
    }
)


@frozen
class Settings:
    """How a model is loaded and asked.

    Attributes:
        path: The GGUF file.
        slots: Answers made at once.
        threads: CPU threads.
        context: Tokens per slot.
        gpu_layers: Layers on the GPU, -1 for llama.cpp's own choice.
        defaults: Fields that each request starts from.
        max_tokens: Limit of an answer where the caller sets none.
        stop: Texts that end every answer.
        seed: Seed where the caller sets none, None for a random one.
        prompt_cache: MiB for beginnings of prompts beside the slots.
        verbose: Whether llama.cpp may write to stderr.
    """

    path: Path
    slots: int
    threads: int
    context: int
    gpu_layers: int
    defaults: Mapping[str, Any] = field(hash=False)
    max_tokens: int
    stop: tuple[str, ...]
    seed: int | None
    prompt_cache: int
    verbose: bool


def read_settings(wiring: Wiring) -> Settings:
    """Bring name, options and environment down to one value.

    Raises:
        ConfigError: The weights are not there.
    """
    given = {
        name: wiring.options.get(name, part.get("default"))
        for name, part in OPTIONS["properties"].items()
    }
    defaults = {name: given[name] for name in (*SAMPLING, "cache_prompt")}
    return Settings(
        path=find_weights(wiring.name, given["model_path"], wiring.environment),
        slots=given["slots"],
        threads=given["threads"] or min(usable_cores(), _MOST_THREADS),
        context=given["context"],
        gpu_layers=given["gpu_layers"],
        defaults=defaults,
        max_tokens=given["max_tokens"],
        stop=tuple(given["stop"] or ()),
        seed=given["seed"],
        prompt_cache=given["prompt_cache"] if given["cache_prompt"] else 0,
        verbose=given["verbose"],
    )


EMBEDDER_OPTIONS: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "model_path": {
                "type": "string",
                "minLength": 1,
                "description": "The GGUF file, instead of the one in the reference.",
            },
            "threads": OPTIONS["properties"]["threads"],
            "context": _integer("Tokens of one text, at the most.", minimum=64, default=512),
            "gpu_layers": OPTIONS["properties"]["gpu_layers"],
            "pooling": {
                "enum": ["auto", "mean", "cls", "last"],
                "default": "auto",
                "description": "How the tokens' vectors become one; auto takes what the file says.",
            },
            "verbose": OPTIONS["properties"]["verbose"],
        },
    }
)


@frozen
class EmbedderSettings:
    """How an embedding model is loaded.

    Attributes:
        path: The GGUF file.
        threads: CPU threads.
        context: Tokens of one text, at the most.
        gpu_layers: Layers on the GPU, -1 for llama.cpp's own choice.
        pooling: How the tokens' vectors become one.
        verbose: Whether llama.cpp may write to stderr.
    """

    path: Path
    threads: int
    context: int
    gpu_layers: int
    pooling: str
    verbose: bool


def read_embedder_settings(wiring: Wiring) -> EmbedderSettings:
    """Bring name and options down to one value.

    Raises:
        ConfigError: No file is named, or it is not there.
    """
    given = {
        name: wiring.options.get(name, part.get("default"))
        for name, part in EMBEDDER_OPTIONS["properties"].items()
    }
    if wiring.name == EMBEDDER and given["model_path"] is None:
        message = "the llamacpp plugin brings no embedding model"
        raise ConfigError(message, hint="name a file, as in llamacpp/PATH.gguf")
    return EmbedderSettings(
        path=find_weights(wiring.name, given["model_path"], wiring.environment),
        threads=given["threads"] or min(usable_cores(), _MOST_THREADS),
        context=given["context"],
        gpu_layers=given["gpu_layers"],
        pooling=given["pooling"],
        verbose=given["verbose"],
    )


def usable_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
