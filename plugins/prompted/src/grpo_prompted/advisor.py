"""The advisor: reads groups, proposes operations on the library, and consolidates a batch's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from attrs import evolve, frozen

from grpo_framework.codec import to_document
from grpo_framework.experience import CRITIC, Add, Library, Malformed, Operation, id_prefix
from grpo_framework.prompting import defuse, render_library
from grpo_framework.records import Contrast
from grpo_prompted.asking import Asker
from grpo_prompted.evidence import describe_contrast
from grpo_prompted.proposals import Answer, answer_schema, read_answer
from grpo_prompted.seeds import derive
from grpo_prompted.settings import Wording
from grpo_prompted.templates import Prompt

SOURCE_CHARS = 2000
"""Longest text of a problem that an experience remembers as its source."""


@frozen
class Advisor:
    """Proposes operations for a group, and consolidates those of a batch.

    Attributes:
        asker: Asks the model.
        prompts: The templates by name.
        mode: ``direct`` asks once a group; ``staged`` summarises each attempt, contrasts the
            summaries, and then proposes (arXiv 2510.08191).
        wording: What the solvers are asked, and whether worked examples are shown.
        evidence_chars: Most characters of a group's attempts in a prompt.
        max_operations: Most operations a group may propose.
        content: The JSON Schema of an experience's text.
        language: Of what was measured.
        proposals_per_call: A batch's proposals are consolidated in portions of this size.
    """

    asker: Asker
    prompts: Mapping[str, Prompt]
    mode: Literal["direct", "staged"]
    wording: Wording
    evidence_chars: int
    max_operations: int
    content: Mapping[str, Any]
    proposals_per_call: int
    language: str = "en"

    async def advise(
        self, contrasts: tuple[Contrast, ...], library: Library, /
    ) -> tuple[Operation, ...]:
        """Propose operations for each group, one group after the other.

        Raises:
            ReplyRefused: An answer was unusable, also when asked again.
        """
        proposed: list[Operation] = []
        for contrast in contrasts:
            proposed += await self._advise_on(contrast, library)
        return tuple(proposed)

    async def consolidate(
        self, proposals: tuple[Operation, ...], library: Library, /, *, seed: int
    ) -> tuple[Operation, ...]:
        """Merge a batch's proposals into fewer; fewer than two are returned as they are, uncalled.

        Those that were malformed pass through, so that they are recorded.

        Raises:
            ReplyRefused: An answer was unusable, also when asked again.
        """
        malformed = [item for item in proposals if isinstance(item, Malformed)]
        sound = [item for item in proposals if not isinstance(item, Malformed)]
        if len(sound) < 2:
            return proposals
        portions = _portions(sound, self.proposals_per_call)
        seeds = [seed, *(derive(seed, "portion", n) for n in range(1, len(portions)))]
        work = zip(portions, seeds, strict=True)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._consolidate(portion, library, each))
                    for portion, each in work
                ]
        except ExceptionGroup as errors:
            # The work fails as a whole; its kind is that of the first portion that failed.
            raise errors.exceptions[0] from errors
        kept = [operation for task in tasks for operation in task.result()]
        return (*kept, *malformed)

    async def _advise_on(self, contrast: Contrast, library: Library) -> tuple[Operation, ...]:
        variables = {
            **self._describe_library(library),
            **describe_contrast(contrast, self.evidence_chars, self.language),
            "max_operations": self.max_operations,
        }
        if self.mode == "staged":
            variables["analysis"] = await self._analyse(variables, contrast.seed)
            name = "propose"
        else:
            name = "advise"
        schema = answer_schema(_editable(library), most=self.max_operations, content=self.content)
        source = contrast.question.text[:SOURCE_CHARS]

        def read(text: str) -> Answer:
            return read_answer(text, most=self.max_operations, source=source)

        return await self.asker.ask_operations(
            self.prompts[name].render(variables),
            schema,
            read,
            seed=contrast.seed if name == "advise" else derive(contrast.seed, "propose"),
        )

    async def _analyse(self, variables: Mapping[str, Any], seed: int) -> str:
        """The first two stages: a summary of each attempt, then what sets good apart from bad."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._summarise(variables, attempt, seed))
                    for attempt in variables["attempts"]
                ]
        except ExceptionGroup as errors:
            # The group fails as a whole; its kind is that of the first call that failed.
            raise errors.exceptions[0] from errors
        share = max(200, self.evidence_chars // max(1, len(tasks)))
        summaries = [
            {**attempt, "summary": defuse(task.result()[:share]).strip()}
            for attempt, task in zip(variables["attempts"], tasks, strict=True)
        ]
        messages = self.prompts["contrast"].render({**variables, "attempts": summaries})
        analysis = await self.asker.ask_text(messages, seed=derive(seed, "contrast"))
        return defuse(analysis[: self.evidence_chars]).strip()

    async def _summarise(
        self, variables: Mapping[str, Any], attempt: Mapping[str, Any], seed: int
    ) -> str:
        messages = self.prompts["summarise"].render({**variables, "attempt": attempt})
        return await self.asker.ask_text(
            messages, seed=derive(seed, "summarise", attempt["number"])
        )

    async def _consolidate(
        self, portion: Sequence[Operation], library: Library, seed: int
    ) -> tuple[Operation, ...]:
        if len(portion) < 2:
            return tuple(portion)
        rows = [_describe_proposal(item, number) for number, item in enumerate(portion, 1)]
        sources = {
            row["label"]: item.source_problem if isinstance(item, Add) else ""
            for row, item in zip(rows, portion, strict=True)
        }
        variables = {
            **self._describe_library(library),
            "proposals": rows,
            "critic": library.owner == CRITIC,
            "max_operations": len(portion),
        }
        schema = answer_schema(
            _editable(library),
            most=len(portion),
            content=self.content,
            labels=tuple(sources),
        )

        def read(text: str) -> Answer:
            return read_answer(text, most=len(portion), sources=sources)

        return await self.asker.ask_operations(
            self.prompts["consolidate"].render(variables), schema, read, seed=seed
        )

    def _describe_library(self, library: Library) -> dict[str, Any]:
        own = set(_editable(library))
        mine = tuple(item for item in library.experiences if item.id in own)
        shared = tuple(item for item in library.experiences if item.id not in own)
        return {
            "task": self.wording.task,
            "examples": self.wording.examples,
            "library": render_library(evolve(library, experiences=mine)),
            "shared": render_library(evolve(library, experiences=shared)),
            "ids": [item.id for item in mine],
        }


def _editable(library: Library) -> tuple[str, ...]:
    """The ids that the owner may change: its own, not the shared ones that were joined to them."""
    prefix = f"{id_prefix(library.owner)}-"
    return tuple(id_ for id_ in library.ids if id_.startswith(prefix))


def _portions(items: Sequence[Operation], size: int) -> list[Sequence[Operation]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _describe_proposal(operation: Operation, number: int) -> dict[str, Any]:
    """One proposal for the template: its label, kind, ids and text, each on one line."""
    document = to_document(operation)
    ids = document.get("ids") or ([document["id"]] if "id" in document else [])
    return {
        "label": f"P{number}",
        "op": document["op"],
        "ids": [" ".join(defuse(id_).split()) for id_ in ids],
        "content": " ".join(defuse(document.get("content", "")).split()),
        "reason": " ".join(defuse(document.get("reason", "")).split()),
    }
