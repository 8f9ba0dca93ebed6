"""What the framework measures of attempts, and how it reaches the advisor and the report."""

from __future__ import annotations

import pytest

from grpo_framework.advantage import critic_contrast, generator_contrast, with_past
from grpo_framework.codec import event_from_document, from_document, to_document
from grpo_framework.events import EpochStarted, LibraryCommitted, RunStarted
from grpo_framework.experience import Add, Delete, Experience, Library, Malformed, Plan, Refusal
from grpo_framework.lanes import Learned, answers_of
from grpo_framework.records import (
    Attempt,
    Contrast,
    Diagnosis,
    FinalAnswer,
    GroupResult,
    Measured,
    Outcomes,
    Past,
    Question,
    Rejected,
    Rollout,
    Shown,
    Unit,
    Verdict,
    diagnose,
    measure,
    outcome_of,
)
from grpo_framework.reports import ReportFold
from grpo_framework.reports.past import KEPT, TEXT_CHARS
from grpo_framework.validation import validate

QUESTION = Question("p", "How many?")


def rollout(text, reward, *, finish="stop", extracted=None, index=0, ids=("G1-001",)):
    attempt = Attempt(text, finish=finish)
    unit = Unit(1, 1, "p", "generator_1", "attempt", index)
    return Rollout(unit, attempt, Verdict(reward, "", extracted), 0, ids)


GROUP = (
    rollout("x" * 10, 1.0, extracted="6"),
    rollout("x" * 30, 0.0, extracted="7 ", index=1),
    rollout("x" * 50, 0.0, finish="length", extracted="7", index=2, ids=("G1-001", "S-001")),
    rollout("x" * 20, 0.0, index=3),
)


@pytest.mark.parametrize(
    ("finish", "reward", "extracted", "outcome"),
    [
        ("stop", 1.0, "6", "right"),
        ("stop", 0.5, None, "right"),
        ("length", 1.0, "6", "right"),
        ("stop", 0.4, "6", "wrong"),
        ("stop", 0.0, None, "no_answer"),
        ("length", 0.0, None, "cut_off"),
        ("length", 0.0, "5", "cut_off"),
        ("refused", 0.0, None, "refused"),
    ],
)
def test_outcome_of_an_attempt(finish, reward, extracted, outcome):
    """Right counts first; then why it is not right."""
    assert outcome_of(Attempt("t", finish=finish), Verdict(reward, "", extracted)) == outcome


def test_measures_add_up():
    """Outcomes, lengths and their means; failures commonest first."""
    measured = measure(GROUP)
    assert measured.outcomes == Outcomes(right=1, wrong=1, cut_off=1, no_answer=1)
    assert (measured.mean_right_chars, measured.mean_other_chars) == (10, 100 / 3)
    assert measured + measured == measure(GROUP + GROUP)
    assert Measured().mean_right_chars is None
    assert Measured().mean_other_chars is None
    assert Outcomes(wrong=1, cut_off=2).failures == (("cut_off", 2), ("wrong", 1))


def test_a_group_is_diagnosed():
    """Agreement is the share of the commonest answer; experiences are those in its prompts."""
    diagnosis = diagnose(GROUP)
    assert diagnosis.agreement == 0.5
    assert diagnosis.shown == (Shown("G1-001"), Shown("S-001"))
    assert diagnose(GROUP[3:]).agreement is None
    group = GroupResult(QUESTION, "generator_1", GROUP)
    assert generator_contrast(group, seed=1).diagnosis == diagnosis


def test_the_critics_contrast_is_diagnosed_by_its_fusions():
    """Its outcomes are those of the fusions, not of what they were made from."""
    unit = Unit(1, 1, "p", "generator_1", "fusion")
    final = FinalAnswer(unit, Attempt("t", finish="length"), Verdict(0.0), 0, ("C-001",))
    group = GroupResult(QUESTION, "generator_1", GROUP, final)
    contrast = critic_contrast(QUESTION, [group], seed=1)
    assert contrast.diagnosis.measured.outcomes == Outcomes(cut_off=1)
    assert contrast.diagnosis.shown == (Shown("C-001"),)


def test_the_past_is_told():
    """Use of the experiences shown, and what earlier batches came to; by hand there is none."""
    library = Library("generator_1", 1, (Experience("G1-001", "t", "c", 3, 5),))
    past = Past(measure(GROUP), (Rejected("Do x.", "gate", "it did not help"),))
    contrast = generator_contrast(GroupResult(QUESTION, "generator_1", GROUP), seed=1)
    told = with_past(contrast, library, past).diagnosis
    assert told.shown == (Shown("G1-001", 5, 3), Shown("S-001"))
    assert told.past == past
    plain = Contrast("generator_1", QUESTION, ())
    assert with_past(plain, library, past) is plain
    assert from_document(to_document(told), Diagnosis) == told


def test_a_fusion_belongs_to_the_critic():
    """Answers are told apart by who gave them."""
    final = FinalAnswer(Unit(1, 1, "p", "generator_1", "fusion"), Attempt("t"), Verdict(1.0))
    learned = [Learned((*GROUP, final), ())]
    assert answers_of(learned, "critic") == (final,)
    assert answers_of(learned, "generator_1") == GROUP


def commit(*refused, measured=None):
    plan = Plan("generator_1", 0, (), refused)
    return LibraryCommitted(1, 1, plan, 0, 0, 0, measured or Measured())


def folded(*events):
    fold = ReportFold()
    started = RunStarted("r", "", ("generator_1",), 1, 1, 3)
    for event in (started, EpochStarted(1, 1, 1, (("generator_1", 0),), 0), *events):
        fold.add(event)
    return fold


def test_the_report_has_the_diagnosis_of_each_owner_and_epoch():
    """Outcome kinds and mean lengths, in the published schema, and recomputed from the events."""
    event = commit(measured=measure(GROUP))
    again = event_from_document(to_document(event))
    fold = folded(event, again)
    (owner,) = fold.report().epochs[0].owners
    assert owner.outcomes == Outcomes(right=2, wrong=2, cut_off=2, no_answer=2)
    assert (owner.mean_right_chars, owner.mean_other_chars) == (10, 100 / 3)
    document = to_document(fold.report())
    validate("report", document)
    assert document["epochs"][0]["owners"][0]["outcomes"]["cut_off"] == 2


def test_refused_proposals_are_remembered_once_and_few():
    """What says something of the proposal's worth is told; leaks are told without their text."""
    form = (
        Refusal(Malformed("{}", "no"), "schema", "no"),
        Refusal(Delete("G1-9"), "known-id", "no"),
        Refusal(Add("Do y."), "capacity", "full"),
    )
    leak = Refusal(Add("The answer is 42."), "answer-leak", "it states an answer")
    gate = Refusal(Add("Do x." + "x" * 500), "gate", "it did not help")
    event = commit(*form, leak, gate)
    fold = folded(event, event)
    kept = fold.past["generator_1"].rejected
    assert [(row.text[:5], row.rule) for row in kept] == [("", "answer-leak"), ("Do x.", "gate")]
    assert len(kept[1].text) == TEXT_CHARS
    many = [Refusal(Add(f"Do {n}."), "gate", "no") for n in range(50)]
    fold.add(commit(*many))
    assert [row.text for row in fold.past["generator_1"].rejected] == [
        f"Do {n}." for n in range(50 - KEPT, 50)
    ]
    other = ReportFold()
    other.restore(fold.state)
    assert other.past == fold.past
