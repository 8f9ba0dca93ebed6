"""What a batch's proposals come to: judged, promoted, measured; pure, nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from attrs import evolve, field, frozen

from grpo_framework.experience import (
    CRITIC,
    PROMOTED,
    ROOM,
    SHARED,
    Add,
    Alike,
    Count,
    Credit,
    Delete,
    Guards,
    Hygiene,
    Library,
    Limits,
    Merge,
    Operation,
    Plan,
    Promotion,
    Refusal,
    Trial,
    apply,
    count,
    find_held_twice,
    find_promotions,
    normalise,
    plan,
)
from grpo_framework.experience.rules import content_of
from grpo_framework.records import Owner

NO_EVIDENCE: Mapping[str, Credit] = MappingProxyType({})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@frozen
class Grounds:
    """What a batch's commit follows from.

    Attributes:
        proposals: By owner, consolidated.
        counts: Use of experiences in the batch's judged rollouts, by id.
        now: ISO 8601 time of the commit.
        alike: Which texts mean the same, as an embedder found.
        evidence: Evidence of the experiences' effects in these rollouts, by id.
    """

    proposals: dict[Owner, tuple[Operation, ...]]
    counts: dict[str, Count]
    now: str = field(factory=_now)
    alike: Alike = field(factory=Alike)
    evidence: Mapping[str, Credit] = field(factory=dict)


@frozen
class Commit:
    """What became of one owner's library at the end of a batch.

    Attributes:
        plan: What was accepted and refused.
        before: The library that the batch saw.
        after: The newest version; the same as `before` where nothing changed.
    """

    plan: Plan
    before: Library
    after: Library


@frozen
class Decider:
    """The rules by which a batch's proposals become commits.

    Attributes:
        limits: Hard limits of a library.
        guards: The problems whose answers and wording no experience may carry.
        hygiene: Which texts are refused for what they say.
        gated: Whether edits are measured, so that undecided ones are proposed again.
        alike: Which texts mean the same.
    """

    limits: Limits = field(factory=Limits)
    guards: Guards = field(factory=Guards)
    hygiene: Hygiene = field(factory=Hygiene)
    gated: bool = False
    alike: Alike = field(factory=Alike)

    def decide(
        self,
        snapshot: Mapping[Owner, Library],
        proposals: Mapping[Owner, Sequence[Operation]],
        counts: Mapping[str, Count],
        *,
        now: str,
        evidence: Mapping[str, Credit] = NO_EVIDENCE,
    ) -> tuple[Commit, ...]:
        """Judge a batch's proposals, apply what stands, and promote; writes nothing.

        What the batch measured is added first: it is of the texts as the batch saw them, and may
        show that one of them does harm.

        Args:
            snapshot: The newest libraries, the shared one among them.
            proposals: By owner, consolidated.
            counts: Use of experiences in the batch's judged rollouts, by id.
            now: ISO 8601 time for new experiences.
            evidence: Evidence of the experiences' effects in these rollouts, by id.

        Returns:
            One decision per owner, the shared library's first.
        """
        plans = self._plans(counted(snapshot, counts, evidence), proposals)
        return self.commits(snapshot, plans, counts, now=now, evidence=evidence)

    def commits(
        self,
        snapshot: Mapping[Owner, Library],
        plans: Mapping[Owner, Plan],
        counts: Mapping[str, Count],
        *,
        now: str,
        evidence: Mapping[str, Credit] = NO_EVIDENCE,
    ) -> tuple[Commit, ...]:
        """Count, and carry out one plan an owner, the shared library's first; writes nothing.

        Args:
            snapshot: What the plans were made for.
            plans: One for each owner.
            counts: Use of experiences in the batch's judged rollouts, by id.
            now: ISO 8601 time for new experiences.
            evidence: Evidence of the experiences' effects in these rollouts, by id.
        """
        measured = counted(snapshot, counts, evidence)
        commits = []
        for owner in (SHARED, *(owner for owner in snapshot if owner != SHARED)):
            before = snapshot[owner]
            changed = bool(plans[owner].changes)
            after = measured[owner]
            after = apply(after, plans[owner], now=now) if changed else after
            if after != before:
                after = evolve(after, version=before.version + 1)
            commits.append(Commit(plans[owner], before, after))
        return tuple(commits)

    def _waiting(self, library: Library) -> tuple[Operation, ...]:
        """The undecided edits of an owner, proposed once more where edits are measured."""
        return tuple(trial.operation for trial in provisional(library)) if self.gated else ()

    def judge(
        self,
        snapshot: Mapping[Owner, Library],
        owner: Owner,
        operations: Sequence[Operation],
        *,
        rooms: Mapping[Operation, Delete] | None = None,
    ) -> Plan:
        """Judge an owner's operations by the rules, the shared library and all trials at hand.

        Args:
            snapshot: The newest libraries, the shared one among them.
            owner: Whose library.
            operations: As proposed.
            rooms: Where they have been measured, with which removal each addition was; without,
                additions that are still to be measured are judged each by itself.
        """
        shared, own = snapshot[SHARED], snapshot[owner]
        foreign = {item.id: item.content for item in shared.experiences}
        for operation in self._waiting(shared):
            content = content_of(operation)
            if content is not None:
                foreign[f"the edit on trial {content[:60]!r}"] = content
        return plan(
            own,
            operations,
            limits=self.limits,
            foreign={} if owner == SHARED else foreign,
            guards=self.guards,
            hygiene=self.hygiene,
            trials=own.trials if owner == SHARED else (*own.trials, *shared.trials),
            alike=self.alike,
            apart=self.gated and rooms is None,
            rooms=rooms,
        )

    def _plans(
        self, snapshot: Mapping[Owner, Library], proposals: Mapping[Owner, Sequence[Operation]]
    ) -> dict[Owner, Plan]:
        """Plan each owner's proposals; then once more with the promotions that follow from them."""
        shared = snapshot[SHARED]
        foreign = {experience.id: experience.content for experience in shared.experiences}
        generators = [owner for owner in snapshot if owner not in (CRITIC, SHARED)]
        wanted = {
            owner: [*self._waiting(library), *proposals.get(owner, ())]
            for owner, library in snapshot.items()
        }
        for owner in generators:
            wanted[owner] += find_held_twice(snapshot[owner], foreign, self.limits, self.alike)

        def judge(owner: Owner, *more: Operation) -> Plan:
            return self.judge(snapshot, owner, [*wanted[owner], *more])

        plans = {owner: judge(owner) for owner in snapshot}
        drafts = [_draft(snapshot[owner], plans[owner]) for owner in generators]
        moved: dict[Owner, list[Refusal]] = {owner: [] for owner in snapshot}
        for promotion in find_promotions(drafts, limits=self.limits, alike=self.alike):
            add = evolve(promotion.add, parents=_entries(promotion, snapshot))
            # On trial already, it goes on with those who hold the text now.
            before = wanted[SHARED]
            wanted[SHARED] = [item for item in before if not _same_text(item, add)]
            judged = judge(SHARED, add)
            # What is promoted is safe where it is: nothing shared is thrown out for it.
            if add not in judged.accepted or _makes_room(judged):
                wanted[SHARED] = before
                continue
            wanted[SHARED].append(add)
            for owner, delete in promotion.deletes:
                draft = next(library for library in drafts if library.owner == owner)
                moved[owner] += _withdraw(wanted[owner], delete, draft, snapshot[owner])
        final = {owner: judge(owner) for owner in snapshot}
        return {
            owner: evolve(judged, refused=(*judged.refused, *moved[owner]))
            for owner, judged in final.items()
        }


