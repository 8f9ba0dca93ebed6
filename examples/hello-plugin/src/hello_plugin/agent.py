"""The generator: one prompt, one call."""

from __future__ import annotations

from attrs import frozen

from grpo_framework import Attempt, ChatModel, ChatRequest, Library, Message, Question
from grpo_framework.prompting import enclose, render_library


@frozen
class Agent:
    """Answers with one call, the experiences in its prompt.

    Attributes:
        model: Answers; the framework has put its limits and retries around it.
        tone: How to answer.
    """

    model: ChatModel
    tone: str

    async def attempt(self, question: Question, library: Library, /, *, seed: int) -> Attempt:
        """Answer the question once."""
        system = f"Solve the problem. Be {self.tone}. End with \\boxed{{answer}}."
        asked = enclose("problem", question.text)
        learned = render_library(library)
        request = ChatRequest(
            messages=(
                Message("system", system),
                Message("user", f"{learned}\n\n{asked}" if learned else asked),
            ),
            seed=seed,
        )
        reply = await self.model.chat(request)
        return Attempt(text=reply.text, finish=reply.finish, usage=reply.usage)
