"""Markdown from values: what the generated parts are written with."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator


def fence(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def table(*rows: tuple[str, ...]) -> str:
    head, *rest = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(value: object) -> str:
    return f"`{value}`"


def prose(text: str) -> str:
    """A docstring's paragraph on one line; its ``literal`` as Markdown code."""
    return re.sub(r"``(.+?)``", r"`\1`", " ".join(text.split()))


def attributes(cls: type) -> Iterator[tuple[str, str]]:
    """Name and meaning of a class's attributes, from its docstring."""
    section = inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")[2]
    section = re.split(r"\n\n|\n(?=\S)", section)[0]
    for match in re.finditer(r"^    (\w+): (.*(?:\n {6,}.*)*)", section, re.MULTILINE):
        yield match[1], prose(match[2])


def first_line(value: object) -> str:
    if value is str:  # a type alias
        return "Who holds a library: `generator_1` …, `critic` or `shared`."
    if not isinstance(value, type) and not callable(value):
        return "One of the operations above." if "Add" in str(value) else prose(str(value.__doc__))
    return prose((inspect.getdoc(value) or "").partition("\n\n")[0])
