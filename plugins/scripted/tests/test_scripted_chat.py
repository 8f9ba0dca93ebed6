"""The simulated chat model: finding questions, faults, cut-off replies, schemas, tables."""

from __future__ import annotations

import asyncio
import json
import re
from decimal import Decimal

import pytest
from grpo_scripted import ALL_TACTICS, SKILLS, USELESS_TACTICS, find_tactics, plugin
from grpo_scripted.answers import find_passages, make_wrong, read_box, write_response
from grpo_scripted.dice import choose, draw
from grpo_scripted.lookup import index_answers
from grpo_scripted.problems import ArithmeticProblems
from hypothesis import given, settings
from hypothesis import strategies as st

from grpo_framework.component import Wiring
from grpo_framework.errors import ModelError
from grpo_framework.experience import Add, Library, plan
from grpo_framework.records import ChatRequest, Message
from grpo_framework.validation import validate_with

KEY = {"What is 12 + 5?": "17", "What is 12 - 5?": "7", "小明有3个苹果，又买了4个，一共几个？": "7"}


def chat(request, key=KEY, **options):
    return chat_all([request], key, **options)[0]


def chat_all(requests, key=KEY, **options):
    async def run():
        component = next(iter(plugin.grpo_chat_models()))
        wiring = Wiring(name="default", options=options, answer_key=key)
        replies = []
        async with component.factory(wiring) as model:
            for request in requests:
                try:
                    replies.append(await model.chat(request))
                except ModelError as error:
                    replies.append(error)
        return replies

    return asyncio.run(run())


def request_of(*texts, seed=1, **fields):
    return ChatRequest(tuple(Message("user", text) for text in texts), seed=seed, **fields)


def test_known_question_is_answered():
    """A known question within any prompt gets its answer, with p0 = 1."""
    for question, answer in KEY.items():
        reply = chat(request_of(f"Solve this:\n<p>{question}</p>\nBe brief."), p0=1.0)
        assert read_box(reply.text) == answer


def test_last_turn_with_a_question_counts():
    """Worked examples before, and a request to answer again after, do not matter."""
    turns = (
        Message("user", "What is 12 + 5?"),
        Message("assistant", "17"),
        Message("user", "What is 12 - 5?"),
        Message("assistant", "hm"),
        Message("user", "That could not be read. Answer again."),
    )
    assert read_box(chat(ChatRequest(turns, seed=1), p0=1.0).text) == "7"


def test_unknown_question_gets_some_answer():
    """Without the question in the key the same prompt and seed still get the same answer."""
    first, again = chat_all([request_of("Who are you?"), request_of("Who are you?")], key={})
    assert first.text == again.text
    assert read_box(first.text).isdigit()


def test_question_among_ten_thousand_is_found():
    """Each of many questions with long common beginnings is found, plain and as JSON."""
    key = {
        f"A train with {number} wagons leaves. “How far”, asks Åse,\nis it after {number % 7} h?":
        str(number)
        for number in range(10_000)
    }  # fmt: skip
    index = index_answers(key)
    for question in list(key)[::997]:
        padding = "A train with many words leaves. " * 50
        for quoted in (question, json.dumps(question), question.replace("\n", "  ")):
            found = index.find(f"{padding}\n# Problem: {quoted}\n{padding}")
            assert found is not None
            assert found.answer == key[question]
        assert index.get(question) == key[question]
    assert index.find(padding) is None


def test_longest_question_wins():
    """A question that begins with another one, or holds it, is not mistaken for it."""
    index = index_answers(
        {"What is 1?": "a", "What is 1? And 2?": "b", "Well, What is 1? Yes": "c"}
    )
    assert index.find("so: What is 1? And 2? ok").answer == "b"
    assert index.find("so: What is 1? And 3? ok").answer == "a"
    assert index.find("Well, What is 1? Yes").answer == "c"
    assert index_answers({"is 1": "x"}).find("this is 12") is None
    assert index_answers({}).find("anything") is None


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(alphabet="ab 1?\\", min_size=1, max_size=8).filter(str.strip), st.just("x"),
        min_size=1, max_size=12,
    ),
    st.text(alphabet="ab 1?\\", max_size=30),
)  # fmt: skip
def test_index_agrees_with_a_plain_scan(key, prompt):
    """What the index finds is what a scan of all questions finds."""
    index = index_answers(key)
    text = " ".join(prompt.split())

    def stands(question):
        pattern = rf"(?<![a-z0-9]){re.escape(question)}" if question[0].isalnum() else None
        pattern = pattern or re.escape(question)
        return re.search(pattern + (r"(?![a-z0-9])" if question[-1].isalnum() else ""), text)

    known = [" ".join(question.split()) for question in key]
    lengths = [len(question) for question in known if stands(question)]
    found = index._find_longest(text)
    assert (len(found.question) if found else 0) == max(lengths, default=0)


def test_faults_are_drawn_and_pass():
    """About the share asked for fails, with the kinds asked for, and a repetition gets through."""
    requests = [request_of("What is 12 + 5?", seed=seed) for seed in range(200)]
    options = {"fail_rate": 0.3, "fail_kinds": ["rate_limited", "timeout"], "retry_after": 2}
    replies = chat_all(requests, **options)
    errors = [reply for reply in replies if isinstance(reply, ModelError)]
    assert 35 <= len(errors) <= 85
    assert {error.kind for error in errors} == {"rate_limited", "timeout"}
    assert all(
        error.retry_after == (2 if error.kind == "rate_limited" else None) for error in errors
    )
    assert [str(reply) for reply in chat_all(requests, **options)] == [str(r) for r in replies]
    repeated = chat_all([requests[0]] * 40, **options)
    assert any(not isinstance(reply, ModelError) for reply in repeated)


