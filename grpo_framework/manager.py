"""`ExperienceManager`: the libraries of a run over a store; plans, applies and commits a batch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from attrs import evolve, field, frozen

from grpo_framework.config import RunConfig
from grpo_framework.errors import ConfigError, StoreError, VersionConflict
from grpo_framework.experience import (
    CRITIC,
    PROMOTED,
    SHARED,
    Add,
    Count,
    Delete,
    Edit,
    Guards,
    Hygiene,
    Library,
    Limits,
    Merge,
    Operation,
    Plan,
    Promotion,
    Refusal,
    Ruling,
    Trial,
    apply,
    count,
    find_promotions,
    near_duplicate,
    normalise,
    plan,
)
from grpo_framework.experience.rules import content_of, tried_key
from grpo_framework.plugins import Plugins
from grpo_framework.protocols import ExperienceStore
from grpo_framework.records import Owner, Problem
from grpo_framework.workshop import open_store

GATE: Mapping[str, str] = {"rejected": "gate", "provisional": "on-trial"}
"""What the gate found → the rule under which an edit it keeps back is reported."""

REMEMBERED = 200
"""Rejected edits of an owner that are remembered, so that none is bought twice."""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@frozen
class Grounds:
    """What a batch's commit follows from.

    Attributes:
        proposals: By owner, consolidated.
        counts: Use of experiences in the batch's judged rollouts, by id.
        now: ISO 8601 time of the commit.
    """

    proposals: dict[Owner, tuple[Operation, ...]]
    counts: dict[str, Count]
    now: str = field(factory=_now)


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
class ExperienceManager:
    """The libraries of a run over a store.

    Attributes:
        store: Where they live; None together with `config` opens the configured one.
        limits: Hard limits of a library.
        guards: The problems whose answers and wording no experience may carry.
        hygiene: Which texts are refused for what they say.
        gated: Whether edits are measured, so that undecided ones are proposed again.
        config: Names a store and the limits.
        plugins: Where the configured store is found.
    """

    store: ExperienceStore | None = None
    limits: Limits = field(factory=Limits)
    guards: Guards = field(factory=Guards)
    hygiene: Hygiene = field(factory=Hygiene)
    gated: bool = False
    config: RunConfig | None = None
    plugins: Plugins = field(factory=Plugins.discover)

    @classmethod
    def from_config(cls, config: RunConfig, plugins: Plugins | None = None) -> ExperienceManager:
        """The manager of a configuration; its store is opened by `open`."""
        found = Plugins.discover() if plugins is None else plugins
        return cls(limits=config.limits, hygiene=config.hygiene, config=config, plugins=found)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ExperienceManager]:
        """Open the store, if it is not open already, and close it on exit."""
        if self.store is not None:
            yield self
        elif self.config is None:
            raise ConfigError("an ExperienceManager needs a store or a configuration")
        else:
            async with open_store(self.config, self.plugins) as store:
                yield evolve(self, store=store)

    def guarding(self, problems: Iterable[Problem]) -> ExperienceManager:
        """The manager that lets no experience carry these problems' answers or wording."""
        return evolve(self, guards=Guards.of(problems))

    @property
    def _opened(self) -> ExperienceStore:
        if self.store is None:
            raise ConfigError("the ExperienceManager is not open: async with manager.open() as …")
        return self.store

    async def load(
        self, owners: Sequence[Owner], *, versions: Mapping[Owner, int] | None = None
    ) -> dict[Owner, Library]:
        """The libraries of these owners and the shared one.

        Args:
            owners: Without the shared one.
            versions: Which versions; None is the newest of each.

        Raises:
            StoreError: One of them is damaged, or a version is not there.
        """
        wanted = {} if versions is None else versions
        return {
            owner: await self._opened.load(owner, version=wanted.get(owner))
            for owner in (*owners, SHARED)
        }

    async def seed(self, libraries: Iterable[Library]) -> None:
        """Write libraries into a store that holds none; an owner who has one keeps it.

        Raises:
            StoreError: It cannot be written.
        """
        for library in libraries:
            held = await self._opened.load(library.owner)
            if len(library) and not held.version:
                first = evolve(library, version=max(1, library.version))
                await self._opened.commit(first, expected_version=0)

    def decide(
        self,
        snapshot: Mapping[Owner, Library],
        proposals: Mapping[Owner, Sequence[Operation]],
        counts: Mapping[str, Count],
        *,
        now: str,
    ) -> tuple[Commit, ...]:
        """Judge a batch's proposals, apply what stands, and promote; writes nothing.

        Args:
            snapshot: The newest libraries, the shared one among them.
            proposals: By owner, consolidated.
            counts: Use of experiences in the batch's judged rollouts, by id.
            now: ISO 8601 time for new experiences.

        Returns:
            One decision per owner, the shared library's first.
        """
        return self._commits(snapshot, self._plans(snapshot, proposals), counts, now=now)

    def edits(
        self, snapshot: Mapping[Owner, Library], commits: Sequence[Commit]
    ) -> dict[Owner, tuple[Edit, ...]]:
        """What of a batch's decisions is to be measured, by the owner whose library changes.

        An entry that other owners hold alike moves to the shared library as one edit, with what it
        replaces; removing what the shared library says already is no edit.

        Args:
            snapshot: The newest libraries, the shared one among them.
            commits: What `decide` returned for them.
        """
        plans = {commit.plan.owner: commit.plan for commit in commits}
        moved = _moved(plans)
        foreign = {item.id: item.content for item in snapshot[SHARED].experiences}
        found: dict[Owner, tuple[Edit, ...]] = {}
        for owner, judged in plans.items():
            routine = () if owner == SHARED else _held_twice(snapshot[owner], foreign, self.limits)
            known = {tried_key(trial.operation): trial for trial in _provisional(snapshot[owner])}
            found[owner] = tuple(
                _edit(owner, operation, moved, known)
                for operation in judged.changes
                if operation not in routine and (owner, operation) not in moved.values()
            )
        return found

    def settle(
        self,
        snapshot: Mapping[Owner, Library],
        commits: Sequence[Commit],
        rulings: Sequence[Ruling],
        counts: Mapping[str, Count],
        *,
        now: str,
    ) -> tuple[Commit, ...]:
        """Decide once more, with what the gate let pass alone; writes nothing.

        Args:
            snapshot: As for `decide`.
            commits: What `decide` returned.
            rulings: On all edits of these commits.
            counts: As for `decide`.
            now: As for `decide`.
        """
        kept_back = {(row.owner, row.operation): row for row in rulings if not _passed(row)}
        plans = {commit.plan.owner: commit.plan for commit in commits}
        stay = {
            delete for place, delete in _moved(plans).items() if (SHARED, place[0]) in kept_back
        }
        final: dict[Owner, Plan] = {}
        for owner, judged in plans.items():
            passed = [
                operation
                for operation in judged.accepted
                if (owner, operation) not in kept_back and (owner, operation) not in stay
            ]
            again = self._judge(snapshot, owner, passed)
            held = [
                Refusal(row.operation, GATE[row.finding], row.reason)
                for (of, _), row in kept_back.items()
                if of == owner
            ]
            final[owner] = evolve(again, refused=(*judged.refused, *again.refused, *held))
        settled = self._commits(snapshot, final, counts, now=now)
        return tuple(_remember(commit, rulings) for commit in settled)

    def _commits(
        self,
        snapshot: Mapping[Owner, Library],
        plans: Mapping[Owner, Plan],
        counts: Mapping[str, Count],
        *,
        now: str,
    ) -> tuple[Commit, ...]:
        commits = []
        for owner in (SHARED, *(owner for owner in snapshot if owner != SHARED)):
            before = snapshot[owner]
            changed = bool(plans[owner].changes)
            after = apply(before, plans[owner], now=now) if changed else before
            after = count(after, counts)
            if after != before:
                after = evolve(after, version=before.version + 1)
            commits.append(Commit(plans[owner], before, after))
        return tuple(commits)

    async def commit(self, commits: Sequence[Commit]) -> None:
        """Write a batch's decisions: one commit an owner, the shared library first.

        After a crash in between, a promoted experience stands in both places and none is lost; a
        resumed run commits again, and a version that is there with the same digest counts as done.

        Raises:
            VersionConflict: Another writer committed in between.
            StoreError: It cannot be written.
        """
        for commit in commits:
            if commit.after == commit.before:
                continue
            try:
                await self._opened.commit(commit.after, expected_version=commit.before.version)
            except VersionConflict:
                if not await self._stands(commit.after):
                    raise

    async def restore(
        self, libraries: Mapping[Owner, Library], versions: Mapping[Owner, int]
    ) -> dict[Owner, Library]:
        """Make old versions the newest again: their experiences, under a new version number.

        Use counts go on from the newest ones; ids are not reused, and nothing is forgotten.

        Args:
            libraries: The newest of each owner.
            versions: What to restore; an owner whose experiences are those already stays as it is.

        Returns:
            The newest of each owner afterwards.
        """
        restored = dict(libraries)
        for owner, version in versions.items():
            newest = libraries[owner]
            old = await self._opened.load(owner, version=version)
            if old.wording == newest.wording:
                continue
            now = {item.id: item for item in newest.experiences}
            held = tuple(
                evolve(
                    item,
                    usage_count=max(item.usage_count, now[item.id].usage_count),
                    success_count=max(item.success_count, now[item.id].success_count),
                )
                if item.id in now
                else item
                for item in old.experiences
            )
            changed = evolve(newest, version=newest.version + 1, experiences=held)
            await self.commit([Commit(Plan(owner, newest.version), newest, changed)])
            restored[owner] = changed
        return restored

    async def _stands(self, library: Library) -> bool:
        """Whether the store holds this very version already."""
        try:
            held = await self._opened.load(library.owner, version=library.version)
        except StoreError:
            return False
        return held.digest == library.digest

    def _judge(
        self, snapshot: Mapping[Owner, Library], owner: Owner, operations: Sequence[Operation]
    ) -> Plan:
        """Judge an owner's operations by the rules, the shared library and all trials at hand."""
        shared, own = snapshot[SHARED], snapshot[owner]
        foreign = {item.id: item.content for item in shared.experiences}
        for trial in _provisional(shared) if self.gated else ():
            content = content_of(trial.operation)
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
        )

    def _plans(
        self, snapshot: Mapping[Owner, Library], proposals: Mapping[Owner, Sequence[Operation]]
    ) -> dict[Owner, Plan]:
        """Plan each owner's proposals; then once more with the promotions that follow from them."""
        shared = snapshot[SHARED]
        foreign = {experience.id: experience.content for experience in shared.experiences}
        generators = [owner for owner in snapshot if owner not in (CRITIC, SHARED)]
        waiting = _provisional if self.gated else _nothing
        wanted = {
            owner: [
                *(trial.operation for trial in waiting(library)),
                *proposals.get(owner, ()),
            ]
            for owner, library in snapshot.items()
        }
        for owner in generators:
            wanted[owner] += _held_twice(snapshot[owner], foreign, self.limits)

        def judge(owner: Owner, *more: Operation) -> Plan:
            return self._judge(snapshot, owner, [*wanted[owner], *more])

        plans = {owner: judge(owner) for owner in snapshot}
        drafts = [_draft(snapshot[owner], plans[owner]) for owner in generators]
        moved: dict[Owner, list[Refusal]] = {owner: [] for owner in snapshot}
        for promotion in find_promotions(drafts, limits=self.limits):
            add = evolve(promotion.add, parents=_entries(promotion, snapshot))
            if add not in judge(SHARED, add).accepted:
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


