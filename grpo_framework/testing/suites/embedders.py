"""The suite of embedders."""

from __future__ import annotations

import asyncio
import math
from typing import ClassVar

from grpo_framework.protocols import Embedder
from grpo_framework.records import EmbedReply
from grpo_framework.testing.samples import AWKWARD_TEXTS
from grpo_framework.testing.suites.base import ComponentSuite, Drive

UNITS = "Write the unit beside every number."
ALSO_UNITS = "Write the unit beside each number, always."
TRAIN = "A train leaves the station at noon."


class EmbedderSuite(ComponentSuite):
    """What every embedder must do.

    Attributes:
        closeness: Cosine that two vectors of one text reach; a batch may change the last digits.
    """

    protocol: ClassVar[type] = Embedder
    closeness: ClassVar[float] = 0.999

    def test_one_vector_a_text(self, drive: Drive) -> None:
        """As many vectors as texts, of one length, finite, none of them all zeros."""

        async def use(embedder: Embedder) -> None:
            for texts in ((UNITS,), (UNITS, TRAIN, ALSO_UNITS)):
                reply = await embedder.embed(texts)
                assert isinstance(reply, EmbedReply)
                assert len(reply.vectors) == len(texts)
                assert len({len(vector) for vector in reply.vectors}) == 1
                for vector in reply.vectors:
                    assert isinstance(vector, tuple)
                    assert all(math.isfinite(value) for value in vector)
                    assert any(vector), "a vector of zeros has no direction"

        drive(use)

    def test_awkward_texts_are_embedded(self, drive: Drive) -> None:
        """Any text that is not blank has a vector."""
        texts = tuple(text for text in AWKWARD_TEXTS if text.strip())

        async def use(embedder: Embedder) -> None:
            reply = await embedder.embed(texts)
            assert len(reply.vectors) == len(texts)

        drive(use)

    def test_the_same_text_has_the_same_vector(self, drive: Drive) -> None:
        """Whatever it comes with, in whichever place, and when it is asked again."""

        async def use(embedder: Embedder) -> None:
            (alone,) = (await embedder.embed((UNITS,))).vectors
            both = (await embedder.embed((TRAIN, UNITS))).vectors
            assert cosine(alone, both[1]) >= self.closeness
            assert cosine(both[0], both[1]) < self.closeness, "all texts have one vector"

        drive(use)

    def test_like_texts_are_nearer(self, drive: Drive) -> None:
        """Two ways to say one thing lie nearer each other than another thing."""

        async def use(embedder: Embedder) -> None:
            one, same, other = (await embedder.embed((UNITS, ALSO_UNITS, TRAIN))).vectors
            assert cosine(one, same) > cosine(one, other)

        drive(use)

    def test_calls_at_once(self, drive: Drive) -> None:
        """Calls at the same time get their own answers, and the usage counts one call each."""

        async def use(embedder: Embedder) -> None:
            (unit,), (train,) = [(await embedder.embed((text,))).vectors for text in (UNITS, TRAIN)]
            replies = await asyncio.gather(
                *(embedder.embed((text,)) for text in (UNITS, TRAIN) * 3)
            )
            for place, reply in enumerate(replies):
                wanted = train if place % 2 else unit
                assert cosine(reply.vectors[0], wanted) >= self.closeness
                assert reply.usage.calls == 1

        drive(use)


def cosine(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The cosine of the angle between two vectors."""
    product = math.fsum(a * b for a, b in zip(one, other, strict=True))
    return product / math.hypot(*one) / math.hypot(*other)
