"""Compares many pairs on all cores, in spawned processes, results in the order of the pairs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from grpo_math.comparing import compare, compare_response
from grpo_math.options import DEFAULT, Options
from grpo_math.results import Result

if TYPE_CHECKING:
    from concurrent.futures import Future

Pair = tuple[str, str | None]
_CHUNK = 64
_FEW = 256
_AHEAD = 4


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
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    chunks = _split(pairs)
    first = list(islice(chunks, _FEW // _CHUNK))
    if count == 1 or sum(map(len, first)) < _FEW:
        for chunk in (*first, *chunks):
            yield from _compare_chunk(chunk, options, responses=responses)
        return
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        waiting: list[Future[list[Result]]] = []
        try:
            for chunk in (*first, *chunks):
                waiting.append(pool.submit(_compare_chunk, chunk, options, responses=responses))
                if len(waiting) >= count * _AHEAD:
                    yield from waiting.pop(0).result()
            while waiting:
                yield from waiting.pop(0).result()
        finally:
            for future in waiting:
                future.cancel()