def counted(
    snapshot: Mapping[Owner, Library], counts: Mapping[str, Count], evidence: Mapping[str, Credit]
) -> dict[Owner, Library]:
    """The same versions with what a batch measured of their texts, uses and effects."""
    return {owner: count(held, counts, evidence) for owner, held in snapshot.items()}


def _same_text(operation: Operation, add: Add) -> bool:
    return isinstance(operation, Add) and normalise(operation.content) == normalise(add.content)


def _makes_room(judged: Plan) -> bool:
    """Whether a plan throws something out of a full library."""
    return any(isinstance(item, Delete) and item.rule == ROOM for item in judged.accepted)


def provisional(library: Library) -> tuple[Trial, ...]:
    """The edits of an owner that are undecided yet."""
    return tuple(trial for trial in library.trials if trial.state == "provisional")


def _entries(promotion: Promotion, snapshot: Mapping[Owner, Library]) -> tuple[str, ...]:
    """The ids that a promotion replaces; what was only proposed in this batch never had one."""
    return tuple(
        delete.id for owner, delete in promotion.deletes if delete.id in snapshot[owner].ids
    )


def _draft(library: Library, accepted: Plan) -> Library:
    """The library as it would be, but without merges: a merge's parents are not promoted apart."""
    operations = tuple(item for item in accepted.accepted if not isinstance(item, Merge))
    return apply(library, evolve(accepted, accepted=operations), now="")


def _withdraw(
    operations: list[Operation], delete: Delete, draft: Library, held: Library
) -> list[Refusal]:
    """Take a promoted experience from its owner: its text is not added, or its entry deleted."""
    content = next(item.content for item in draft.experiences if item.id == delete.id)
    added = [item for item in operations if isinstance(item, Add) and item.content == content]
    for operation in added:
        operations.remove(operation)
    # An addition may have been merged into an entry that was there before.
    if delete.id in held.ids:
        operations.append(delete)
    reason = "other generators learned the same in this batch: it went to the shared library"
    return [Refusal(operation, PROMOTED, reason) for operation in added]
