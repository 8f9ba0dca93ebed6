"""The simulated endpoint: same request, same fate; faults, limits and counts are what was asked."""

from __future__ import annotations

import itertools
import json
import re
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

import pytest

from benchmarks.answers import answer, problem_text
from benchmarks.endpoint import Behaviour, Bucket, read_log, read_stats, simulated_endpoint
from grpo_framework.validation import validate_with

QUICK = Behaviour(median=0.002, sigma=0.1, seconds=600.0)


def ask(url: str, *, number: int = 0, seed: int | None = 1, **more: object) -> str:
    """One request; its text."""
    body = {"model": "m", "messages": [{"role": "user", "content": problem_text(number, 1)}]}
    body |= {} if seed is None else {"seed": seed}
    data = json.dumps(body | more).encode()
    request = urllib.request.Request(f"{url}/chat/completions", data=data)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)["choices"][0]["message"]["content"]
    except urllib.error.HTTPError as error:
        error.close()
        raise


def ask_until_answered(url: str, **request: object) -> str:
    """As a right client does: again after every fault."""
    for _ in range(10):
        try:
            return ask(url, **request)
        except (OSError, HTTPException, ValueError):
            continue
    raise AssertionError("no answer in ten tries")


def test_a_right_client_gets_the_same_answers_with_and_without_faults():
    """Faults change nothing but the number of tries, with a seed and without one."""
    faults = {"limited": 0.2, "error": 0.2, "dropped": 0.2, "truncated": 0.1, "broken": 0.1}
    results = []
    for behaviour in (QUICK, Behaviour(median=0.002, sigma=0.1, seconds=600.0, **faults)):
        with simulated_endpoint(behaviour) as url:
            with_seed = [ask_until_answered(url, number=number) for number in range(20)]
            without = [ask_until_answered(url, seed=None) for _ in range(5)]
            stats = read_stats(url)
        results.append((with_seed, without))
    assert results[0] == results[1]
    assert stats["answered"] == 25
    assert stats["requests"] > 25
    assert all(stats.get(kind) for kind in ("limited", "error", "dropped"))
    assert len(set(results[0][1])) > 1


def test_the_nth_try_of_a_request_always_meets_the_same_fate():
    """Service time and fault follow from seed, request and number of the try."""
    behaviour = Behaviour(error=0.5, straggler=0.1)
    draws = [f"draw-{number}" for number in range(200)]
    fates = [(behaviour.service(draw), behaviour.fault(draw, 1)) for draw in draws]
    assert fates == [(behaviour.service(draw), behaviour.fault(draw, 1)) for draw in draws]
    assert 60 < sum(fault == "error" for _, fault in fates) < 140
    assert all(behaviour.fault(draw, behaviour.tries) is None for draw in draws)


def test_stragglers_take_ten_times_as_long():
    """The share that straggles does so by the factor; the others are as without."""
    usual, late = Behaviour(), Behaviour(straggler=0.2)
    ratios = [late.service(str(n)) / usual.service(str(n)) for n in range(500)]
    slow = [ratio for ratio in ratios if ratio > 1.0]
    assert all(ratio == pytest.approx(10.0) for ratio in slow)
    assert 60 < len(slow) < 140


def test_a_rate_limit_answers_429_with_a_wait():
    """Above the rate a request is refused, told when to come again, and that is noted."""
    with simulated_endpoint(QUICK, rate=0.01, burst=1) as url:
        ask(url, number=1)
        with pytest.raises(urllib.error.HTTPError) as refused:
            ask(url, number=2)
        with pytest.raises(urllib.error.HTTPError):
            ask(url, number=2)
        stats = read_stats(url)
    assert refused.value.code == 429
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 100
    assert stats["limited"] == 2
    assert stats["early"] == 1


def test_a_token_bucket_lets_its_burst_through():
    """What was saved up is accepted at once, and no more."""
    bucket = Bucket(0.001, burst=3)
    waits = [bucket.take() for _ in range(4)]
    assert waits[:3] == [0.0] * 3
    assert 0.0 < waits[3] <= 1000.0


def test_capacity_serves_in_order_of_arrival(tmp_path):
    """With room for one, no two calls are served at once, and none overtakes another."""
    log = tmp_path / "calls.jsonl"
    with (
        simulated_endpoint(QUICK, capacity=1, median=0.02, log=log) as url,
        ThreadPoolExecutor(8) as pool,
    ):
        list(pool.map(lambda number: ask(url, number=number), range(8)))
    rows = sorted(read_log(log), key=lambda row: row["arrival"])
    starts = [row["start"] for row in rows]
    assert starts == sorted(starts)
    assert all(
        row["start"] >= before["start"] + before["service"] * 0.9
        for before, row in itertools.pairwise(rows)
    )


def test_a_hung_request_is_never_answered(tmp_path):
    """The client has to give up; the log says what happened."""
    log = tmp_path / "calls.jsonl"
    with simulated_endpoint(QUICK, hung=1.0, log=log) as url:
        request = urllib.request.Request(
            f"{url}/chat/completions", data=b'{"messages": [], "seed": 1}'
        )
        with pytest.raises(TimeoutError):
            urllib.request.urlopen(request, timeout=0.5)
        assert "answered" not in read_stats(url)


def test_answers_are_right_as_often_as_asked():
    """The box holds the sum in about the asked share of answers, else another number."""
    body = {"messages": [{"role": "user", "content": problem_text(20, 22)}]}
    texts = [
        answer(body, draw=str(number), right=0.7)["choices"][0]["message"]["content"]
        for number in range(300)
    ]
    boxes = [re.search(r"\\boxed\{(-?\d+)\}", text)[1] for text in texts]
    assert 180 < boxes.count("42") < 240


def test_an_advisors_request_gets_operations_that_fit_its_schema():
    """Whatever the schema of operations allows, the answer satisfies it."""
    text = {"type": "string", "pattern": '^When [^0-9"\\\\\\n.]{10,234}[.]$'}
    common = {"reason": {"type": "string", "maxLength": 120}, "content": text}
    variants = [
        _variant("add", {**common, "category": {"type": "string", "pattern": "^[a-z]{3,14}$"}}),
        _variant("modify", {**common, "id": {"enum": ["G1-001", "G1-002"]}}),
        _variant(
            "merge",
            {**common, "ids": {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2}},
        ),
        _variant("delete", {"id": {"enum": ["G1-001"]}}),
    ]
    operations = {"type": "array", "items": {"anyOf": variants}, "maxItems": 2}
    schema = {
        "type": "object",
        "properties": {"operations": operations},
        "required": ["operations"],
    }
    body = {
        "messages": [{"role": "user", "content": "?"}],
        "response_format": {"type": "json_schema", "json_schema": {"schema": schema}},
    }
    kinds = set()
    for number in range(200):
        reply = answer(body, draw=str(number), right=1.0)
        document = json.loads(reply["choices"][0]["message"]["content"])
        validate_with("answer", schema, document)
        kinds |= {row["op"] for row in document["operations"]}
    assert kinds >= {"add", "modify", "merge"}


def _variant(name: str, fields: dict) -> dict:
    properties = {"op": {"const": name}, **fields}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
