"""Compares many pairs on all cores, in spawned processes, results in the order of the pairs."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING

from grpo_math.comparing import compare, compare_response
from grpo_math.options import DEFAULT, Options
from grpo_math.results import Result

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

Pair = tuple[str, str | None]
_CHUNK = 64
_FEW = 256
_AHEAD = 4
_LONGEST = 256


def _compare_chunk(pairs: Sequence[Pair], options: Options, *, responses: bool) -> list[Result]:
    judge: Callable[[Pair], Result]
    if responses:
        judge = lambda pair: compare_response(pair[0], pair[1] or "", options=options)  # noqa: E731
    else:
        judge = lambda pair: compare(pair[0], pair[1], options=options)  # noqa: E731
    return [judge(pair) for pair in pairs]


def _split(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    rest = iter(pairs)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def compare_many(
    pairs: Iterable[Pair],
    *,
    options: Options = DEFAULT,
    processes: int | None = None,
    responses: bool = False,
) -> Iterator[Result]:
    """Compare many pairs.

    Args:
        pairs: (gold, pred), or (gold, whole response) with `responses`; read as they are needed.
        options: As for `compare`.
        processes: How many processes; None for one per core. With 1, or few pairs, none is
            started.
        responses: The second of each pair is a whole response to extract from.

    Yields:
        One result per pair, in the order of the pairs.

    Raises:
        ValueError: `processes` is less than 1.
    """
    count = os.cpu_count() or 1 if processes is None else processes
    if count < 1:
        raise ValueError(f"processes is {count}, but must be at least 1")
    return _compare_lazily(pairs, options, count, responses=responses)


def _compare_lazily(
    pairs: Iterable[Pair], options: Options, count: int, *, responses: bool
) -> Iterator[Result]:
    chunks = _split(pairs)
    first = list(islice(chunks, _FEW // _CHUNK))
    if count == 1 or sum(map(len, first)) < _FEW:
        for chunk in (*first, *chunks):
            yield from _compare_chunk(chunk, options, responses=responses)
        return
    yield from _Team(chain(first, chunks), options, count - 1, responses=responses).work()


class _Team:
    """This process and its workers, which take chunks from the same source.

    This process works too, from the first moment: workers need some tenths of a second to start,
    and a batch must not wait for them.
    """

    def __init__(
        self, chunks: Iterator[list[Pair]], options: Options, workers: int, *, responses: bool
    ) -> None:
        self._chunks = chunks
        self._options = options
        self._workers = workers
        self._responses = responses
        self._waiting: deque[tuple[list[Pair], Future[list[Result]] | list[Result]]] = deque()
        self._started = False

    def work(self) -> Iterator[Result]:
        """Compare all chunks; yields the results in their order."""
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        pool = ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"))
        try:
            while self._fill(pool):
                yield from self._take()
        finally:
            pool.shutdown(wait=self._started, cancel_futures=True)

    def _fill(self, pool: ProcessPoolExecutor) -> bool:
        """Hand chunks to the workers while they have room; False when all is done."""
        busy = sum(not isinstance(work, list) for _, work in self._waiting)
        wanted = min(_AHEAD * self._workers - busy, _LONGEST - len(self._waiting))
        for chunk in islice(self._chunks, max(wanted, 0)):
            task = partial(_compare_chunk, responses=self._responses)
            self._waiting.append((chunk, pool.submit(task, chunk, self._options)))
        return bool(self._waiting)

    def _take(self) -> list[Result]:
        """Return what is next in order, or compare a chunk meanwhile and return nothing."""
        chunk, work = self._waiting[0]
        if isinstance(work, list):
            self._waiting.popleft()
            return work
        if work.done():
            self._started = True
        elif work.cancel():
            self._waiting[0] = (chunk, self._compare(chunk))
            return []
        else:
            spare = next(self._chunks, None) if len(self._waiting) < _LONGEST else None
            if spare is not None:
                self._waiting.append((spare, self._compare(spare)))
                return []
            if not self._started:  # all else is done, and no worker is there yet
                self._waiting.popleft()
                return self._compare(chunk)
        self._waiting.popleft()
        return work.result()

    def _compare(self, chunk: list[Pair]) -> list[Result]:
        return _compare_chunk(chunk, self._options, responses=self._responses)
