"""Answers that a phrase announces, in many languages: `The answer is 5.`, `答案是 5`."""

from __future__ import annotations

import re
from collections import deque
from typing import Final, NamedTuple

from grpo_math.extraction.cleaning import clean
from grpo_math.extraction.quantities import trim_counter
from grpo_math.extraction.sentences import (
    count_words,
    cut_at_end,
    is_cut_short,
    is_value,
    states_value,
    strip_lead,
    value_in,
)
from grpo_math.patterns import Pattern

MAX_TRIES: Final = 12
MAX_BLOCK: Final = 20_000
_ASCII_STEMS: Final = (
    "answer", "antwort", "respuesta", "resposta", "risposta", "jawaban", "cevap", "antwoord",
    "ergebnis", "resultado", "risultato", "####", "correct option", "correct choice",
    "best choice", "best option", "right choice", "right option",
    "correct statement", "i choose", "svar", "correct value", "correct result", "correct total",
)  # fmt: skip
_OTHER_STEMS: Final = (
    "réponse", "résultat", "lösung", "solución", "solução", "ответ", "відповідь", "odpowiedź",
    "odpověď", "答案", "答え", "正解", "解答", "结果", "結果", "故选", "故選", "应选", "選択",
    "答：", "答:", "选择", "因此选", "所以选",
    "정답", "답은", "답:", "đáp án", "đáp số", "الجواب", "الإجابة", "الاجابة", "उत्तर",
)  # fmt: skip
_LINK_WORDS: Final = (
    r"is|are|was|should be|would be|must be|will be|comes? out to|becomes|equals|"
    r"est|sont|ist|lautet|beträgt|sind|es|son|é|è|sono|são|är|er|jest|to|je|adalah|là|равен|"
    r"равна|равно|będzie|هو|هي|है"
)
_ADDITIONS: Final = (
    r"(?:\s+(?:finale?|final|correct|correcte?|correcta|richtige|endgültige|here|therefore|"
    r"then|thus|also|hence|finale|الصحيحة|النهائية|الصحيح|النهائي|"
    r"(?:to|for|in|of|à|zu|de|der|a|on|as) [^\n.:：=]{1,90}?)|\s*\([^()\n]{0,60}\)|"
    r",\s*(?:therefore|then|thus|hence|so),?){0,2}"
)
_LINK: Final = Pattern(
    rf"(?:s|en)?{_ADDITIONS}\s*(?:[:：=→⇒]|->|=>|[—–-](?=\s)|\b(?:{_LINK_WORDS})\b\s*[:：]?|"
    r"(?=\s(?:\$|\\\(|\\\[))|】|(?:选项)?\s*(?:应该是|應該是|应当是|应为|應為|应是|就是|即为|是|为|為|选|選|は|が|은|는|"
    r"：)\s*[:：]?)",
    re.IGNORECASE,
)
_DIRECT: Final = Pattern(r"\s*(?:择|擇)?\s*(?:项|項)?[:：]?\s*")
_HEADING: Final = Pattern(
    r"(?:^|\n)[\s#*_>]*(?:the\s+)?(?:final\s+)?\w{3,12}[\s*_:：]*\Z", re.IGNORECASE
)
_NUMBER: Final = Pattern(r"\s+[-+−]?[$€£]?\.?\d")
_NOT: Final = Pattern(
    r"\s*(?:not|never|definitely not|不是|nicht|ne)\b(?:.{1,40}?(?:\bbut\b|\bit'?s\b|\bit is\b|"
    r"\brather\b|而是)\s*)?",
    re.IGNORECASE,
)
_STEP: Final = Pattern(
    r"\s*(?:step|part|case|solution|explanation|conclusion|verification|final|answer|\d+\.\s)",
    re.IGNORECASE,
)
_BULLET: Final = Pattern(r"\s*(?:[-*•]|\(?[a-z0-9]\)|\d{1,2}\.)\s+(?=\S)")
_REFUSAL: Final = Pattern(
    r"^\W{0,4}(?:no answer|(?:your|insert) answer(?: here)?|n/?a|unknown|undetermined|"
    r"none given|tbd|\?+|…|\.{2,})\W{0,3}$|"
    r"\b(?:(?:can ?not|can't|could not|couldn't|unable to|impossible to|not able to|hard to|"
    r"not possible to)"
    r" (?:\w+ ){0,3}?(?:be )?(?:\w+ )?(?:determined?|solved?|answer(?:ed)?|computed?|"
    r"calculated?|find|found|provide|help|figure|say|give|complete)"
    r"|(?:do not|don't|did not) (?:actually )?(?:know|have (?:enough|an answer))"
    r"|(?:i(?:'m| am) )not (?:sure|certain|able)|no idea|(?:not enough|"
    r"insufficient) (?:information|data)|i give up|"
    r"je ne sais pas|weiß (?:ich )?(?:es )?nicht|nicht bestimm|no (?:lo )?sé|no puedo|"
    r"non lo so|não sei)\b|"
    r"无法(?:确定|计算|回答|求|得)|不知道|不确定|無法|не (?:знаю|могу)|"
    r"わかりません|分かりません|모르겠|알 수 없",
    re.IGNORECASE,
)  # fmt: skip
_DISPLAY: Final = (("$$", "$$"), ("\\[", "\\]"), ("```", "```"))
_ENVIRONMENT: Final = Pattern(r"\\begin\{(\w+\*?)\}")
_CHOICE: Final = Pattern(
    r"(?:[Oo]ption|[Cc]hoice|[Aa]nswer|[Ss]tatement|选项|選項)\s?\(?"
    r"([A-J]|(?<=ption |hoice )\d)\)?\s(?:is|must be|would be)\s"
    r"(?:the\s)?(?:correct|right|best|true)|"
    r"(?:^|[\s(])\(?([A-J])\)?\sis\s(?:the\s)?(?:correct|right)\s?(?:answer|option|choice)?|"
    r"(?:选项?|答案)\s?([A-J])(?![A-Za-z])|\bnot \(?[A-J]\)?,? (?:but|rather) \(?([A-J])\b|"
    r"(?:go with|pick|choose|select) (?:option |choice )?\(?([A-J])\b",
    re.MULTILINE,
)


