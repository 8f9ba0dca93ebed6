"""Each failure of an endpoint comes out as its kind."""

from __future__ import annotations

import asyncio
import socket
import time
from email.utils import formatdate
from typing import Any

import pytest
from aiohttp import web
from grpo_openai.client import open_model
from grpo_openai.failures import read_retry_after

from grpo_framework.component import Wiring
from grpo_framework.errors import ModelError
from grpo_framework.records import ChatRequest, Message

ASK = ChatRequest((Message("user", "6·7?"),))


def fail(endpoint: Any, serving: Any, answer: Any, **given: Any) -> ModelError:
    async def use(model: Any, _url: str) -> ModelError:
        with pytest.raises(ModelError) as caught:
            await model.chat(ASK)
        return caught.value

    endpoint.answers = [answer]
    error = serving(endpoint, use, **given)
    assert "\n" not in str(error)
    assert "sk-test-secret" not in str(error)
    return error


def answer(status: int, message: str = "no", *, headers: Any = None, **error: Any) -> web.Response:
    return web.json_response(
        {"error": {"message": message, **error}}, status=status, headers=headers
    )


@pytest.mark.parametrize(
    ("given", "kind", "retryable"),
    [
        ((401, "Incorrect API key provided: sk-test-secret"), "authentication", False),
        ((403,), "authentication", False),
        ((404, "The model `m` does not exist"), "not_found", False),
        ((400, "temperature must be a number"), "bad_request", False),
        ((422, "bad field"), "bad_request", False),
        ((405,), "bad_request", False),
        ((301,), "bad_request", False),
        ((501,), "bad_request", False),
        ((413, "body too large"), "context_too_long", False),
        ((400, "This model's maximum context length is 8192 tokens."), "context_too_long", False),
        ((400, "prompt is too long: 9 tokens > 8 maximum"), "context_too_long", False),
        ((408,), "timeout", True),
        ((409,), "rate_limited", True),
        ((429,), "rate_limited", True),
        ((500,), "overloaded", True),
        ((502,), "overloaded", True),
        ((503,), "overloaded", True),
        ((504,), "overloaded", True),
        ((529,), "overloaded", True),
    ],
)
def test_status(endpoint: Any, serving: Any, given: Any, kind: str, retryable: bool) -> None:
    """Each status has its kind; the message quotes the endpoint, never the key."""
    error = fail(endpoint, serving, answer(*given))
    assert (error.kind, error.retryable) == (kind, retryable)
    assert str(given[0]) in error.message


def test_wrong_key_names_the_variable(endpoint: Any, serving: Any) -> None:
    """A refused key is mended by the variable's name."""
    error = fail(endpoint, serving, answer(401))
    assert "OPENAI_API_KEY" in error.hint
    error = fail(endpoint, serving, answer(401), environment={"OPENAI_API_KEY": ""})
    assert "OPENAI_API_KEY is not set" in error.hint


@pytest.mark.parametrize("code", ["context_length_exceeded", "exceed_context_size_error"])
def test_context_by_code(endpoint: Any, serving: Any, code: str) -> None:
    """The vendor's and llama.cpp's codes are known, whatever the words."""
    field = "code" if code.startswith("context") else "type"
    assert fail(endpoint, serving, answer(400, "no", **{field: code})).kind == "context_too_long"


def test_no_credit_is_not_retried(endpoint: Any, serving: Any) -> None:
    """An exhausted quota comes as 429 or 402 and does not pass by waiting."""
    for given in (answer(429, "quota", code="insufficient_quota"), answer(402, "pay")):
        error = fail(endpoint, serving, given)
        assert (error.kind, error.retryable) == ("rate_limited", False)


def test_content_filter_is_a_refusal(endpoint: Any, serving: Any) -> None:
    """A prompt that a filter stops is refused, not malformed."""
    assert fail(endpoint, serving, answer(400, code="content_filter")).kind == "refused"


def test_error_inside_status_200(endpoint: Any, serving: Any) -> None:
    """Some gateways send an error with status 200; its code counts."""
    error = fail(endpoint, serving, {"error": {"code": 429, "message": "slow down"}})
    assert error.kind == "rate_limited"
    assert fail(endpoint, serving, {"error": "odd"}).kind == "bad_reply"


NOW = "Sun, 22 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (429, {"retry-after": "7"}, 7.0),
        (503, {"retry-after": "0.5"}, 0.5),
        (429, {"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        (429, {"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT", "date": NOW}, 30.0),
        (429, {"retry-after": "Sun, 22 Nov 2026 09:00:00 GMT", "date": NOW}, 0.0),
        (429, {"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT", "date": "odd"}, None),
        (429, {"retry-after": "soon"}, None),
        (429, {"retry-after": "-3"}, None),
        (429, {"x-ratelimit-reset-requests": "1m30.5s", "x-ratelimit-remaining-requests": "0"}, 90.5),
        (429, {"x-ratelimit-reset-requests": "1s", "x-ratelimit-remaining-requests": "5",
               "x-ratelimit-reset-tokens": "20ms", "x-ratelimit-remaining-tokens": "0"}, 0.02),
        (429, {"x-ratelimit-reset": "12"}, 12.0),
        (429, {"x-ratelimit-reset-tokens": "whenever"}, None),
        (429, {}, None),
        (500, {"x-ratelimit-reset": "12"}, None),
    ],
)  # fmt: skip
def test_retry_after(status: int, headers: Any, expected: float | None) -> None:
    """Every spelling of the wait is read; what is no time is none."""
    found = read_retry_after(status, headers)
    if "odd" in headers.values():
        assert found is not None
        assert found >= 0.0
    else:
        assert found == (None if expected is None else pytest.approx(expected))


