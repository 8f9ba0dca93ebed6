"""From a whole model response to its final answer or answers."""

from __future__ import annotations

from typing import Final, NamedTuple

from grpo_math.extraction.boxes import BoxSearch, find_boxes
from grpo_math.extraction.cleaning import clean, cut_end_tokens, remove_bold, remove_tags
from grpo_math.extraction.phrases import Marked, find_marked, is_refusal
from grpo_math.extraction.sentences import CONCLUSION, count_words, states_value
from grpo_math.extraction.statements import find_correction, find_last_statement
from grpo_math.extraction.structured import find_json, find_tag, open_tag, split_thinking
from grpo_math.options import Options
from grpo_math.patterns import Pattern

__all__ = ["MAX_RESPONSE", "Extraction", "count_words", "extract", "peel"]

MAX_RESPONSE: Final = 200_000
"""Characters of a response that are searched, counted from its end."""

MAX_MARKED: Final = 20_000
"""Characters, counted from the end, that are searched for an announced answer."""

_EMPTY_BOX: Final = Pattern(r"\\(?:boxed|fbox|framebox)\b")
_HOLDS_VALUE: Final = Pattern(r"[\d\\$=<>]")
_STATEMENT_END: Final = Pattern(r"\.\s|[。！\n]")
_NEXT_QUESTION: Final = Pattern(r"\n\s{0,4}(?:\*\*)?(?:Question|Q|Problem)(?:\s\d{1,3})?\s?:")


class Extraction(NamedTuple):
    """The final answer of a response.

    Attributes:
        answers: The answers in their order; several when boxes or list items are joined; empty
            when there is none.
        how: What gave them: `box`, `tag`, `json`, `phrase`, `correction` or `last statement`;
            empty when there is none.
        reason: Why there is none, for example `unclosed box`; empty when there is one.
    """

    answers: tuple[str, ...]
    how: str
    reason: str


def extract(response: str, *, options: Options) -> Extraction:
    """Find the final answer of a whole response; never raises, and takes time linear in the length.

    Args:
        response: what the model wrote, of any length and content; only its last `MAX_RESPONSE`
            characters are read.
        options: the options in force; an answer longer than `options.max_chars` is not returned.

    Returns:
        The answers, or the reason why there are none.
    """
    found = _extract(response[-MAX_RESPONSE:])
    if any(len(answer) > options.max_chars for answer in found.answers):
        return Extraction(
            (), "", f"over a limit: the answer is longer than {options.max_chars} characters"
        )
    return found


def _extract(response: str) -> Extraction:
    parts = split_thinking(cut_end_tokens(response))
    said = _cut_next_question(remove_tags(parts.answer).strip())
    if said:
        found = _extract_said(said)
        if found.answers or not parts.thought or parts.open or found.reason == "unclosed box":
            return found
    if parts.open:
        return Extraction((), "", "truncated: the thinking never ends")
    if parts.thought:
        box = find_boxes(parts.thought)
        if box and box.answers:
            return Extraction(box.answers, "box", "")
    if said:
        return Extraction((), "", found.reason)
    missing = "nothing follows the thinking" if parts.thought else "the response is empty"
    return Extraction((), "", f"no answer found: {missing}")


def _extract_said(text: str) -> Extraction:
    tag = find_tag(text)
    box = find_boxes(text)
    if tag and not (box and box.start >= tag[1]):
        return _from_tag(text, tag, box)
    if box and box.unclosed:
        return Extraction((), "", "unclosed box")
    json = find_json(text)
    if json and (not box or box.stop <= json[1]) and text[json[1] :].count("\n") < 4:
        answers = tuple(answer for value in json[2] if (answer := _strip_box(value)))
        if answers and not is_refusal(answers[0]):
            return Extraction(answers, "json", "")
        return Extraction((), "", "no answer found: the JSON answer is empty or declines")
    if box and box.answers:
        return _from_box(text, box)
    if open_tag(text):
        return Extraction((), "", "truncated: the answer tag is never closed")
    return _from_words(remove_bold(text[-MAX_MARKED:]))


