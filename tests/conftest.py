"""What holds for all tests of the core: no network but loopback, no settings of the machine."""

from __future__ import annotations

import ipaddress
import os
import socket

import pytest
from hypothesis import settings

# Machines differ in speed; a slow example is no failure.
settings.register_profile("grpo", deadline=None, print_blob=True)
settings.load_profile("grpo")

_connect = socket.socket.connect


def _is_local(address) -> bool:
    if not isinstance(address, tuple):
        return True
    host = address[0]
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _connect_locally(self, address):
    if not _is_local(address):
        message = f"a test tried to reach {address}; tests use the loopback network only"
        raise OSError(message)
    return _connect(self, address)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """No test, and no program that one starts, reads or writes the user's cache directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRPO_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _isolated(monkeypatch):
    """Keys and settings of whoever runs the tests decide nothing."""
    kept = {"GRPO_SHARED_DATA", "GRPO_CACHE_DIR"}
    for name in os.environ:
        if name.startswith(("OPENAI_", "GRPO_")) and name not in kept:
            monkeypatch.delenv(name)
    monkeypatch.setattr(socket.socket, "connect", _connect_locally)
