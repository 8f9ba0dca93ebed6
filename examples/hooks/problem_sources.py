"""A problem source: problems made on the spot, or read from wherever yours are."""

from contextlib import asynccontextmanager

from grpo_framework import Component, Problem, Question, hookimpl


class Sums:
    def __init__(self, count):
        self.count = count

    async def problems(self):
        return tuple(
            Problem(
                Question(f"sum-{number}", f"What is {number} + {number}?", dataset="sums"),
                answer=str(2 * number),
                split="test" if number % 4 == 0 else "train",
                source=f"sums:{number}",
            )
            for number in range(1, self.count + 1)
        )


@asynccontextmanager
async def open_sums(wiring):
    yield Sums(wiring.options.get("count", 20))


@hookimpl
def grpo_problem_sources():
    options = {
        "type": "object",
        "properties": {
            "count": {"type": "integer", "minimum": 1, "description": "How many (default 20)."}
        },
        "additionalProperties": False,
    }
    yield Component("sums", open_sums, summary="doubles of small numbers", options=options)
