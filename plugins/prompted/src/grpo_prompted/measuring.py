"""What was measured of a group, in words of the prompt's language; a line each, and few."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from statistics import mean

from attrs import frozen

from grpo_framework.prompting import defuse
from grpo_framework.records import (
    Contrast,
    Diagnosis,
    Outcome,
    Outcomes,
    Rejected,
    Sample,
    Shown,
    Verdict,
    outcome_of,
)

MOST_SHOWN = 8
MOST_REJECTED = 5
"""How many experiences and refused proposals are told: a prompt has to stay short."""

_TEXT_CHARS = 160


@frozen
class Phrases:
    """How a language says what was measured; the names in braces are filled in."""

    kinds: Mapping[Outcome, str]
    short: Mapping[Outcome, str]
    bad: str
    lengths: str
    agreement: str
    earlier: str
    count: str
    shown: str
    use: str
    effect: str
    rejected: str
    comma: str


_ENGLISH = Phrases(
    kinds={
        "right": "a right final answer",
        "wrong": "a wrong final answer",
        "no_answer": "no final answer found",
        "cut_off": "cut off at the length limit before the end",
        "refused": "refused to answer",
    },
    short={
        "right": "right",
        "wrong": "wrong",
        "no_answer": "without an answer",
        "cut_off": "cut off",
        "refused": "refused",
    },
    bad="{number} of {total} bad attempts: {kind}",
    lengths="good attempts have {good} characters on average, bad {bad}",
    agreement="{share} of the attempts gave the same answer",
    earlier="attempts of earlier batches: {counts}",
    count="{number} {kind}",
    shown="experiences in the prompts: {rows}",
    use="{id} (right in {right} of {uses} uses)",
    effect="{id} (effect on the reward {effect})",
    rejected="{text} ({reason})",
    comma=", ",
)
_CHINESE = Phrases(
    kinds={
        "right": "最终答案正确",
        "wrong": "最终答案错误",
        "no_answer": "没有找到最终答案",
        "cut_off": "没写完就因长度限制被截断",
        "refused": "拒绝作答",
    },
    short={
        "right": "正确",
        "wrong": "错误",
        "no_answer": "没有答案",
        "cut_off": "被截断",
        "refused": "拒绝",
    },
    bad="{total} 份差的解答中有 {number} 份：{kind}",
    lengths="好的解答平均 {good} 个字符，差的 {bad} 个",
    agreement="{share} 的解答给出了同一个答案",
    earlier="以前各批的解答：{counts}",
    count="{kind} {number}",
    shown="提示中的经验：{rows}",
    use="{id}（用过 {uses} 次，{right} 次正确）",
    effect="{id}（对奖励的影响 {effect}）",
    rejected="{text}（{reason}）",
    comma="，",
)
PHRASES: Mapping[str, Phrases] = {"en": _ENGLISH, "zh": _CHINESE}


def measure(contrast: Contrast, language: str = "en") -> tuple[str, ...]:
    """What can be counted of a group and of the owner's past.

    Args:
        contrast: The group; without a diagnosis only its samples are counted.
        language: Of the prompt.
    """
    words = PHRASES[language]
    diagnosis = contrast.diagnosis or Diagnosis()
    return (*_of_samples(contrast, words), *_of_diagnosis(diagnosis, words))


def list_rejected(contrast: Contrast, language: str = "en") -> tuple[str, ...]:
    """The latest proposals that were refused, each with its reason, defused, on one line."""
    words = PHRASES[language]
    past = (contrast.diagnosis or Diagnosis()).past
    rows = [row for row in past.rejected if row.text]
    return tuple(_describe_rejected(row, words) for row in rows[-MOST_REJECTED:])


def _of_samples(contrast: Contrast, words: Phrases) -> Iterator[str]:
    good, bad = contrast.good, contrast.bad
    for kind, number in Counter(map(_kind, bad)).most_common():
        yield words.bad.format(number=number, total=len(bad), kind=words.kinds[kind])
    if good and bad:
        lengths = [round(mean(len(item.attempt.text) for item in side)) for side in (good, bad)]
        yield words.lengths.format(good=lengths[0], bad=lengths[1])


def _of_diagnosis(diagnosis: Diagnosis, words: Phrases) -> Iterator[str]:
    if diagnosis.agreement is not None and diagnosis.measured.outcomes.total > 2:
        yield words.agreement.format(share=f"{diagnosis.agreement:.0%}")
    earlier = diagnosis.past.measured.outcomes
    if earlier.total:
        yield words.earlier.format(counts=_count(earlier, words))
    rows = [row for row in diagnosis.shown if row.uses or row.effect is not None]
    if rows:
        listed = words.comma.join(_describe_shown(row, words) for row in rows[:MOST_SHOWN])
        yield words.shown.format(rows=listed)


def _kind(sample: Sample) -> Outcome:
    """Bad is what is below the group's mean, right or not by itself: a 0.6 beside a 1 is wrong."""
    reward = min(sample.reward, 0.0)
    return outcome_of(sample.attempt, Verdict(reward, extracted=sample.extracted))


def _count(outcomes: Outcomes, words: Phrases) -> str:
    rows: tuple[tuple[Outcome, int], ...] = (("right", outcomes.right), *outcomes.failures)
    return words.comma.join(
        words.count.format(number=number, kind=words.short[kind]) for kind, number in rows
    )


def _describe_shown(row: Shown, words: Phrases) -> str:
    id_ = " ".join(defuse(row.id).split())
    if row.effect is not None:
        return words.effect.format(id=id_, effect=f"{row.effect:+.2f}")
    return words.use.format(id=id_, right=row.successes, uses=row.uses)


def _describe_rejected(row: Rejected, words: Phrases) -> str:
    text = " ".join(defuse(row.text).split())[:_TEXT_CHARS]
    return words.rejected.format(text=text, reason=" ".join(defuse(row.reason).split()))
