"""What this plugin offers: three generators, a critic and an advisor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from grpo_framework import protocols
from grpo_framework.component import Component, Wiring
from grpo_framework.hookspecs import hookimpl
from grpo_prompted import samples
from grpo_prompted.advisor import Advisor
from grpo_prompted.asking import Asker
from grpo_prompted.critic import Fuse
from grpo_prompted.generators import SinglePrompt, SolveAndCheck
from grpo_prompted.proposals import content_schema
from grpo_prompted.settings import (
    ADVISOR_OPTIONS,
    CHECKING_OPTIONS,
    CONTENT_CHARS,
    CRITIC_OPTIONS,
    DRAFT_CHARS,
    EVIDENCE_CHARS,
    GENERATOR_OPTIONS,
    OPENINGS,
    Sources,
    read_sampling,
    read_sources,
    read_wording,
)
from grpo_prompted.templates import Prompt, load

_GENERATOR_TEMPERATURE = 0.7
_CRITIC_TEMPERATURE = 0.2
_ADVISOR_TEMPERATURE = 0.3
_ADVISOR_PROMPTS = {
    "direct": ("advise", "consolidate"),
    "staged": ("summarise", "contrast", "propose", "consolidate"),
}


def _load(name: str, sources: Sources, sample: Mapping[str, Any]) -> Prompt:
    return load(
        name,
        sample,
        language=sources.language,
        templates_dir=sources.templates_dir,
        template=sources.template,
    )


def _single(
    name: str,
) -> Callable[[Wiring], AbstractAsyncContextManager[protocols.Generator]]:
    @asynccontextmanager
    async def open_generator(wiring: Wiring) -> AsyncIterator[protocols.Generator]:
        prompt = _load(name, read_sources(wiring), samples.ANSWERING)
        sampling = read_sampling(wiring, temperature=_GENERATOR_TEMPERATURE)
        yield SinglePrompt(wiring.chat_model, prompt, read_wording(wiring), sampling)

    return open_generator


@asynccontextmanager
async def _open_solve_and_check(wiring: Wiring) -> AsyncIterator[protocols.Generator]:
    sources = read_sources(wiring)
    own = wiring.options.get("check_template")
    check = Sources(sources.language, sources.templates_dir, None if own is None else Path(own))
    yield SolveAndCheck(
        model=wiring.chat_model,
        solve=_load("solve", sources, samples.ANSWERING),
        check=_load("check", check, samples.CHECKING),
        wording=read_wording(wiring),
        sampling=read_sampling(wiring, temperature=_GENERATOR_TEMPERATURE),
        draft_chars=wiring.options.get("draft_chars", DRAFT_CHARS),
    )


@asynccontextmanager
async def _open_fuse(wiring: Wiring) -> AsyncIterator[protocols.Critic]:
    yield Fuse(
        model=wiring.chat_model,
        prompt=_load("fuse", read_sources(wiring), samples.FUSING),
        wording=read_wording(wiring),
        sampling=read_sampling(wiring, temperature=_CRITIC_TEMPERATURE),
        evidence_chars=wiring.options.get("evidence_chars", EVIDENCE_CHARS),
    )


@asynccontextmanager
async def _open_advisor(wiring: Wiring) -> AsyncIterator[protocols.Advisor]:
    options = wiring.options
    sources = read_sources(wiring)
    mode = options.get("mode", "direct")
    asker = Asker(
        model=wiring.chat_model,
        sampling=read_sampling(wiring, temperature=_ADVISOR_TEMPERATURE),
        reask=_load("reask", sources, samples.REASKING),
    )
    yield Advisor(
        asker=asker,
        prompts={
            name: _load(name, sources, samples.ADVISING[name]) for name in _ADVISOR_PROMPTS[mode]
        },
        mode=mode,
        wording=read_wording(wiring),
        evidence_chars=options.get("evidence_chars", EVIDENCE_CHARS),
        max_operations=options.get("max_operations", 2),
        content=content_schema(
            content_chars=options.get("content_chars", CONTENT_CHARS),
            opening=OPENINGS[sources.language],
            plain_words=options.get("plain_words", True),
        ),
        proposals_per_call=options.get("proposals_per_call", 20),
        language=sources.language,
    )


@hookimpl
def grpo_generators() -> Iterable[Component[protocols.Generator]]:
    """Three styles: the answer at once, worked out step by step, and solved and then checked."""
    return (
        Component(
            "direct",
            _single("direct"),
            "one call: the shortest way to the answer",
            GENERATOR_OPTIONS,
            uses_chat_model=True,
        ),
        Component(
            "step-by-step",
            _single("step-by-step"),
            "one call: works the answer out step by step",
            GENERATOR_OPTIONS,
            uses_chat_model=True,
        ),
        Component(
            "solve-and-check",
            _open_solve_and_check,
            "two calls: a solution, then a check of it that decides",
            CHECKING_OPTIONS,
            uses_chat_model=True,
        ),
    )


@hookimpl
def grpo_critics() -> Iterable[Component[protocols.Critic]]:
    """One critic, that reads all attempts at once."""
    return (
        Component(
            "fuse",
            _open_fuse,
            "one call: reads one generator's attempts and writes the final answer",
            CRITIC_OPTIONS,
            uses_chat_model=True,
        ),
    )


@hookimpl
def grpo_advisors() -> Iterable[Component[protocols.Advisor]]:
    """One advisor, in two modes; it also consolidates."""
    return (
        Component(
            "advisor",
            _open_advisor,
            "proposes operations from good and bad attempts (modes: direct, staged)",
            ADVISOR_OPTIONS,
            uses_chat_model=True,
        ),
    )
