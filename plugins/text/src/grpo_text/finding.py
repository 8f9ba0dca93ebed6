"""Find the final answer in a whole response."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

Find: TypeAlias = Literal["auto", "whole", "last-line"]
"""Where the answer stands: marked in the response, the whole of it, or in its last line."""

_TAGS = re.compile(r"<answer>(.*?)</answer>", re.DOTALL | re.IGNORECASE)
_BOX = re.compile(r"\\boxed\s?\{")
_BRACE = re.compile(r"\\boxed\s?\{|[{}]")
_WRAPPED = re.compile(r"\\(?:text|textbf|mathrm|mathbf|mbox)\s*\{([^{}]*)\}")
_MARKED = re.compile(
    r"(?:^|[\s*_#>(])(?:(?:the|my|so|final|correct|short)\s+){0,4}answer\b[*_]*\s*(?:is\s*[:：]?|[:：=])"
    r"[*_]*[ \t]*(?P<english>[^\n]+)"
    r"|(?:最终|正确)?(?:答案|回答)\s*(?:是|为|应为|[:：])\s*[:：]?[ \t]*(?P<chinese>[^\n]+)"
    r"|^[ \t]*####[ \t]*(?P<hashes>[^\n]+)",
    re.IGNORECASE | re.MULTILINE,
)
_TRIM = " \t\r\n*_`"


def find_marked(response: str) -> str | None:
    r"""The final answer that a response marks as such, or None.

    The last of these wins: ``<answer>…</answer>``, ``\boxed{…}`` with balanced braces, a line with
    ``answer:``, ``the answer is``, ``答案是`` or ``#### …``.
    """
    places = [(match.end(), match[1]) for match in _TAGS.finditer(response)]
    boxed = _find_box(response)
    if boxed is not None:
        places.append(boxed)
    for match in _MARKED.finditer(response):
        text = match["english"] or match["chinese"] or match["hashes"]
        if not _BOX.search(text) and not _TAGS.search(text):
            places.append((match.end(), text))
    if not places:
        return None
    answer = max(places)[1].strip(_TRIM)
    return answer or None


def _find_box(text: str) -> tuple[int, str] | None:
    """The box that closes last, with its end: one pass, whatever stands open."""
    found: tuple[int, str] | None = None
    open_braces: list[tuple[bool, int]] = []
    for match in _BRACE.finditer(text):
        if match[0] != "}":
            open_braces.append((match[0] != "{", match.end()))
        elif open_braces:
            is_box, start = open_braces.pop()
            if is_box:
                found = match.end(), _WRAPPED.sub(r"\1", text[start : match.start()])
    return found


def candidates(response: str, find: Find) -> tuple[str, ...]:
    """The readings of a response, best first; empty where there is no text.

    With ``auto`` the marked final answer comes first and the whole response second, so that an
    answer that was extracted before is compared as it is.
    """
    whole = response.strip()
    if not whole:
        return ()
    if find == "whole":
        return (whole,)
    if find == "last-line":
        return (whole.splitlines()[-1].strip(),)
    marked = find_marked(whole)
    return (whole,) if marked is None or marked == whole else (marked, whole)