_THAT_IS: Final = Pattern(r",?\s+i\.\s?e\.,?\s+(?=\S*[\d$\\])")
_NAME_IS: Final = Pattern(r"^([a-zA-Z])\s(?:is|equals)\s")
_CHOICE_WORDS: Final = (
    "go with",
    "pick",
    "choose",
    "select",
    "correct",
    "is right",
    "is the right",
    "is true",
    "is best",
    "rather",
    "but ",
    "选",
    "答案",
)


class Marked(NamedTuple):
    """An announced answer: where its phrase starts, the answers, and why there are none."""

    start: int
    answers: tuple[str, ...]
    reason: str
    strong: bool


def is_refusal(text: str) -> bool:
    """Tell whether a text says that there is no answer to give."""
    return _REFUSAL.search(text) is not None


def _positions(text: str, lowered: str) -> list[tuple[int, str]]:
    stems = _ASCII_STEMS if text.isascii() else _ASCII_STEMS + _OTHER_STEMS
    found = []
    for stem in stems:
        if stem in lowered:
            end = len(lowered)
            for _ in range(MAX_TRIES):
                end = lowered.rfind(stem, 0, end)
                if end < 0:
                    break
                found.append((end, stem))
    return sorted(found, reverse=True)


def find_marked(text: str) -> Marked | None:
    """Find the last announced answer of a text.

    Args:
        text: a response without bold marks.

    Returns:
        The answer, or the reason why the last announcement holds none; None when nothing is
        announced.
    """
    lowered = text.lower()
    if len(lowered) != len(
        text
    ):  # a few letters change their length: offsets must stay those of the text
        lowered = "".join(sign if len(low := sign.lower()) != 1 else low for sign in text)
    failed: Marked | None = None
    for position, stem in _positions(text, lowered):
        end = position + len(stem)
        marked = (
            _read_hashes(text, position, end)
            if stem == "####"
            else _read_phrase(text, position, end, stem)
        )
        if marked and marked.answers:
            return marked
        failed = failed or marked
        if marked and marked.reason:
            break
    choice: deque[re.Match[str]] = deque()
    if any(word in lowered for word in _CHOICE_WORDS):
        choice = deque(_CHOICE.finditer(text, max(0, len(text) - 1_500)), maxlen=1)
    if choice and not (failed and failed.start > choice[0].start()):
        letter = next(group for group in choice[0].groups() if group)
        return Marked(choice[0].start(), (letter,), "", strong=False)
    return failed


