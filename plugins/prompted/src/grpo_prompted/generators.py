"""The generators: one prompt and one call, or a draft and a second call that checks it."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from grpo_framework.experience import Library
from grpo_framework.prompting import defuse, render_library
from grpo_framework.protocols import ChatModel
from grpo_framework.records import Attempt, ChatReply, ChatRequest, Question
from grpo_prompted.seeds import derive
from grpo_prompted.settings import Sampling, Wording
from grpo_prompted.shortening import shorten
from grpo_prompted.templates import Prompt


@frozen
class SinglePrompt:
    """A generator that asks once; the template is its style.

    Attributes:
        model: Who answers.
        prompt: The template.
        wording: The task in words.
        sampling: Temperature and limit.
    """

    model: ChatModel
    prompt: Prompt
    wording: Wording
    sampling: Sampling

    async def attempt(self, question: Question, library: Library, /, *, seed: int) -> Attempt:
        """Answer the question with one call."""
        variables = describe(question, library, self.wording)
        reply = await _ask(self.model, self.prompt, variables, self.sampling, seed)
        return Attempt(reply.text, finish=reply.finish, usage=reply.usage)


@frozen
class SolveAndCheck:
    """A generator that asks twice: for a solution, then for a check of it that decides.

    The text of the attempt is both answers, the check last, so that its final answer counts. A
    refused or empty draft is the attempt: there is nothing to check.

    Attributes:
        model: Who answers.
        solve: The template of the first call.
        check: The template of the second call.
        wording: The task in words.
        sampling: Temperature and limit of each call.
        draft_chars: Most characters of the draft that the second call sees.
    """

    model: ChatModel
    solve: Prompt
    check: Prompt
    wording: Wording
    sampling: Sampling
    draft_chars: int

    async def attempt(self, question: Question, library: Library, /, *, seed: int) -> Attempt:
        """Answer the question with a draft and a check of it."""
        variables = describe(question, library, self.wording)
        draft = await _ask(self.model, self.solve, variables, self.sampling, seed)
        if draft.finish == "refused" or not draft.text.strip():
            return Attempt(draft.text, finish=draft.finish, usage=draft.usage)
        variables |= {
            "draft": defuse(shorten(draft.text, self.draft_chars)),
            "cut_off": draft.finish == "length",
        }
        checked = await _ask(
            self.model, self.check, variables, self.sampling, derive(seed, "check")
        )
        text = f"{draft.text.rstrip()}\n\n{checked.text}"
        return Attempt(text, finish=checked.finish, usage=draft.usage + checked.usage)


def describe(question: Question, library: Library, wording: Wording) -> dict[str, Any]:
    """The variables that every template of a generator or critic has."""
    return {
        "task": wording.task,
        "answer_format": wording.answer_format,
        "examples": wording.examples,
        "problem": defuse(question.text).strip(),
        "subject": defuse(question.subject).strip(),
        "experiences": render_library(library, ids=False),
    }


async def _ask(
    model: ChatModel, prompt: Prompt, variables: dict[str, Any], sampling: Sampling, seed: int
) -> ChatReply:
    return await model.chat(
        ChatRequest(
            prompt.render(variables),
            seed=seed,
            temperature=sampling.temperature,
            max_tokens=sampling.max_tokens,
        )
    )
