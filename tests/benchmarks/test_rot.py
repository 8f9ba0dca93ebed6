"""The benchmarks of the gate: a student whose truth is known, and what they say of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest

pytest.importorskip("grpo_scripted")

from benchmarks import gate, rot
from benchmarks.rot_student import (
    GOOD,
    HARMFUL,
    USELESS,
    Student,
    draw_offers,
    make_problems,
)
from grpo_framework.experience import Experience, Library


def holding(*texts):
    return Library("generator_1", 1, tuple(Experience(f"G1-{n}", t) for n, t in enumerate(texts)))


def test_the_reward_of_every_library_is_known():
    """A lesson adds its share, a useless text nothing, a harmful one takes its part away."""
    student = Student(lessons=10, untaught=0.2)
    assert student.reward(()) == pytest.approx(0.2)
    assert student.reward(GOOD[:3]) == pytest.approx(0.2 + 3 * student.gain)
    assert student.reward((*GOOD[:3], *USELESS)) == student.reward(GOOD[:3])
    assert student.reward((HARMFUL[0],)) == pytest.approx(0.1)
    assert student.reward(HARMFUL) == 0.0


@pytest.mark.parametrize("redraw", [False, True])
def test_the_student_earns_what_is_known(redraw):
    """Its rewards come to the exact mean; with common luck a useless text changes no answer."""
    student = Student(lessons=4, redraw=redraw)
    problems = make_problems(200, "test", student)
    answers = {}
    for name, texts in (("plain", GOOD[:2]), ("more", (*GOOD[:2], USELESS[0]))):
        answers[name] = [
            asyncio.run(student.attempt(problem.question, holding(*texts), seed=seed)).text
            for problem in problems
            for seed in range(5)
        ]
        share = Counter(answers[name])["right"] / len(answers[name])
        assert share == pytest.approx(student.reward(texts), abs=0.04)
    assert (answers["plain"] == answers["more"]) is not redraw


def test_offers_are_one_good_three_useless_and_one_harmful():
    """Ten batches, no text twice; where lessons are few they come again."""
    offers = draw_offers(3, batches=10, lessons=10)
    texts = [text for offer in offers for text in offer.texts]
    assert len(set(texts)) == len(texts) == 50
    assert {offer.good for offer in offers} == set(GOOD[:10])
    assert all(set(offer.useless) <= set(USELESS) for offer in offers)
    assert all(offer.harmful in HARMFUL for offer in offers)
    again = draw_offers(3, batches=10, lessons=4)
    assert {offer.good for offer in again} == set(GOOD[:4])
    assert draw_offers(4, batches=10, lessons=10) != offers


def test_the_gate_keeps_the_good_and_no_gate_keeps_everything():
    """One seed of two rows of the benchmark: what it counts is what is in the library."""
    kept = rot.run_once((rot.Setting(4, "paired"), True, 1))
    assert (kept.offered, kept.harmful) == (10, 0.0)
    assert kept.good >= rot.LEAST_GOOD
    assert kept.after > 0.8
    assert 0 < kept.judged <= 10 * 2 * rot.BUDGET + 2 * 4 * rot.VALIDATION
    everything = rot.run_once((rot.Setting(4, "none", credit=False), True, 0))
    assert (everything.good, everything.useless, everything.harmful) == (1.0, 1.0, 1.0)
    assert everything.after < everything.before


def test_a_promise_that_does_not_hold_is_said_and_fails_the_command(tmp_path, monkeypatch, capsys):
    """Exit code 1 and a line for each; rows without a promise are only shown."""
    settings = (rot.Setting(4, "none"), rot.Setting(4, "none", promised=False))
    monkeypatch.setattr(rot, "SETTINGS", settings)
    monkeypatch.setattr(rot, "BATCHES", 2)
    figures = tmp_path / "figures.json"
    assert rot.main(["--seeds=1", "--processes=1", f"--json={figures}"]) == 1
    told = capsys.readouterr()
    assert told.err.count("does not hold") == 2
    assert "`--gate none`" in told.out
    assert [row["harmful"] for row in json.loads(figures.read_text())] == [1.0] * 4


def test_edits_against_one_failure_do_not_hide_each_other():
    """One batch finds one for most of these seeds; all together in all pairs, for one of twelve."""
    assert sum(gate.find_best(("rambler", 5, seed))[1] for seed in range(12)) >= 5


@pytest.mark.parametrize("company", gate.COMPANY)
def test_edits_without_effect_are_rarely_taken_beside_any_others(company):
    """Thirty of them in the same pairs, over six batches with their evidence carried over."""
    counts = [gate.hold(gate.Court(company, True, False, seed)) for seed in range(100, 106)]
    assert sum(taken for taken, _ in counts) <= 2
    assert sum(refused for _, refused in counts) > 20


def test_larger_effects_take_fewer_pairs():
    """Medians of a few simulated edits, a wave of eight at the least."""
    found = [
        sorted(gate.count_pairs((effect, True, seed)) for seed in range(9))[4]
        for effect in (0.1, 0.3, 0.5)
    ]
    assert found[0] > 2 * found[1] > 2 * found[2] >= 16
