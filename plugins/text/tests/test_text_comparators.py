"""The comparators of texts, by example and by property."""

from __future__ import annotations

import asyncio

import pytest
from grpo_text import plugin
from grpo_text.finding import find_marked
from grpo_text.normalising import DEFAULT, Normalisation, token_f1
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grpo_framework.component import Wiring
from grpo_framework.errors import ComparatorError, ConfigError
from grpo_framework.protocols import AnswerComparator
from grpo_framework.records import Problem, Question

COMPONENTS = {component.name: component for component in plugin.grpo_comparators()}
TEXTS = st.text(min_size=1, max_size=60).filter(lambda text: text.strip())


def judge(name, reference, answer, question="What?", **options):
    async def run():
        async with COMPONENTS[name].factory(Wiring(name=name, options=options)) as comparator:
            problem = Problem(Question("q", question), reference)
            return await comparator.compare(problem, answer)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("so\nAnswer: Paris", "Paris"),
        ("**Answer:** Paris", "Paris"),
        ("The final answer is: Paris", "Paris"),
        ("the answer is Paris.", "Paris."),
        ("答案是巴黎", "巴黎"),
        ("最终答案：巴黎", "巴黎"),
        ("thinking…\n#### 18", "18"),
        (r"so \boxed{\frac{1}{2}} it is", r"\frac{1}{2}"),
        (r"\boxed{1} then \boxed{2}", "2"),
        (r"\boxed{1} then \boxed{2", "1"),
        ("<answer>\nParis\n</answer>", "Paris"),
        ("Answer: Rome\nno,\nAnswer: Paris", "Paris"),
        (r"The answer is $\boxed{7}$.", "7"),
        ("Paris", None),
        ("", None),
    ],
)
def test_marked_answers(response, answer):
    """A final answer is found by its mark, the last one wins."""
    assert find_marked(response) == answer


@pytest.mark.parametrize(
    ("name", "options", "reference", "answer", "reward"),
    [
        ("exact", {}, "Paris", "Paris", 1.0),
        ("exact", {}, "Paris", "so\nAnswer: Paris", 1.0),
        ("exact", {}, "Paris", "paris", 0.0),
        ("exact", {"find": "whole"}, "Paris", "Answer: Paris", 0.0),
        ("exact", {"find": "last-line"}, "Paris", "it is\nParis", 1.0),
        ("exact", {"separator": "|"}, "Paris | Lutetia", "Lutetia", 1.0),
        ("exact", {}, "Answer: x", "Answer: x", 1.0),
        ("normalised", {}, "The Eiffel Tower", "eiffel tower!", 1.0),
        ("normalised", {}, "1,000", "1000", 1.0),
        ("normalised", {}, "(1,2)", "12", 0.0),
        ("normalised", {}, "-3", "3", 0.0),
        ("normalised", {}, "1.5", "15", 0.0),
        ("normalised", {}, "x < 2", "x > 2", 0.0),
        ("normalised", {}, "$5", "5", 1.0),
        ("normalised", {}, "½", "1⁄2", 1.0),
        ("normalised", {}, "naïve", "naive", 0.0),
        ("normalised", {"accents": True}, "naïve", "naive", 1.0),
        ("normalised", {"case": False}, "Paris", "paris", 0.0),
        ("normalised", {}, "the", "a", 0.0),
        ("contains", {}, "Paris", "I believe that Paris is right", 1.0),
        ("contains", {}, "art", "I visited Martha", 0.0),
        ("contains", {}, "42", "it is 421", 0.0),
        ("contains", {}, "巴黎", "我认为是巴黎吧", 1.0),
        ("contains", {"separator": ";"}, "red; blue", "all blue", 1.0),
        ("contains", {"separator": ";", "every": True}, "red; blue", "all blue", 0.0),
        ("contains", {"separator": ";", "every": True}, "red; blue", "blue, red", 1.0),
        ("token-f1", {}, "the cat sat", "a cat", 2 / 3),
        ("token-f1", {}, "cat", "dog", 0.0),
        ("token-f1", {"separator": "|"}, "dog | black cat", "cat", 2 / 3),
        ("token-f1", {}, "Paris", "long thoughts\nAnswer: Paris", 1.0),
        ("regex", {}, r"pari[sz]", "It is PARIS", 1.0),
        ("regex", {"ignore_case": False}, r"pari[sz]", "It is PARIS", 0.0),
        ("regex", {"whole": True}, r"\d+", "12", 1.0),
        ("regex", {"whole": True}, r"\d+", "12 apples", 0.0),
        ("regex", {"pattern": r"=\s*(\d+)"}, "7", "3 + 4 = 7", 1.0),
        ("regex", {"pattern": r"=\s*(\d+)"}, "7", "3 + 4 = 8", 0.0),
        ("regex", {"pattern": r"\d+$"}, "7", "it is 7", 1.0),
        ("regex", {"pattern": r"=\s*(\d+)"}, "7", "seven", 0.0),
        ("multiple-choice", {}, "A, C", "The answers are C and A", 1.0),
        ("multiple-choice", {}, "A, C", "The answer is A", 0.0),
        ("multiple-choice", {"several": "no"}, "C", "B and C", 0.0),
    ],
)
def test_rewards(name, options, reference, answer, reward):
    """Each comparator rewards what its description says."""
    assert judge(name, reference, answer, **options).reward == pytest.approx(reward)


