"""Sample values for tests: questions, libraries, contrasts, and one event of every class."""

from __future__ import annotations

from typing import Any, get_args

from attrs import NOTHING, fields, resolve_types

from grpo_framework import events
from grpo_framework.experience import Add, Delete, Experience, Library, Plan, Refusal, Ruling
from grpo_framework.records import (
    Attempt,
    Contrast,
    Failure,
    FinalAnswer,
    Message,
    OwnerScore,
    Problem,
    Question,
    Rollout,
    Sample,
    Unit,
    Usage,
    Verdict,
)

QUESTION = Question("sample-1", "What is 6 times 7?", "arithmetic", "sample")
PROBLEM = Problem(QUESTION, "42", split="train", source="grpo_framework.testing.samples")
OTHER_QUESTION = Question("sample-2", "Wie groß ist 1/2 + 1/3? 半加三分之一", "fractions", "sample")
OTHER_PROBLEM = Problem(OTHER_QUESTION, "5/6", split="test")
PROBLEMS: tuple[Problem, ...] = (PROBLEM, OTHER_PROBLEM)
ANSWER_KEY: dict[str, str] = {problem.question.text: problem.answer for problem in PROBLEMS}

RIGHT_ATTEMPT = Attempt("Six sevens are 42.\nAnswer: 42", answer="42", usage=Usage(12, 9, 1, 0.5))
WRONG_ATTEMPT = Attempt("6 + 7 = 13.\nAnswer: 13", answer="13")
CUT_OFF_ATTEMPT = Attempt("Let us see, 6 times", finish="length")
ATTEMPTS: tuple[Attempt, ...] = (RIGHT_ATTEMPT, WRONG_ATTEMPT, RIGHT_ATTEMPT)

AWKWARD_TEXTS: tuple[str, ...] = (
    "Two lines:\nthe second one\n\n- and a list",
    "Quotes \" and ' and \\ and {{ braces }} and {% tags %}",
    "Ünïcödé, 中文说明, עברית, 🙂, combining e\u0301",
    "a very long line " * 40,
    "  leading and trailing space  ",
    "tab\tand carriage\r\nreturn",
    "<b>markup</b> & entities &amp; 100 %s",
)
"""Contents that a store must give back as they were."""


def make_library(
    owner: str = "generator_1",
    *contents: str,
    version: int = 1,
    prefix: str = "G1",
    next_number: int = 0,
) -> Library:
    """Make a library with an experience for each content.

    Args:
        owner: Whose.
        contents: Texts of the experiences; two useful ones if none is given.
        version: Of the library.
        prefix: Of the ids; must be the owner's.
        next_number: Of the library; at least the one after its last id.
    """
    texts = contents or ("Check the units of the result.", "先读题两遍，再计算。")
    experiences = tuple(
        Experience(
            f"{prefix}-{number:03d}",
            text,
            category="general" if number % 2 else "checking",
            success_count=number,
            usage_count=2 * number,
            created_at="2026-01-02T03:04:05+00:00",
            source_problem=QUESTION.text,
        )
        for number, text in enumerate(texts, start=1)
    )
    return Library(owner, version, experiences, max(next_number, len(texts) + 1))


def make_contrast(owner: str = "generator_1") -> Contrast:
    """Make a contrast of two right attempts and a wrong one."""
    samples: tuple[Sample, ...] = (
        Sample(RIGHT_ATTEMPT, 1.0, 0.7071, "equal", "42"),
        Sample(RIGHT_ATTEMPT, 1.0, 0.7071, "equal", "42"),
        Sample(WRONG_ATTEMPT, 0.0, -1.4142, "13 is not 42", "13"),
    )
    if owner == "critic":
        samples = (
            Sample(RIGHT_ATTEMPT, 1.0, 1.0, "equal", "42", inputs=samples),
            Sample(WRONG_ATTEMPT, 0.0, -1.0, "13 is not 42", "13", inputs=samples),
        )
    return Contrast(owner, QUESTION, samples, notes=("2 of 3 attempts are right",), seed=11)


def make_messages(*texts: str) -> tuple[Message, ...]:
    """Make a chat of a system message and user messages."""
    users = tuple(Message("user", text) for text in texts or (QUESTION.text,))
    return (Message("system", "You answer briefly."), *users)


def make_events() -> tuple[events.Event, ...]:
    """Make one event of every class, in the order of `grpo_framework.events.Event`.

    They are made from the classes' own fields, so that a new event or field needs nothing here:
    what has a default keeps it, the rest is taken by name, else by type, from the tables below.
    """
    return tuple(_make_event(cls) for cls in get_args(events.Event))


def _make_event(cls: type[Any]) -> Any:
    known = {**_by_type(), **_BY_NAME}
    given = {}
    for attribute in fields(resolve_types(cls)):
        if attribute.default is not NOTHING:
            continue
        name = attribute.name if attribute.name in known else attribute.type
        if name not in known:
            message = f"no sample for {cls.__name__}.{attribute.name}: {attribute.type}"
            raise LookupError(message)
        given[attribute.name] = known[name]
    return cls(**given)


_BY_NAME: dict[Any, Any] = {
    "run_id": "run-1",
    "fingerprint": "0" * 64,
    "owners": ("generator_1", "critic"),
    "owner": "generator_1",
    "problem": QUESTION.id,
    "model": "fake/model",
    "kind": "rate_limited",
    "finish": "stop",
    "outcome": "finished",
}


def _by_type() -> dict[Any, Any]:
    unit = Unit(1, 1, QUESTION.id, "generator_1", "attempt", 0)
    fused = Unit(1, 1, QUESTION.id, "generator_1", "fusion")
    plan = Plan(
        "generator_1",
        1,
        accepted=(Add("Check the units.\nAlways.", reason="it helped"),),
        refused=(Refusal(Delete("G1-999"), "known-id", "no experience has the id 'G1-999'"),),
    )
    return {
        int: 1,
        float: 2.5,
        str: "Text in two lines:\nfünf 五",
        tuple[str, ...]: (QUESTION.id, OTHER_QUESTION.id),
        tuple[float, ...]: (1.0, 0.0),
        tuple[tuple[str, int], ...]: (("generator_1", 1), ("critic", 0)),
        Unit: unit,
        Usage: Usage(12, 9, 1, 0.5),
        Rollout: Rollout(unit, RIGHT_ATTEMPT, Verdict(1.0, "equal", "42"), 7, ("G1-001",), 1),
        FinalAnswer: FinalAnswer(fused, WRONG_ATTEMPT, Verdict(0.0, "wrong", "13", {"a": "ü"}), 8),
        Failure: Failure(unit, "timeout", "no answer within 60 s"),
        Contrast: make_contrast(),
        Plan: plan,
        tuple[Ruling, ...]: (Ruling("generator_1", Add("Check."), "rejected", "no gain", 8, -0.1),),
        tuple[OwnerScore, ...]: (OwnerScore("generator_1", 0.5, 2, "a1b2"),),
    }
