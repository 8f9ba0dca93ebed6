"""What an advisor's prompt shows of a contrast: the attempts, and what was measured of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from grpo_framework.experience import CRITIC
from grpo_framework.prompting import defuse
from grpo_framework.records import Contrast, Sample
from grpo_prompted.measuring import list_rejected, measure
from grpo_prompted.shortening import share

_REASON_CHARS = 200


def describe_contrast(contrast: Contrast, budget: int, language: str = "en") -> dict[str, Any]:
    """The variables of a contrast, all texts defused.

    Args:
        contrast: The group.
        budget: Most characters of all attempts, and of the inputs of fusions, together.
        language: Of the prompt.
    """
    texts = iter(share([sample.attempt.text for sample in _all(contrast.samples)], budget))
    attempts = [
        _describe(sample, number, texts) for number, sample in enumerate(contrast.samples, 1)
    ]
    return {
        "problem": defuse(contrast.question.text).strip(),
        "critic": contrast.owner == CRITIC,
        "attempts": attempts,
        "good": [attempt for attempt in attempts if attempt["kind"] == "good"],
        "bad": [attempt for attempt in attempts if attempt["kind"] == "bad"],
        "notes": [*measure(contrast, language), *(_line(note) for note in contrast.notes)],
        "rejected": list(list_rejected(contrast, language)),
    }


def _all(samples: Sequence[Sample]) -> Iterator[Sample]:
    for sample in samples:
        yield sample
        yield from sample.inputs


def _describe(sample: Sample, number: int, texts: Iterator[str]) -> dict[str, Any]:
    text = next(texts)
    kind = "good" if sample.advantage > 0 else "bad" if sample.advantage < 0 else "middle"
    return {
        "number": number,
        "kind": kind,
        "text": defuse(text).strip(),
        "reward": f"{sample.reward:g}",
        "reason": _line(sample.reason),
        "extracted": None if sample.extracted is None else _line(sample.extracted),
        "cut_off": sample.attempt.finish == "length",
        "refused": sample.attempt.finish == "refused",
        "inputs": [_describe(given, index, texts) for index, given in enumerate(sample.inputs, 1)],
    }


def _line(text: str) -> str:
    return " ".join(defuse(text).split())[:_REASON_CHARS]
