"""An embedder without a model: texts that share many three-letter pieces lie near each other."""

from contextlib import asynccontextmanager
from zlib import crc32

from grpo_framework import Component, EmbedReply, Usage, hookimpl
from grpo_framework.component import free


class Pieces:
    def __init__(self, length):
        self.length = length

    async def embed(self, texts, /):
        words = sum(len(text.split()) for text in texts)
        vectors = tuple(self.vector(f" {text.casefold()} ") for text in texts)
        return EmbedReply(vectors, Usage(input_tokens=words, calls=1))

    def vector(self, text):
        counts = [0.0] * self.length
        for start in range(len(text) - 2):
            piece = text[start : start + 3].encode("utf-8", "surrogatepass")
            counts[crc32(piece) % self.length] += 1.0
        return tuple(counts)


@asynccontextmanager
async def open_pieces(wiring):
    yield Pieces(wiring.options.get("length", 256))


@hookimpl
def grpo_embedders():
    options = {
        "type": "object",
        "properties": {
            "length": {"type": "integer", "minimum": 2, "description": "Of a vector (256)."}
        },
        "additionalProperties": False,
    }
    yield Component(
        "pieces", open_pieces, summary="counts three-letter pieces", options=options, price=free
    )
