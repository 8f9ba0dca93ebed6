"""A comparator: is this answer the reference?"""

from contextlib import asynccontextmanager

from grpo_framework import ComparatorError, Component, Verdict, hookimpl


class LastWord:
    async def compare(self, problem, answer, /):
        if not problem.answer.split():
            raise ComparatorError(f"{problem.id}: no reference", kind="unparsed reference")
        words = (answer or "").split()
        if not words:
            return Verdict(0.0, "no answer found")
        said, wanted = words[-1].strip(".").casefold(), problem.answer.split()[-1].casefold()
        right = said == wanted
        return Verdict(float(right), "equal" if right else f"{said} is not {wanted}", said)


@asynccontextmanager
async def open_last_word(wiring):
    yield LastWord()


@hookimpl
def grpo_comparators():
    yield Component("last-word", open_last_word, summary="compares the last words")
