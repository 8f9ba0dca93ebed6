"""The pure rules by which a library changes: `plan` judges operations, `apply` carries them out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve, frozen

from grpo_framework.experience.cleaning import clean
from grpo_framework.experience.credit import Credit
from grpo_framework.experience.leaks import Guards
from grpo_framework.experience.limits import Limits, injected_tokens
from grpo_framework.experience.rules import (
    Draft,
    content_of,
    first_finding,
    references,
    tried_key,
)
from grpo_framework.experience.similarity import NOTHING_ALIKE, Alike, find_twin, normalise
from grpo_framework.experience.untrusted import Hygiene
from grpo_framework.experience.usefulness import find_harmful, least_useful
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
    Trial,
    id_prefix,
)
from grpo_framework.records import Owner

_LIMITS, _NO_GUARDS, _HYGIENE = Limits(), Guards(), Hygiene()


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


_ORDER: tuple[type[Operation], ...] = (
    Delete,
    Merge,
    Modify,
    Keep,
    Add,
    Malformed,
)
"""Deletes are planned first, so that delete beats modify and merge, and makes room for adds."""

_DONE = {Delete: "deleted", Merge: "merged", Modify: "modified"}


def plan(
    library: Library,
    operations: Iterable[Operation],
    *,
    limits: Limits = _LIMITS,
    foreign: Mapping[str, str] | None = None,
    guards: Guards = _NO_GUARDS,
    hygiene: Hygiene = _HYGIENE,
    trials: Sequence[Trial] = (),
    alike: Alike = NOTHING_ALIKE,
    apart: bool = False,
    rooms: Mapping[Operation, Delete] | None = None,
) -> Plan:
    """Judge proposed operations against a library; pure.

    An `Add` that nearly repeats one of the owner's experiences and says more, all the words of it
    and further ones, becomes a `Modify` of that experience: one entry, never two. Any other near
    duplicate is refused, with the id of its twin in the reason.

    What is measured to do harm is deleted unasked, before all else. Where the library is full, the
    least useful experience is deleted for an `Add` that nothing else speaks against. Such deletes
    name their `rule`.

    Args:
        library: The version that the operations were proposed for.
        operations: As proposed, in order.
        limits: The hard limits.
        foreign: Id → content of experiences of other owners that are in the same prompts (the
            shared ones): a duplicate of these is refused too.
        guards: The problems whose answers and wording must not come back.
        hygiene: Which texts are refused for what they say.
        trials: What was measured before: a rejected edit is not tried again.
        alike: Which texts mean the same, beside those that are nearly the same by their letters.
        apart: Whether each addition is to be measured first, and so is judged as if the others did
            not come: what may never stand in the library takes no place of it.
        rooms: Which removal makes room for an addition, where no other one may; None leaves it to
            what is least useful.

    Returns:
        The accepted operations, in the order in which they are applied, and the refusals.
    """
    outside = {id_: normalise(content) for id_, content in (foreign or {}).items()}
    draft = evolve(_begin(library, outside, limits, guards, hygiene), alike=alike)
    draft.rejected.update(_rejected(trials))
    accepted: list[Operation] = []
    refused: list[Refusal] = []
    for proposed in _in_order(library, tuple(operations)):
        operation = _fold_into_twin(_cleaned(proposed), draft)
        strangers = [id_ for id_ in references(operation) if id_ in outside]
        finding = ("known-id", f"{strangers[0]} belongs to another owner") if strangers else None
        finding = finding or first_finding(operation, draft)
        if finding is not None and finding[0] == "capacity":
            room = _make_room(library, operation, draft, accepted, rooms)
            if room is not None:
                removal, roomy = room
                # Apart, the place is this addition's alone: for the next one the library is full.
                draft = evolve(roomy, tokens=draft.tokens) if apart else roomy
                accepted.append(removal)
                finding = None
        if finding is not None:
            refused.append(Refusal(proposed, *finding))
            continue
        accepted.append(operation)
        _advance(draft, operation, len(accepted), counts=not (apart and isinstance(operation, Add)))
    return Plan(library.owner, library.version, tuple(accepted), tuple(refused))


def _in_order(library: Library, asked: tuple[Operation, ...]) -> list[Operation]:
    """What is asked for and the removal of what does harm, in the order of planning."""
    harmful = [item for item in find_harmful(library) if item not in asked]
    return sorted((*harmful, *asked), key=lambda item: _ORDER.index(type(item)))


def _begin(
    library: Library, outside: Mapping[str, str], limits: Limits, guards: Guards, hygiene: Hygiene
) -> Draft:
    held = library.experiences
    return Draft(
        owner=library.owner,
        limits=limits,
        guards=guards,
        hygiene=hygiene,
        living={**outside, **{item.id: normalise(item.content) for item in held}},
        sources={item.id: item.source_problem for item in held},
        tokens={item.id: injected_tokens([item.content]) for item in held},
    )


def _rejected(trials: Sequence[Trial]) -> dict[str, str]:
    rows = [trial for trial in trials if trial.state == "rejected"]
    return {tried_key(trial.operation): trial.reason for trial in rows}


def _cleaned(operation: Operation) -> Operation:
    """The operation without characters that cannot be seen."""
    if not isinstance(operation, (Add, Modify, Merge)):
        return operation
    return evolve(operation, content=clean(operation.content), category=clean(operation.category))


def _fold_into_twin(operation: Operation, draft: Draft) -> Operation:
    """An addition that says more than its near duplicate, as an edit of that; else unchanged."""
    if not isinstance(operation, Add):
        return operation
    text = normalise(operation.content)
    # Only what stood there before and is untouched: an addition of this batch has no id yet.
    mine = {
        id_: other
        for id_, other in draft.living.items()
        if id_ in draft.sources and id_ not in draft.touched
    }
    twin = find_twin(text, mine, threshold=draft.limits.near_duplicate, alike=draft.alike)
    if twin is None or not set(mine[twin].split()) < set(text.split()):
        return operation
    reason = f"merged into {twin}, of which it is a near duplicate that says more"
    return Modify(twin, operation.content, reason=f"{reason}: {operation.reason}".rstrip(": "))


def _make_room(
    library: Library,
    operation: Operation,
    draft: Draft,
    accepted: Iterable[Operation],
    rooms: Mapping[Operation, Delete] | None,
) -> tuple[Delete, Draft] | None:
    """The removal that an addition to a full library takes; None where it would not be enough."""
    spoken_for = {id_ for item in accepted for id_ in references(item)}
    removal = least_useful(library, spoken_for) if rooms is None else rooms.get(operation)
    if removal is None or removal.id in spoken_for:
        return None
    trial = evolve(
        draft, living={**draft.living}, touched={**draft.touched}, tokens={**draft.tokens}
    )
    _advance(trial, removal, 0)
    return None if first_finding(operation, trial) else (removal, trial)


def _advance(draft: Draft, operation: Operation, number: int, *, counts: bool = True) -> None:
    """Note an accepted operation in the draft, whose dictionaries are this plan's own.

    Args:
        draft: Of the plan.
        operation: Accepted.
        number: Its place.
        counts: Whether its text takes a place in the library.
    """
    content = content_of(operation)
    for id_ in dict.fromkeys(references(operation)):
        if isinstance(operation, Keep):
            continue
        draft.living.pop(id_, None)
        draft.tokens.pop(id_, None)
        draft.touched[id_] = _DONE[type(operation)]
    if content is not None:
        key = operation.id if isinstance(operation, Modify) else f"new {number}"
        draft.living[key] = normalise(content)
        if counts:
            draft.tokens[key] = injected_tokens([content])


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
                # What was measured was measured of another text.
                credit = old.credit if content == old.content else Credit()
                held[id_] = evolve(
                    old, content=content, category=category or old.category, credit=credit
                )
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
            case Add():
                new_id = f"{prefix}-{number:03d}"
                held[new_id] = Experience(
                    id=new_id,
                    content=operation.content,
                    category=operation.category,
                    created_at=now,
                    source_problem=operation.source_problem,
                    parents=operation.parents,
                )
                number += 1
            case Keep() | Malformed():
                pass
    return evolve(
        library,
        version=library.version + 1,
        experiences=tuple(held.values()),
        next_number=number,
    )
