"""Read from the messages alone what a prompt asks, and answer it: pure, no model."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from grpo_framework.experience import Add, Keep, Operation
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

_EXPERIENCE = re.compile(r"\b((?:G[1-9]\d*|C|S)-\d+)\b([^\n]*(?:\n(?!.*\b[GCS]\d*-\d)[^\n]*)?)")


def compose_answer(request: ChatRequest, answers: AnswerIndex, ability: Ability) -> str:
    """Compose the text of a reply, the same for the same messages and seed.

    A request with a schema asks for operations or a summary as JSON; one that shows finished
    attempts asks to fuse them; any other asks to solve the question in it.
    """
    prompt = "\n".join(message.content for message in request.messages)
    known = answers.find(prompt)
    if request.schema is not None:
        operations, sentence = propose(prompt, known)
        document = build_reply(request.schema, operations, sentence)
        return json.dumps(document, ensure_ascii=False)
    seed = request.seed or 0
    passages = find_passages(prompt)
    question = known.question if known else request.messages[-1].content
    reference = known.answer if known else None
    attempts = tuple(passage for passage in passages if not passage.fusion)
    if len(attempts) == 1:
        return _confirm(attempts[0])
    if attempts:
        given = [passage.answer for passage in attempts]
        return fuse(ability, question, reference, given, prompt, seed).text
    return solve(ability, question, reference, prompt, seed).text


def _confirm(attempt: Passage) -> str:
    """What checking one draft says: the draft again, with the tactic that it named."""
    tactics = find_tactics(attempt.text)
    return write_response(ATTEMPT_START, tactics[0].sentence if tactics else "", attempt.answer)


def propose(prompt: str, known: Known | None) -> tuple[tuple[Operation, ...], str]:
    """Turn an advisor's prompt into operations and a one-sentence summary.

    With attempts in the prompt these are the tactics of the right ones that the wrong ones do not
    name; without attempts (a consolidation) the tactics that are proposed. What the library in the
    prompt teaches already is kept.
    """
    passages = find_passages(prompt)
    held = {
        tactic.phrase: match[1]
        for match in _EXPERIENCE.finditer(prompt)
        for tactic in find_tactics(match[2])
    }
    tactics = _learn(passages, known) if passages else find_tactics(prompt, SKILLS + FUSION_TACTICS)
    operations: list[Operation] = []
    for tactic in tactics:
        if tactic.phrase in held:
            operations.append(Keep(held[tactic.phrase], reason="a good attempt used it"))
        else:
            reason = "the good attempts used it and the bad ones did not"
            operations.append(Add(tactic.sentence, category=tactic.name, reason=reason))
    sentence = tactics[0].sentence if tactics else "The attempts name no tactic that helped."
    return tuple(operations), sentence


def _learn(passages: Sequence[Passage], known: Known | None) -> tuple[Tactic, ...]:
    fusions = [passage for passage in passages if passage.fusion]
    group = fusions or passages
    if known is None:
        named = "\n".join(passage.text for passage in group)
        return find_tactics(named, SKILLS + FUSION_TACTICS)
    right = [each for each in group if each.answer == (read_answer(known.answer) or "")]
    good = [passage.text for passage in group if passage in right]
    bad = [passage.text for passage in group if passage not in right]
    return winning_tactics(good, bad)
