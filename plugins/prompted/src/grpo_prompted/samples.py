"""Sample values of every template's variables: what loading tries a template with.

The list of names is also what the README documents; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ANSWERING: Mapping[str, Any] = {
    "task": "Solve the math problem.",
    "answer_format": r"\boxed{answer}",
    "examples": True,
    "problem": "Ann has 5 boxes of 6 apples. How many apples?",
    "subject": "arithmetic",
    "experiences": "<experiences>\n- Name the operation first.\n</experiences>",
}
CHECKING: Mapping[str, Any] = {**ANSWERING, "draft": "5 + 6 = 11", "cut_off": True}

_ATTEMPT: Mapping[str, Any] = {"number": 1, "text": "5 * 6 = 30", "cut_off": True, "refused": True}
FUSING: Mapping[str, Any] = {**ANSWERING, "attempts": [_ATTEMPT, {**_ATTEMPT, "number": 2}]}

_SAMPLE: Mapping[str, Any] = {
    **_ATTEMPT,
    "kind": "good",
    "reward": "1",
    "reason": "equal",
    "extracted": "30",
    "inputs": [],
}
_FUSION: Mapping[str, Any] = {**_SAMPLE, "kind": "bad", "inputs": [_SAMPLE]}
_LIBRARY: Mapping[str, Any] = {
    "task": "Solve the math problem.",
    "examples": True,
    "library": "<experiences>\n[G1-001] Name the operation first.\n</experiences>",
    "shared": "<experiences>\n[S-001] Read twice.\n</experiences>",
    "ids": ["G1-001"],
}
_GROUP: Mapping[str, Any] = {
    **_LIBRARY,
    "problem": ANSWERING["problem"],
    "critic": True,
    "attempts": [_SAMPLE, _FUSION],
    "good": [_SAMPLE],
    "bad": [_FUSION],
    "notes": ["1 of 1 bad attempts: a wrong final answer"],
    "rejected": ["Check the units. (nearly the same text as G1-001)"],
    "max_operations": 2,
}
_PROPOSAL: Mapping[str, Any] = {
    "label": "P1",
    "op": "add",
    "ids": ["G1-001"],
    "content": "Name the operation first.",
    "reason": "two attempts chose the wrong one",
}
ADVISING: Mapping[str, Mapping[str, Any]] = {
    "advise": _GROUP,
    "summarise": {**_GROUP, "attempt": _SAMPLE},
    "contrast": {
        **_GROUP,
        "attempts": [{**item, "summary": "multiplied"} for item in (_SAMPLE, _FUSION)],
    },
    "propose": {**_GROUP, "analysis": "The good attempt multiplied."},
    "consolidate": {
        **_LIBRARY,
        "proposals": [_PROPOSAL, {**_PROPOSAL, "label": "P2"}],
        "critic": True,
        "max_operations": 2,
    },
}
REASKING: Mapping[str, Any] = {"problems": ["the answer is not valid JSON"], "cut_off": True}
