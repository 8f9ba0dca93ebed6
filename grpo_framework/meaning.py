"""What texts mean, by an embedder: which experiences a question needs, and which say the same.

Vectors are made here, ahead of every plan; what plans see are pairs of texts (`Alike`), so that
planning stays pure and a resumed run decides by what its journal says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from attrs import field, frozen

from grpo_framework.experience import (
    Add,
    Alike,
    Experience,
    Library,
    Merge,
    Modify,
    Operation,
    clean,
    estimate_tokens,
    texts_of,
)
from grpo_framework.protocols import Embedder
from grpo_framework.records import Owner, Question

TOGETHER = 64
"""Texts in one call, at the most."""

LONGEST = 480
"""Tokens of a text, estimated, that are embedded: many models read no more than 512."""


@frozen
class Meaning:
    """An embedder that remembers what it has embedded; as a `Ranker` it ranks by cosine.

    Attributes:
        embedder: Opened, and guarded where it costs anything.
        threshold: Cosine from which on two texts mean the same.
    """

    embedder: Embedder = field(repr=False)
    threshold: float = 0.9
    _known: dict[str, Any] = field(factory=dict, init=False, repr=False, eq=False)
    _pending: dict[str, asyncio.Future[None]] = field(
        factory=dict, init=False, repr=False, eq=False
    )

    async def rank(
        self, question: Question, experiences: tuple[Experience, ...], /
    ) -> tuple[float, ...]:
        """The cosine of the question and each experience."""
        asked = f"{question.text} {question.subject}".strip()
        texts = [asked, *(each.content for each in experiences)]
        vectors = await self._vectors(texts)
        return tuple(_cosine(vectors.get(asked), vectors.get(text)) for text in texts[1:])

    async def find_alike(
        self,
        libraries: Mapping[Owner, Library],
        proposals: Mapping[Owner, Sequence[Operation]],
    ) -> Alike:
        """The texts that mean the same, of what is proposed, was tried, and stands in libraries.

        Args:
            libraries: By owner, the shared one among them.
            proposals: By owner.
        """
        held = (item.content for library in libraries.values() for item in library.experiences)
        tried = [trial.operation for library in libraries.values() for trial in library.trials]
        new = [*chain.from_iterable(proposals.values()), *tried]
        written = (clean(each.content) for each in new if isinstance(each, Add | Modify | Merge))
        texts = texts_of([*held, *written])
        # Where nothing is proposed, also not once more, nothing has to be compared.
        if not new or len(texts) < 2:
            return Alike()
        vectors = await self._vectors(texts.values())
        return Alike(_near(texts, vectors, self.threshold))

    async def _vectors(self, texts: Iterable[str]) -> dict[str, Any]:
        """Unit vectors by text; a text that is under way elsewhere is waited for."""
        wanted = [text for text in dict.fromkeys(texts) if text.strip()]
        while True:
            missing = [
                text for text in wanted if text not in self._known and text not in self._pending
            ]
            if missing:
                await self._embed(missing)
            waiting = {self._pending[text] for text in wanted if text in self._pending}
            if not waiting:
                break
            # Whoever embeds them may fail; then it is tried once more here.
            await asyncio.wait(waiting)
        return {text: self._known[text] for text in wanted}

    async def _embed(self, texts: Sequence[str]) -> None:
        import numpy  # noqa: ICN001, PLC0415 - heavy, and only runs with an embedder need it

        done = asyncio.get_running_loop().create_future()
        self._pending.update(dict.fromkeys(texts, done))
        try:
            for start in range(0, len(texts), TOGETHER):
                some = tuple(texts[start : start + TOGETHER])
                reply = await self.embedder.embed(tuple(map(_cut, some)))
                for text, vector in zip(some, reply.vectors, strict=True):
                    array = numpy.asarray(vector)
                    self._known[text] = array / numpy.linalg.norm(array)
        finally:
            for text in texts:
                del self._pending[text]
            done.set_result(None)


def _cut(text: str) -> str:
    """The beginning of a long text; it says what the text is about."""
    while (tokens := estimate_tokens(text)) > LONGEST:
        text = text[: max(1, len(text) * LONGEST // tokens)]
    return text


def _cosine(one: Any, other: Any) -> float:
    """Of two unit vectors; a blank text has none and is near nothing."""
    return 0.0 if one is None or other is None else float(one @ other)


def _near(
    texts: Mapping[str, str], vectors: Mapping[str, Any], threshold: float
) -> tuple[tuple[str, str], ...]:
    """The pairs of normalised texts whose cosine reaches the threshold, in a fixed order."""
    import numpy  # noqa: ICN001, PLC0415 - heavy, and only runs with an embedder need it

    names = sorted(texts)
    matrix = numpy.stack([vectors[texts[name]] for name in names])
    rows, columns = numpy.nonzero(numpy.triu(matrix @ matrix.T, k=1) >= threshold)
    return tuple((names[row], names[column]) for row, column in zip(rows, columns, strict=True))
