"""The pure rules by which a library changes: `plan` judges operations, `apply` carries them out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from attrs import evolve, field, frozen

from grpo_framework.experience.similarity import near_duplicate, normalise
from grpo_framework.experience.values import (
    Add,
    Delete,
    Experience,
    Keep,
    Library,
    Malformed,
    Merge,
    Modify,
    Operation,
    id_prefix,
)
from grpo_framework.records import Owner


@frozen
class Limits:
    """The hard limits of a library.

    Attributes:
        capacity: Most experiences an owner may hold.
        max_chars: Longest content, in characters.
        near_duplicate: Similarity (0 to 100) of normalised texts from which on two count as one.
    """

    capacity: int = 100
    max_chars: int = 1000
    near_duplicate: float = 90.0


@frozen
class Refusal:
    """An operation that was not planned.

    Attributes:
        operation: As proposed.
        rule: Name of the rule in `RULES` that refused it.
        reason: Why, in one line.
    """

    operation: Operation
    rule: str
    reason: str


@frozen
class Plan:
    """What will be done to a library.

    Attributes:
        owner: Whose library.
        base_version: The version it was planned on.
        accepted: In the order in which they are applied.
        refused: Everything else, with its rule and reason.
    """

    owner: Owner
    base_version: int
    accepted: tuple[Operation, ...] = ()
    refused: tuple[Refusal, ...] = ()

    @property
    def changes(self) -> tuple[Operation, ...]:
        """The accepted operations that change anything (all but `Keep`)."""
        return tuple(operation for operation in self.accepted if not isinstance(operation, Keep))


@frozen
class _Draft:
    """The state that rules look at while a plan is made; private to `plan`, which fills it."""

    limits: Limits
    living: dict[str, str]
    touched: dict[str, str] = field(factory=dict)
    size: int = 0


def _references(operation: Operation) -> tuple[str, ...]:
    if isinstance(operation, (Add, Malformed)):
        return ()
    return operation.ids if isinstance(operation, Merge) else (operation.id,)


def _content(operation: Operation) -> str | None:
    return operation.content if isinstance(operation, (Add, Modify, Merge)) else None


def _rule_schema(operation: Operation, draft: _Draft) -> str | None:  # noqa: ARG001 - one signature
    return operation.reason if isinstance(operation, Malformed) else None


def _rule_known_id(operation: Operation, draft: _Draft) -> str | None:
    unknown = [
        id_
        for id_ in _references(operation)
        if id_ not in draft.living and id_ not in draft.touched
    ]
    return f"no experience has the id {', '.join(map(repr, unknown))}" if unknown else None


def _rule_one_edit(operation: Operation, draft: _Draft) -> str | None:
    for id_ in _references(operation):
        if id_ in draft.touched:
            return f"{id_} is already {draft.touched[id_]} by an earlier operation of this batch"
    return None


def _rule_merge_two(operation: Operation, draft: _Draft) -> str | None:  # noqa: ARG001 - one signature
    if isinstance(operation, Merge) and len(set(operation.ids)) < 2:
        return "a merge needs two different living experiences"
    return None


def _rule_has_text(operation: Operation, draft: _Draft) -> str | None:
    content = _content(operation)
    if content is None:
        return None
    if not normalise(content):
        return "the content is empty"
    if len(content) > draft.limits.max_chars:
        return f"the content has {len(content)} characters, the limit is {draft.limits.max_chars}"
    return None


def _rule_duplicate(operation: Operation, draft: _Draft) -> str | None:
    content = _content(operation)
    if content is None:
        return None
    own = set(_references(operation))
    text = normalise(content)
    others = {id_: other for id_, other in draft.living.items() if id_ not in own}
    for id_, other in others.items():
        if other == text:
            return f"the same text as {id_}"
    twin = near_duplicate(text, others, threshold=draft.limits.near_duplicate)
    return None if twin is None else f"nearly the same text as {twin}"


def _rule_capacity(operation: Operation, draft: _Draft) -> str | None:
    if isinstance(operation, Add) and draft.size >= draft.limits.capacity:
        return f"the library is full ({draft.limits.capacity} experiences)"
    return None


Rule: TypeAlias = Callable[[Operation, _Draft], str | None]

RULES: tuple[tuple[str, Rule], ...] = (
    ("schema", _rule_schema),
    ("known-id", _rule_known_id),
    ("one-edit", _rule_one_edit),
    ("merge-two", _rule_merge_two),
    ("has-text", _rule_has_text),
    ("duplicate", _rule_duplicate),
    ("capacity", _rule_capacity),
)
"""The rules in the order in which they are asked; the first that gives a reason refuses."""

_ORDER: tuple[type[Operation], ...] = (
    Delete,
    Merge,
    Modify,
    Keep,
    Add,
    Malformed,
)
"""Deletes are planned first, so that delete beats modify and merge, and makes room for adds."""


def plan(
    library: Library,
    operations: Iterable[Operation],
    *,
    limits: Limits = Limits(),
    foreign: Mapping[str, str] | None = None,
) -> Plan:
    """Judge proposed operations against a library; pure.

    Args:
        library: The version that the operations were proposed for.
        operations: As proposed, in order.
        limits: The hard limits.
        foreign: Id → content of experiences of other owners that are in the same prompts (the
            shared ones): a duplicate of these is refused too.

    Returns:
        The accepted operations, in the order in which they are applied, and the refusals.
    """
    living = {experience.id: normalise(experience.content) for experience in library.experiences}
    outside = {id_: normalise(content) for id_, content in (foreign or {}).items()}
    draft = _Draft(limits=limits, living={**outside, **living}, size=len(living))
    accepted: list[Operation] = []
    refused: list[Refusal] = []
    for operation in sorted(operations, key=lambda item: _ORDER.index(type(item))):
        strangers = [id_ for id_ in _references(operation) if id_ in outside]
        finding = ("known-id", f"{strangers[0]} belongs to another owner") if strangers else None
        finding = finding or _first_finding(operation, draft)
        if finding is not None:
            refused.append(Refusal(operation, *finding))
            continue
        accepted.append(operation)
        draft = _advance(draft, operation, len(accepted))
    return Plan(library.owner, library.version, tuple(accepted), tuple(refused))


def _first_finding(operation: Operation, draft: _Draft) -> tuple[str, str] | None:
    for name, rule in RULES:
        reason = rule(operation, draft)
        if reason is not None:
            return name, reason
    return None


def _advance(draft: _Draft, operation: Operation, number: int) -> _Draft:
    """The draft after an accepted operation; its dictionaries are this plan's own."""
    size = draft.size
    match operation:
        case Delete(id=id_):
            del draft.living[id_]
            draft.touched[id_] = "deleted"
            size -= 1
        case Merge(ids=ids, content=content):
            for id_ in ids:
                draft.living.pop(id_, None)
                draft.touched[id_] = "merged"
            draft.living[f"new {number}"] = normalise(content)
            size -= len(set(ids)) - 1
        case Modify(id=id_, content=content):
            draft.living[id_] = normalise(content)
            draft.touched[id_] = "modified"
        case Add(content=content):
            draft.living[f"new {number}"] = normalise(content)
            size += 1
        case Keep() | Malformed():
            pass
    return evolve(draft, size=size)


