"""Batches: results in order, from spawned processes and threads as from one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from grpo_math import Verdict, compare, compare_many

PAIRS = [(rf"\frac{{{n}}}{{2}}", f"{n + n % 3}/2") for n in range(300)]


def test_processes_give_the_same_results_in_order():
    """Two spawned processes give what one gives, in the order of the pairs."""
    alone = [result.verdict for result in compare_many(PAIRS, processes=1)]
    together = [result.verdict for result in compare_many(PAIRS, processes=2)]
    assert alone == together
    assert alone[:3] == [Verdict.EQUAL, Verdict.DIFFERENT, Verdict.DIFFERENT]


def test_responses_are_searched():
    """With `responses`, the final answer is looked for in the second text."""
    results = list(compare_many([("5", r"So it is \boxed{5}.")], responses=True))
    assert [result.reward for result in results] == [1.0]


def test_threads_do_not_disturb_each_other():
    """Numeric comparisons in many threads give what they give alone."""
    pairs = [(rf"\sqrt{{{n}}} + \pi", rf"\pi + \sqrt{{{n}}}") for n in range(2, 60)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda pair: compare(*pair), pairs))
    assert {result.verdict for result in results} == {Verdict.EQUAL}


def test_no_processes_is_an_error():
    """A number of processes below 1 is refused at once."""
    with pytest.raises(ValueError, match="processes is 0"):
        compare_many(PAIRS, processes=0)
