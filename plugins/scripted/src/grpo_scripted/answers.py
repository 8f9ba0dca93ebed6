"""Final answers of the simulated student: how they are written, read again, and got wrong."""

from __future__ import annotations

import re
from decimal import Decimal

from attrs import frozen

from grpo_scripted.dice import choose

ATTEMPT_START = "Let me work through it."
FUSION_START = "I compared the attempts."
ANSWER_START = "So the answer is"

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_START = re.compile(f"{re.escape(ATTEMPT_START)}|{re.escape(FUSION_START)}")
_BOX = re.compile(r"\\+boxed\s*\{")
_OPPOSITES = {"yes": "no", "no": "yes", "true": "false", "false": "true"}


@frozen
class Passage:
    """A response of the simulated student, found in a longer text.

    Attributes:
        text: The response up to its answer.
        answer: Its final answer.
        fusion: Whether it is a critic's.
    """

    text: str
    answer: str
    fusion: bool


def write_response(start: str, tactic: str, answer: str) -> str:
    """Write a whole response; `tactic` is the sentence it names, or empty."""
    named = f"I used this tactic: {tactic}" if tactic else "I used no tactic."
    return f"{start}\n{named}\n{ANSWER_START} \\boxed{{{answer}}}."


def read_box(text: str) -> str | None:
    r"""The content of the last complete ``\boxed{…}``, braces balanced, or None."""
    for match in reversed(tuple(_BOX.finditer(text))):
        depth = 1
        for place in range(match.end(), len(text)):
            depth += {"{": 1, "}": -1}.get(text[place], 0)
            if depth == 0:
                return text[match.end() : place].strip()
    return None


def read_answer(text: str) -> str | None:
    """The final answer of a response: the last box, else the last line; None without text."""
    boxed = read_box(text)
    if boxed is not None:
        return boxed
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else None


def find_passages(text: str) -> tuple[Passage, ...]:
    """Find the simulated student's complete responses in a prompt, in their order."""
    starts = tuple(_START.finditer(text))
    found = []
    for number, match in enumerate(starts, start=1):
        end = starts[number].start() if number < len(starts) else len(text)
        head, mark, tail = text[match.start() : end].partition(ANSWER_START)
        answer = _first_box(tail) if mark else None
        if answer is not None:
            found.append(Passage(head, answer, match[0] == FUSION_START))
    return tuple(found)


def _first_box(text: str) -> str | None:
    match = _BOX.search(text)
    if match is None:
        return None
    following = _BOX.search(text, match.end())
    return read_box(text[: following.start() if following else len(text)])


def make_wrong(answer: str, *about: object) -> str:
    """Make a plausible wrong answer, the same for the same parts.

    A number in it is shifted (the last one), a choice letter or a yes/no is turned, anything else
    becomes another text.
    """
    plain = _GROUPED.sub("", answer.strip())
    if len(plain) == 1 and plain.isascii() and plain.isalpha():
        letters = "ABCD" if plain.isupper() else "abcd"
        return choose([letter for letter in letters if letter != plain], "wrong", *about)
    if plain.casefold() in _OPPOSITES:
        return _OPPOSITES[plain.casefold()]
    numbers = tuple(_NUMBER.finditer(plain))
    if not numbers:
        return choose(["none of these", "it cannot be said"], "wrong", *about)
    last = numbers[-1]
    shifted = Decimal(last[0]) + choose((1, 2, 10), "wrong", *about)
    return f"{plain[: last.start()]}{shifted}{plain[last.end() :]}"
