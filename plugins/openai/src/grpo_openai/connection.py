"""One session to one address, kept alive: a body goes out, status, headers and body come back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from grpo_framework.errors import ModelError
from grpo_openai.settings import Settings


@asynccontextmanager
async def open_connection(settings: Settings) -> AsyncIterator[Connection]:
    """Open a session for the whole life of a model."""
    timeout = aiohttp.ClientTimeout(
        total=settings.total_timeout, sock_connect=settings.connect_timeout
    )
    async with aiohttp.ClientSession(
        # The core limits what is in flight; a limit here would only hide its queue.
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, keepalive_timeout=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=settings.headers,
        timeout=timeout,
    ) as session:
        yield Connection(settings, session)


class Connection:
    """What an endpoint is reached by."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self.settings = settings
        self._session = session
        self._url = URL(settings.url).update_query(settings.query)

    async def post(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Send one body.

        Raises:
            ModelError: There was no answer, with the reason why.
        """
        settings = self.settings
        try:
            async with self._session.post(
                self._url, data=body, proxy=settings.proxy, allow_redirects=False
            ) as response:
                return response.status, response.headers, await response.read()
        except TimeoutError as error:
            raise self._timeout(error) from None
        except aiohttp.ClientSSLError as error:
            message = f"no secure connection to {settings.url}: {error}"
            raise ModelError(message, kind="connection", retryable=False) from None
        except aiohttp.ClientConnectionError as error:
            message = f"no connection to {settings.url}: {_cause(error)}"
            hint = "is the endpoint up, and the address right?"
            raise ModelError(message, kind="connection", hint=hint) from None
        except aiohttp.ClientPayloadError as error:
            message = f"{settings.url} broke off in the middle of its reply: {_cause(error)}"
            raise ModelError(message, kind="connection") from None
        except aiohttp.ClientError as error:
            message = f"{settings.url} does not speak HTTP as it should: {_cause(error)}"
            raise ModelError(message, kind="bad_reply") from None

    def _timeout(self, error: TimeoutError) -> ModelError:
        settings = self.settings
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            seconds, option = settings.connect_timeout, "connect_timeout"
        else:
            seconds, option = settings.total_timeout, "total_timeout"
        return ModelError(
            f"{settings.url} did not answer within {seconds:g} s",
            kind="timeout",
            hint=f"option {option} sets the limit",
        )


def _cause(error: BaseException) -> str:
    """The error in one line; some of aiohttp's have no text of their own."""
    return " ".join(str(error).split()) or type(error).__name__
