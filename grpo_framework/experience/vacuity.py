"""Proposals that say nothing: no instruction in them, one problem only, or the proposing itself.

Each judgement is made only where it can be made with some certainty: a text in another language
than English and Chinese, or in a few words only, is never found empty.
"""

from __future__ import annotations

import re

from grpo_framework.experience.lexicon import LEARNED_NAMES, NOUNS, VERBS
from grpo_framework.experience.untrusted import visible
from grpo_framework.experience.wording import COMMON_NUMBERS, is_wide, numbers_of

_ENGLISH = re.compile(r"\b(?:the|an?|of|to|is|are|was|were|and|or|in|with|that|it|its|has|have)\b")
_GUIDING = re.compile(
    r"\b(?:when(?:ever)?|if|unless|before|after|until|once|instead|rather than|except|given that"
    r"|should|must|ought|need(?:s|ed)? to|has to|have to|had better|shall|can be (?:solved|found"
    r"|done|written"
    r"|replaced|computed|simplified|reduced|obtained|used|factored|expressed|checked)"
    r"|never|always|avoid|don't|do not|cannot|only|ensure|remember|beware|careful|important to"
    r"|helps? to|useful to|better to|best to|the (?:first|next|last|key) step|the key is|tip|rule"
    r"|requires?|means?|equals?|implies|gives|enough|faster|easier|safer|"
    r"simplif(?:y|ies)|avoids|helps|reveals|speeds|eliminates|prevents|saves|for (?:every|each|all"
    r"|any|problems?|questions?)"
    r"|in (?:problems?|questions?|such|case)|to (?!be\b|all\b|know\b|the\b|a\b|an\b|their\b"
    r"|its\b|baghdad\b)"
    r"[a-z]+[^.]{0,80}?,)",
)
_CLAUSE = re.compile(
    r"(?:^|[.;:!?,\n–—]|\b(?:and|then|or|but|so|please|first|next|finally|also|always|to)\b)\s*"
    r"[\"'“‘*\-\d.)(]*\s*([a-z]+(?:-[a-z]+)?)"
)
_FORMULA = re.compile(r"[=\\\d]|, not\b")
_WIDE_STATING = re.compile(r"是|很|有|非常|属于")
_WIDE_GUIDING = re.compile(
    r"时[，,]|当|如果|若|遇到|先|再|应|必须|需要|要|请|不要|不能|避免|记得|注意|确保|务必|始终|总是|切勿|别|尽量|只"
    r"|检查|写|用|把|将|令|设|列|画|代入|化简|计算|比较|判断|验证|读|找|选|取|从|转换|换算|按|对于"
)
_PROPOSING = re.compile(
    r"\bas an? (?:advisor|adviser|ai|assistant|language model|critic reviewing)\b"
    r"|\b(?:the|these|those|all|both|most)\s+(?:\w+\s+)?(?:good|bad|successful|failed"
    r"|failing)\s+attempts?\b"
    r"|\bthe (?:good|bad) (?:one|ones|attempt|attempts|solution|solutions)\b"
    r"|\battempts? (?:no\. ?|number )?#?\d+\b|\breward (?:of )?[01]\b"
    r"|\bi (?:propose|suggest|recommend|would (?:add|propose|suggest))\b"
    r"|\b(?:this|the|a|new|proposed) (?:proposal|operation|experience)s? (?:is|are|was|should"
    r"|adds?|can|will|helps?)\b"
    r"|\b(?:add|modify|delete|merge|keep) (?:this|the|an?) (?:new )?(?:experience|operation)s?\b"
    r"|\bexperience (?:id|library)\b|\b(?:G\d+|C|S)-\d{3}\b"
    r"|作为(?:一个)?(?:顾问|评审|人工智能|语言模型|助手)|(?:好|差|成功|失败)的(?:解答|尝试)(?:中|里|都|是|没)"
    r"|(?:新增|修改|删除|合并|保留)(?:这|该|一)条经验|奖励(?:为|是)?\s*[01]",
    re.IGNORECASE,
)
_SOLVER_ATTEMPTS = re.compile(
    r"\b(?:the|these|those) attempts? (?:show|shows|showed|failed|fail|succeeded|was|were|did"
    r"|had)\b"
    r"|(?:这些|这份|几份|各个)(?:解答|尝试)(?:显示|表明|说明|都|没)",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![.!?:\n\"“”*\-] )(?<!^)(?<![\w\\$^_{/-])([A-Z][a-z]{2,})\b")
_OWN = re.compile(
    r"(?m)(?:^|[.!?:\n\"“] ?)([A-Z][a-z]{2,})(?:['’]s\b| (?:has|had|have|buys?|bought|sells?"
    r"|sold|earns?|eats?"
    r"|pays?|paid|wants?|gives?|gave|gets?|got|makes?|made|is|was|needs?|went|goes|saves?"
    r"|spends?|and [A-Z]))"
)
_WIDE_NAME = re.compile(r"小[\u4e00-\u9fff]|(?:张|李|王|刘|陈|赵)(?:三|四|五|老师|师傅|阿姨|叔叔)")


def find_no_instruction(text: str) -> str | None:
    """Why a text is no advice, or None: it says how things are and not what to do."""
    plain = visible(text).casefold()
    if _FORMULA.search(plain):
        return None  # a formula, a number, or 'this, not that', can be used as it stands
    if is_wide(plain):
        empty = _WIDE_STATING.search(plain) is not None and not _WIDE_GUIDING.search(plain)
    else:
        judged = len(plain.split()) >= 4 and _ENGLISH.search(plain) is not None
        empty = judged and not (_GUIDING.search(plain) or _has_imperative(plain))
    return "it says what is and not what to do, or when" if empty else None


def _has_imperative(plain: str) -> bool:
    """Whether a clause begins with a verb, or one stands anywhere that is rarely a noun."""
    words = re.findall(r"[a-z]+(?:-[a-z]+)?", plain)
    return any(word in VERBS for word in _CLAUSE.findall(plain)) or any(
        word in VERBS and word not in NOUNS for word in words
    )


def find_proposing(text: str, *, critic: bool) -> str | None:
    """Why a text is about the proposing and not about the task, or None.

    Args:
        text: Of the experience.
        critic: Whether the critic learns it, whose task the attempts are.
    """
    plain = visible(text)
    if _PROPOSING.search(plain) or (not critic and _SOLVER_ATTEMPTS.search(plain)):
        return "it talks about the attempts or the proposing, which the reader of it does not see"
    return None


def find_one_problem(text: str, source: str) -> str | None:
    """Why a text is about its source problem only, or None: it shares a name, or two numbers.

    Args:
        text: Of the experience.
        source: The problem it was learned from; nothing is found without one.
    """
    if not source:
        return None
    plain, origin = visible(text), visible(source)
    names = _names(plain) & _names(origin)
    if names:
        return f"it is about one problem only: it names {min(names)}"
    numbers = numbers_of(plain) & numbers_of(origin)
    if len(numbers) >= 2 or any(len(number) > 3 for number in numbers - COMMON_NUMBERS):
        return f"it is about one problem only: it repeats its number {min(numbers)}"
    return None


def _names(text: str) -> set[str]:
    """The names of persons and places in a text, as far as their writing tells."""
    found = {*_NAME.findall(text), *_OWN.findall(text)}
    own = {name for name in found if not _is_learned(name, text)}
    return own | set(_WIDE_NAME.findall(text))


def _is_learned(name: str, text: str) -> bool:
    """Whether a capitalised word names a method or a thing rather than somebody in the problem."""
    folded = name.casefold()
    return folded in LEARNED_NAMES or re.search(rf"\b{folded}\b", text) is not None
