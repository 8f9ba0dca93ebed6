"""The public comparison of two answers, and of an answer with a whole response."""

from __future__ import annotations

import functools
import re

from grpo_math.equality.judge import Judge
from grpo_math.extraction import count_words, extract, peel
from grpo_math.limits import (
    Deadline,
    DeadlineError,
    OverLimitError,
    UndecidableError,
)
from grpo_math.opposites import are_opposite, count_otherwise, is_rate_of_amount
from grpo_math.options import DEFAULT, Options
from grpo_math.patterns import Pattern
from grpo_math.plain import compare_numerals
from grpo_math.quick import compare_simple
from grpo_math.reading.reader import Reading, read
from grpo_math.reading.special import NO_NUMERAL
from grpo_math.results import Cause, Result, Verdict
from grpo_math.values import (
    NUMBER_TYPES,
    Choice,
    Clock,
    Listing,
    Num,
    Quantity,
    Relation,
    Text,
    Value,
    name_type,
)

_SEGMENT = Pattern(r"\$([^$]+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_HOLDS_VALUE = Pattern(r"[\d\\$=<>:*]")
_SENTENCE = 400
_WORD = Pattern(r"(?<![\\a-zA-Z{])(?:[a-zA-Z]{4,}|is(?![a-zA-Z])|are(?![a-zA-Z]))")
_SPACES = Pattern(r" {4,}")
# Words in front of a computation with its result: we have 3 + 4 = 7.
_COMPUTED = Pattern(
    r"\s*[a-zA-Z][a-z]+(?: [a-z]+){0,6} "
    r"(?=[$€£(]*\d[\d.,$€£() ]*[-+*/×÷][-+*/×÷\d.,$€£() ]*=[^=]*\d)"
)
_COUNTED = (*NUMBER_TYPES, Quantity, Relation)


def compare(gold: str, pred: str | None, *, options: Options = DEFAULT) -> Result:
    """Compare an answer with the reference.

    Args:
        gold: The reference answer: LaTeX, plain text or Unicode.
        pred: The answer, in any of these too, possibly boxed; None where none was found.
        options: How lenient to be, and the limits.

    Returns:
        The verdict with its reason; never raises for what the texts hold.
    """
    changes = options.list_changes()

    if pred is None or not pred.strip():
        return _give_up(pred, changes, Cause.NO_ANSWER)
    if not gold.strip():
        return _give_up(pred, changes, Cause.UNPARSED_REFERENCE, "it is empty")
    if gold == pred:
        return Result(Verdict.EQUAL, "the same text", pred, rule="same text", options=changes)
    exactly = not (options.decimal_comma or options.relative_tolerance)
    plain = compare_numerals(gold, pred) if exactly else None
    if plain is not None:
        verdict = Verdict.EQUAL if plain else Verdict.DIFFERENT
        rule = "plain number"
        return Result(verdict, "plain numbers", pred, "number", "number", rule, changes)
    simple = None if changes else compare_simple(gold, pred)
    if simple is not None:
        equal, gold_type, pred_type, rule = simple
        verdict = Verdict.EQUAL if equal else Verdict.DIFFERENT
        return Result(verdict, rule, pred, gold_type, pred_type, rule)
    deadline = Deadline(options.timeout)
    try:
        reference = _read_reference(gold, options)
        deadline.check()  # what was used before its first look is only known in part
        readings = reference, _read_answer(pred, options, known=reference)
        deadline.check()
        for reading, cause in zip(
            readings, (Cause.UNPARSED_REFERENCE, Cause.UNPARSED_ANSWER), strict=True
        ):
            if not reading.values:
                return _give_up(pred, changes, cause, reading.text[:80])
        return _decide(*readings, Judge(options, deadline), pred)
    except OverLimitError as over:
        return _give_up(pred, changes, Cause.OVER_LIMIT, str(over))
    except (RecursionError, MemoryError):
        return _give_up(
            pred, changes, Cause.OVER_LIMIT, "the answer is nested too deeply or too large"
        )
    except (DeadlineError, UndecidableError) as undecided:
        return _give_up(pred, changes, Cause.TIMEOUT, str(undecided))


def _give_up(
    pred: str | None, changes: tuple[tuple[str, object], ...], cause: Cause, detail: str = ""
) -> Result:
    reason = f"{cause}: {detail}" if detail else str(cause)
    return Result(Verdict.UNKNOWN, reason, pred, options=changes, cause=cause)


def _read_reference(text: str, options: Options) -> Reading:
    """Read a reference; the last ones are remembered, as each is compared with many answers."""
    if options is DEFAULT and len(text) < _SENTENCE:
        return _remember_reference(text)
    return _read_answer(text, options)


@functools.lru_cache(maxsize=512)
def _remember_reference(text: str) -> Reading:
    return _read_answer(text, DEFAULT)


def _read_answer(text: str, options: Options, *, known: Reading | None = None) -> Reading:
    """Read an answer; one that is a sentence around it is searched for it first."""
    if "    " in text:
        text = _SPACES.sub("   ", text)
    boxed = text.count("\\boxed")
    if boxed and text.startswith("$") and text.count("$") == 1:
        text = text[1:]
    if boxed and (boxed > 1 or not text.lstrip(" \t\n$").startswith("\\boxed")):
        told = _WORD.search(text, 0, text.index("\\boxed")) is not None
        short = None if told or len(text) > _SENTENCE else read(text, options)
        if short is not None and short.values and not isinstance(short.values[0], Text):
            return short
        text = _unbox(text, options)
    led = _COMPUTED.match(text) if "=" in text else None
    if led is not None:
        inner = read(text[led.end() :], options)
        if inner.values and not isinstance(inner.values[0], Text):
            return inner._replace(text=text)
    reading = read(text, options, known=known)
    if boxed and not reading.values:
        reading = read(_unbox(text, options), options)
    found = bool(reading.values) and not isinstance(reading.values[0], Text)
    if found and (boxed or " " not in text or count_words(text) < 2):
        return reading
    if reading.values and not found and not _HOLDS_VALUE.search(text):
        return reading  # words with no value among them
    peeled = text if boxed else peel(text) if len(text) <= _SENTENCE else _unbox(text, options)
    if peeled != text:
        inner = read(peeled, options)
        if inner.values and not isinstance(inner.values[0], Text):
            # The words that were peeled off may say the contrary of the other answer's.
            return inner if boxed else inner._replace(text=reading.text)
    segments = [] if found else _SEGMENT.findall(text)
    if len(segments) != 1 or len(text) > _SENTENCE:
        return reading
    inner = read("".join(segments[0]), options)
    return inner if inner.values else reading


def _unbox(text: str, options: Options) -> str:
    """Return what the boxes of a solution hold; the text itself where they hold nothing."""
    found = extract(text, options=options)
    return ", ".join(found.answers) if found.answers else text


def _decide(gold: Reading, pred: Reading, judge: Judge, extracted: str) -> Result:
    """Try every pair of readings; the first equal pair decides."""
    undecided: Exception | None = None
    rule = ""
    pairs = _pair_readings(gold.values, pred.values)
    for first, second in pairs:
        try:
            equal = judge.equal(first, second)
        except (UndecidableError, OverLimitError) as problem:
            undecided = undecided or problem
            continue
        rule = rule or judge.rule
        if equal and _say_otherwise(first, gold.text, pred.text):
            rule = "opposite words"
            break
        mixed = isinstance(first, Quantity) != isinstance(second, Quantity)
        if equal and mixed and is_rate_of_amount(gold.text, pred.text):
            rule = "an amount is no rate"
            break
        if equal:
            return Result(
                Verdict.EQUAL, judge.rule, extracted, name_type(first), name_type(second),
                judge.rule, judge.options.list_changes(),
            )  # fmt: skip
    if undecided is not None:
        raise undecided
    first, second = gold.values[0], pred.values[0]
    rule = rule or "no common type"
    return Result(
        Verdict.DIFFERENT, rule, extracted, name_type(first), name_type(second), rule,
        judge.options.list_changes(),
    )  # fmt: skip


def _say_otherwise(value: Value, gold: str, pred: str) -> bool:
    """Tell whether words beside equal values say the contrary, or count other things."""
    if isinstance(value, Listing):
        return count_otherwise(gold, pred)
    return isinstance(value, _COUNTED) and are_opposite(gold, pred)


def _pair_readings(gold: tuple[Value, ...], pred: tuple[Value, ...]) -> list[tuple[Value, Value]]:
    """Pair the readings of both sides; where both are surely letters, only the letters count."""
    if len(gold) == len(pred) == 1:
        return [(gold[0], pred[0])]
    letters = [[v for v in values if isinstance(v, Choice)] for values in (gold, pred)]
    if letters[0] and letters[1] and (letters[0][0].sure or letters[1][0].sure):
        return [(letters[0][0], letters[1][0])]
    clocks = [[v for v in values if isinstance(v, Clock)] for values in (gold, pred)]
    if clocks[0] and clocks[1]:
        return [(clocks[0][0], clocks[1][0])]
    if all(
        len(v) > 1 and isinstance(v[0], Num) and isinstance(v[1], Listing) for v in (gold, pred)
    ):
        return [(gold[0], pred[0])]
    return [(a, b) for a in gold for b in pred]


def compare_response(gold: str, response: str, *, options: Options = DEFAULT) -> Result:
    """Find the final answer in a whole response, and compare it with the reference.

    Args:
        gold: The reference answer.
        response: What a model wrote, reasoning included.
        options: How lenient to be, and the limits.

    Returns:
        The verdict; ``unknown: no answer found`` where there is no final answer.
    """
    if response.strip() == gold.strip() != "":
        return compare(gold, response, options=options)
    found = extract(response, options=options)
    if not found.answers:
        said = found.reason.removeprefix(f"{Cause.NO_ANSWER}").lstrip(": ")
        reason = f"{Cause.NO_ANSWER}: {said}" if said else str(Cause.NO_ANSWER)
        return Result(
            Verdict.UNKNOWN, reason, None, options=options.list_changes(), cause=Cause.NO_ANSWER
        )
    return compare(gold, ", ".join(found.answers), options=options)


def check_reference(gold: str, *, options: Options = DEFAULT) -> Result | None:
    """Check that a reference can be read, when problems are loaded.

    Args:
        gold: The reference answer.
        options: The limits.

    Returns:
        None where it can; else the ``unknown`` result every comparison with it would give.
    """

    def give_up(cause: Cause, detail: str) -> Result:
        reason = f"{cause}: {detail}"
        changes = options.list_changes()
        return Result(Verdict.UNKNOWN, reason, None, options=changes, cause=cause)

    try:
        reading = _read_answer(gold, options)
    except OverLimitError as over:
        return give_up(Cause.OVER_LIMIT, str(over))
    except (RecursionError, MemoryError):
        return give_up(Cause.OVER_LIMIT, "the answer is nested too deeply or too large")
    if not reading.values:
        return give_up(Cause.UNPARSED_REFERENCE, reading.text[:80] or "it is empty")
    first = reading.values[0]
    if isinstance(first, Text) and first.words.endswith(NO_NUMERAL):
        return give_up(Cause.UNPARSED_REFERENCE, f"{reading.text[:80]} has {NO_NUMERAL}")
    return None