def _from_tag(text: str, tag: tuple[int, int, str], box: BoxSearch | None) -> Extraction:
    start, end, body = tag
    if box and box.answers and start <= box.start < end:
        return Extraction(box.answers, "box", "")
    if box and box.unclosed and start <= box.start < end:
        return Extraction((), "", "unclosed box")
    json = find_json(body)
    if json:
        return Extraction(json[2], "json", "")
    corrected = find_correction(text[end:]) if len(text) - end > 3 else None
    if corrected:
        return Extraction((corrected,), "correction", "")
    value = clean(body)
    if is_refusal(value):
        return Extraction((), "", "no answer: the response declines to give one")
    if "\n" in value or ":" in value or len(value) > 60 or states_value(value):
        inner = _from_words(remove_bold(body))
        if inner.answers:
            return Extraction(inner.answers, "tag", "")
    return (
        Extraction((value,), "tag", "")
        if value
        else Extraction((), "", "no answer found: the answer tag is empty")
    )


def _from_box(text: str, box: BoxSearch) -> Extraction:
    """Return the box, unless a later announcement or correction takes it back."""
    tail = text[box.stop :]
    if len(tail) > 8:
        tail = remove_bold(tail[-MAX_MARKED:])
        marked = find_marked(tail)
        corrected = find_correction(tail)
        if marked and marked.answers and (marked.strong or corrected):
            return Extraction(marked.answers, "phrase", "")
        if corrected:
            return Extraction((corrected,), "correction", "")
    answers = tuple(answer for answer in box.answers if answer)
    return Extraction(answers, "box", "")


def _from_words(text: str) -> Extraction:
    marked = find_marked(text)
    if marked and marked.answers and _EMPTY_BOX.search(marked.answers[-1]):
        return Extraction((), "", "no answer found: the box is empty")
    if marked and marked.answers:
        end = _STATEMENT_END.search(text, marked.start)
        corrected = find_correction(text[end.end() :]) if end else None
        if corrected:
            return Extraction((corrected,), "correction", "")
        return Extraction(marked.answers, "phrase", "")
    if marked and marked.reason and not _says_more(text, marked):
        return Extraction((), "", marked.reason)
    value, reason = find_last_statement(text)
    if value and not _EMPTY_BOX.search(value):
        return Extraction((value,), "last statement", "")
    return Extraction((), "", reason or "no answer found: the box is empty")


def _says_more(text: str, marked: Marked) -> bool:
    """Tell whether lines follow the one of a failed announcement."""
    return "\n" in text[marked.start :].strip()


def _strip_box(value: str) -> str:
    box = find_boxes(value)
    return box.answers[-1] if box and box.answers else value


def _cut_next_question(text: str) -> str:
    """Drop a further question that a base model goes on to invent after it has answered."""
    if "uestion" not in text and "\nQ" not in text and "roblem" not in text:
        return text
    for match in _NEXT_QUESTION.finditer(text):
        before = text[max(0, match.start() - 400) : match.start()]
        if "answer" in before.lower() or "####" in before or "boxed" in before:
            return text[: match.start()].rstrip()
    return text


def peel(text: str) -> str:
    """Return the value that a text is written around.

    Args:
        text: an answer, or a sentence or solution that holds one.

    Returns:
        What its boxes hold or its sentence states; the text itself where it is a plain answer.
    """
    if len(text) > MAX_MARKED:
        return text
    if "box" in text or "\x08oxed" in text:
        box = find_boxes(text)
        return ", ".join(box.answers) if box and box.answers else text
    if count_words(text) == 0 or not _HOLDS_VALUE.search(text):
        return text
    bare = clean(text)
    marked = find_marked(remove_bold(text))
    if marked and marked.answers:
        return ", ".join(marked.answers)
    if count_words(bare) > 1 and (states_value(bare) or CONCLUSION.match(bare) or "$" in bare):
        value, _ = find_last_statement(text)
        return value or text
    return text
