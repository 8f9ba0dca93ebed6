"""The critic: reads one generator's attempts and writes one final answer."""

from __future__ import annotations

from attrs import frozen

from grpo_framework.experience import Library
from grpo_framework.prompting import defuse
from grpo_framework.protocols import ChatModel
from grpo_framework.records import Attempt, ChatRequest, Question
from grpo_prompted.generators import describe
from grpo_prompted.settings import Sampling, Wording
from grpo_prompted.shortening import share
from grpo_prompted.templates import Prompt


@frozen
class Fuse:
    """A critic that asks once, with all attempts in the prompt and nothing about their rewards.

    Attributes:
        model: Who answers.
        prompt: The template.
        wording: The task in words.
        sampling: Temperature and limit.
        evidence_chars: Most characters of all attempts together.
    """

    model: ChatModel
    prompt: Prompt
    wording: Wording
    sampling: Sampling
    evidence_chars: int

    async def fuse(
        self, question: Question, attempts: tuple[Attempt, ...], library: Library, /, *, seed: int
    ) -> Attempt:
        """Answer the question from the attempts with one call."""
        texts = share([attempt.text for attempt in attempts], self.evidence_chars)
        rows = [
            {
                "number": number,
                "text": defuse(text).strip(),
                "cut_off": attempt.finish == "length",
                "refused": attempt.finish == "refused",
            }
            for number, (attempt, text) in enumerate(zip(attempts, texts, strict=True), 1)
        ]
        variables = {**describe(question, library, self.wording), "attempts": rows}
        reply = await self.model.chat(
            ChatRequest(
                self.prompt.render(variables),
                seed=seed,
                temperature=self.sampling.temperature,
                max_tokens=self.sampling.max_tokens,
            )
        )
        return Attempt(reply.text, finish=reply.finish, usage=reply.usage)