def apply(library: Library, accepted: Plan, *, now: str) -> Library:
    """Make the next version from a plan; pure.

    Args:
        library: The version that was planned on.
        accepted: What `plan` returned for it.
        now: ISO 8601 time for `Experience.created_at`.

    Raises:
        ValueError: The plan was made for another owner or version.
    """
    if (accepted.owner, accepted.base_version) != (library.owner, library.version):
        message = f"the plan is for {accepted.owner} version {accepted.base_version}"
        raise ValueError(message)
    held = {experience.id: experience for experience in library.experiences}
    number = library.next_number
    prefix = id_prefix(library.owner)
    for operation in accepted.accepted:
        match operation:
            case Delete(id=id_):
                del held[id_]
            case Modify(id=id_, content=content, category=category):
                old = held[id_]
                held[id_] = evolve(old, content=content, category=category or old.category)
            case Merge(ids=ids, content=content, category=category):
                parents = [held.pop(id_) for id_ in dict.fromkeys(ids)]
                new_id = f"{prefix}-{number:03d}"
                held[new_id] = Experience(
                    id=new_id,
                    content=content,
                    category=category or parents[0].category,
                    success_count=sum(parent.success_count for parent in parents),
                    usage_count=sum(parent.usage_count for parent in parents),
                    created_at=now,
                    source_problem=parents[0].source_problem,
                    parents=tuple(parent.id for parent in parents),
                )
                number += 1
            case Add(content=content, category=category, source_problem=source):
                new_id = f"{prefix}-{number:03d}"
                held[new_id] = Experience(
                    new_id, content, category, created_at=now, source_problem=source
                )
                number += 1
            case Keep() | Malformed():
                pass
    return Library(library.owner, library.version + 1, tuple(held.values()), number)
