"""What a response ends on, and the corrections it makes to an earlier answer."""

from __future__ import annotations

import re
from typing import Final

from grpo_math.extraction.boxes import CODE_FENCE
from grpo_math.extraction.cleaning import clean
from grpo_math.extraction.phrases import is_refusal, read_display
from grpo_math.extraction.quantities import find_quantities, trim_counter
from grpo_math.extraction.sentences import (
    CONCLUSION,
    count_words,
    cut_at_end,
    find_absence,
    is_cut_short,
    is_value,
    starts_with_word,
    states_value,
    strip_lead,
    strip_sum,
    strip_verdict,
    value_in,
)
from grpo_math.patterns import Pattern

WINDOW: Final = 4_000
_CLOSER: Final = Pattern(
    r"^\W*(?:(?:i )?hope|let me know|q\.?e\.?d|feel free|if you (?:have|need|would)|please let|"
    r"happy to|good luck|thank|"
    r"is there anything|would you like|verified|correct\b.{0,3}$|done\b|this (?:completes|"
    r"concludes)|∎|■|□|\\(?:black)?square|"
    r"(?:and )?(?:we|i)(?:'re| are|'m| am) done|great|cheers|"
    r"希望|如有|如果(?:您|你)|bonne|viel erfolg|espero)|^[-=_*#\s.]*$",
    re.IGNORECASE,
)
_LAST_WORD: Final = Pattern(
    r"\s(?:it|this|that|first|next|in|on|for|so|with|at|by|from|of|to|can|need|will)[.。!]$"
)
"""A word that wants another one, unless the sentence ends with it: ``12 ways to do it.``"""
_CONDITION: Final = Pattern(r"^(?:when|if)\s[^,]{1,60},\s+(?:then\s+)?(?=.*\d)", re.IGNORECASE)
_AFTERWORD: Final = Pattern(
    r"^(?:[#>*\-]+\s*)*(?:(check|checking|verification|verify(?:ing)?|let(?:'s| us) (?:check|"
    r"verify)|proof|key (?:takeaway|idea|point)s?|takeaways?|tips?|notes?|remarks?|remember|"
    r"p\.?s\.?|验证|检验|检查|注意?|备注)|"
    r"explanation|reason(?:ing)?|why|justification|rationale|解析|解释|理由|解説)\b"
    r"[^:：\n]{0,30}[:：]",
    re.IGNORECASE,
)
"""Begins what is said of an answer; only where it is no check may it hold the answer itself."""
_SENTENCE: Final = Pattern(
    r"(?:(?<=[^\s.][.!?])|(?<=[.}]\$\$)|(?<=\\\]))\s+(?=[A-ZÀ-ÞА-Я$\\\d(*])|(?<=[。！？])"
)
_DECORATION: Final = Pattern(r"^(?:[#>•\-*]+\s+|\*+(?=\S)|\d{1,2}\.\s+(?=[A-Z])|(?:[✅✓☑]|\s)+)")
_DISPLAY_END: Final = Pattern(r"(?:\$\$|\\\]|```|\\end\{(\w+\*?)\})\s*\.?$")
_CHOICE_LETTER: Final = Pattern(r"\(?[A-J]\)?\.")
_ITEM: Final = Pattern(r"^(?:[-*•]\s+|\d{1,2}[.)]\s+|\([a-z0-9]\)\s+)(?=\S)")
_ANNOUNCED: Final = Pattern(
    r"\b(?:are|solutions|roots|values|answers|zeros|numbers|soluciones|solutions|lösungen)\b[^.]*"
    r"[:：]\s*$",
    re.IGNORECASE,
)
_BEHIND: Final = Pattern(
    r"^[^\d]*\b(?:after|in|within|for|during)\s+(?:\w+\s+)?[\d,.]+\s*\w*\W*$", re.IGNORECASE
)
_SO_ASIAN: Final = Pattern(
    r"[，,；;]\s*(?:所以|因此|故|从而|于是|即|可得|解得|よって|したがって)\s*|"
    r",\s+(?:so|hence|thus|therefore)\s+(?!that\b)"
)
_SO: Final = Pattern(
    r",\s+(?:so|hence|thus|therefore|giving|which gives|leaving|making|totall?ing)\s+(?!that\b)"
)
_POLAR: Final = Pattern(r"(yes|no|true|false)[,.;:]\s", re.IGNORECASE)
_CORRECTION: Final = Pattern(
    r"\b(?:wait|actually|correction|oops|sorry|scratch that|my mistake|on second thought|"
    r"i made an? (?:mistake|error)|"
    r"that(?:'s| is|was| was) (?:wrong|incorrect|not right)|let me (?:correct|redo|fix)|"
    r"moment mal|entschuldigung|korrektur|"
    r"attendez|en fait|je me suis trompé|correction|espera|perdón|corrección|aspetta|постойте|"
    r"ошибк|исправл)|"
    r"等等|等一下|不对|更正|修正|訂正|待って|잠깐",
    re.IGNORECASE,
)
_CORRECTED: Final = Pattern(
    r"\b(?:it|that|this|(?:the |my )?(?:correct |right |final |real )?(?:answer|result|value|"
    r"number|total|sum|product)|[a-z])"
    r"(?:'s|\s+(?:is|should be|must be|should have been|equals|becomes|"
    r"would be))\s+(?:actually\s+|really\s+|in fact\s+)?(?!not\b)|"
    r"\b(?:make that|correction|corrected(?: answer)?|i meant(?: to (?:say|write))?|korrektur|"
    r"corrección)\s*:?\s+|"
    r"\b[a-z]\s?=\s?|(?:应该是|应为|更正为|更正[:：]|应该等于)\s*",
    re.IGNORECASE,
)
# A program, and the line that announces it.
_PROGRAM: Final = Pattern(
    rf"(?:(?:^|(?<=\n))[^\n]{{0,200}}[:：]\s*\n\s*)?{CODE_FENCE.pattern}.*?```",
    re.DOTALL | re.IGNORECASE,
)
_MERE_SIGNS: Final = Pattern(r"[\s\\$€£¥(\[{=+*/-]+")
_CHECK: Final = Pattern(
    r"\b(?:check|verify|verif|double|confirm|indeed|still|also works)|验证|检查", re.IGNORECASE
)


