"""What left the library unasked, and what of it all an advisor that proposes again is told."""

from __future__ import annotations

from collections.abc import Iterator

from grpo_framework.events import LibraryCommitted
from grpo_framework.experience import HARMFUL, Add, Delete, Merge, Modify, Plan, Refusal
from grpo_framework.records import Past, Rejected
from grpo_framework.reports.values import Removed

KEPT = 30
"""How many refused and harmful texts of an owner are remembered; the events hold all."""

TEXT_CHARS = 200
"""Longest text of one."""

_OF_FORM = frozenset(
    {
        *("schema", "known-id", "one-edit", "merge-two", "has-text"),
        *("capacity", "tokens", "promoted", "on-trial"),
    }
)
"""Rules that say nothing of the proposal's worth, or nothing yet."""

_SECRET = frozenset(["answer-leak", "quotation", "untrusted"])
"""Rules whose texts are not repeated into further prompts."""


def remember(past: Past, event: LibraryCommitted) -> Past:
    """An owner's past with one more batch; pure.

    Args:
        past: Before the batch.
        event: The batch's commit.
    """
    rows = dict.fromkeys((*past.rejected, *_rejected(event)))
    return Past(past.measured + event.measured, tuple(rows)[-KEPT:])


def removed_unasked(plan: Plan) -> tuple[Removed, ...]:
    """What a plan removes by a rule of its own."""
    return tuple(
        Removed(item.id, item.rule, item.reason, item.content)
        for item in plan.accepted
        if isinstance(item, Delete) and item.rule
    )


def _rejected(event: LibraryCommitted) -> Iterator[Rejected]:
    for removed in removed_unasked(event.plan):
        if removed.rule == HARMFUL:
            yield Rejected(removed.text[:TEXT_CHARS], removed.rule, removed.reason)
    for refusal in event.plan.refused:
        if refusal.rule not in _OF_FORM:
            yield Rejected(_text_of(refusal), refusal.rule, refusal.reason)


def _text_of(refusal: Refusal) -> str:
    operation = refusal.operation
    if refusal.rule in _SECRET or not isinstance(operation, (Add, Modify, Merge)):
        return ""
    return operation.content[:TEXT_CHARS]
