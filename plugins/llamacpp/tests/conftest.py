"""The real model, where its weights are: `make` or ``python -m grpo_llamacpp.fetch`` puts them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from grpo_llamacpp.weights import DEFAULT_MODEL, DIRECTORY, DIRECTORY_VARIABLE, find_weights

from grpo_framework.errors import ConfigError

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def weights() -> Path:
    """The default model's file; skips where it is not."""
    directory = os.environ.get(DIRECTORY_VARIABLE) or str(ROOT / DIRECTORY)
    try:
        return find_weights(DEFAULT_MODEL, None, {DIRECTORY_VARIABLE: directory})
    except ConfigError as error:
        pytest.skip(str(error))
