"""The hooks of the plugin `math`: the comparator ``math/equivalence``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import attrs

from grpo_framework.component import Component, Wiring
from grpo_framework.errors import ComparatorError
from grpo_framework.hookspecs import hookimpl
from grpo_framework.protocols import Comparator
from grpo_framework.records import Problem, Verdict
from grpo_math.comparing import check_reference, compare, compare_response
from grpo_math.options import Options
from grpo_math.results import Cause, Result

_INLINE_CHARS = 2_000
_KINDS: dict[type, str] = {bool: "boolean", int: "integer", float: "number"}


def _describe_options() -> dict[str, Any]:
    """Derive the JSON Schema of the options from the class that holds them."""
    properties: dict[str, Any] = {}
    for name, default in Options()._asdict().items():
        properties[name] = {"type": _KINDS[type(default)], "default": default}
        if not isinstance(default, bool):
            properties[name]["minimum"] = 0
    properties["timeout"] |= {"minimum": 0.01, "maximum": 60}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def to_verdict(result: Result) -> Verdict:
    """Turn a result into the framework's verdict.

    No answer in the response is a reward of 0 with that reason.

    Raises:
        ComparatorError: The result is unknown for any other cause; it becomes a `Failure`.
    """
    if result.cause is not None and result.cause is not Cause.NO_ANSWER:
        raise ComparatorError(f"the answer cannot be judged: {result.reason}", kind=result.cause)
    details = {
        "verdict": str(result.verdict), "rule": result.rule, "gold_type": result.gold_type,
        "pred_type": result.pred_type, "options": dict(result.options),
    }  # fmt: skip
    return Verdict(result.reward or 0.0, result.reason, result.extracted, details)


@attrs.frozen
class Equivalence:
    """The comparator: whether an answer means the same as the reference.

    Attributes:
        options: How lenient it is, and its limits.
    """

    options: Options

    async def compare(self, problem: Problem, answer: str | None, /) -> Verdict:
        """Judge what a model answered: a bare answer or a whole response, which is searched."""
        if answer is None:
            return to_verdict(compare(problem.answer, None, options=self.options))
        if len(answer) <= _INLINE_CHARS:
            return to_verdict(compare_response(problem.answer, answer, options=self.options))
        result = await asyncio.to_thread(
            compare_response, problem.answer, answer, options=self.options
        )
        return to_verdict(result)

    def check_reference(self, problem: Problem, /) -> str | None:
        """Check that a reference can be read, when the problems are loaded."""
        unread = check_reference(problem.answer, options=self.options)
        return None if unread is None else unread.reason

    async def compare_answer(self, problem: Problem, answer: str | None, /) -> Verdict:
        """Judge a bare final answer, without a search for one in it."""
        if len(answer or "") <= _INLINE_CHARS:  # a thread costs more than most comparisons
            return to_verdict(compare(problem.answer, answer, options=self.options))
        result = await asyncio.to_thread(compare, problem.answer, answer, options=self.options)
        return to_verdict(result)


@asynccontextmanager
async def _open(wiring: Wiring) -> AsyncIterator[Comparator]:
    yield Equivalence(Options(**wiring.options))


@hookimpl
def grpo_comparators() -> Iterable[Component[Comparator]]:
    """Offer the comparator of mathematical answers."""
    yield Component(
        "equivalence",
        _open,
        summary="Whether the answer means the same: numbers, LaTeX, units, sets, text",
        options=_describe_options(),
    )
