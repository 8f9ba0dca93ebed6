"""The options of the simulation, as JSON Schemas (draft 2020-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from grpo_framework.errors import ModelErrorKind
from grpo_scripted.tactics import HARMFUL_TACTICS, SKILLS, USELESS_TACTICS


def _share(default: float, description: str) -> dict[str, Any]:
    return {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "default": default,
        "description": description,
    }


def _count(default: int, low: int, high: int, description: str) -> dict[str, Any]:
    return {
        "type": "integer",
        "minimum": low,
        "maximum": high,
        "default": default,
        "description": description,
    }


def _seconds(description: str) -> dict[str, Any]:
    return {"type": "number", "minimum": 0, "default": 0, "description": description}


def _closed(*groups: Mapping[str, Any]) -> dict[str, Any]:
    properties = {name: part for group in groups for name, part in group.items()}
    return {"type": "object", "properties": properties, "additionalProperties": False}


_LATENCY = {"latency": _seconds("Seconds that each call takes.")}
_REDRAW = {
    "redraw": {
        "type": "boolean",
        "default": False,
        "description": "Any change of the lessons throws the dice again, as with a real model.",
    }
}
_STUDENT = {
    "p0": _share(0.35, "Chance of a right attempt without the skill that the problem needs."),
    "p1": _share(0.9, "Chance of a right attempt when the lessons teach that skill."),
    "p_harm": _share(0.25, "What each harmful tactic in the lessons takes away from the chance."),
    "spread": _share(0.0, "Half-width of the spread of the chance between problems."),
    "skills": _count(
        len(SKILLS), 1, len(SKILLS), "How many skills of the table the problems need."
    ),
}
_CRITIC = {
    "p_slip": _share(
        0.15, "Chance that the critic takes another answer than the majority's, untaught."
    ),
}
_FAULTS = {
    "fail_rate": _share(0.0, "Share of calls that raise a model error."),
    "fail_kinds": {
        "type": "array",
        "items": {"enum": list(get_args(ModelErrorKind))},
        "minItems": 1,
        "default": ["rate_limited", "overloaded", "timeout"],
        "description": "Kinds of these errors, drawn evenly.",
    },
    "retry_after": _seconds("Seconds to wait that a rate_limited error asks for."),
    "truncation_rate": _share(0.0, "Share of replies that are cut off in the middle."),
}

GENERATOR_OPTIONS = _closed(_STUDENT, _REDRAW, _LATENCY)
CRITIC_OPTIONS = _closed({"p1": _STUDENT["p1"]}, _CRITIC, _REDRAW, _LATENCY)
CHAT_OPTIONS = _closed(_STUDENT, _CRITIC, _REDRAW, _LATENCY, _FAULTS)
ADVISOR_OPTIONS = _closed(
    {
        "useless": _count(
            0, 0, len(USELESS_TACTICS), "Useless experiences that it adds to each batch."
        ),
        "harmful": _count(
            0, 0, len(HARMFUL_TACTICS), "Harmful experiences that it adds to each batch."
        ),
    }
)
PROBLEM_OPTIONS = _closed(
    {
        "count": _count(60, 1, 20_000, "Number of problems."),
        "seed": {"type": "integer", "default": 0, "description": "Chooses the problems."},
        "validation": {
            "type": "number",
            "minimum": 0,
            "maximum": 0.5,
            "default": 0.25,
            "description": "Share of the problems in the validation split.",
        },
        "test": {
            "type": "number",
            "minimum": 0,
            "maximum": 0.5,
            "default": 0.25,
            "description": "Share of the problems in the test split.",
        },
    }
)
OBSERVER_OPTIONS = _closed(
    {
        "path": {
            "type": "string",
            "minLength": 1,
            "default": "scripted-events.jsonl",
            "description": "The file that events are appended to.",
        }
    }
)
