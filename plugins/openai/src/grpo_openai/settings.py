"""What a wiring comes down to: one frozen value, `Settings`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

from attrs import field, frozen

from grpo_framework.component import Wiring
from grpo_framework.errors import ConfigError
from grpo_framework.validation import pointer as pointer_to
from grpo_openai.options import (
    KEY_VARIABLE,
    SAMPLING,
    UNNAMED,
    UNNAMED_EMBEDDER,
    URL_VARIABLE,
    VENDOR_URL,
)

JsonMode = Literal["json_schema", "json_object", "off"]
TokensField = Literal["max_tokens", "max_completion_tokens"]


@frozen
class Settings:
    """How an endpoint is spoken to.

    Attributes:
        model: The model's name.
        url: Address of the chat completions, or of the embeddings.
        key: The key, or empty; never in a message.
        key_variable: Where the key was looked for.
        headers: All headers of a call, the key's among them.
        query: Query of the address.
        proxy: Address of a proxy, or None.
        defaults: Fields of the body that each call starts from.
        max_tokens: Limit of an answer where the caller sets none.
        tokens_fields: Names of the limit's field, to be tried in this order.
        stop: Texts that end every answer.
        json_modes: Ways to ask for a schema, to be tried in this order.
        strict_schema: Whether a schema is sent as strict.
        omit: Fields never sent.
        extra_body: Fields that win over all others.
        connect_timeout: Seconds.
        total_timeout: Seconds.
    """

    model: str
    url: str
    key: str = field(repr=False)
    key_variable: str
    headers: Mapping[str, str] = field(repr=False, hash=False)
    query: Mapping[str, str] = field(hash=False)
    proxy: str | None = field(repr=False)
    defaults: Mapping[str, Any] = field(hash=False)
    max_tokens: int | None
    tokens_fields: tuple[TokensField, ...]
    stop: tuple[str, ...]
    json_modes: tuple[JsonMode, ...]
    strict_schema: bool
    omit: frozenset[str]
    extra_body: Mapping[str, Any] = field(hash=False)
    connect_timeout: float
    total_timeout: float


def read_settings(wiring: Wiring, path: str = "/chat/completions") -> Settings:
    """Bring name, options and environment down to one value.

    Args:
        wiring: Of the component.
        path: What stands behind the base of the address.

    Raises:
        ConfigError: No model named, an unusable address, a missing or unusable key, an option that
            JSON cannot carry.
    """
    given = wiring.options
    _check_plain(given)
    base = _base_url(wiring)
    variable = str(given.get("api_key_env", KEY_VARIABLE))
    key = _key(wiring, variable, base)
    return Settings(
        model=_model(wiring),
        url=f"{base}{path}",
        key=key,
        key_variable=variable,
        headers=_headers(given, key),
        query=dict(given.get("query", {})),
        proxy=_proxy(wiring, base),
        defaults={name: given[name] for name in SAMPLING if name in given},
        max_tokens=given.get("max_tokens"),
        tokens_fields=_tokens_fields(given.get("max_tokens_field", "auto")),
        stop=tuple(given.get("stop", ())),
        json_modes=_json_modes(given.get("json_schema", "auto")),
        strict_schema=bool(given.get("strict_schema", False)),
        omit=frozenset(given.get("omit", ())),
        extra_body=dict(given.get("extra_body", {})),
        connect_timeout=float(given.get("connect_timeout", 10.0)),
        total_timeout=float(given.get("total_timeout", 600.0)),
    )


def _check_plain(value: Any, path: tuple[str | int, ...] = ()) -> None:
    """Refuse what would go out as null, under another key, or not at all."""
    wrong = _what_is_wrong(value)
    if wrong:
        name = ".".join(map(str, path))
        raise ConfigError(f"option {name} holds {wrong}", pointer=pointer_to(path))
    held = value.items() if isinstance(value, Mapping) else ()
    for key, inner in enumerate(value) if isinstance(value, list | tuple) else held:
        _check_plain(inner, (*path, key))


def _what_is_wrong(value: Any) -> str:
    """Why a value itself, whatever it holds, is none of JSON; empty where it is one."""
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"the number {value}, which JSON does not have"
    if isinstance(value, Mapping):
        keys = [key for key in value if not isinstance(key, str)]
        return f"the key {keys[0]!r}, which is no text" if keys else ""
    if value is None or isinstance(value, str | int | list | tuple):
        return ""
    return f"a {type(value).__name__}, which is no JSON value"


def _model(wiring: Wiring) -> str:
    name = str(wiring.options.get("model", wiring.name))
    if name in (UNNAMED, UNNAMED_EMBEDDER) and "model" not in wiring.options:
        raise ConfigError(
            "the openai plugin needs a model's name",
            hint="write openai/MODEL, as in openai/gpt-4.1-mini or openai/text-embedding-3-small",
        )
    return name


def _base_url(wiring: Wiring) -> str:
    option = wiring.options.get("base_url")
    source, pointer = (
        ("option base_url", "/base_url") if option else (f"variable {URL_VARIABLE}", "")
    )
    base = str(option or wiring.environment.get(URL_VARIABLE, "").strip() or VENDOR_URL).rstrip("/")
    try:
        parts = urlsplit(base)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    hint = "give http(s)://HOST[:PORT]/v1"
    if not usable:
        raise ConfigError(
            f"'{base}' ({source}) is no address of an endpoint", pointer=pointer, hint=hint
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(
            f"the {source} holds a user name, query or fragment",
            pointer=pointer,
            hint=f"{hint}; the key comes from {KEY_VARIABLE}, a query from option query",
        )
    return base


def _key(wiring: Wiring, variable: str, base: str) -> str:
    key = wiring.environment.get(variable, "").strip()
    if not key and ("api_key_env" in wiring.options or base == VENDOR_URL):
        raise ConfigError(
            f"no key for {base}: the environment variable {variable} is not set",
            hint=f"export {variable}=…, or name another endpoint by {URL_VARIABLE} or base_url",
        )
    if not re.fullmatch(r"[!-~]*", key):
        raise ConfigError(
            f"the key in {variable} holds blanks or characters that no key has",
            hint=f"set {variable} again, without quotes or line breaks",
        )
    return key


def _headers(given: Mapping[str, Any], key: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    headers.update(given.get("headers", {}))
    broken = [name for name, text in headers.items() if re.search(r"[\r\n\0]", name + text)]
    if broken:
        raise ConfigError(f"header {broken[0]!r} holds a line break", pointer="/headers")
    if key:
        name = str(given.get("api_key_header", "Authorization"))
        headers[name] = f"Bearer {key}" if name.lower() == "authorization" else key
    return headers


def _proxy(wiring: Wiring, base: str) -> str | None:
    if "proxy" in wiring.options:
        return str(wiring.options["proxy"]) or None
    proxies = {
        name.lower().removesuffix("_proxy"): value
        for name, value in wiring.environment.items()
        if name.lower().endswith("_proxy") and value
    }
    parts = urlsplit(base)
    if proxy_bypass_environment(parts.netloc, proxies):
        return None
    return proxies.get(parts.scheme)


def _tokens_fields(choice: str) -> tuple[TokensField, ...]:
    if choice == "max_completion_tokens":
        return ("max_completion_tokens",)
    return ("max_tokens", "max_completion_tokens") if choice == "auto" else ("max_tokens",)


def _json_modes(choice: str) -> tuple[JsonMode, ...]:
    if choice == "json_object":
        return ("json_object",)
    if choice == "json_schema":
        return ("json_schema",)
    return ("json_schema", "json_object", "off") if choice == "auto" else ("off",)