def find_correction(text: str) -> str | None:
    """Find the value that a response corrects its answer to.

    Args:
        text: what follows an announced or boxed answer.

    Returns:
        The corrected value, None when nothing is taken back.
    """
    text = text[-WINDOW:]
    first = _CORRECTION.search(text)
    if not first:
        return None
    after = text[first.start() :]
    if _CHECK.search(after):
        return None
    for match in reversed(list(_CORRECTED.finditer(after))):
        value = clean(strip_lead(cut_at_end(after[match.end() :].split("\n", 1)[0])))
        if is_value(value, 2) and (
            any(map(str.isdigit, value)) or "\\" in value or re.fullmatch(r"\(?[A-J]\)?", value)
        ):
            return value
    return None


def _last_block(text: str) -> str | None:
    """Return the display formula that ends a text."""
    tail = text[-WINDOW:]
    if not tail.rstrip(" .").endswith(("$$", "\\]", "```", "}")):
        return None
    end = _DISPLAY_END.search(tail, max(0, len(tail) - 60))
    if not end:
        return None
    body = tail[: end.start()]
    closing = end.group().rstrip(" .")
    if closing == "$$":
        start = body.rfind("$$")
    elif closing == "\\]":
        start = body.rfind("\\[")
    elif closing == "```":
        start = body.rfind("```")
    else:
        start = body.rfind(f"\\begin{{{end.group(1)}}}")
    return read_display(tail[start:]) if start >= 0 else None


def _meaningful_lines(text: str) -> list[str]:
    text = _PROGRAM.sub("\n", text) if "```" in text else text
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    return _without_closers(_without_afterword(lines)) if lines else lines


def _without_closers(lines: list[str]) -> list[str]:
    while len(lines) > 1 and _CLOSER.match(lines[-1]):
        lines.pop()
    return lines


def _without_afterword(lines: list[str]) -> list[str]:
    """Cut what is said of the answer behind it: a check, or the explanation of a bare one."""
    if CONCLUSION.match(_DECORATION.sub("", lines[-1])):
        return lines
    for at, line in enumerate(lines):
        found = _AFTERWORD.match(line) if at else None
        if found and (found[1] or _is_bare(lines[at - 1])):
            before = _without_closers(lines[:at])
            if any(map(str.isdigit, before[-1])) or _is_bare(before[-1]):
                return before
    return lines


