"""What the simulated endpoint answers: pure functions of the request and a number, no state.

Problems of the benchmarks are sums (`problem_text`), so the endpoint can be right or wrong as it
is told to; to any other prompt it answers a number drawn from the request. A request with a schema
of operations gets operations that satisfy it.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Mapping
from typing import Any

_SUM = re.compile(r"Add (\d+) and (\d+)\.")
_VERBS = (
    "check", "rewrite", "estimate", "list", "compare", "isolate", "factor", "simplify", "verify",
    "sketch", "count", "reorder", "substitute", "round", "bracket", "group", "carry", "align",
)  # fmt: skip
_NOUNS = (
    "units", "signs", "terms", "carries", "digits", "columns", "fractions", "powers", "brackets",
    "limits", "cases", "factors", "symbols", "ratios", "remainders", "totals", "angles", "steps",
)  # fmt: skip
_OCCASIONS = (
    "two numbers are added", "a result looks too large", "the wording is long", "a step repeats",
    "several cases remain", "an answer is asked in a form", "numbers differ much in size",
    "a total is asked for", "a condition is hidden", "the last digit is known", "terms cancel",
)  # fmt: skip
_PROSE = "Write both numbers below each other, add column by column and carry what is above nine. "


def problem_text(first: int, second: int) -> str:
    """A problem whose answer the endpoint knows."""
    return f"Add {first} and {second}."


def digest_of(*parts: object) -> str:
    """A hash of what determines a draw."""
    return hashlib.blake2b(repr(parts).encode("utf-8", "replace"), digest_size=16).hexdigest()


def answer(body: Mapping[str, Any], *, draw: str, right: float) -> dict[str, Any]:
    """A chat completion.

    Args:
        body: Of the request.
        draw: Hash that decides; the same one, the same answer.
        right: Share of right answers.
    """
    dice = random.Random(draw)
    schema = _schema_of(body)
    text = _operations(schema, dice) if schema else _solution(body, dice, right)
    prompt = sum(len(str(message.get("content", ""))) for message in body.get("messages", ()))
    usage = {"prompt_tokens": prompt // 4 + 1, "completion_tokens": len(text) // 4 + 1}
    return {
        "id": f"chatcmpl-{draw}",
        "object": "chat.completion",
        "created": 0,
        "model": str(body.get("model", "")),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
            }
        ],
        "usage": {**usage, "total_tokens": sum(usage.values())},
    }


def _schema_of(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    form = body.get("response_format") or {}
    schema = form.get("json_schema", {}).get("schema") if isinstance(form, Mapping) else None
    return schema if isinstance(schema, Mapping) else None


def _solution(body: Mapping[str, Any], dice: random.Random, right: float) -> str:
    sums = _SUM.findall(" ".join(str(turn.get("content")) for turn in body.get("messages", ())))
    value = int(sums[-1][0]) + int(sums[-1][1]) if sums else dice.randrange(1000)
    if dice.random() >= right:
        value += dice.choice((-10, -1, 1, 10, 100))
    return f"{_PROSE * dice.randint(2, 8)}The answer is \\boxed{{{value}}}."


def _operations(schema: Mapping[str, Any], dice: random.Random) -> str:
    """One operation that satisfies the schema of an advisor's answer, mostly ``add``."""
    items = schema.get("properties", {}).get("operations", {}).get("items", {})
    variants = {
        variant["properties"]["op"]["const"]: variant["properties"]
        for variant in items.get("anyOf", [items])
        if "op" in variant.get("properties", {})
    }
    if not variants:
        return "{}"
    edits = sorted(variants.keys() - {"add", "delete", "keep"})
    name = dice.choice(edits) if edits and dice.random() < 0.1 else "add"
    fields = variants.get(name) or variants[min(variants)]
    row = {key: _value(key, rule, dice) for key, rule in fields.items()}
    return json.dumps({"operations": [row]})


def _value(key: str, rule: Mapping[str, Any], dice: random.Random) -> Any:
    if "const" in rule:
        return rule["const"]
    if "enum" in rule:
        return dice.choice(rule["enum"])
    if rule.get("type") == "array":
        choices = rule["items"]["enum"]
        return dice.sample(choices, k=min(len(choices), max(1, rule.get("minItems", 1))))
    if key == "category":
        return dice.choice(("algebra", "checking", "reading", "counting"))
    if key == "content":
        verbs, nouns = dice.sample(_VERBS, 3), dice.sample(_NOUNS, 3)
        return (
            f"When {dice.choice(_OCCASIONS)} and {dice.choice(_OCCASIONS)}, {verbs[0]} the "
            f"{nouns[0]}, {verbs[1]} the {nouns[1]} and {verbs[2]} the {nouns[2]}."
        )
    return "good attempts did so, bad ones did not"
