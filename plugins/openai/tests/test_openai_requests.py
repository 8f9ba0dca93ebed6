"""What goes over the wire, and what is read of a good answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from grpo_openai.settings import read_settings
from grpo_openai.wire import read_reply, write_body
from hypothesis import given
from hypothesis import strategies as st

from grpo_framework.component import Wiring
from grpo_framework.records import ChatRequest, Message, Usage

ASK = ChatRequest((Message("system", "Be brief."), Message("user", "6·7?")))


async def ask(model: Any, _url: str) -> Any:
    return await model.chat(ASK)


def test_plain_call(endpoint: Any, serving: Any) -> None:
    """The messages go out in order with model and key; text, usage and model come back."""
    reply = serving(endpoint, ask)
    assert endpoint.bodies == [
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "6·7?"},
            ],
        }
    ]
    assert endpoint.headers[0]["Authorization"] == "Bearer sk-test-secret"
    assert endpoint.headers[0]["Content-Type"] == "application/json"
    assert (reply.text, reply.finish, reply.model) == ("42", "stop", "m-2026")
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.calls) == (7, 3, 1)
    assert reply.usage.seconds > 0


def test_options_go_into_the_body(endpoint: Any, serving: Any) -> None:
    """Every sampling option is sent under its name; further fields, headers and query too."""
    sampling = {
        "temperature": 0.3,
        "top_p": 0.9,
        "top_k": 20,
        "min_p": 0.05,
        "frequency_penalty": 0.1,
        "presence_penalty": -0.1,
        "repetition_penalty": 1.1,
        "repeat_penalty": 1.2,
        "logit_bias": {"50256": -100},
        "seed": 5,
        "reasoning_effort": "low",
    }
    options = {
        **sampling,
        "max_tokens": 64,
        "max_tokens_field": "max_completion_tokens",
        "stop": ["END"],
        "extra_body": {"chat_template_kwargs": {"enable_thinking": False}},
        "headers": {"X-Title": "grpo"},
        "query": {"api-version": "2026-01-01"},
        "model": "real/name",
    }
    serving(endpoint, ask, options=options)
    body = dict(endpoint.bodies[0])
    del body["messages"]
    assert body == {
        **sampling,
        "model": "real/name",
        "max_completion_tokens": 64,
        "stop": ["END"],
        "chat_template_kwargs": {"enable_thinking": False},
    }
    assert endpoint.headers[0]["X-Title"] == "grpo"
    assert endpoint.queries == [{"api-version": "2026-01-01"}]


def test_the_request_wins_over_options(endpoint: Any, serving: Any) -> None:
    """What the caller sets replaces the option; stops are joined; omitted fields stay away."""
    request = ChatRequest(ASK.messages, seed=9, temperature=0.0, max_tokens=5, stop=("A", "B"))

    async def use(model: Any, _url: str) -> None:
        await model.chat(request)

    options = {"temperature": 1.0, "max_tokens": 99, "stop": ["B", "C"], "omit": ["seed"]}
    serving(endpoint, use, options=options)
    body = endpoint.bodies[0]
    assert (body["temperature"], body["max_tokens"], body["stop"]) == (0.0, 5, ["A", "B", "C"])
    assert "seed" not in body


def test_key_in_another_header_and_variable(endpoint: Any, serving: Any) -> None:
    """Another header carries the bare key of another variable."""
    options = {"api_key_env": "MY_KEY", "api_key_header": "api-key"}
    serving(endpoint, ask, options=options, environment={"MY_KEY": "k2"})
    assert endpoint.headers[0]["api-key"] == "k2"
    assert "Authorization" not in endpoint.headers[0]


def test_a_local_endpoint_needs_no_key(endpoint: Any, serving: Any) -> None:
    """Without a key, no Authorization is sent."""
    serving(endpoint, ask, environment={"OPENAI_API_KEY": ""})
    assert "Authorization" not in endpoint.headers[0]


@pytest.mark.parametrize(
    ("message", "finish", "expected"),
    [
        ({"text": "a"}, "stop", ("a", "stop")),
        ({"text": "a"}, None, ("a", "stop")),
        ({"text": "a"}, "end_turn", ("a", "stop")),
        ({"text": "a"}, "length", ("a", "length")),
        ({"text": None}, "length", ("", "length")),
        ({"text": ""}, "content_filter", ("", "refused")),
        ({"text": None, "refusal": "I can't."}, "stop", ("I can't.", "refused")),
        (
            {"text": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            "stop",
            ("ab", "stop"),
        ),
    ],
)
def test_finish(
    endpoint: Any, serving: Any, written: Any, message: Any, finish: Any, expected: Any
) -> None:
    """Length and refusal are told apart from a finished answer."""
    endpoint.answers = [written(finish=finish, **message)]
    reply = serving(endpoint, ask)
    assert (reply.text, reply.finish) == expected


def test_usage_may_be_absent(written: Any) -> None:
    """Counts that the endpoint does not give are 0; the call and its time are counted."""
    document = written()
    del document["usage"]
    assert read_reply(document, seconds=1.5).usage == Usage(0, 0, 1, 1.5)
    document["usage"] = {"prompt_tokens": None}
    assert read_reply(document, seconds=0.0).usage == Usage(0, 0, 1, 0.0)


def test_one_connection_is_kept(endpoint: Any, serving: Any) -> None:
    """Calls one after the other share one connection."""

    async def use(model: Any, _url: str) -> None:
        for _ in range(20):
            await model.chat(ASK)

    serving(endpoint, use)
    assert len(endpoint.bodies) == 20
    assert len(endpoint.connections) == 1


def test_calls_run_at_once(endpoint: Any, serving: Any) -> None:
    """150 calls are in flight together: the plugin sets no limit of its own."""
    gate, waiting = asyncio.Event(), []

    async def handler(_request: web.Request) -> web.Response:
        waiting.append(1)
        if len(waiting) == 150:
            gate.set()
        await gate.wait()
        return web.json_response({"choices": [{"message": {"content": "x"}}]})

    endpoint.handler = handler

    async def use(model: Any, _url: str) -> list[Any]:
        return await asyncio.gather(*(model.chat(ASK) for _ in range(150)))

    assert len(serving(endpoint, use)) == 150


def test_cancellation_ends_the_call(endpoint: Any, serving: Any) -> None:
    """A cancelled call raises CancelledError, its connection is closed, the next call works."""
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        arrived.set()
        # A transport tells of its end by nothing but this question.
        while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        gone.set()
        raise ConnectionResetError

    endpoint.handler = handler

    async def use(model: Any, _url: str) -> str:
        task = asyncio.create_task(model.chat(ASK))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await gone.wait()
        endpoint.handler = None
        return (await model.chat(ASK)).text

    assert serving(endpoint, use) == "42"


def test_unicode_both_ways(endpoint: Any, serving: Any, written: Any) -> None:
    """Any text arrives as it was; a lone surrogate, which is none, as U+FFFD."""
    text = "分数 ½ 😀 \x00\x7f \ud83d\ude00 lone:\ud800!"
    endpoint.answers = [
        web.Response(
            body=b'{"choices":[{"message":{"content":"\\u5206 \\ud83d\\ude00 \\ud800."}}]}',
            content_type="application/json",
        )
    ]

    async def use(model: Any, _url: str) -> str:
        return (await model.chat(ChatRequest((Message("user", text),)))).text

    assert serving(endpoint, use) == "分 😀 \ufffd."
    sent = endpoint.bodies[0]["messages"][0]["content"]
    assert sent == "分数 ½ 😀 \x00\x7f 😀 lone:\ufffd!"
    assert "分数".encode() in endpoint.raw[0]


@given(st.text(st.characters(), max_size=50))
def test_any_text_can_be_written(text: str) -> None:
    """Whatever a prompt holds, the body is UTF-8."""
    wiring = Wiring(name="m", options={"base_url": "http://localhost/v1"})
    request = ChatRequest((Message("user", text),))
    body = write_body(request, read_settings(wiring), json_mode="off", tokens_field="max_tokens")
    assert body.decode("utf-8")


def test_a_refusal_and_a_model_name_hold_no_lone_surrogates(endpoint: Any, serving: Any) -> None:
    """They come from outside as the content does, and go where only UTF-8 can be written."""
    body = b'{"model":"m\\udc80","choices":[{"message":{"content":null,"refusal":"no \\ud800."}}]}'
    endpoint.answers = [web.Response(body=body)]

    async def use(model: Any, _url: str) -> Any:
        return await model.chat(ChatRequest((Message("user", "6·7?"),)))

    reply = serving(endpoint, use)
    assert (reply.text, reply.model, reply.finish) == ("no \ufffd.", "m\ufffd", "refused")
