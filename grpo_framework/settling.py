"""From the gate's rulings to a batch's commits: what is measured, what passes, what stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from attrs import evolve

from grpo_framework.deciding import NO_EVIDENCE, Commit, Decider, counted, provisional
from grpo_framework.experience import (
    PROMOTED,
    ROOM,
    SHARED,
    Add,
    Count,
    Credit,
    Delete,
    Edit,
    Library,
    Operation,
    Plan,
    Refusal,
    Ruling,
    Trial,
    find_held_twice,
)
from grpo_framework.experience.rules import content_of, edit_key, references
from grpo_framework.records import Owner

GATE: Mapping[str, str] = {"rejected": "gate", "provisional": "on-trial"}
"""What the gate found → the rule under which an edit it keeps back is reported."""

REMEMBERED = 200
"""Rejected edits of an owner that are remembered, so that none is bought twice."""


_CROWDED = frozenset({"capacity", "tokens"})
"""Rules by which an edit that was measured finds no place beside the others that were."""

_PASSED_OVER = _CROWDED | {"one-edit"}
"""Rules by which an undecided edit gives way to another one for a batch, and keeps its evidence."""

NO_ROOM = "helped, and there was no room: measured again with what makes room for it"
"""Why an edit that passed is on trial again, without evidence: that was of another change."""


def edits_of(
    decider: Decider, snapshot: Mapping[Owner, Library], commits: Sequence[Commit]
) -> dict[Owner, tuple[Edit, ...]]:
    """What of a batch's decisions is to be measured, by the owner whose library changes.

    An entry that other owners hold alike moves to the shared library as one edit, with what it
    replaces, and an addition to a full library goes with the removal that makes room for it.
    Removing what the shared library says already, or what is measured to do harm, is no edit.

    Args:
        decider: The rules.
        snapshot: The newest libraries, the shared one among them.
        commits: What `decide` returned for them.
    """
    plans = {commit.plan.owner: commit.plan for commit in commits}
    moved = _moved(plans)
    foreign = {item.id: item.content for item in snapshot[SHARED].experiences}
    found: dict[Owner, tuple[Edit, ...]] = {}
    for owner, judged in plans.items():
        library, near = snapshot[owner], (decider.limits, decider.alike)
        rooms = _rooms(judged)
        routine = [] if owner == SHARED else find_held_twice(library, foreign, *near)
        known = {edit_key(trial.operation): trial for trial in provisional(snapshot[owner])}
        found[owner] = tuple(
            _edit(owner, operation, _along(operation, owner, rooms, moved), known)
            for operation in judged.changes
            if operation not in routine
            and not (isinstance(operation, Delete) and operation.rule)
            and (owner, operation) not in moved.values()
        )
    return found


def settle(
    decider: Decider,
    snapshot: Mapping[Owner, Library],
    commits: Sequence[Commit],
    rulings: Sequence[Ruling],
    counts: Mapping[str, Count],
    *,
    now: str,
    evidence: Mapping[str, Credit] = NO_EVIDENCE,
) -> tuple[Commit, ...]:
    """Decide once more, with what the gate let pass alone; writes nothing.

    Args:
        decider: The rules.
        snapshot: As for `decide`.
        commits: What `decide` returned.
        rulings: On all edits of these commits.
        counts: As for `decide`.
        now: As for `decide`.
        evidence: As for `decide`.
    """
    measured = counted(snapshot, counts, evidence)
    kept_back = {(row.owner, row.operation): row for row in rulings if not _passed(row)}
    plans = {commit.plan.owner: commit.plan for commit in commits}
    stay = {delete for place, delete in _moved(plans).items() if (SHARED, place[0]) in kept_back}
    final: dict[Owner, Plan] = {}
    for owner, judged in plans.items():
        rooms = _rooms(judged)
        stay |= {
            row
            for operation, rows in rooms.items()
            if (owner, operation) in kept_back
            for row in rows
        }
        passed = [
            operation
            for operation in judged.accepted
            if (owner, operation) not in kept_back
            and (owner, operation) not in stay
            # What is kept back may leave room enough; where it does not, that is thrown out which
            # was measured to be dispensable, with the addition: nothing else.
            and not (isinstance(operation, Delete) and operation.rule == ROOM)
        ]
        removals = {add: rows[0][1] for add, rows in rooms.items()}
        again = decider.judge(measured, owner, passed, rooms=removals)
        held = [
            Refusal(row.operation, GATE[row.finding], row.reason)
            for (of, _), row in kept_back.items()
            if of == owner
        ]
        refused = [_as_ruled(refusal, kept_back) for refusal in judged.refused]
        final[owner] = evolve(again, refused=(*refused, *again.refused, *held))
    settled = decider.commits(snapshot, final, counts, now=now, evidence=evidence)
    return tuple(_remember(commit, rulings) for commit in settled)


def _as_ruled(refusal: Refusal, kept_back: Mapping[tuple[Owner, Operation], Ruling]) -> Refusal:
    """A text that was to be promoted and was kept back did not go to the shared library."""
    if refusal.rule != PROMOTED:
        return refusal
    text = content_of(refusal.operation)
    for (owner, operation), row in kept_back.items():
        if owner == SHARED and content_of(operation) == text:
            return Refusal(refusal.operation, GATE[row.finding], row.reason)
    return refusal


def _passed(ruling: Ruling) -> bool:
    return ruling.finding == "accepted"


def _rooms(judged: Plan) -> dict[Operation, tuple[tuple[Owner, Delete], ...]]:
    """Addition to a full library → the owner, and the removal that makes room for it."""
    return {
        add: ((judged.owner, removal),)
        for removal, add in pairwise(judged.accepted)
        if isinstance(removal, Delete) and removal.rule == ROOM and isinstance(add, Add)
    }


def _along(
    operation: Operation,
    owner: Owner,
    rooms: Mapping[Operation, tuple[tuple[Owner, Delete], ...]],
    moved: Mapping[tuple[Operation, str], tuple[Owner, Operation]],
) -> tuple[tuple[Owner, Delete], ...]:
    """What goes with an edit: what it replaces of other owners, and what makes room for it."""
    replaced = tuple(
        (holder, delete)
        for (add, _), (holder, delete) in moved.items()
        if owner == SHARED and add == operation and isinstance(delete, Delete)
    )
    return (*replaced, *rooms.get(operation, ()))


def _moved(plans: Mapping[Owner, Plan]) -> dict[tuple[Operation, str], tuple[Owner, Operation]]:
    """Addition to the shared library and id of an entry it replaces → owner and delete."""
    deletes = {
        operation.id: (owner, operation)
        for owner, judged in plans.items()
        for operation in judged.accepted
        if isinstance(operation, Delete) and owner != SHARED
    }
    return {
        (operation, id_): deletes[id_]
        for operation in plans[SHARED].accepted
        if isinstance(operation, Add)
        for id_ in operation.parents
        if id_ in deletes
    }


def _edit(
    owner: Owner,
    operation: Operation,
    deletes: tuple[tuple[Owner, Delete], ...],
    known: Mapping[str, Trial],
) -> Edit:
    """An operation with what goes with it and what is known of it."""
    trial = known.get(edit_key(operation))
    if trial is None:
        return Edit(owner, operation, deletes)
    return Edit(owner, operation, deletes, trial.tries, trial.differences)


def _remember(commit: Commit, rulings: Sequence[Ruling]) -> Commit:
    """The commit with its owner's trials as the gate leaves them; a version more if they differ."""
    owner, after = commit.plan.owner, commit.after
    own = {edit_key(row.operation): row for row in rulings if row.owner == owner}
    changed = {id_ for edit in commit.plan.changes for id_ in references(edit)}
    before = [trial for trial in after.trials if edit_key(trial.operation) not in own]
    # What is said of an entry holds for its text; what was never measured is not remembered.
    rejected = [
        trial
        for trial in before
        if trial.state == "rejected" and not changed.intersection(references(trial.operation))
    ]
    passed_over = {
        edit_key(row.operation) for row in commit.plan.refused if row.rule in _PASSED_OVER
    }
    waiting = [
        trial
        for trial in before
        if trial.state == "provisional"
        and edit_key(trial.operation) in passed_over
        and not changed.intersection(references(trial.operation))
    ]
    fresh = [
        Trial(row.operation, row.finding, row.reason, row.tries, row.differences)
        for row in own.values()
        if row.finding != "accepted" and (row.pairs or row.finding == "provisional")
    ]
    crowded = {edit_key(row.operation) for row in commit.plan.refused if row.rule in _CROWDED}
    fresh += [
        Trial(row.operation, "provisional", NO_ROOM, tries=0)
        for key, row in own.items()
        if row.finding == "accepted" and key in crowded
    ]
    rejected += [trial for trial in fresh if trial.state == "rejected"]
    waiting += [trial for trial in fresh if trial.state == "provisional"]
    trials = (*rejected[-REMEMBERED:], *waiting)
    if trials == after.trials:
        return commit
    return evolve(commit, after=evolve(after, trials=trials, version=commit.before.version + 1))