def test_reset_as_unix_time() -> None:
    """A reset given as a point in time, in seconds or milliseconds, is a wait from now."""
    for scale in (1, 1000):
        found = read_retry_after(429, {"x-ratelimit-reset": str(int((time.time() + 60) * scale))})
        assert found is not None
        assert 50 < found <= 61


def test_retry_after_arrives(endpoint: Any, serving: Any) -> None:
    """The wait reaches the error through real headers, as seconds and as a date."""
    error = fail(endpoint, serving, answer(429, headers={"Retry-After": "3"}))
    assert error.retry_after == 3.0
    date = formatdate(time.time() + 100, usegmt=True)
    error = fail(endpoint, serving, answer(503, headers={"Retry-After": date}))
    assert error.retry_after is not None
    assert 90 < error.retry_after < 110


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>ok</html>",
        b'{"choices":[{"message":{"cont',
        b"\xff\xfe{}",
        b"[" * 100_000,
        b"[]",
        b"{}",
        b'{"choices":[]}',
        b'{"choices":[null]}',
        b'{"choices":[{"message":null}]}',
        b'{"choices":[{"message":{"content":5}}]}',
        b'{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}',
        b'{"choices":[{"message":{"content":"x"},"finish_reason":"error"}]}',
        b'{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":"7"}}',
        b'{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":9007199254740993}}',
        b'{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":%d}}' % 2**70,
        b'{"choices":[{"message":{"content":"\\ud800"}}],"usage":{"prompt_tokens":%d}}' % 2**70,
        b'{"choices":[{"message":{"content":"x"}}],"usage":[]}',
        b'{"error":"busy"}',
    ],
)
def test_bad_reply(endpoint: Any, serving: Any, raw: bytes) -> None:
    """A body that is no whole chat completion is a bad reply, never a made-up answer."""
    assert fail(endpoint, serving, web.Response(body=raw)).kind == "bad_reply"


def test_error_body_need_not_be_json(endpoint: Any, serving: Any) -> None:
    """A gateway's HTML page is quoted in one short line."""
    page = "<html>\n<h1>502 Bad Gateway</h1>" + "x" * 5000
    error = fail(endpoint, serving, web.Response(status=502, text=page))
    assert error.kind == "overloaded"
    assert "502 Bad Gateway" in error.message
    assert len(error.message) < 400


def _broken(endpoint: Any, serving: Any, raw: bytes, **options: Any) -> ModelError:
    """Fail against a server that sends raw bytes and closes."""

    async def use(_model: Any, _url: str) -> ModelError:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(raw)
            if options.get("hang"):
                await reader.read()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        limits = {"total_timeout": 0.2} if options.get("hang") else {}
        wiring = Wiring(name="m", options={"base_url": f"http://127.0.0.1:{port}/v1", **limits})
        async with server, open_model(wiring) as model:
            with pytest.raises(ModelError) as caught:
                await model.chat(ASK)
        return caught.value

    return serving(endpoint, use)


def test_connection_closed_without_an_answer(endpoint: Any, serving: Any) -> None:
    """A dropped connection is a connection failure."""
    assert _broken(endpoint, serving, b"").kind == "connection"


def test_connection_closed_within_the_body(endpoint: Any, serving: Any) -> None:
    """A body cut off on the wire is a connection failure."""
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"
    assert _broken(endpoint, serving, raw).kind == "connection"


def test_not_http(endpoint: Any, serving: Any) -> None:
    """What is no HTTP is a bad reply."""
    assert _broken(endpoint, serving, b"SSH-2.0-OpenSSH\r\n\r\n").kind == "bad_reply"


def test_hung_endpoint(endpoint: Any, serving: Any) -> None:
    """An endpoint that never answers is a timeout that names the option."""
    error = _broken(endpoint, serving, b"", hang=True)
    assert (error.kind, error.retryable) == ("timeout", True)
    assert "total_timeout" in error.hint


def _ask_at(url: str) -> ModelError:
    async def run() -> ModelError:
        async with (
            asyncio.timeout(300),
            open_model(Wiring(name="m", options={"base_url": url})) as m,
        ):
            with pytest.raises(ModelError) as caught:
                await m.chat(ASK)
            return caught.value

    return asyncio.run(run())


def test_endpoint_down() -> None:
    """A refused connection is a connection failure that names the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    error = _ask_at(f"http://127.0.0.1:{port}/v1")
    assert (error.kind, error.retryable) == ("connection", True)
    assert str(port) in error.message


def test_unknown_host() -> None:
    """A name that cannot be resolved is a connection failure."""
    assert _ask_at("http://no-such-host.invalid/v1").kind == "connection"


def test_redirects_are_not_followed(endpoint: Any, serving: Any) -> None:
    """A redirect could carry the key elsewhere; it is an error about the address."""
    given = web.Response(status=307, headers={"Location": "http://127.0.0.1:9/"})
    assert "right address" in fail(endpoint, serving, given).hint
