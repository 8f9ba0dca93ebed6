"""A critic: one generator's attempts become one final answer."""

from collections import Counter
from contextlib import asynccontextmanager

from attrs import evolve

from grpo_framework import Component, hookimpl


class Majority:
    async def fuse(self, question, attempts, library, /, *, seed):
        said = Counter(attempt.response for attempt in attempts)
        response, _ = said.most_common(1)[0]
        chosen = next(attempt for attempt in attempts if attempt.response == response)
        return evolve(chosen, experiences=())  # the critic's own experiences were not used


@asynccontextmanager
async def open_majority(wiring):
    yield Majority()


@hookimpl
def grpo_critics():
    yield Component("majority", open_majority, summary="the response given most often")