@settings(deadline=None)
@given(TEXTS)
def test_reference_equals_itself(text):
    """Every text but an empty one equals itself by exact, normalised and token F1."""
    for name in ("exact", "normalised", "token-f1"):
        assert judge(name, text, text).reward == 1.0


@settings(deadline=None)
@given(TEXTS)
@example("¯")
@example("¨a´")
@example("\u1fbd'\u0330")
def test_normalising_is_idempotent(text):
    """Normalising a normalised text changes nothing, and never leaves nothing."""
    for form in (DEFAULT, Normalisation(accents=True), Normalisation(punctuation=False)):
        once = form.apply(text)
        assert form.apply(once) == once
        assert once


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_f1_is_symmetric_and_bounded(one, other):
    """F1 lies from 0 to 1 and does not depend on who is the reference; precision is recall turned."""
    f1, precision, recall = token_f1(one, other)
    assert token_f1(other, one) == (f1, recall, precision)
    assert 0.0 <= f1 <= 1.0


@settings(deadline=None)
@given(TEXTS.filter(lambda text: any(map(str.isalnum, text))))
def test_contains_finds_the_reference_among_words(text):
    """A text with a letter or digit stands in a sentence around it."""
    assert judge("contains", text, f"well {text} indeed").reward == 1.0


def test_catastrophic_pattern_is_stopped():
    """A pattern that would run for ages is an error that says so, not a reward."""
    with pytest.raises(ComparatorError, match=r"ran longer than 0\.05 s") as caught:
        judge("regex", r"^(a|aa)+$", "a" * 60 + "b", timeout=0.05)
    assert caught.value.kind == "timeout"


def test_bad_option_pattern_is_refused_on_opening():
    """A pattern in the options is checked before anything runs, with its position."""
    with pytest.raises(ConfigError, match="at position 3"):
        judge("regex", "x", "x", pattern="a(b")


def test_bad_reference_pattern_is_an_error():
    """A reference that is no pattern cannot be judged; the message names the problem."""
    with pytest.raises(ComparatorError, match=r"problem q .* position") as caught:
        judge("regex", "[a", "x")
    assert caught.value.kind == "bad pattern"


def test_long_pattern_is_refused():
    """A pattern of more than the limit is refused."""
    with pytest.raises(ComparatorError, match="the limit is 2000"):
        judge("regex", "a" * 2001, "x")


@pytest.mark.parametrize(
    ("name", "reference"), [("exact", " "), ("multiple-choice", "7 apples"), ("contains", "")]
)
def test_unusable_reference_is_an_error(name, reference):
    """A reference that cannot be compared is a failure, not a wrong answer."""
    with pytest.raises(ComparatorError, match="problem q") as caught:
        judge(name, reference, "x")
    assert caught.value.kind == "unparsed reference"


@pytest.mark.parametrize("name", COMPONENTS)
def test_missing_answer_has_its_reason(name):
    """No text at all is a reward of 0 that says so."""
    verdict = judge(name, "C", None)
    assert (verdict.reward, verdict.reason) == (0.0, "there is no answer")


@pytest.mark.parametrize("name", ["exact", "normalised", "contains", "token-f1"])
def test_bare_answers_are_not_searched(name):
    """What is known to be a bare answer is compared as it is, marks and all."""

    async def run():
        async with COMPONENTS[name].factory(Wiring(name=name)) as comparator:
            assert isinstance(comparator, AnswerComparator)
            problem = Problem(Question("q", "What?"), "x, answer: y")
            same = await comparator.compare_answer(problem, "x, answer: y")
            other = await comparator.compare_answer(Problem(problem.question, "y"), "answer: x z")
            return same.reward, other.reward, await comparator.compare_answer(problem, " ")

    same, other, missing = asyncio.run(run())
    assert (same, other) == (1.0, 0.0)
    assert missing.reason == "there is no answer"