def test_replies_are_cut_off():
    """By the rate asked for, and by the limit of the request; the finish says so."""
    requests = [request_of("What is 12 + 5?", seed=seed) for seed in range(100)]
    cut = [reply for reply in chat_all(requests, truncation_rate=0.5) if reply.finish == "length"]
    assert 30 <= len(cut) <= 70
    assert all(read_box(reply.text) is None for reply in cut)
    limited = chat(request_of("What is 12 + 5?", max_tokens=3))
    assert (limited.finish, limited.usage.output_tokens) == ("length", 3)
    stopped = chat(request_of("What is 12 + 5?", stop=("So the",)))
    assert "answer" not in stopped.text


def test_lessons_in_the_prompt_count():
    """The same chance as for the generator: lessons in the prompt raise the share of right ones."""
    lessons = "\n".join(f"- {skill.sentence}" for skill in SKILLS)

    def rate(prompt):
        replies = chat_all([request_of(prompt, seed=seed) for seed in range(200)])
        return sum(read_box(reply.text) == "17" for reply in replies) / 200

    assert rate("What is 12 + 5?") == pytest.approx(0.35, abs=0.12)
    assert rate(f"{lessons}\n\nWhat is 12 + 5?") == pytest.approx(0.9, abs=0.08)


GOOD = write_response("Let me work through it.", SKILLS[0].sentence, "17")
BAD = write_response("Let me work through it.", USELESS_TACTICS[0].sentence, "18")
PROMPT = f"Experiences:\n[G1-004] {SKILLS[2].sentence}\n\nWhat is 12 + 5?\n1: {GOOD}\n2: {BAD}"
VARIANTS = {
    "tagged op": {"op": {"const": "add"}, "content": {"type": "string"}},
    "other tag": {"action": {"enum": ["ADD", "KEEP"]}, "content": {"type": "string"}},
    "with reason": {
        "op": {"enum": ["add", "keep"]},
        "content": {"type": "string"},
        "category": {"type": "string", "pattern": "^[a-z]+$"},
        "reason": {"type": "string", "maxLength": 160},
    },
    "opening": {
        "op": {"const": "add"},
        "content": {"type": "string", "pattern": "^遇到题目时，[^0-9.]{10,120}[.]$"},
    },
    "only text": None,
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("shared", [False, True])
def test_reply_fits_any_schema_of_operations(variant, shared):
    """The winning tactic is proposed in whatever spelling the schema wants."""
    properties = VARIANTS[variant]
    item = {"type": "string", "minLength": 10}
    if properties:
        item = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
    listed = {"type": "array", "maxItems": 3, "items": {"$ref": "#/$defs/item"} if shared else item}
    schema = {
        "type": "object",
        "properties": {"summary": {"type": "string", "maxLength": 20}, "operations": listed},
        "required": ["summary", "operations"],
        "additionalProperties": False,
    }
    if shared:
        schema["$defs"] = {"item": item}
    document = json.loads(chat(request_of(PROMPT, schema=schema)).text)
    validate_with("reply", schema, document)
    assert len(document["operations"]) == 1
    assert SKILLS[0].sentence in str(document["operations"])


def test_tables_are_distinct():
    """Each tactic's sentence teaches that one only, and no two are near duplicates."""
    for tactic in ALL_TACTICS:
        assert [each.phrase for each in find_tactics(tactic.sentence)] == [tactic.phrase]
    made = plan(Library("generator_1"), [Add(tactic.sentence) for tactic in ALL_TACTICS])
    assert not made.refused


@settings(deadline=None)
@given(st.text(max_size=30).filter(str.strip), st.integers())
def test_wrong_answers_are_wrong(answer, seed):
    """A wrong answer is another text than the reference, and for numbers another number."""
    wrong = make_wrong(answer, seed)
    assert wrong.strip() != answer.strip()


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=2), st.integers(0, 99))
def test_wrong_numbers_are_other_numbers(number, seed):
    """The number that is made wrong differs in value."""
    assert Decimal(make_wrong(f"{number}", seed)) != number


@settings(deadline=None)
@given(st.text(max_size=200))
def test_passages_of_any_text(text):
    """No text raises; a response of the student is found again with its answer."""
    find_passages(text)
    made = write_response("Let me work through it.", "", "\\frac{1}{2}")
    assert find_passages(f"x {made} y")[0].answer == "\\frac{1}{2}"


def test_dice_are_fair_and_fixed():
    """Draws are uniform enough, choices cover the options, and both are the same on any machine."""
    draws = [draw("fair", number) for number in range(2000)]
    assert 0.47 < sum(draws) / 2000 < 0.53
    assert {choose("abc", number) for number in range(50)} == set("abc")
    assert draw("fixed", 1) == pytest.approx(0.84963, abs=1e-5)


def test_problems_are_right_and_split():
    """Generated problems have the shares asked for, and other seeds give other problems."""
    source = ArithmeticProblems(count=40, validation=0.25, test=0.1)
    problems = asyncio.run(source.problems())
    splits = [problem.split for problem in problems]
    assert [splits.count(name) for name in ("train", "validation", "test")] == [26, 10, 4]
    others = asyncio.run(ArithmeticProblems(count=40, seed=1).problems())
    assert not {p.id for p in problems} & {p.id for p in others}
    assert len({p.question.text for p in (*problems, *others)}) > 70
    for problem in problems:
        if problem.question.subject == "money":
            count, price, left = map(int, re.findall(r"\d+", problem.question.text))
            assert problem.answer == str(count * price + left)
