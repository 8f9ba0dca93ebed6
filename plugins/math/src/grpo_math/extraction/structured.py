"""Answers in a structure of their own: tags, JSON objects, and what follows the thinking."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from grpo_math.extraction.cleaning import clean
from grpo_math.patterns import Pattern

THINK_ENDS: Final = (
    "</think>",
    "</thinking>",
    "</thought>",
    "</reasoning>",
    "[/THINK]",
    "◁/think▷",
    "<|channel|>final<|message|>",
    "<|begin_of_solution|>",
)
_THINK_STARTS: Final = ("<think>", "<thinking>", "<thought>", "[THINK]", "◁think▷")
MAX_ITEMS: Final = 200
_TAG: Final = Pattern(
    r"[<\[](/?)(?:final_?)?(?:answer|solution_answer|result)\s{0,3}[>\]]", re.IGNORECASE
)
_KEY: Final = Pattern(
    r"""["'](?:final[_ ]?|correct[_
    ]?)?(?:answer|result|solution|réponse|antwort|respuesta|ответ|答案)["']\s{0,8}:\s{0,8}""",
    re.IGNORECASE,
)
_KEY_ENDS: Final = ('":', "':", '" :', "' :")
_STRING: Final = Pattern(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'', re.DOTALL)
_SCALAR: Final = Pattern(r"[-+]?\d[\d_.eE+\-/]*|true|false", re.IGNORECASE)
_NULL: Final = Pattern(r"null|None")
_LIST: Final = Pattern(r"\[([^\[\]{}]*)\]")
_ITEM: Final = Pattern(r'"((?:[^"\\]|\\.)*)"|([^,"\s][^,"]*)')
_ESCAPE: Final = Pattern(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)


class Thinking(NamedTuple):
    """A response split at its last thinking block; `open` says that the block was never closed."""

    thought: str
    answer: str
    open: bool


def split_thinking(text: str) -> Thinking:
    """Split a response into what was thought and what was said.

    Args:
        text: a response.

    Returns:
        The text before and after the last end of a thinking block; all of it is `answer` when
        there is none.
    """
    if "think" not in text and "THINK" not in text and "<" not in text:
        return Thinking("", text, open=False)
    best, after = -1, 0
    for mark in THINK_ENDS:
        position = text.rfind(mark)
        if position > best:
            best, after = position, position + len(mark)
    for mark in _THINK_STARTS:
        position = text.find(mark, max(best, 0))
        if position >= 0:
            return Thinking(
                text[position:], text[:position] if best < 0 else text[after:position], open=True
            )
    if best < 0:
        return Thinking("", text, open=False)
    return Thinking(text[:best], text[after:], open=False)


def find_tag(text: str) -> tuple[int, int, str] | None:
    """Find the last closed `<answer>` element.

    Args:
        text: a response.

    Returns:
        Its start, its end and its text; None when there is none that is closed.
    """
    if "nswer" not in text and "NSWER" not in text and "result>" not in text:
        return None
    closing: re.Match[str] | None = None
    for mark in reversed(list(_TAG.finditer(text))):
        if mark.group(1):
            closing = mark
        elif closing is not None:
            body = text[mark.end() : closing.start()]
            if body.strip(" .…\n"):
                return mark.start(), closing.end(), body
            closing = None
    return None


def open_tag(text: str) -> bool:
    """Tell whether the last `<answer>` tag of a text was never closed."""
    marks = list(_TAG.finditer(text)) if "nswer" in text or "NSWER" in text else []
    return bool(marks) and not marks[-1].group(1)


def _unescape(text: str) -> str:
    r"""Decode a JSON string, keeping LaTeX written with single backslashes (`"\frac12"`)."""
    if "\\" not in text:
        return text

    def one(match: re.Match[str]) -> str:
        sign = match.group(1)
        if sign in '"/\\':
            return sign
        if len(sign) == 5 and sign[0] == "u":
            return chr(int(sign[1:], 16))
        following = text[match.end() : match.end() + 1]
        if sign in "nt" and not following.isalpha():
            return " "
        return "\\" + sign

    return _ESCAPE.sub(one, text)


def find_json(text: str) -> tuple[int, int, tuple[str, ...]] | None:
    """Find the last `"answer": …` of a JSON object, fenced or not.

    Args:
        text: a response.

    Returns:
        Where the key starts, where its value ends, and the value: one text, or one for each item
        of a list. None when there is
        no such key with a complete value.
    """
    if "{" not in text or not any(mark in text for mark in _KEY_ENDS):
        return None
    for key in reversed(list(_KEY.finditer(text))[-20:]):
        start = key.end()
        string = _STRING.match(text, start)
        if string:
            raw = string.group(1) if string.group(1) is not None else string.group(2)
            return key.start(), string.end(), (clean(_unescape(raw)),)
        if _NULL.match(text, start):
            return key.start(), start, ()
        scalar = _SCALAR.match(text, start)
        if scalar:
            return key.start(), scalar.end(), (scalar.group(),)
        items = _LIST.match(text, start)
        if items:
            values = [
                first or second for first, second in _ITEM.findall(items.group(1))[:MAX_ITEMS]
            ]
            return key.start(), items.end(), tuple(clean(_unescape(value)) for value in values)
    return None
