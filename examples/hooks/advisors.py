"""An advisor: good and bad attempts become proposals for the library."""

from contextlib import asynccontextmanager

from grpo_framework import Add, Component, hookimpl


class Brevity:
    async def advise(self, contrasts, library, /):
        return tuple(
            Add(
                "When the attempts get long, answer in fewer words.",
                category="format",
                source_problem=contrast.question.text,
                reason="every wrong attempt was longer than every right one",
            )
            for contrast in contrasts
            if _longest(contrast.good) < _shortest(contrast.bad)
        )

    async def consolidate(self, proposals, library, /, *, seed):
        return proposals[:1]  # they all say the same


def _longest(samples):
    return max((len(sample.attempt.text) for sample in samples), default=0)


def _shortest(samples):
    return min((len(sample.attempt.text) for sample in samples), default=0)


@asynccontextmanager
async def open_brevity(wiring):
    yield Brevity()


@hookimpl
def grpo_advisors():
    yield Component("brevity", open_brevity, summary="notices when long attempts are wrong")
