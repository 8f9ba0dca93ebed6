"""The end of a batch: consolidate, decide, measure the edits, decide again, commit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from attrs import evolve, frozen

from grpo_framework.advantage import consolidate, counts_of, find_alike
from grpo_framework.codec import from_document, to_document
from grpo_framework.deciding import Commit, Decider, Grounds
from grpo_framework.events import EditsGated, LibraryCommitted
from grpo_framework.experience import Edit, Library, Operation, credited, tokens_of
from grpo_framework.gating import Gate, Judgement, judge_edits
from grpo_framework.lanes import Learned, answers_of, evidence_of, gather_proposals
from grpo_framework.manager import ExperienceManager
from grpo_framework.measuring import measure_once
from grpo_framework.recording import Recording
from grpo_framework.records import Owner, measure
from grpo_framework.rollouts import Stages
from grpo_framework.settling import edits_of, settle


@frozen
class Closing:
    """The end of one batch.

    Attributes:
        stages: Of the batch.
        manager: Opened.
        record: Of the run; None leaves no trace.
        gate: Measures edits; None keeps all that the rules let pass.
    """

    stages: Stages
    manager: ExperienceManager
    record: Recording | None = None
    gate: Gate | None = None

    @property
    def _key(self) -> str:
        return f"{self.stages.epoch}/{self.stages.batch}"

    async def close(
        self, libraries: Mapping[Owner, Library], learned: Sequence[Learned]
    ) -> tuple[Commit, ...]:
        """Commit what was learned: one commit an owner, the shared library's first.

        Args:
            libraries: The newest ones, the shared one among them.
            learned: What each problem gave.
        """
        proposals = await self._consolidate(libraries, learned)
        await self.stages.engine.brake.confirm()
        counts = counts_of([answer for lane in learned for answer in lane.answers])
        evidence = evidence_of(learned, libraries)
        alike = await find_alike(self.stages, libraries, proposals)
        grounds = await self._settle(Grounds(proposals, counts, alike=alike, evidence=evidence))
        decider = evolve(self.manager.decider, alike=grounds.alike)
        commits = decider.decide(
            libraries,
            grounds.proposals,
            grounds.counts,
            now=grounds.now,
            evidence=grounds.evidence,
        )
        if self.gate is not None:
            commits = await self._gated(self.gate, decider, libraries, commits, grounds)
        if self.record is not None:
            # A power loss that spares the store must not forget what its commit follows from.
            await self.record.sync()
        await self.manager.commit(commits)
        await self._tell(commits, libraries, learned)
        return commits

    async def _tell(
        self,
        commits: Sequence[Commit],
        libraries: Mapping[Owner, Library],
        learned: Sequence[Learned],
    ) -> None:
        """Announce what became of each owner's library."""
        tokens = tokens_of(libraries.values())
        for commit in commits:
            await self.stages.announce(
                LibraryCommitted(
                    epoch=self.stages.epoch,
                    batch=self.stages.batch,
                    plan=commit.plan,
                    size_before=len(commit.before),
                    size_after=len(commit.after),
                    version=commit.after.version,
                    measured=measure(answers_of(learned, commit.plan.owner), tokens),
                    experiences=credited(commit.after),
                )
            )

    async def _consolidate(
        self, libraries: Mapping[Owner, Library], learned: Sequence[Learned]
    ) -> dict[Owner, tuple[Operation, ...]]:
        """Every owner's proposals, merged side by side."""
        proposed = await gather_proposals(self.stages, libraries, learned)
        async with asyncio.TaskGroup() as tasks:
            merged = {
                owner: tasks.create_task(
                    consolidate(self.stages, owner, operations, libraries[owner])
                )
                for owner, operations in proposed.items()
            }
        return {owner: task.result() for owner, task in merged.items()}

    async def _settle(self, grounds: Grounds) -> Grounds:
        """What the commit follows from, journalled before it.

        A resumed run commits by what is journalled: units that failed before the crash may succeed
        now, and the commit must be the one that may stand in the store already.
        """
        if self.record is None:
            return grounds
        kept = await self.record.memory.get("commit", self._key)
        if kept is not None:
            return from_document(kept, Grounds)
        await self.record.memory.put("commit", self._key, to_document(grounds))
        return grounds

    async def _gated(
        self,
        gate: Gate,
        decider: Decider,
        libraries: Mapping[Owner, Library],
        commits: Sequence[Commit],
        grounds: Grounds,
    ) -> tuple[Commit, ...]:
        """Measure all owners' edits side by side, and decide again with what passed."""
        edits = edits_of(decider, libraries, commits)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self._judge(gate, libraries, owner, edits[owner]))
                for owner in edits
                if edits[owner]
            ]
        rulings = [ruling for task in running for ruling in task.result().rulings]
        return settle(
            decider,
            libraries,
            commits,
            rulings,
            grounds.counts,
            now=grounds.now,
            evidence=grounds.evidence,
        )

    async def _judge(
        self, gate: Gate, libraries: Mapping[Owner, Library], owner: Owner, edits: tuple[Edit, ...]
    ) -> EditsGated:
        """One owner's rulings."""

        async def work(stages: Stages) -> Judgement:
            return await judge_edits(gate, stages, libraries, edits)

        key = f"{self._key}/{owner}"
        found = await measure_once(
            self.stages, "gate", key, work, kind=Judgement, record=self.record
        )
        told = EditsGated(self.stages.epoch, self.stages.batch, owner, found.rulings, found.units)
        await self.stages.announce(told)
        return told
