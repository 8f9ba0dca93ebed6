"""An observer: sees every event, changes nothing."""

import sys
from contextlib import asynccontextmanager

from grpo_framework import Component, hookimpl
from grpo_framework.events import LibraryCommitted


class Commits:
    async def notify(self, event, /):
        if isinstance(event, LibraryCommitted):
            line = f"{event.plan.owner} is at version {event.version}: {event.size_after} items"
            print(line, file=sys.stderr)


@asynccontextmanager
async def open_commits(wiring):
    yield Commits()


@hookimpl
def grpo_observers():
    yield Component("commits", open_commits, summary="tells of every commit on stderr")
