"""Find the boxed answers of a response: nested, joined, unclosed, in three commands."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final, NamedTuple

from grpo_math.extraction.cleaning import clean, matching_brace
from grpo_math.patterns import Pattern

MAX_JOINED: Final = 200
# `\b` of a badly escaped string arrives as a backspace, with the box's first letter gone.
_COMMANDS: Final = ("boxed", "fbox", "framebox", "\x08oxed")
_OPENING: Final = Pattern(r"\s{0,8}(?:\[[^\[\]{}]{0,20}\]\s{0,4}){0,2}\{")
_BARE: Final = Pattern(r"[ \t]{1,4}(\\[A-Za-z]{1,20}|[-+]?[\d.,/]*\d|[A-Za-z])")
_PARENTHESIS: Final = Pattern(r"\s{0,2}\(([^()\n]{1,60})\)")
_GAP_NOISE: Final = Pattern(
    r"\\(?:text|textrm|mathrm|mbox|textbf)\s?\{([^{}]{0,20})\}|\\(?:qquad|quad|[,;:! ()\[\]])|"
    r"[\\$&*_~\s]|\.(?=\s|$)"
)
_LABEL: Final = (
    r"(?:\(?[a-zA-Z0-9ivx]{1,3}[).:]|[A-Za-z](?:_?\{?\w{1,3}\}?)?=|"
    r"(?:for)?(?:part|case|answer)\(?\w\)?[.:)]?|[-•])"
)
_JOINER: Final = Pattern(
    r"(?:(?:and|or|aswellas|und|oder|et|ou|y|e|o|и|или|"
    r"和|与|以及|或|或者|及|と|,|;|，|；|、|/|&)|" + _LABEL + r"){1,4}",
    re.IGNORECASE,
)
_NAME: Final = Pattern(r"([A-Za-z](?:_\{?\w{1,3}\}?)?)\s{0,3}=\s{0,3}$")
_PLACEHOLDER: Final = Pattern(
    r"(?:\\text\{)?(?:|\.{2,6}|…|\\[lc]?dots|\?+|_+|\\_+|\\square|(?:your |the |final |my |"
    r"<)*answer(?: here)?>?|"
    r"\\?[{<\[]?(?:your_|final_)?answer[}>\]]?|#\d?|result|\\cdot)\}?",
    re.IGNORECASE,
)
_UNIT_AFTER: Final = Pattern(
    r"(?:\\[,;:! ]|[ ~])*(?:\\?%|"
    r"\$?\s?(?:%|percent(?:age)?\b|pct\b|per\scent\b)|\^\s?\{?\\?circ\}?|\\degree\b|°|"
    r"\\(?:text|mathrm|textrm|mbox)\s?\{[^{}]{1,40}\}(?:\^\{?-?\d\}?)?)"
)
_UNIT_WORDS: Final = Pattern(
    r"[\s~]*\\(?:text|mathrm|textrm|mbox)\s?\{\s*(?:and|or|so|since|because|which|where|if|for|"
    r"by|as|is|\(|\.|,|;)"
)
_MINUS_BEFORE: Final = Pattern(r"(?:[=$]|\\\[|\\\()\s{0,2}-\s?$")
CODE_FENCE: Final = Pattern(
    r"```[ \t]*(?:python|py|c|cpp|java|javascript|js|sympy|sage|matlab|r)\b"
)


class Box(NamedTuple):
    """One boxed span: `start` of its command, `stop` after its end, and what it holds."""

    start: int
    stop: int
    content: str


class BoxSearch(NamedTuple):
    """What the boxes say: the answers, the span, and whether the last was never closed."""

    answers: tuple[str, ...]
    start: int
    stop: int
    unclosed: bool


def _read(text: str, start: int, after: int, end: int) -> Box | None:
    opening = _OPENING.match(text, after)
    if opening:
        brace = opening.end() - 1
        close = matching_brace(text, brace, end)
        return Box(start, close + 1, text[brace + 1 : close]) if close >= 0 else None
    bare = _BARE.match(text, after) or _PARENTHESIS.match(text, after)
    if bare:
        return Box(start, bare.end(), bare.group(1))
    return Box(start, after, "")


def _find_marks(text: str) -> list[tuple[int, int]]:
    """Find where each box command starts and ends."""
    marks = []
    for command in _COMMANDS:
        position = text.find(command)
        while position >= 0:
            after = position + len(command)
            start = position
            while start and text[start - 1] == "\\" and position - start < 4:
                start -= 1
            alone = start < position or not text[start - 1 : start].isalpha()
            if alone and not text[after : after + 1].isalpha():
                marks.append((start, after))
            position = text.find(command, after)
    return sorted(marks)


def _outside_programs(text: str, marks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Drop the marks inside fenced source code; a fence without a programming language is kept."""
    fences = [match.start() for match in re.finditer("```", text)]
    kept = []
    for mark in marks:
        before = bisect_left(fences, mark[0])
        if before % 2 == 0 or not CODE_FENCE.match(text, fences[before - 1]):
            kept.append(mark)
    return kept


def _joined(text: str, left: Box, right: Box) -> bool:
    gap = text[left.stop : right.start]
    if len(gap) > 80:
        return False
    bare = _GAP_NOISE.sub(lambda match: match.group(1) or "", gap).replace(" ", "")
    if not bare:
        return "\n" not in gap
    return _JOINER.fullmatch(bare) is not None


def _with_surroundings(text: str, box: Box) -> str:
    """Add the percent, degree or unit that stands just behind a box, and a minus just before it."""
    content = clean(box.content)
    tail = text[box.stop : box.stop + 60]
    unit = _UNIT_AFTER.match(tail)
    if unit and not _UNIT_WORDS.match(tail) and content and content[-1] in "0123456789})":
        content += unit.group().replace("$", " ")
    if _MINUS_BEFORE.search(text, max(0, box.start - 8), box.start):
        content = f"-({content})" if "+" in content or "-" in content else f"-{content}"
    return content


def find_boxes(text: str) -> BoxSearch | None:
    """Find the last box of a text and the boxes joined to it.

    Args:
        text: a response, bounded by the caller.

    Returns:
        None when there is no box with an answer; else the answers in their order. `unclosed` says
        that the last box has
        no end, and then there are no answers.
    """
    if "box" not in text and "\x08oxed" not in text:
        return None
    marks = _find_marks(text)
    if not marks:
        return None
    outside = _outside_programs(text, marks) if "```" in text else marks
    found: list[Box] = []
    limit = len(text)
    for start, after in reversed(outside):
        box = _read(text, start, after, limit)
        if box is None:
            if not found:
                return BoxSearch((), start, len(text), unclosed=True)
            break
        if not found and _PLACEHOLDER.fullmatch(box.content[:200].strip()):
            limit = start
            continue
        if found and not _joined(text, box, found[-1]):
            break
        found.append(box)
        limit = start
        if len(found) >= MAX_JOINED:
            break
    if not found:
        return None
    found.reverse()
    answers = _named(text, found)
    return BoxSearch(answers, found[0].start, found[-1].stop, unclosed=False)


def _named(text: str, boxes: list[Box]) -> tuple[str, ...]:
    """Return the boxes' contents, with their names where each has another (`x = …, y = …`)."""
    contents = [_with_surroundings(text, box) for box in boxes]
    if len(boxes) > 1:
        names = [_NAME.search(text, max(0, box.start - 14), box.start) for box in boxes]
        words = [name.group(1) for name in names if name]
        if len(set(words)) == len(boxes):
            return tuple(
                f"{word} = {content}" for word, content in zip(words, contents, strict=True)
            )
    return tuple(content for content in contents if content)
