"""The chat client, and what it learns of its endpoint."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from grpo_framework.component import Wiring
from grpo_framework.errors import ModelError
from grpo_framework.records import ChatReply, ChatRequest
from grpo_openai.connection import Connection, open_connection
from grpo_openai.failures import quote_of, read_failure
from grpo_openai.settings import JsonMode, Settings, TokensField, read_settings
from grpo_openai.wire import read_document, read_reply, write_body

_REFUSES_SCHEMA = re.compile(
    r"response.?format|json.?schema|json.?object|json.?mode|structured.?output|guided",
    re.IGNORECASE,
)


@asynccontextmanager
async def open_model(wiring: Wiring) -> AsyncIterator[OpenAIModel]:
    """Open a model: one session for its whole life.

    Raises:
        ConfigError: See `grpo_openai.settings.read_settings`.
    """
    settings = read_settings(wiring)
    async with open_connection(settings) as connection:
        yield OpenAIModel(settings, connection)


class OpenAIModel:
    """A chat model behind an OpenAI-compatible endpoint.

    It remembers for its life which of the ways to ask for a schema, and which name of the token
    limit, the endpoint takes. It does not retry; the framework's guard does.
    """

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection
        self._json_modes = settings.json_modes
        self._tokens_fields = settings.tokens_fields

    async def chat(self, request: ChatRequest, /) -> ChatReply:
        """Answer one request.

        Raises:
            ModelError: With its kind and, where the endpoint asked for it, `retry_after`.
        """
        while True:
            json_mode, tokens_field = self._json_modes[0], self._tokens_fields[0]
            body = write_body(
                request, self._settings, json_mode=json_mode, tokens_field=tokens_field
            )
            start = time.monotonic()
            status, headers, raw = await self._connection.post(body)
            if status == 200:
                document = read_document(raw)
                failure = failure_within(document, "choices")
                if failure is None:
                    return read_reply(document, seconds=time.monotonic() - start)
                raise read_failure(failure, headers, document, self._settings)
            document = document_or_text(raw)
            if not self._gave_way(request, status, document, json_mode, tokens_field):
                raise read_failure(status, headers, document, self._settings)

    def _gave_way(
        self,
        request: ChatRequest,
        status: int,
        document: Any,
        json_mode: JsonMode,
        tokens_field: TokensField,
    ) -> bool:
        """Whether the endpoint refused a form of the request for which there is another.

        Calls at the same time may all be refused; only the first of them moves the form on.
        """
        if status not in (400, 422):
            return False
        quote = quote_of(document, self._settings)
        if len(self._tokens_fields) > 1 and "max_completion_tokens" in quote:
            self._tokens_fields = self._tokens_fields[1:]
            return True
        if tokens_field != self._tokens_fields[0] and "max_completion_tokens" in quote:
            return True
        if request.schema is None or json_mode == "off" or not _REFUSES_SCHEMA.search(quote):
            return False
        if json_mode != self._json_modes[0]:
            return True
        if len(self._json_modes) == 1:
            return False
        self._json_modes = self._json_modes[1:]
        return True


def failure_within(document: Any, wanted: str) -> int | None:
    """The code of an error that came with status 200, as some gateways send it.

    Args:
        document: The parsed body.
        wanted: The key that a good answer has.
    """
    if not isinstance(document, dict) or wanted in document:
        return None
    error = document.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else None


def document_or_text(raw: bytes) -> Any:
    """The body of an error, which need not be JSON."""
    try:
        return read_document(raw)
    except ModelError:
        return raw.decode("utf-8", "replace")
