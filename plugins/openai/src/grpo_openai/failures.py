"""What an endpoint answers instead of a reply, pure: status, headers and body → `ModelError`."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from grpo_framework.errors import ModelError, ModelErrorKind
from grpo_openai.settings import Settings

_KINDS: Mapping[int, ModelErrorKind] = {
    401: "authentication",
    403: "authentication",
    404: "not_found",
    408: "timeout",
    409: "rate_limited",
    413: "context_too_long",
    429: "rate_limited",
    501: "bad_request",
}
"""Other 4xx are ``bad_request``, other 5xx ``overloaded``."""

_TOO_LONG = re.compile(
    r"context.{0,3}(length|window|size|limit)|maximum context|reduce the length"
    r"|(prompt|input|request).{0,40}(too long|too large|exceeds)|too many (input|prompt) tokens",
    re.IGNORECASE,
)
_NO_QUOTA = frozenset({"insufficient_quota", "billing_not_active", "billing_hard_limit_reached"})
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?")
_LONGEST_QUOTE = 300


def read_failure(
    status: int, headers: Mapping[str, str], document: Any, settings: Settings
) -> ModelError:
    """Tell what an answer with an error means.

    Args:
        status: HTTP status, or the code inside an error that came with status 200.
        headers: Of the answer; names in any case if the mapping takes them so.
        document: The parsed body, or its text.
        settings: For the names in the message; the key is cut out of what is quoted.
    """
    error = document.get("error") if isinstance(document, dict) else None
    fields = error if isinstance(error, dict) else {}
    codes = {str(fields.get("code")), str(fields.get("type"))}
    quote = quote_of(document, settings)
    said = f"the endpoint answered {status}" + (f": {quote}" if quote else "")
    if status == 402 or codes & _NO_QUOTA:
        return ModelError(
            f"no credit left: {said}",
            kind="rate_limited",
            retryable=False,
            hint="top up the account, or take another key or endpoint",
        )
    if "content_filter" in codes or "content_policy_violation" in codes:
        return ModelError(f"refused by a content filter: {said}", kind="refused")
    kind = _kind_of(status, codes, quote)
    return ModelError(
        said,
        kind=kind,
        retry_after=read_retry_after(status, headers),
        hint=_hint(kind, status, settings),
    )


def _kind_of(status: int, codes: set[str], quote: str) -> ModelErrorKind:
    if status in (400, 422) and (
        codes & {"context_length_exceeded", "exceed_context_size_error"} or _TOO_LONG.search(quote)
    ):
        return "context_too_long"
    return _KINDS.get(status, "overloaded" if status >= 500 else "bad_request")


def _hint(kind: ModelErrorKind, status: int, settings: Settings) -> str:
    if kind == "authentication":
        state = "holds no key that this endpoint takes" if settings.key else "is not set"
        return f"the environment variable {settings.key_variable} {state}"
    if kind == "not_found":
        return f"does {settings.url} exist, and does it know the model '{settings.model}'?"
    if 300 <= status < 400 or status == 405:
        return f"is {settings.url} the right address?"
    return ""


def quote_of(document: Any, settings: Settings) -> str:
    """What the endpoint said, in one line, without the key."""
    text: Any = document
    if isinstance(document, dict):
        error = document.get("error", document.get("detail", document.get("message")))
        text = error.get("message", error) if isinstance(error, dict) else error
    line = " ".join(("" if text is None else str(text)).split())
    if settings.key:
        line = line.replace(settings.key, "[key]")
    return line if len(line) <= _LONGEST_QUOTE else f"{line[: _LONGEST_QUOTE - 1]}…"


def read_retry_after(status: int, headers: Mapping[str, str]) -> float | None:
    """Seconds that the endpoint asked to wait, if it did.

    ``retry-after-ms``, ``retry-after`` in seconds or as a date (against the answer's own ``date``),
    and with 429 the ``x-ratelimit-reset…`` of a limit of which nothing remains.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000.0
    after = headers.get("retry-after")
    if after is not None:
        seconds = _number(after)
        return _until(after, headers.get("date")) if seconds is None else seconds
    return _longest_reset(headers) if status == 429 else None


def _number(text: str | None) -> float | None:
    if text is None or not re.fullmatch(r"\s*\d+(\.\d*)?\s*", text):
        return None
    return float(text)


def _until(date: str, now: str | None) -> float | None:
    try:
        then = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
    try:
        start = parsedate_to_datetime(now).timestamp() if now else time.time()
    except ValueError:
        start = time.time()
    return max(0.0, then - start)


def _longest_reset(headers: Mapping[str, str]) -> float | None:
    waits = [
        _duration(headers[f"x-ratelimit-reset{limit}"])
        for limit in ("", "-requests", "-tokens")
        if f"x-ratelimit-reset{limit}" in headers
        and _number(headers.get(f"x-ratelimit-remaining{limit}", "0")) == 0
    ]
    return max((wait for wait in waits if wait is not None), default=None)


def _duration(text: str) -> float | None:
    """Seconds of ``1m30.5s``, ``20ms``, a number of seconds, or a Unix time in s or ms."""
    number = _number(text)
    if number is not None:
        if number > 1e11:
            return max(0.0, number / 1000.0 - time.time())
        return max(0.0, number - time.time()) if number > 1e9 else number
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        return None
    scales = (86400.0, 3600.0, 60.0, 1.0, 0.001)
    try:
        parts = zip(match.groups(), scales, strict=True)
        return sum(float(part) * scale for part, scale in parts if part)
    except ValueError:
        return None