def _read_hashes(text: str, position: int, end: int) -> Marked | None:
    if text.startswith("#", end) or (position and text[position - 1] not in "\n \t"):
        return None
    line = text[end : end + 2_000].split("\n", 1)[0]
    if _STEP.match(line) or count_words(line) > 6 or not line.strip():
        return None
    value = clean(line)
    return Marked(position, (value,), "", strong=True) if value else None


def _read_phrase(text: str, position: int, end: int, stem: str) -> Marked | None:
    strong = "final" in text[max(0, position - 8) : position].lower()
    link = _LINK.match(text, end)
    if link:
        after = link.end()
        strong = strong or text[link.end() - 1] in ":："
    elif stem in {
        "故选",
        "故選",
        "应选",
        "答：",
        "答:",
        "选择",
        "因此选",
        "所以选",
        "i choose",
        "답:",
        "답은",
    }:
        direct = _DIRECT.match(text, end)
        after = direct.end() if direct else end
    else:
        line_end = text.find("\n", end)
        start = text.rfind("\n", 0, position) + 1
        heading = text[max(start, position - 40) : line_end if line_end >= 0 else len(text)]
        if strong and _NUMBER.match(text, end):  # the final answer 10
            after = end
        elif line_end < 0 or not _HEADING.match(heading):
            return None
        else:
            after, strong = line_end, True
    refused = _NOT.match(text, after)
    if refused:
        if (
            not refused.group()
            .rstrip()
            .lower()
            .endswith(("but", "it's", "its", "it is", "rather", "而是"))
        ):
            return None
        after = refused.end()
    return _value_after(text, position, after, strong=strong)


def _value_after(text: str, position: int, after: int, *, strong: bool) -> Marked | None:
    rest = text[after : after + MAX_BLOCK].lstrip(" \t:：")
    block = rest.lstrip()
    if not block.strip("*_$.` \n"):
        return Marked(position, (), "truncated: nothing follows the announcement", strong=strong)
    display = read_display(block)
    if display is not None:
        return Marked(
            position, (display,) if display else (), "" if display else "truncated", strong=strong
        )
    listed = _read_list(block) if rest[:1] == "\n" else ()
    if listed:
        return Marked(position, listed, "", strong=strong)
    line = block.split("\n", 1)[0].strip()
    if rest[:1] == "\n" and (bullet := _BULLET.match(line)) is not None:
        line = line[bullet.end() :]
    last = "\n" not in block.strip()
    statement = strip_lead(_THAT_IS.split(cut_at_end(line))[-1].strip())
    if is_refusal(statement):
        return Marked(position, (), "no answer: the response declines to give one", strong=strong)
    if last and statement == strip_lead(line) and is_cut_short(statement):
        return Marked(position, (), "truncated", strong=strong)
    value = trim_counter(clean(_NAME_IS.sub(r"\1 = ", statement)))
    if not is_value(value) or states_value(value):
        value = value_in(statement, concluding=True) or (value if count_words(value) <= 10 else "")
    return Marked(position, (value,), "", strong=strong) if value else None


def read_display(block: str) -> str | None:
    r"""Read a display formula or fence at the start of a text.

    Args:
        block: text that may start with `$$`, `\[`, a fence or an environment.

    Returns:
        Its content, empty when it is never closed, None when the text starts with none.
    """
    for opening, closing in _DISPLAY:
        if block.startswith(opening):
            start = len(opening)
            if opening == "```":
                newline = block.find("\n")
                start = newline if newline >= 0 else start
            stop = block.find(closing, start)
            return clean(block[start:stop]) if stop > 0 else ""
    environment = _ENVIRONMENT.match(block)
    if environment:
        closing = f"\\end{{{environment.group(1)}}}"
        stop = block.find(closing)
        return clean(block[: stop + len(closing)]) if stop > 0 else ""
    return None


def _read_list(block: str) -> tuple[str, ...]:
    items: list[str] = []
    for line in block.split("\n", 60):
        bullet = _BULLET.match(line)
        if not bullet:
            if items or line.strip():
                break
            continue
        value = clean(cut_at_end(line[bullet.end() :]))
        if not is_value(value):
            return ()
        items.append(value)
    return tuple(items) if len(items) > 1 else ()
