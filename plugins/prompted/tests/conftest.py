"""A chat model that answers from a script and records what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from grpo_prompted import plugin

from grpo_framework.component import Component, Wiring
from grpo_framework.records import ChatReply, ChatRequest, Usage


class ScriptedChat:
    """Gives its replies in order, the last one for ever after."""

    def __init__(self, *replies: str | ChatReply) -> None:
        self.replies = [
            reply if isinstance(reply, ChatReply) else ChatReply(reply, usage=Usage(10, 5, 1, 0.5))
            for reply in replies
        ]
        self.requests: list[ChatRequest] = []

    async def chat(self, request: ChatRequest, /) -> ChatReply:
        self.requests.append(request)
        return self.replies[min(len(self.requests), len(self.replies)) - 1]

    def text(self, index: int = -1) -> str:
        return "\n".join(message.content for message in self.requests[index].messages)


@pytest.fixture
def scripted_chat() -> type[ScriptedChat]:
    return ScriptedChat


def find(name: str) -> Component[Any]:
    offered: Iterable[Component[Any]] = (
        *plugin.grpo_generators(),
        *plugin.grpo_critics(),
        *plugin.grpo_advisors(),
    )
    return next(component for component in offered if component.name == name)


@pytest.fixture
def open_component() -> Callable[..., Any]:
    """Open a component by name over a chat model, with options."""

    def opener(name: str, model: ScriptedChat, owner: str = "generator_1", **options: Any) -> Any:
        wiring = Wiring(name, owner=owner, options=options, chat_model=model)
        return find(name).factory(wiring)

    return opener


@pytest.fixture
def component() -> Callable[[str], Component[Any]]:
    return find
