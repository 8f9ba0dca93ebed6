"""``python -m grpo_prompted.templates DIR``: copy the shipped templates, to be edited."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from grpo_prompted.templates import FOLDER, LANGUAGES


def main(arguments: list[str] | None = None) -> int:
    """Copy every template into a folder; a file that is already there stops it, nothing is lost.

    Args:
        arguments: The command line without the program's name; None takes the process's own.

    Returns:
        The exit code: 0, or 2 where a file is in the way.
    """
    parser = argparse.ArgumentParser(
        prog="python -m grpo_prompted.templates",
        description="Copy the prompt templates of grpo-prompted into a folder, to be edited.",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="where to; made if missing")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="which set (en)")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    given = parser.parse_args(arguments)
    files = sorted((FOLDER / given.language).glob("*.j2"))
    if given.folder.exists() and not given.folder.is_dir():
        print(f"{given.folder} is not a folder; name another one", file=sys.stderr)  # noqa: T201
        return 2
    taken = [given.folder / file.name for file in files if (given.folder / file.name).exists()]
    if taken and not given.force:
        message = f"{taken[0]} is already there; name another folder or pass --force"
        print(message, file=sys.stderr)  # noqa: T201 - a command line's error
        return 2
    given.folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        print(shutil.copyfile(file, given.folder / file.name))  # noqa: T201 - its result
    return 0


if __name__ == "__main__":
    sys.exit(main())
