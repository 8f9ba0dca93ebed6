"""Read from the messages alone what a prompt asks, and answer it: pure, no model.

Whose prompts they are does not matter: what is looked for are known questions, the simulated
student's own responses, ids of experiences, and the word reward beside a number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from grpo_framework.codec import to_document
from grpo_framework.experience import Add, Keep
from grpo_framework.records import ChatRequest
from grpo_scripted.advising import winning_tactics
from grpo_scripted.answers import (
    ATTEMPT_START,
    Passage,
    find_passages,
    read_answer,
    write_response,
)
from grpo_scripted.lookup import AnswerIndex, Known
from grpo_scripted.replying import build_reply
from grpo_scripted.student import Ability, fuse, solve
from grpo_scripted.tactics import FUSION_TACTICS, SKILLS, Tactic, find_tactics

_EXPERIENCE = re.compile(r"\b((?:G[1-9]\d*|C|S)-\d+)\b([^\n]*)")
_PROPOSAL = re.compile(r"^\W*([A-Z]{1,2}\d+)\b([^\n]*)", re.MULTILINE)
_JUDGED = re.compile(r"(?:reward|score)\W{0,3}[01]|(?:奖励|得分|回报)\W{0,3}[01]", re.IGNORECASE)
_LEARNED = "The good attempts used it and the bad ones did not."


def compose_answer(request: ChatRequest, answers: AnswerIndex, ability: Ability) -> str:
    """Compose the text of a reply, the same for the same messages and seed.

    A request with a schema asks for operations as JSON; one that shows rewards asks what made the
    difference; one that shows finished attempts asks to fuse them; any other asks to solve the
    question in it.
    """
    prompt = "\n".join(message.content for message in request.messages)
    known = find_question(request, answers)
    if request.schema is not None:
        document = build_reply(request.schema, *propose(prompt, known))
        return json.dumps(document, ensure_ascii=False)
    passages = find_passages(prompt)
    attempts = tuple(passage for passage in passages if not passage.fusion)
    if passages and _JUDGED.search(prompt):
        return _confirm(passages[0]) if len(passages) == 1 else _explain(passages, known)
    seed = request.seed or 0
    question = known.question if known else request.messages[-1].content
    reference = known.answer if known else None
    if len(attempts) == 1:
        return _confirm(attempts[0])
    if attempts:
        given = [passage.answer for passage in attempts]
        return fuse(ability, question, reference, given, prompt, seed).text
    return solve(ability, question, reference, prompt, seed).text


def find_question(request: ChatRequest, answers: AnswerIndex) -> Known | None:
    """The known question that a chat is about: that of the last turn with one, users' turns first.

    Earlier turns may be worked examples, later ones a request to answer again.
    """
    users = [message for message in request.messages if message.role == "user"]
    others = [message for message in request.messages if message.role != "user"]
    for message in (*reversed(users), *reversed(others)):
        known = answers.find(message.content)
        if known is not None:
            return known
    return None


def _confirm(attempt: Passage) -> str:
    """What reading one attempt says: the attempt again, with the tactic that it named."""
    tactics = find_tactics(attempt.text)
    return write_response(ATTEMPT_START, tactics[0].sentence if tactics else "", attempt.answer)


def _explain(passages: Sequence[Passage], known: Known | None) -> str:
    """What set the good attempts apart, in words."""
    tactics = _learn(passages, known)
    if not tactics:
        return "The attempts name no tactic that made the difference."
    return "\n".join(f"{tactic.sentence} {_LEARNED}" for tactic in tactics)


def propose(prompt: str, known: Known | None) -> tuple[list[dict[str, Any]], str]:
    """Turn an advisor's prompt into operations, as documents, and a one-sentence summary.

    With attempts in the prompt these are the tactics of the right ones that the wrong ones do not
    name; without attempts (a consolidation) the tactics outside of the library. What the library
    in the prompt teaches already is kept. An addition names under ``from`` the labels of the
    proposals (``P1: …``) that hold it.
    """
    held = _find_lines(_EXPERIENCE, prompt)
    rest = _EXPERIENCE.sub(" ", prompt)
    labels = _find_lines(_PROPOSAL, rest)
    passages = find_passages(rest)
    tactics = _learn(passages, known) if passages else find_tactics(rest, SKILLS + FUSION_TACTICS)
    added: list[dict[str, Any]] = []
    kept: list[dict[str, Any]] = []
    for tactic in tactics:
        if tactic.phrase in held:
            kept.append(to_document(Keep(held[tactic.phrase][0], reason=_LEARNED)))
            continue
        document = to_document(Add(tactic.sentence, category=tactic.name, reason=_LEARNED))
        added.append({**document, "from": labels.get(tactic.phrase, [])})
    sentence = tactics[0].sentence if tactics else "The attempts name no tactic that helped."
    return [*added, *kept], sentence


def _find_lines(pattern: re.Pattern[str], text: str) -> dict[str, list[str]]:
    """Phrase of a tactic → the ids or labels of the lines that teach it."""
    found: dict[str, list[str]] = {}
    for match in pattern.finditer(text):
        for tactic in find_tactics(match[2]):
            found.setdefault(tactic.phrase, []).append(match[1])
    return found


def _learn(passages: Sequence[Passage], known: Known | None) -> tuple[Tactic, ...]:
    fusions = [passage for passage in passages if passage.fusion]
    group = fusions or passages
    if known is None:
        named = "\n".join(passage.text for passage in group)
        return find_tactics(named, SKILLS + FUSION_TACTICS)
    right = read_answer(known.answer) or ""
    good = [passage.text for passage in group if passage.answer == right]
    bad = [passage.text for passage in group if passage.answer != right]
    return winning_tactics(good, bad)
