"""The rules that judge one operation, in one table; each is pure and gives a reason or None."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attrs import field, frozen

from grpo_framework.experience.leaks import Guards, find_answer, find_quote
from grpo_framework.experience.limits import Limits, injected_tokens
from grpo_framework.experience.similarity import (
    NOTHING_ALIKE,
    Alike,
    find_twin,
    near_duplicate,
    normalise,
)
from grpo_framework.experience.untrusted import Hygiene, find_untrusted
from grpo_framework.experience.vacuity import (
    find_no_instruction,
    find_one_problem,
    find_proposing,
)
from grpo_framework.experience.values import (
    CRITIC,
    Add,
    Keep,
    Malformed,
    Merge,
    Modify,
    Operation,
)
from grpo_framework.records import Owner


@frozen
class Draft:
    """What the rules look at while a plan is made; filled by `plan`, whose own it is.

    Attributes:
        owner: Whose library.
        limits: Of the library.
        guards: Against leaks.
        hygiene: Which texts are refused for what they say.
        living: Id → normalised text of what stands, the shared experiences among it.
        touched: Id → what an accepted operation did to it.
        sources: Id → the problem an experience was learned from.
        tokens: Id → about how many tokens it takes in a prompt; of the owner's own only.
        rejected: `tried_key` of an edit that was measured and rejected → why.
        alike: Which texts mean the same.
    """

    owner: Owner
    limits: Limits
    guards: Guards
    hygiene: Hygiene
    living: dict[str, str]
    touched: dict[str, str] = field(factory=dict)
    sources: dict[str, str] = field(factory=dict)
    tokens: dict[str, int] = field(factory=dict)
    rejected: dict[str, str] = field(factory=dict)
    alike: Alike = NOTHING_ALIKE


def references(operation: Operation) -> tuple[str, ...]:
    """The ids that an operation names."""
    if isinstance(operation, (Add, Malformed)):
        return ()
    return operation.ids if isinstance(operation, Merge) else (operation.id,)


def content_of(operation: Operation) -> str | None:
    """The text that an operation would write."""
    return operation.content if isinstance(operation, (Add, Modify, Merge)) else None


def _schema(operation: Operation, draft: Draft) -> str | None:  # noqa: ARG001 - one signature
    return operation.reason if isinstance(operation, Malformed) else None


def _known_id(operation: Operation, draft: Draft) -> str | None:
    unknown = [
        id_ for id_ in references(operation) if id_ not in draft.living and id_ not in draft.touched
    ]
    return f"no experience has the id {', '.join(map(repr, unknown))}" if unknown else None


def _one_edit(operation: Operation, draft: Draft) -> str | None:
    for id_ in references(operation):
        if id_ in draft.touched:
            return f"{id_} is already {draft.touched[id_]} by an earlier operation of this batch"
    return None


def _merge_two(operation: Operation, draft: Draft) -> str | None:  # noqa: ARG001 - one signature
    if isinstance(operation, Merge) and len(set(operation.ids)) < 2:
        return "a merge needs two different living experiences"
    return None


def _has_text(operation: Operation, draft: Draft) -> str | None:
    content = content_of(operation)
    if content is None:
        return None
    if not normalise(content):
        return "the content is empty"
    if len(content) > draft.limits.max_chars:
        return f"the content has {len(content)} characters, the limit is {draft.limits.max_chars}"
    return None


def _untrusted(operation: Operation, draft: Draft) -> str | None:
    content = content_of(operation)
    return None if content is None else find_untrusted(content, draft.hygiene)


def _answer_leak(operation: Operation, draft: Draft) -> str | None:
    content = content_of(operation)
    return None if content is None else find_answer(content, draft.guards)


def _quote(operation: Operation, draft: Draft) -> str | None:
    content = content_of(operation)
    return None if content is None else find_quote(content, draft.guards)


def _about_proposing(operation: Operation, draft: Draft) -> str | None:
    content = content_of(operation)
    return None if content is None else find_proposing(content, critic=draft.owner == CRITIC)


def _one_problem(operation: Operation, draft: Draft) -> str | None:
    content = content_of(operation)
    if content is None:
        return None
    named = [draft.sources.get(id_, "") for id_ in references(operation)]
    sources = [operation.source_problem] if isinstance(operation, Add) else named
    return next(filter(None, (find_one_problem(content, source) for source in sources)), None)


def _no_instruction(operation: Operation, draft: Draft) -> str | None:  # noqa: ARG001 - one signature
    content = content_of(operation)
    return None if content is None else find_no_instruction(content)


def _duplicate(operation: Operation, draft: Draft) -> str | None:
    content = content_of(operation)
    if content is None:
        return None
    own = set(references(operation))
    text = normalise(content)
    others = {id_: other for id_, other in draft.living.items() if id_ not in own}
    for id_, other in others.items():
        if other == text:
            return f"the same text as {id_}"
    said = "nearly the same text as"
    twin = near_duplicate(text, others, threshold=draft.limits.near_duplicate)
    if twin is None:
        said, twin = "means nearly the same as", draft.alike.find(text, others)
    if twin is None:
        return None
    advice = f"; modify {twin} where both should become one" if twin in draft.tokens else ""
    return f"{said} {twin}{advice}"


def tried_key(operation: Operation) -> str:
    """What an edit is recognised by when it is proposed again: its text, or what it removes."""
    content = content_of(operation)
    if content is not None:
        return normalise(content)
    return f"{type(operation).__name__.lower()} {' '.join(references(operation))}"


def edit_key(operation: Operation) -> str:
    """What makes two edits one: kind, ids and text; evidence about one is none about another."""
    named = " ".join(references(operation))
    text = content_of(operation)
    written = "" if text is None else normalise(text)
    return f"{type(operation).__name__.lower()} {named} {written}"


def _tried_before(operation: Operation, draft: Draft) -> str | None:
    if not draft.rejected or isinstance(operation, (Keep, Malformed)):
        return None
    key = tried_key(operation)
    if key not in draft.rejected and content_of(operation) is not None:
        rejected = {tried: tried for tried in draft.rejected}
        near = draft.limits.near_duplicate
        key = find_twin(key, rejected, threshold=near, alike=draft.alike) or key
    reason = draft.rejected.get(key)
    return None if reason is None else f"rejected before: {reason}"


def _capacity(operation: Operation, draft: Draft) -> str | None:
    if isinstance(operation, Add) and len(draft.tokens) >= draft.limits.capacity:
        return f"the library is full ({draft.limits.capacity} experiences)"
    return None


def _tokens(operation: Operation, draft: Draft) -> str | None:
    content = content_of(operation)
    if content is None:
        return None
    replaced = sum(draft.tokens.get(id_, 0) for id_ in set(references(operation)))
    before = sum(draft.tokens.values())
    after = before - replaced + injected_tokens([content])
    # What makes a library that is too long already shorter is welcome.
    if draft.limits.max_tokens < after > before:
        most = draft.limits.max_tokens
        return f"the library would take about {after} tokens in a prompt, the limit is {most}"
    return None


Rule: TypeAlias = Callable[[Operation, Draft], str | None]

RULES: tuple[tuple[str, Rule], ...] = (
    ("schema", _schema),
    ("known-id", _known_id),
    ("one-edit", _one_edit),
    ("merge-two", _merge_two),
    ("has-text", _has_text),
    ("untrusted", _untrusted),
    ("answer-leak", _answer_leak),
    ("quotation", _quote),
    ("about-proposing", _about_proposing),
    ("one-problem", _one_problem),
    ("no-instruction", _no_instruction),
    ("duplicate", _duplicate),
    ("tried-before", _tried_before),
    ("capacity", _capacity),
    ("tokens", _tokens),
)
"""The rules in the order in which they are asked; the first that gives a reason refuses."""

OPTIONAL = ("about-proposing", "one-problem", "no-instruction")
"""The rules that `Hygiene.off` can leave out: they judge by wording and can err."""


def first_finding(operation: Operation, draft: Draft) -> tuple[str, str] | None:
    """The first rule that refuses an operation, and why."""
    for name, rule in RULES:
        if name in OPTIONAL and name in draft.hygiene.off:
            continue
        reason = rule(operation, draft)
        if reason is not None:
            return name, reason
    return None
