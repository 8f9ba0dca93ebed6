"""Take the wrapping off an answer: markdown, math delimiters, final punctuation.

Every function is pure and linear in the length of its text: each pattern is anchored or has a
bounded repeat.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from grpo_math.patterns import Pattern

END_TOKENS: Final = (
    "<|im_end|>",
    "<|im_start|>",
    "<|eot_id|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|return|>",
    "<｜end▁of▁sentence｜>",
    "</s>",
)
_MATH_PAIRS: Final = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$"))
_WRAPPERS: Final = (
    "\\text{",
    "\\textbf{",
    "\\textrm{",
    "\\textit{",
    "\\mathrm{",
    "\\mathbf{",
    "\\mbox{",
)
_QUOTES: Final = (
    ('\\"', '\\"'),
    ("`", "`"),
    ('"', '"'),
    ("“", "”"),
    ("«", "»"),
    ("„", "“"),
    ("「", "」"),
)
# `2**3` is a power: bold marks stand at the edge of a word, with a gap on one side.
_WORD_END: Final = Pattern(r"[\w)\]]")
_ITALIC: Final = Pattern(r"(?<![\w*)\]])\*([^\W\d_][^*\n]{0,40}[:：.]?)\*(?![\w*(\[])")
_WORD_START: Final = Pattern(r"[\w(\[]")
# A closing dollar follows no space and precedes no digit: `$5 and $6` are two amounts.
_INLINE: Final = Pattern(r"(?<![\\$\w])\$(?=[^\s$])([^$\n]{1,400}?)(?<=[^\s\\])\$(?![\d$])")
_RAISED: Final = Pattern(r"<(su[pb])>([^<>]{1,40})</\1>", re.IGNORECASE)
_INLINE_TAG: Final = Pattern(
    r"</?(?:b|strong|em|i|u|s|span|font|mark|small|code|kbd|a)(?:\s[^<>]{0,200})?>", re.IGNORECASE
)
_BLOCK: Final = Pattern(
    r"</?(?:p|br|div|h[1-6]|[uo]l|li|pre|center|section|hr|blockquote)(?:\s[^<>]{0,200})?\s?/?>",
    re.IGNORECASE,
)
_TRAILING: Final = " \t\r\n.,;:。，；：．、✓✔✅☑🎉∎■□"
_EXCLAMATION: Final = Pattern(r"(?<=[^\W\d_]{2})[!！]+$|(?<=[*_$。])[!！]+$")
_ASIDE: Final = Pattern(
    r"\s[(（](?:since|because|as |i\.e\.|which|where|note|assuming|rounded|approx|see |or about|"
    r"option|choice|by |from |using|\d[\d.,]*\s[a-z]+\s[a-z]+)[^()（）]{0,200}[)）]\s*\.?$",
    re.IGNORECASE,
)
_SAME_AMOUNT: Final = Pattern(
    r"(\d\s?(?:[a-z]{1,12}|[°%$€£]))\s[(（][≈=~]?\s?[$€£]?\d[\d.,/]*\s?(?:[a-zA-Z]{1,12}|[°%])[)）]\s*\.?$"
)
_BRACED_COMMA: Final = Pattern(r"\s?\{\s?,\s?\}")
_ALIGNED: Final = Pattern(
    r"\\begin\{(?:align|aligned|equation|gather|gathered|split|multline)\*?\}"
)
_TURN: Final = Pattern(r"^(?:<\|[^|<>]{1,30}\|>(?:assistant|system|user)?\s*)+")


def cut_end_tokens(text: str) -> str:
    """Return the text up to the first end-of-turn token that has an answer before it.

    Args:
        text: the raw response.

    Returns:
        The text without special tokens of a chat template at its ends.
    """
    text = text.strip()
    if "<|begin_of_box|>" in text:
        text = text.replace("<|begin_of_box|>", "\\boxed{").replace("<|end_of_box|>", "}")
    if "<|" in text[:2]:
        text = _TURN.sub("", text).lstrip()
    if "<" not in text:
        return text
    for token in END_TOKENS:
        position = text.find(token)
        if position > 0:
            text = text[:position]
    return text.rstrip()


def remove_tags(text: str) -> str:
    """Return the text without the tags of HTML that lay it out; powers and indices stay.

    Args:
        text: a response; ``a<b`` and tags that mean something, such as ``<answer>``, are kept.
    """
    if "</" not in text and "<br" not in text:
        return text
    text = _RAISED.sub(lambda m: f"{'^' if m[1].lower() == 'sup' else '_'}{{{m[2]}}}", text)
    return _BLOCK.sub("\n", _INLINE_TAG.sub("", text))


def remove_bold(text: str) -> str:
    """Return the text without the marks of bold type; `2**3` keeps its power."""
    for mark in ("**", "__"):
        if mark in text:
            text = _join_around(text.split(mark), mark)
    return _ITALIC.sub(r"\1", text) if "*" in text else text


def _join_around(pieces: list[str], mark: str) -> str:
    joined = [pieces[0]]
    for left, right in pairwise(pieces):
        inside = bool(_WORD_END.match(left[-1:])) and bool(_WORD_START.match(right[:1]))
        joined.append(mark + right if inside else right.lstrip("!！"))
    return "".join(joined)


def remove_inline_math(text: str) -> str:
    """Return the text without the dollars around formulas; amounts of money keep theirs."""
    if text.count("$") < 2:
        return text
    if text.endswith("$") and not text.endswith("\\$") and text.count("$") % 2 == 0:
        return " ".join(text.replace("$", " ").split()) if "\\$" not in text else text
    return _INLINE.sub(r"\1", text)


def matching_brace(text: str, start: int, end: int | None = None) -> int:
    """Find the brace that closes the one at `start`.

    Args:
        text: any text.
        start: index of an opening brace.
        end: index at which the search stops.

    Returns:
        The index of the closing brace, or -1 when it does not come before `end`. Escaped braces do
        not count.
    """
    depth = 0
    for match in _BRACES.finditer(text, start, len(text) if end is None else end):
        sign = match.group()
        if sign == "{":
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0:
                return int(match.start())
    return -1


_BRACES: Final = Pattern(r"\\.|[{}]", re.DOTALL)


def _unwrap(text: str) -> str:
    for opening, closing in _MATH_PAIRS:
        inner = len(text) - len(opening) - len(closing)
        if inner > 0 and text.startswith(opening) and text.endswith(closing):
            body = text[len(opening) : len(text) - len(closing)]
            if opening not in body and not body.endswith("\\"):
                return body.strip()
    for opening in _WRAPPERS:
        if text.startswith(opening) and matching_brace(text, len(opening) - 1) == len(text) - 1:
            return text[len(opening) : -1].strip()
    for opening, closing in _QUOTES:
        size = len(opening)
        if len(text) > 2 * size and text.startswith(opening) and text.endswith(closing):
            body = text[size:-size]
            if opening not in body and closing not in body:
                return body.strip()
    return text


def _last_row(text: str) -> str:
    """Return the end of an aligned chain, or the equations of an aligned system as a list."""
    opening = _ALIGNED.match(text)
    if not opening or not text.endswith("}"):
        return text
    end = text.rfind("\\end{")
    rows = [row.replace("&", " ").strip() for row in text[opening.end() : end].split("\\\\")]
    rows = [row for row in rows if row]
    if len(rows) > 1 and not rows[-1].startswith("="):
        return ", ".join(rows)
    return rows[-1].lstrip("= ") if rows else ""


def clean(text: str) -> str:
    """Return an answer without markdown, math delimiters, wrapping text and final points.

    Args:
        text: the span of a response that holds one answer.

    Returns:
        The bare answer; may be empty.
    """
    text = remove_bold(text.strip()).strip()
    text = _SAME_AMOUNT.sub(r"\1", _ASIDE.sub("", text))
    text = _BRACED_COMMA.sub("{,}", text)
    for _ in range(6):
        before = text
        text = _EXCLAMATION.sub("", text)
        if not text.endswith("..."):
            text = _strip_trailing(text)
        text = text.lstrip(" \t\r\n:：,，").removeprefix("> ").strip()
        if len(text) > 2 and text[0] == text[-1] == "*" and "*" not in text[1:-1]:
            text = text[1:-1]
        text = _unwrap(_last_row(text))
        if text == before:
            break
    return remove_inline_math(text)


def _strip_trailing(text: str) -> str:
    if text[-4:].lower() in {"a.m.", "p.m."}:
        return text
    stripped = text.rstrip(_TRAILING)
    if stripped.endswith("\\") and len(stripped) < len(text):  # a spacing command: `\,` `\;` `\:`
        odd = (len(stripped) - len(stripped.rstrip("\\"))) % 2
        return stripped[:-1].rstrip(_TRAILING) if odd else stripped
    return stripped
