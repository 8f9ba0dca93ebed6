"""A chat model: no retry, no limit, no counting of costs; the framework does that."""

from contextlib import asynccontextmanager

from grpo_framework import ChatReply, Component, ModelError, Usage, hookimpl
from grpo_framework.component import free


class Echo:
    def __init__(self, name):
        self.name = name

    async def chat(self, request, /):
        words = request.messages[-1].content.split()
        if not words:
            raise ModelError("the last message is empty", kind="bad_request")
        limit = request.max_tokens or 512
        usage = Usage(
            input_tokens=sum(len(message.content.split()) for message in request.messages),
            output_tokens=min(len(words), limit),
            calls=1,
        )
        finish = "length" if len(words) > limit else "stop"
        return ChatReply(" ".join(words[:limit]), finish=finish, usage=usage, model=self.name)


@asynccontextmanager
async def open_echo(wiring):
    yield Echo(wiring.name)  # of `plugin/echo-1` this is `echo-1`


@hookimpl
def grpo_chat_models():
    yield Component(
        "echo", open_echo, summary="says what it hears", patterns=("echo-*",), price=free
    )
