"""From judged attempts to what is counted of them; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from attrs import evolve

from grpo_framework.records.diagnosis import Diagnosis, Measured, Outcome, Outcomes, Shown
from grpo_framework.records.results import Attempt, FinalAnswer, Rollout, Verdict


def outcome_of(attempt: Attempt, verdict: Verdict) -> Outcome:
    """What became of an attempt.

    An attempt that was cut off and is right all the same is right; one that was cut off counts as
    that whatever was read from it, since what was read is not what it would have said.
    """
    if verdict.success:
        return "right"
    if attempt.finish == "refused":
        return "refused"
    if attempt.finish == "length":
        return "cut_off"
    return "no_answer" if verdict.extracted is None else "wrong"


def measure(
    answers: Iterable[Rollout | FinalAnswer], tokens: Mapping[str, int] = MappingProxyType({})
) -> Measured:
    """Count the outcomes and lengths of judged answers.

    Args:
        answers: Of one owner.
        tokens: Id of an experience → about how many tokens it takes in a prompt.
    """
    outcomes: list[Outcome] = []
    right_chars = other_chars = injected = 0
    for answer in answers:
        outcome = outcome_of(answer.attempt, answer.verdict)
        outcomes.append(outcome)
        if outcome == "right":
            right_chars += len(answer.attempt.text)
        else:
            other_chars += len(answer.attempt.text)
        injected += sum(tokens.get(id_, 0) for id_ in answer.experiences)
    return Measured(Outcomes.of(outcomes), right_chars, other_chars, injected)


def diagnose(answers: Sequence[Rollout | FinalAnswer]) -> Diagnosis:
    """What is measured of one group."""
    read = Counter(
        " ".join(answer.verdict.extracted.split()).casefold()
        for answer in answers
        if answer.verdict.extracted is not None
    )
    agreement = max(read.values()) / len(answers) if read else None
    return evolve(diagnose_batch(answers), agreement=agreement)


def diagnose_batch(answers: Sequence[Rollout | FinalAnswer]) -> Diagnosis:
    """What is measured of answers to several problems, which need not agree."""
    ids = dict.fromkeys(id_ for answer in answers for id_ in answer.experiences)
    return Diagnosis(measure(answers), shown=tuple(Shown(id_) for id_ in ids))
