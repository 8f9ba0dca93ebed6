"""The options of the components: their JSON Schemas, and the values read from a `Wiring`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from grpo_framework.component import Wiring
from grpo_prompted.templates import LANGUAGES

TASKS: Mapping[str, str] = {"en": "Solve the math problem.", "zh": "解答这道数学题。"}
"""The task where the option `task` is not set, by language."""

OPENINGS: Mapping[str, str] = {"en": "When ", "zh": "当"}
"""What an experience begins with, by language; the shipped prompts ask for the same form."""

ANSWER_FORMAT = r"\boxed{answer}"
EVIDENCE_CHARS = 6000
DRAFT_CHARS = 3000
CONTENT_CHARS = 240

_COMMON: Mapping[str, Any] = {
    "task": {"type": "string", "minLength": 1, "description": "what is asked for, in a sentence"},
    "language": {"enum": list(LANGUAGES), "description": "language of the shipped prompts"},
    "templates_dir": {"type": "string", "minLength": 1, "description": "folder of own templates"},
    "examples": {"type": "boolean", "description": "worked examples before the request"},
    "temperature": {"type": "number", "minimum": 0, "maximum": 2},
    "max_tokens": {"type": "integer", "minimum": 1, "description": "limit of each answer"},
}
_ANSWERING: Mapping[str, Any] = {
    **_COMMON,
    "answer_format": {"type": "string", "minLength": 1, "pattern": "answer"},
    "template": {"type": "string", "minLength": 1, "description": "file of the own template"},
}
_EVIDENCE: Mapping[str, Any] = {
    "evidence_chars": {"type": "integer", "minimum": 200, "description": "of all attempts shown"}
}


def _options(*properties: Mapping[str, Any]) -> Mapping[str, Any]:
    joined = {key: value for group in properties for key, value in group.items()}
    return {"type": "object", "properties": joined, "additionalProperties": False}


GENERATOR_OPTIONS = _options(_ANSWERING)
CHECKING_OPTIONS = _options(
    _ANSWERING,
    {
        "check_template": {"type": "string", "minLength": 1, "description": "of the second call"},
        "draft_chars": {"type": "integer", "minimum": 200, "description": "of the draft shown"},
    },
)
CRITIC_OPTIONS = _options(_ANSWERING, _EVIDENCE)
ADVISOR_OPTIONS = _options(
    _COMMON,
    _EVIDENCE,
    {
        "mode": {"enum": ["direct", "staged"], "description": "one call a group, or the paper's"},
        "max_operations": {"type": "integer", "minimum": 1, "maximum": 20},
        "content_chars": {"type": "integer", "minimum": 40, "maximum": 1000},
        "plain_words": {"type": "boolean", "description": "one sentence without digits"},
        "proposals_per_call": {"type": "integer", "minimum": 2, "maximum": 100},
    },
)


@frozen
class Sampling:
    """How a model is asked; None leaves it to the model's own options."""

    temperature: float | None
    max_tokens: int | None = None


@frozen
class Wording:
    """What the prompts say of the task.

    Attributes:
        task: A sentence.
        answer_format: How the final answer is written.
        examples: Whether the template's worked examples are shown.
    """

    task: str
    answer_format: str = ANSWER_FORMAT
    examples: bool = False


@frozen
class Sources:
    """Where templates are looked for."""

    language: str
    templates_dir: Path | None = None
    template: Path | None = None


def read_sampling(wiring: Wiring, *, temperature: float) -> Sampling:
    """Temperature and limit from the options; the temperature has a default."""
    options = wiring.options
    return Sampling(options.get("temperature", temperature), options.get("max_tokens"))


def read_wording(wiring: Wiring) -> Wording:
    """The task in words; another task than the default has no worked examples unless asked for."""
    options = wiring.options
    task = TASKS[options.get("language", "en")]
    return Wording(
        task=options.get("task", task),
        answer_format=options.get("answer_format", ANSWER_FORMAT),
        examples=options.get("examples", "task" not in options and "answer_format" not in options),
    )


def read_sources(wiring: Wiring) -> Sources:
    """Where templates come from; relative paths are relative to the working directory."""
    options = wiring.options
    folder, file = options.get("templates_dir"), options.get("template")
    return Sources(
        options.get("language", "en"),
        None if folder is None else Path(folder),
        None if file is None else Path(file),
    )
