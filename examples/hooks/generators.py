"""A generator: your agent, whatever it is made of."""

from contextlib import asynccontextmanager

from grpo_framework import Attempt, Component, hookimpl
from grpo_framework.prompting import render_library


class Agent:
    async def attempt(self, question, library, /, *, seed):
        hints = render_library(library)  # the experiences, as one block of text
        text = f"{hints}\n{question.text}\nI say 42, by seed {seed}."  # ask your agent here
        return Attempt(text, answer="42")


@asynccontextmanager
async def open_agent(wiring):
    yield Agent()


@hookimpl
def grpo_generators():
    yield Component("agent", open_agent, summary="says 42")
