"""What the options and the environment come down to, and what is refused before any call."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from grpo_openai.settings import read_settings

from grpo_framework.component import Wiring
from grpo_framework.errors import ConfigError


@pytest.mark.parametrize(
    ("options", "environment", "said"),
    [
        ({}, {}, "OPENAI_API_KEY"),
        ({"base_url": "http://h/v1", "api_key_env": "MINE"}, {}, "MINE"),
        ({}, {"OPENAI_BASE_URL": "ftp://h"}, "OPENAI_BASE_URL"),
        ({}, {"OPENAI_BASE_URL": "http://h:port/v1"}, "OPENAI_BASE_URL"),
        ({"base_url": "http://user:word@h/v1"}, {}, "user name"),
        ({"base_url": "http://h/v1?x=1"}, {}, "query"),
        ({"base_url": "http://h/v1"}, {"OPENAI_API_KEY": "two words"}, "OPENAI_API_KEY"),
        ({"base_url": "http://h/v1", "headers": {"X": "a\nb"}}, {}, "line break"),
        ({"temperature": float("nan")}, {}, "option temperature holds the number nan"),
        ({"total_timeout": float("inf")}, {}, "option total_timeout holds the number inf"),
    ],
)
def test_wrong_configuration(options: Any, environment: Any, said: str) -> None:
    """What cannot work is an error before any call, in one line, without secrets."""
    with pytest.raises(ConfigError, match=said) as caught:
        read_settings(Wiring(name="m", options=options, environment=environment))
    assert "\n" not in str(caught.value)
    for secret in ("word@", "two words"):
        assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("extra", "pointer", "said"),
    [
        ({"top_p": float("inf")}, "/extra_body/top_p", "option extra_body.top_p .* inf"),
        ({"a/b": [1, {"c": float("nan")}]}, "/extra_body/a~1b/1/c", "number nan"),
        ({"bias": {50: 1}}, "/extra_body/bias", "the key 50, which is no text"),
        ({"day": date(2026, 1, 1)}, "/extra_body/day", "a date, which is no JSON value"),
    ],
)
def test_what_no_body_can_hold_is_refused_at_opening(extra: Any, pointer: str, said: str) -> None:
    """It would go out as null, or under another key; the error says where it stands."""
    options = {"base_url": "http://h/v1", "extra_body": extra}
    with pytest.raises(ConfigError, match=said) as caught:
        read_settings(Wiring(name="m", options=options))
    assert caught.value.pointer == pointer


def test_model_must_be_named() -> None:
    """The plugin's name alone names no model; the option does."""
    options = {"base_url": "http://h/v1"}
    with pytest.raises(ConfigError, match="name"):
        read_settings(Wiring(name="chat", options=options))
    assert read_settings(Wiring(name="chat", options={**options, "model": "m"})).model == "m"


def test_settings_hide_the_key() -> None:
    """The key is in no representation."""
    environment = {"OPENAI_API_KEY": "sk-secret"}
    settings = read_settings(Wiring(name="m", environment=environment))
    assert "sk-secret" not in repr(settings)
    assert json.dumps(dict(settings.defaults)) == "{}"


def test_proxy_of_the_environment() -> None:
    """The environment's proxy is used for its scheme, and not for hosts of NO_PROXY."""
    environment = {"HTTP_PROXY": "http://p:3128", "no_proxy": "localhost,.lan"}
    proxies = [
        read_settings(Wiring(name="m", options={"base_url": url}, environment=environment)).proxy
        for url in ("http://a.b/v1", "http://x.lan/v1", "http://localhost:1/v1", "https://a.b/v1")
    ]
    assert proxies == ["http://p:3128", None, None, None]
