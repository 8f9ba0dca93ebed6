"""The simulated student and critic: pure functions from a question and lessons to a response."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import fields_dict, frozen

from grpo_scripted.answers import ATTEMPT_START, FUSION_START, make_wrong, write_response
from grpo_scripted.dice import choose, draw
from grpo_scripted.tactics import (
    FUSION_TACTICS,
    HARMFUL_TACTICS,
    SKILLS,
    USELESS_TACTICS,
    find_tactics,
    needed_fusion,
    needed_skill,
    normalise_question,
)


@frozen
class Ability:
    """How good the simulated student is.

    Attributes:
        p0: Chance of a right attempt without the skill that the problem needs.
        p1: The same when the lessons teach that skill.
        p_harm: What each harmful tactic in the lessons takes away from the chance.
        spread: Half-width of the spread of the chance between problems, fixed by their text.
        skills: How many of the skills of the table the problems need.
        redraw: Whether any change of the lessons throws the dice again, as with a real model;
            otherwise two runs with the same seeds differ only where a lesson matters.
        p_slip: Chance that the critic takes another attempt's answer than the majority's.
    """

    p0: float = 0.35
    p1: float = 0.9
    p_harm: float = 0.25
    spread: float = 0.0
    skills: int = len(SKILLS)
    redraw: bool = False
    p_slip: float = 0.15


def read_ability(options: Mapping[str, Any]) -> Ability:
    """Take an `Ability` from validated options that may hold more."""
    names = fields_dict(Ability)
    return Ability(**{key: value for key, value in options.items() if key in names})


@frozen
class Response:
    """What the student says: the whole text and the final answer in it."""

    text: str
    answer: str


def chance_of(ability: Ability, question: str, lessons: str) -> float:
    """The chance of a right attempt, from 0 to 1.

    Args:
        ability: How good the student is.
        question: The problem's text.
        lessons: All text it was given: the experiences, or a whole prompt.
    """
    skill = needed_skill(question, skills=ability.skills)
    chance = ability.p1 if find_tactics(lessons, (skill,)) else ability.p0
    chance += ability.spread * (2 * draw("difficulty", normalise_question(question)) - 1)
    chance -= ability.p_harm * len(find_tactics(lessons, HARMFUL_TACTICS))
    return min(1.0, max(0.0, chance))


def solve(ability: Ability, question: str, answer: str | None, lessons: str, seed: int) -> Response:
    """Make one attempt, the same for the same arguments.

    Args:
        ability: How good the student is.
        question: The problem's text.
        answer: The reference answer; None where the student cannot know it and answers something.
        lessons: All text it was given.
        seed: Of this attempt.
    """
    text = normalise_question(question)
    dice = (text, seed, lessons if ability.redraw else "")
    if answer is None:
        guess = str(int(draw("guess", *dice) * 100))
        return Response(write_response(ATTEMPT_START, "", guess), guess)
    if draw("attempt", *dice) < chance_of(ability, question, lessons):
        skill = needed_skill(question, skills=ability.skills)
        return Response(write_response(ATTEMPT_START, skill.sentence, answer), answer)
    wrong = make_wrong(answer, *dice)
    return Response(write_response(ATTEMPT_START, _excuse(lessons, *dice), wrong), wrong)


def _excuse(lessons: str, *dice: object) -> str:
    """The tactic that a wrong attempt names: a harmful lesson, a useless one, or none."""
    harmful = find_tactics(lessons, HARMFUL_TACTICS)
    if harmful:
        return choose(harmful, "harmful", *dice).sentence
    if draw("excuse", *dice) < 0.3:
        return choose(USELESS_TACTICS, "useless", *dice).sentence
    return ""


def fuse(
    ability: Ability,
    question: str,
    answer: str | None,
    answers: Sequence[str],
    lessons: str,
    seed: int,
) -> Response:
    """Fuse the answers of attempts into one, the same for the same arguments.

    The critic takes the majority (ties by first) and slips now and then. When its lessons teach
    the tactic that the problem's fusion needs, it finds a right attempt, where there is one, with
    chance `p1`, and does not slip.

    Args:
        ability: How good it is.
        question: The problem's text.
        answer: The reference answer, or None where it is not known.
        answers: Final answers of the attempts, at least one.
        lessons: All text the critic was given, without the attempts.
        seed: Of this fusion.
    """
    text = normalise_question(question)
    dice = (text, seed, lessons if ability.redraw else "")
    tactic = needed_fusion(question)
    majority = Counter(answers).most_common(1)[0][0]
    others = [other for other in dict.fromkeys(answers) if other != majority]
    chosen = majority
    if find_tactics(lessons, FUSION_TACTICS) and find_tactics(lessons, (tactic,)):
        if answer in answers and draw("insight", *dice) < ability.p1:
            chosen = str(answer)
    elif others and draw("slip", *dice) < ability.p_slip:
        chosen = choose(others, "other", *dice)
    named = tactic.sentence if chosen == answer and others else ""
    return Response(write_response(FUSION_START, named, chosen), chosen)