def _is_bare(line: str) -> bool:
    value = clean(_DECORATION.sub("", line))
    return bool(value) and is_value(value, 2) and not value.endswith(":")


def find_last_statement(text: str) -> tuple[str | None, str]:
    """Read an answer off the end of a response that announces none.

    Args:
        text: a response without bold marks.

    Returns:
        The answer and an empty reason, or None and the reason why there is none.
    """
    lines = _meaningful_lines(text[-WINDOW:])
    if not lines:
        return None, "no answer found"
    ending = _last_block("\n".join(lines)) or _read_final_list(lines)
    if ending:
        return ending, ""
    if lines[-1].startswith("```") or _MERE_SIGNS.fullmatch(lines[-1]):
        return None, "truncated"
    line = _DECORATION.sub("", _read_cell(lines[-1]))
    sentences = [part for part in _SENTENCE.split(line) if part.strip()]
    if len(sentences) > 1 and _CHOICE_LETTER.fullmatch(sentences[-2].strip()):
        sentences[-2:] = [" ".join(sentences[-2:])]
    while len(sentences) > 1 and _CLOSER.match(sentences[-1]):
        sentences.pop()
    sentence = sentences[-1].strip() if sentences else ""
    if is_refusal(sentence) or (is_refusal(line) and not any(map(str.isdigit, sentence))):
        return None, "no answer: the response declines to give one"
    if _CORRECTION.match(sentence) and (corrected := find_correction(sentence)):
        return corrected, ""
    parts = (_SO if sentence.isascii() else _SO_ASIAN).split(sentence)
    if len(parts) > 1 and any(map(str.isdigit, parts[-1])) and not _is_aside(parts):
        sentence = f"so {parts[-1]}"
    lead = CONCLUSION.match(sentence)
    body = sentence[lead.end() :] if lead and lead.end() < len(sentence) else sentence
    body = _CONDITION.sub("", body)
    ended = sentence.endswith((".", "。", "!", "！", "．", "$", ")", "]", "}", "%"))
    statement = strip_verdict(cut_at_end(body))
    value = trim_counter(clean(strip_lead(statement)))
    if is_cut_short(_LAST_WORD.sub("", body).rstrip(".。")):
        return None, "truncated"
    alone = len(lines) == 1 and len(sentences) == 1
    if not (ended or lead or alone) and count_words(sentence) > 4:
        return None, "truncated"
    value = strip_sum(value)
    short = is_value(value, 2 if any(map(str.isdigit, value)) else 3)
    polar = _POLAR.match(sentence) or (_POLAR.match(line) if len(lines) == 1 else None)
    if polar and not any(map(str.isdigit, sentence)):
        return polar.group(1), ""
    absent = find_absence(body)
    if absent:
        return absent, ""
    wordy = bool(short and starts_with_word(value))
    if (
        short
        and not states_value(value)
        and not wordy
        and (_reads_as_answer(value) or alone)
        and value
    ):
        return value, ""
    stated = value_in(statement, concluding=lead is not None)
    if stated or wordy:
        return strip_sum(stated or value), ""
    return None, "no answer found"


def _read_cell(line: str) -> str:
    """Read the last cell of a row of a table that ends a response."""
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    in_table = line.startswith("|") and line.endswith("|") and len(cells) > 1
    return cells[-1] if in_table and any(map(str.isdigit, cells[-1])) else line


def _is_aside(parts: list[str]) -> bool:
    """Tell whether the last part of a sentence only draws on the value of the first."""
    return bool(find_quantities(parts[0])) and _BEHIND.search(parts[-1]) is not None


def _read_final_list(lines: list[str]) -> str | None:
    """Read the list that ends a response behind a line that announces several values."""
    at = len(lines)
    while at and _ITEM.match(lines[at - 1]):
        at -= 1
    items = [clean(cut_at_end(_ITEM.sub("", line, 1))) for line in lines[at:]]
    if not 2 <= len(items) <= 20 or not at or not _ANNOUNCED.search(lines[at - 1]):
        return None
    if not all(is_value(item, 1) and any(map(str.isdigit, item)) for item in items):
        return None
    return ", ".join(items)


def _reads_as_answer(value: str) -> bool:
    return any(map(str.isdigit, value)) or "\\" in value or "=" in value or count_words(value) <= 1