def _nothing(_: Library) -> tuple[Trial, ...]:
    return ()


def _provisional(library: Library) -> tuple[Trial, ...]:
    return tuple(trial for trial in library.trials if trial.state == "provisional")


def _passed(ruling: Ruling) -> bool:
    return ruling.finding == "accepted"


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
    moved: Mapping[tuple[Operation, str], tuple[Owner, Operation]],
    known: Mapping[str, Trial],
) -> Edit:
    """An operation with what goes with it and what is known of it."""
    deletes = tuple(
        (holder, delete)
        for (add, _), (holder, delete) in moved.items()
        if owner == SHARED and add == operation and isinstance(delete, Delete)
    )
    trial = known.get(tried_key(operation))
    if trial is None:
        return Edit(owner, operation, deletes)
    return Edit(owner, operation, deletes, trial.tries, trial.differences)


def _remember(commit: Commit, rulings: Sequence[Ruling]) -> Commit:
    """The commit with its owner's trials as the gate leaves them; a version more if they differ."""
    owner, after = commit.plan.owner, commit.after
    own = {tried_key(row.operation): row for row in rulings if row.owner == owner}
    rejected = [trial for trial in after.trials if trial.state == "rejected"]
    fresh = [
        Trial(row.operation, row.finding, row.reason, row.tries, row.differences)
        for row in own.values()
        if row.finding != "accepted"
    ]
    rejected = [trial for trial in rejected if tried_key(trial.operation) not in own]
    rejected += [trial for trial in fresh if trial.state == "rejected"]
    waiting = [trial for trial in fresh if trial.state == "provisional"]
    trials = (*rejected[-REMEMBERED:], *waiting)
    if trials == after.trials:
        return commit
    return evolve(commit, after=evolve(after, trials=trials, version=commit.before.version + 1))


def _held_twice(library: Library, shared: Mapping[str, str], limits: Limits) -> list[Operation]:
    """Deletes for what the shared library says too, as a crash between two commits leaves it."""
    texts = {id_: normalise(content) for id_, content in shared.items()}
    found: list[Operation] = []
    for experience in library.experiences:
        content = normalise(experience.content)
        twin = near_duplicate(content, texts, threshold=limits.near_duplicate)
        if twin is not None:
            found.append(Delete(experience.id, f"{twin} of the shared library says the same"))
    return found


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
