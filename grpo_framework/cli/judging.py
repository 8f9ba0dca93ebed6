"""Judges pairs with one comparator: in this process, or in several."""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from grpo_framework.calls import CallRules, GuardedModel
from grpo_framework.cli.pairs import Pair
from grpo_framework.component import Component
from grpo_framework.config import ComponentConfig, RunConfig, config_from_document
from grpo_framework.errors import ComparatorError
from grpo_framework.evaluation import compare_answer
from grpo_framework.plugins import CHAT_MODEL, COMPARATOR, Plugins
from grpo_framework.protocols import Comparator
from grpo_framework.records import Verdict
from grpo_framework.rollouts import describe
from grpo_framework.workshop import Workshop

ROWS_A_PROCESS = 400
"""With fewer rows, a further process costs more time to start than it saves."""


Row = dict[str, Any]
"""What became of a pair, as plain JSON values: it crosses from worker processes."""


@asynccontextmanager
async def open_model(workshop: Workshop, use: ComponentConfig) -> AsyncIterator[GuardedModel]:
    """Open a chat model behind its guard."""
    calls = workshop.config.calls
    rules = CallRules(
        concurrency=workshop.config.concurrency, timeout=calls.timeout, tries=calls.tries
    )
    async with workshop.open(CHAT_MODEL, use) as model:
        yield GuardedModel(model, name=use.use, rules=rules)


@asynccontextmanager
async def open_comparator(workshop: Workshop) -> AsyncIterator[Comparator]:
    """Open the configured comparator, and its chat model if it has one."""
    use = workshop.config.comparator
    component = find_comparator(workshop)
    async with AsyncExitStack() as stack:
        model = None
        if component.uses_chat_model:
            model = await stack.enter_async_context(open_model(workshop, workshop.config.model))
        opening = workshop.open(COMPARATOR, use, chat_model=model)
        yield await stack.enter_async_context(opening)


def find_comparator(workshop: Workshop) -> Component[Comparator]:
    """The declaration of the configured comparator.

    Raises:
        ConfigError: Nobody offers it, or its options are wrong.
    """
    return workshop.find(COMPARATOR, workshop.config.comparator).component


async def judge(comparator: Comparator, pair: Pair) -> Row:
    """Judge one pair; what the comparator raises is this pair's verdict ``unknown``."""
    started = time.perf_counter()
    verdict, reason = None, ""
    try:
        if pair.whole:
            verdict = await comparator.compare(pair.problem, pair.answer)
        else:
            verdict = await compare_answer(comparator, pair.problem, pair.answer)
    except ComparatorError as error:
        reason = describe(error)
    # A comparator is foreign code: what it fails on is this row's failure and no other's.
    except Exception as error:
        reason = f"{type(error).__name__}: {describe(error)}"
    seconds = time.perf_counter() - started
    return {
        **({} if pair.id is None else {"id": pair.id}),
        "reward": None if verdict is None else verdict.reward,
        "verdict": "unknown" if verdict is None else name_verdict(verdict),
        "reason": reason if verdict is None else verdict.reason,
        "extracted": None if verdict is None else verdict.extracted,
        "seconds": round(seconds, 6),
        "details": {} if verdict is None else dict(verdict.details),
    }


def name_verdict(verdict: Verdict) -> str:
    """The comparator's own word for its verdict, or what the reward says."""
    named = verdict.details.get("verdict")
    if isinstance(named, str):
        return named
    return {1.0: "equal", 0.0: "different"}.get(verdict.reward, "partial")


async def judge_here(
    config: RunConfig, plugins: Plugins, pairs: Sequence[Pair], show: Callable[[Row], object]
) -> None:
    """Judge pairs in this process, and show each in its order as soon as it is its turn.

    Only a comparator that waits for a chat model gets several at once: for any other the seconds of
    a row would count its neighbours'.
    """
    workshop = Workshop(config, plugins)
    width = config.concurrency if find_comparator(workshop).uses_chat_model else 1
    async with open_comparator(workshop) as comparator, asyncio.TaskGroup() as tasks:
        window: deque[asyncio.Task[Row]] = deque()
        for pair in pairs:
            if len(window) == width:
                show(await window.popleft())
            window.append(tasks.create_task(judge(comparator, pair)))
        while window:
            show(await window.popleft())


def judge_in_processes(
    config: RunConfig, pairs: Sequence[Pair], processes: int, show: Callable[[Row], object]
) -> None:
    """Judge pairs in worker processes, each with a comparator of its own; shown in their order."""
    size = max(1, min(ROWS_A_PROCESS, math.ceil(len(pairs) / processes)))
    chunks = [pairs[start : start + size] for start in range(0, len(pairs), size)]
    # Started anew, not forked: a fork copies threads and event loops in an unknown state.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_ignore_interrupts)
    try:
        for chunk in pool.map(_judge_chunk, [config.document] * len(chunks), chunks):
            for judged in chunk:
                show(judged)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    pool.shutdown()


def choose_processes(rows: int) -> int:
    """As many processes as the rows are worth, at most one a core."""
    return max(1, min(os.cpu_count() or 1, rows // ROWS_A_PROCESS))


def _ignore_interrupts() -> None:
    """Ctrl-C reaches the workers too; the parent ends them, and says so once."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _judge_chunk(document: dict[str, Any], pairs: Sequence[Pair]) -> list[Row]:
    """The work of a worker process."""
    judged: list[Row] = []
    config = config_from_document(document)
    asyncio.run(judge_here(config, Plugins.discover(), pairs, judged.append))
    return judged
